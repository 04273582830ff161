"""For every recording, the call to the pretend Instagram that answers with the same kind of body."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from tests.simulator.shapes import SHAPES, Shape
from tests.simulator.visitor import BAKER, CALLBACK, POTTER, Visitor

PICTURE = "https://pictures.example/a.jpg"
FACEBOOK_USER = "pyfacebook/testdata/instagram/apidata"


@dataclass(frozen=True)
class Scene:
    """The potter with both logins, one post of each kind, and a baker to look at."""

    visitor: Visitor
    instagram: str
    meta: str
    user_id: str
    posts: Mapping[str, str]
    comment: str

    async def get(self, path: str, name: str, **params: Any) -> Any:
        """Ask for the very fields that the recording `name` has, with the Facebook login."""
        return await self.visitor.get(self.meta, path, fields=fields_of(SHAPES[name]), **params)


def fields_of(shape: Shape) -> str:
    """The `fields` that ask for everything in a recorded node, list of nodes or map of nodes."""
    if isinstance(shape, list):
        return fields_of(shape[0])
    assert isinstance(shape, dict)
    if isinstance(shape.get("data"), list):
        return fields_of(shape["data"])
    if all(key.isdecimal() for key in shape):
        return fields_of(next(iter(shape.values())))
    return ",".join(f"{key}{{{fields_of(inner)}}}" if holds_nodes(inner) else key for key, inner in shape.items())


def holds_nodes(shape: Shape) -> bool:
    return isinstance(shape, dict) and "data" in shape and bool(shape["data"])


async def staged(visitor: Visitor) -> Scene:
    """The scene, set up in a fresh world."""
    await visitor.world("POST", "/reset", seed=7, container_seconds=0)
    kinds = ("IMAGE", "CAROUSEL_ALBUM", "REELS", "VIDEO", "STORY")
    posts = [
        await visitor.world("POST", "/media", username=POTTER, kind=kind, caption="#ton", alt_text="a bowl")
        for kind in kinds
    ]
    comment = await visitor.world("POST", "/comments", media_id=posts[0]["id"], text=f"@{POTTER} hallo")
    instagram, meta = await visitor.token(POTTER), await visitor.token(POTTER, "facebook")
    await visitor.post(meta, f"/{comment['id']}/replies", message="danke")
    ids = {kind: post["id"] for kind, post in zip(kinds, posts, strict=True)}
    return Scene(visitor, instagram, meta, await visitor.user_id(POTTER), ids, comment["id"])


Ask = Callable[[Scene, str], Awaitable[Any]]


def node(path: str, **params: Any) -> Ask:
    async def ask(scene: Scene, name: str) -> Any:
        return await scene.get(filled(scene, path), name, **params)

    return ask


def bare(path: str, method: str = "GET", *, login: str = "meta", **params: Any) -> Ask:
    """A call whose default fields are compared."""

    async def ask(scene: Scene, _name: str) -> Any:
        token = scene.meta if login == "meta" else scene.instagram
        answer = await scene.visitor.ask(token, filled(scene, path), method=method, **params)
        return answer.json()

    return ask


def filled(scene: Scene, path: str) -> str:
    return path.format(me=scene.user_id, comment=scene.comment, **scene.posts)


def parameterised(call: str) -> Ask:
    """A field with an argument and inner fields, as `business_discovery.username(x){…}`."""

    async def ask(scene: Scene, name: str) -> Any:
        shape = cast(dict[str, Shape], SHAPES[name])
        text = call.format(comment=scene.comment, media=scene.posts["IMAGE"])
        fields = f"{text}{{{fields_of(shape[call.partition('.')[0]])}}}"
        return await scene.visitor.get(scene.meta, f"/{scene.user_id}", fields=fields)

    return ask


async def mentioned_media(scene: Scene, name: str) -> Any:
    post = await scene.visitor.world("POST", "/media", username=BAKER, kind="IMAGE", caption=f"hi @{POTTER}")
    return await parameterised(f"mentioned_media.media_id({post['id']})")(scene, name)


async def tags(scene: Scene, name: str) -> Any:
    for kind in ("IMAGE", "VIDEO"):
        await scene.visitor.world("POST", "/media", username=BAKER, kind=kind, caption=f"hi @{POTTER}")
    return await scene.get(f"/{scene.user_id}/tags", name)


async def a_tag(scene: Scene) -> str:
    return (await found_tag(scene, ""))["data"][0]["id"]


async def found_tag(scene: Scene, _name: str) -> Any:
    return await scene.visitor.get(scene.meta, "/ig_hashtag_search", user_id=scene.user_id, q="ton")


async def tag(scene: Scene, name: str) -> Any:
    return await scene.get(f"/{await a_tag(scene)}", name)


async def tagged_posts(scene: Scene, name: str) -> Any:
    edge = "recent_media" if "recent" in name else "top_media"
    await scene.visitor.world("POST", "/media", username=POTTER, kind="IMAGE", caption="#ton", like_count=0)
    return await scene.get(f"/{await a_tag(scene)}/{edge}", name, limit=4, user_id=scene.user_id)


async def searched_tags(scene: Scene, name: str) -> Any:
    await a_tag(scene)
    return await scene.get(f"/{scene.user_id}/recently_searched_hashtags", name)


async def several_posts(scene: Scene, name: str) -> Any:
    return await scene.get("/", name, ids=f"{scene.posts['CAROUSEL_ALBUM']},{scene.posts['IMAGE']}")


async def several_comments(scene: Scene, name: str) -> Any:
    return await scene.get("/", name, ids=scene.comment)


async def made(scene: Scene, **params: str) -> dict[str, Any]:
    return await scene.visitor.post(scene.meta, f"/{scene.user_id}/media", **({"image_url": PICTURE} | params))


async def container(scene: Scene, name: str) -> Any:
    return await scene.get(f"/{(await made(scene))['id']}", name)


async def containers(scene: Scene, name: str) -> Any:
    return await scene.get("/", name, ids=f"{(await made(scene))['id']},{(await made(scene))['id']}")


async def new_container(scene: Scene, _name: str) -> Any:
    return await made(scene)


async def new_resumable(scene: Scene, _name: str) -> Any:
    return await made(scene, media_type="REELS", upload_type="resumable")


async def uploaded(scene: Scene, name: str) -> Any:
    target = await new_resumable(scene, name)
    token = "wrong" if "failed" in name else scene.meta
    headers = {"authorization": f"OAuth {token}", "offset": "0", "file_size": "4"}
    return (await scene.visitor.http.post(target["uri"], content=b"clip", headers=headers)).json()


async def publication(scene: Scene, _name: str) -> Any:
    one = await made(scene)
    return await scene.visitor.post(scene.meta, f"/{scene.user_id}/media_publish", creation_id=one["id"])


async def not_ready(scene: Scene, _name: str) -> Any:
    one = await made(scene)
    await scene.visitor.world("PATCH", f"/containers/{one['id']}", status_code="IN_PROGRESS")
    path = f"/{scene.user_id}/media_publish"
    return (await scene.visitor.ask(scene.meta, path, method="POST", creation_id=one["id"])).json()


async def child_alone(scene: Scene, _name: str) -> Any:
    one = await made(scene, media_type="VIDEO", video_url=PICTURE)
    path = f"/{scene.user_id}/media_publish"
    return (await scene.visitor.ask(scene.meta, path, method="POST", creation_id=one["id"])).json()


async def failed_container(scene: Scene, _name: str) -> Any:
    one = await made(scene)
    await scene.visitor.world("PATCH", f"/containers/{one['id']}", status_code="ERROR", error_code=2207082)
    return await scene.visitor.get(scene.meta, f"/{one['id']}", fields="status_code,status")


async def spam(scene: Scene, _name: str) -> Any:
    await scene.visitor.world("POST", "/reset", seed=7, container_seconds=0, spam_shield=True)
    return await publication_refused(scene)


async def publication_refused(scene: Scene) -> Any:
    token = await scene.visitor.token(POTTER)
    one = await scene.visitor.post(token, "/me/media", image_url=PICTURE)
    return (await scene.visitor.ask(token, "/me/media_publish", method="POST", creation_id=one["id"])).json()


def refused_picture(fault: str, **params: str) -> Ask:
    return bare("/{me}/media", "POST", image_url=f"{PICTURE}{fault}", **params)


def faulty(kind: str, **more: object) -> Ask:
    async def ask(scene: Scene, _name: str) -> Any:
        await scene.visitor.world("POST", "/faults", on="*", kind=kind, **more)
        return (await scene.visitor.ask(scene.meta, "/me")).json()

    return ask


async def lacking_scope(scene: Scene, _name: str) -> Any:
    await scene.visitor.world("POST", "/reset", seed=7, missing_scope_code=200)
    token = await scene.visitor.token(POTTER, scopes="instagram_business_manage_insights")
    return (await scene.visitor.ask(token, "/me/media")).json()


async def login(scene: Scene, name: str) -> Any:
    """The answers of api.instagram.com: short tokens in both shapes, a used code, a wrong app."""
    shape = "wrapped" if "wrapped" in name else "flat"
    await scene.visitor.world("POST", "/reset", seed=7, token_shape=shape)
    app = await scene.visitor.app()
    code = await scene.visitor.world("POST", "/codes", username=BAKER, app_id=app["app_id"], redirect_uri=CALLBACK)
    form = {
        "client_id": "1" if "invalid_platform" in name else app["app_id"], "client_secret": app["app_secret"],
        "grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code["code"],
    }  # fmt: skip
    if "used" in name:
        await scene.visitor.http.post("/oauth/access_token", data=form)
    return (await scene.visitor.http.post("/oauth/access_token", data=form)).json()


async def long_token(scene: Scene, _name: str) -> Any:
    app, short = await scene.visitor.app(), await scene.visitor.token(kind="short")
    query = {"grant_type": "ig_exchange_token", "client_secret": app["app_secret"], "access_token": short}
    return (await scene.visitor.http.get("/access_token", params=query)).json()


async def facebook_token(scene: Scene, name: str) -> Any:
    app = await scene.visitor.app("facebook")
    known = {"client_id": app["app_id"], "client_secret": app["app_secret"], "redirect_uri": CALLBACK}
    query = known | {"grant_type": "fb_exchange_token", "fb_exchange_token": scene.meta}
    if "used" in name:
        body = {"username": POTTER, "app_id": app["app_id"], "redirect_uri": CALLBACK}
        query = known | await scene.visitor.world("POST", "/codes", **body)
        await scene.visitor.http.get("/oauth/access_token", params=query)
    return (await scene.visitor.http.get("/v25.0/oauth/access_token", params=query)).json()


async def inspected(scene: Scene, _name: str) -> Any:
    return await scene.visitor.get(scene.meta, "/debug_token", input_token=scene.meta)


async def wrapped_me(scene: Scene, _name: str) -> Any:
    await scene.visitor.world("POST", "/reset", seed=7, me_shape="wrapped")
    return await scene.visitor.get(await scene.visitor.token(POTTER), "/me", fields="user_id,username")


async def empty_comments(scene: Scene, _name: str) -> Any:
    await scene.visitor.world("POST", "/reset", seed=7, development_mode=True)
    token = await scene.visitor.token()
    (post,) = (await scene.visitor.get(token, "/me/media", fields="comments_count", limit=1))["data"]
    assert post["comments_count"] > 0
    return await scene.visitor.get(token, f"/{post['id']}/comments")


async def comments_with_from(scene: Scene, name: str) -> Any:
    return await scene.visitor.get(scene.instagram, f"/{scene.posts['IMAGE']}/comments", fields=fields_of(SHAPES[name]))


async def second_page(scene: Scene, name: str) -> Any:
    first = await scene.get(f"/{scene.user_id}/media", name, limit=2)
    return await scene.get(f"/{scene.user_id}/media", name, after=first["paging"]["cursors"]["after"])


async def usage_header(scene: Scene, _name: str) -> Any:
    answer = await scene.visitor.ask(scene.meta, f"/{scene.user_id}")
    return json.loads(answer.headers["x-app-usage"])


async def all_headers(scene: Scene, name: str) -> Any:
    answer = await scene.visitor.ask(scene.meta, f"/{scene.user_id}")
    by_server = {"Date": "now", "Connection": "keep-alive"}
    given = cast(dict[str, Shape], SHAPES[name])
    return by_server | {key: answer.headers[key] for key in given if key in answer.headers}


def webhook(**more: object) -> Ask:
    async def ask(scene: Scene, name: str) -> Any:
        recorded = cast(Any, SHAPES[name])
        entry = recorded["entry"][0] if "entry" in recorded else recorded
        holder = entry["changes"][0] if "changes" in entry else entry
        value = example(holder["messaging"][0] if "messaging" in holder else holder["value"])
        field = "messages" if "messaging" in holder else "comments"
        body = {"field": field, "username": POTTER, "value": value, "callback": CALLBACK, **more}
        await scene.visitor.world("POST", "/webhooks", **body)
        sent = json.loads(scene.visitor.listener.heard[-1][3])
        return sent if "entry" in recorded else sent["entry"][0]["changes"][0]

    return ask


def example(shape: Shape) -> Any:
    """Anything of this shape."""
    if isinstance(shape, dict):
        return {key: example(inner) for key, inner in shape.items()}
    if isinstance(shape, list):
        return [example(inner) for inner in shape]
    return {"text": "x", "number": 1, "flag": True}[shape]


DAY = {"metric": "reach", "period": "day"}
TOTAL = DAY | {"metric_type": "total_value"}
WHO = {"period": "lifetime", "metric_type": "total_value", "timeframe": "this_month", "breakdown": "country"}

CASES: dict[str, Ask] = {
    "docs/business_discovery.json": parameterised(f"business_discovery.username({BAKER})"),
    "docs/business_discovery_media.json": parameterised(f"business_discovery.username({BAKER})"),
    "docs/comment_create.json": bare("/{IMAGE}/comments", "POST", message="hallo"),
    "docs/comment_get.json": node("/{comment}"),
    "docs/comments_list.json": bare("/{IMAGE}/comments"),
    "docs/container_create.json": new_container,
    "docs/container_create_resumable.json": new_resumable,
    "docs/container_status_code_only.json": container,
    "docs/content_publishing_limit.json": node("/{me}/content_publishing_limit"),
    "docs/error_image_too_large.json": refused_picture("/fail/2207004"),
    "docs/error_throttle_32.json": faulty("rate_limit", code=32),
    "docs/error_throttle_80001.json": faulty("rate_limit", code=80001),
    "docs/fb_me_accounts_page_tokens.json": bare("/me/accounts"),
    "docs/hashtag_get.json": tag,
    "docs/hashtag_search.json": found_tag,
    "docs/header_x_app_usage.json": usage_header,
    "docs/ig_user_get.json": node("/{me}"),
    "docs/insights_media_navigation.json": bare(
        "/{STORY}/insights", metric="navigation", breakdown="story_navigation_action_type"
    ),
    "docs/insights_media_profile_activity.json": bare(
        "/{IMAGE}/insights", metric="profile_activity", breakdown="action_type"
    ),
    "docs/insights_user_demographics.json": bare("/{me}/insights", metric="engaged_audience_demographics", **WHO),
    "docs/insights_user_reach_total_value.json": bare("/{me}/insights", breakdown="media_product_type", **TOTAL),
    "docs/me_wrapped.json": wrapped_me,
    "docs/media_delete_ok.json": bare("/{IMAGE}", "DELETE"),
    "docs/media_get.json": node("/{IMAGE}"),
    "docs/media_list_page.json": bare("/{me}/media", limit=6),
    "docs/oauth_fb_long_token.json": facebook_token,
    "docs/oauth_ig_error_code_used.json": login,
    "docs/oauth_ig_long_token.json": long_token,
    "docs/oauth_ig_short_token_flat.json": login,
    "docs/oauth_ig_short_token_wrapped.json": login,
    "docs/rupload_failed.json": uploaded,
    "docs/rupload_ok.json": uploaded,
    "docs/success_true.json": bare("/{comment}", "POST", hide="true"),
    "docs/webhook_comments_ig_login_documented.json": webhook(shape="flat"),
    "docs/webhook_mentions_comment.json": webhook(),
    "docs/webhook_mentions_media.json": webhook(),
    "docs/webhook_message.json": webhook(),
    "docs/webhook_message_edit.json": webhook(),
    "docs/webhook_message_reaction.json": webhook(),
    "issues/comments_empty_but_counted.json": empty_comments,
    "issues/container_error_2207082.json": failed_container,
    "issues/container_finished.json": container,
    "issues/error_100_collaborators_on_child.json": refused_picture("", is_carousel_item="true", collaborators='["a"]'),
    "issues/error_100_impressions_v22.json": bare("/{me}/insights", metric="impressions", period="day"),
    "issues/error_100_nonexisting_field.json": bare("/{me}", fields="permalink"),
    "issues/error_100_views_unsupported_media.json": bare("/{IMAGE}/insights", metric="navigation"),
    "issues/error_12_wrong_node.json": bare("/{IMAGE}/media", "POST"),
    "issues/error_190_expired.json": faulty("expired_token", subcode=0),
    "issues/error_200_permissions.json": lacking_scope,
    "issues/error_2207089_carousel_item_standalone.json": child_alone,
    "issues/error_4_2207051_spam.json": spam,
    "issues/error_803_alias.json": bare("/nobody"),
    "issues/error_9004_fetch_failed.json": refused_picture("/fail/2207052"),
    "issues/error_9007_not_ready.json": not_ready,
    "issues/error_fb_code_used.json": facebook_token,
    "issues/error_fb_unsupported_get.json": bare("/1743011632638145"),
    "issues/error_ig_invalid_platform_app.json": login,
    "issues/error_ig_unsupported_get.json": bare("/1743011632638145", login="instagram"),
    "issues/me_accounts_with_ig.json": node("/me/accounts"),
    "issues/webhook_comments_test_2018.json": webhook(),
    "issues/webhook_live_comments_v26_test.json": webhook(),
    "issues/webhook_story_insights.json": webhook(),
    "postman/comments_with_from.json": comments_with_from,
    "postman/container_status.json": container,
    "postman/me_accounts.json": node("/me/accounts"),
    "postman/media_insights.json": bare("/{REELS}/insights", metric="shares,comments"),
    "postman/media_publish.json": publication,
    "postman/reel_container.json": new_container,
    "postman/reply.json": bare("/{comment}/replies", "POST", message="ja"),
    "postman/user_insights_reach_day.json": bare("/{me}/insights", **DAY),
    "pyfacebook/testdata/base/long_term_token.json": facebook_token,
    "pyfacebook/testdata/base/token_info.json": inspected,
    "pyfacebook/testdata/base/user_accounts_token.json": bare("/me/accounts"),
    f"{FACEBOOK_USER}/comments/comment_fields.json": node("/{comment}"),
    f"{FACEBOOK_USER}/comments/comments_fields.json": several_comments,
    f"{FACEBOOK_USER}/comments/replies.json": bare("/{comment}/replies"),
    f"{FACEBOOK_USER}/discovery/medias_p1.json": parameterised(f"business_discovery.username({BAKER})"),
    f"{FACEBOOK_USER}/discovery/medias_p2.json": parameterised(f"business_discovery.username({BAKER})"),
    f"{FACEBOOK_USER}/discovery/user_fields.json": parameterised(f"business_discovery.username({BAKER})"),
    f"{FACEBOOK_USER}/hashtags/hashtag_info.json": tag,
    f"{FACEBOOK_USER}/hashtags/hashtag_recent_medias_p1.json": tagged_posts,
    f"{FACEBOOK_USER}/hashtags/hashtag_top_medias_p1.json": tagged_posts,
    f"{FACEBOOK_USER}/medias/children.json": node("/{CAROUSEL_ALBUM}/children"),
    f"{FACEBOOK_USER}/medias/comments_p2.json": bare("/{IMAGE}/comments"),
    f"{FACEBOOK_USER}/medias/insights_new.json": bare(
        "/{IMAGE}/insights", metric="profile_activity", breakdown="action_type"
    ),
    f"{FACEBOOK_USER}/medias/media_default.json": node("/{CAROUSEL_ALBUM}"),
    f"{FACEBOOK_USER}/medias/medias_fields.json": several_posts,
    f"{FACEBOOK_USER}/publish/container_info.json": container,
    f"{FACEBOOK_USER}/publish/containers_info.json": containers,
    f"{FACEBOOK_USER}/publish/publish_limit_resp.json": node("/{me}/content_publishing_limit"),
    f"{FACEBOOK_USER}/stories/stories_fields_p1.json": node("/{me}/stories", limit=2),
    f"{FACEBOOK_USER}/stories/story_info.json": node("/{STORY}"),
    f"{FACEBOOK_USER}/users/content_publish_limit.json": node("/{me}/content_publishing_limit"),
    f"{FACEBOOK_USER}/users/medias_p1.json": node("/{me}/media", limit=2),
    f"{FACEBOOK_USER}/users/medias_p2.json": second_page,
    f"{FACEBOOK_USER}/users/mentioned_comment.json": parameterised("mentioned_comment.comment_id({comment})"),
    f"{FACEBOOK_USER}/users/mentioned_media.json": mentioned_media,
    f"{FACEBOOK_USER}/users/recently_searched_hashtags.json": searched_tags,
    f"{FACEBOOK_USER}/users/stories.json": node("/{me}/stories"),
    f"{FACEBOOK_USER}/users/tagged_medias.json": tags,
    f"{FACEBOOK_USER}/users/user_fields.json": node("/{me}"),
    f"{FACEBOOK_USER}/users/user_insights_new.json": bare(
        "/{me}/insights", breakdown="media_product_type,follow_type", **TOTAL
    ),
    "pyfacebook-history/headers-4e55b50.json": all_headers,
}
