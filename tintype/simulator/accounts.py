"""What the Graph API shows of Instagram accounts, Facebook Pages and the people who manage them."""

from collections.abc import Mapping

from tintype.simulator import people, posts, tokens
from tintype.simulator.errors import GraphError, missing_permission, unsupported_method
from tintype.simulator.grammar import Field, parse
from tintype.simulator.model import FacebookUser, Page, Person
from tintype.simulator.visit import Maker, Visit

TASKS = ["ANALYZE", "ADVERTISE", "MESSAGING", "MODERATE", "CREATE_CONTENT", "MANAGE"]
ACCOUNTS_DEFAULT = parse("access_token,category,category_list,name,id,tasks")


def professional(person: Person) -> None:
    """Refuse reads of personal accounts, whose media no API shows."""
    if person.account_type == "PERSONAL":
        raise missing_permission()


def _media(visit: Visit, person: Person, field: Field) -> object:
    professional(person)
    return posts.media_edge(visit, person.username, person.user_id, field)


def _stories(visit: Visit, person: Person, field: Field) -> object:
    professional(person)
    return posts.stories_edge(visit, person.username, person.user_id, field)


def _tags(visit: Visit, person: Person, field: Field) -> object:
    if visit.login == "instagram" and not visit.world.settings.tags_for_instagram_login:
        raise unsupported_method("get")
    visit.require("comments")
    return visit.through("public").edge(person.user_id, posts.tagging(visit, person.username), field, paging="none")


def _live(_visit: Visit, _person: Person, _field: Field) -> object:
    return {"data": []}


def _discovery(visit: Visit, _person: Person, field: Field) -> object:
    visit.require("insights")
    target = visit.world.people.get(field.args.get("username", ""))
    if target is None or target.account_type == "PERSONAL":
        raise GraphError(
            110, "Invalid user id", 2207013, transient=False, title="Cannot find User",
            text=f"The user with username: {field.args.get('username', '')} cannot be found.",
        )  # fmt: skip
    return visit.through("public").show(target, field.fields)


def _mentioned_media(visit: Visit, person: Person, field: Field) -> object:
    media = posts.mentioned(visit, person.username, field.args.get("media_id", ""))
    return visit.through("public").show(media, field.fields)


def _mentioned_comment(visit: Visit, person: Person, field: Field) -> object:
    comment = visit.world.comments.get(field.args.get("comment_id", ""))
    if comment is None or f"@{person.username}" not in comment.text:
        raise GraphError(100, "(#100) The comment does not mention the queried user")
    return visit.show(comment, field.fields)


def _picture(visit: Visit, person: Person, _field: Field) -> object:
    return visit.file(people.profile_key(person))


def _media_count(visit: Visit, person: Person, _field: Field) -> object:
    return len(visit.world.posts(person.username))


def _subscribed(visit: Visit, node: Person | Page, _field: Field) -> object:
    node_id = node.user_id if isinstance(node, Person) else node.id
    fields = visit.world.subscriptions.get((visit.token.app_id, node_id))
    return {"data": [{"app_id": visit.token.app_id, "subscribed_fields": list(fields)}] if fields else []}


def _page_account(visit: Visit, page: Page, field: Field) -> object:
    if page.username is None:
        return None
    return visit.show(visit.world.people[page.username], field.fields)


def _page_token(visit: Visit, page: Page, _field: Field) -> object:
    return visit.token.value if visit.token.kind == "page" else tokens.page_token(visit.world, visit.token, page).value


def _accounts(visit: Visit, user: FacebookUser, field: Field) -> object:
    if "pages_show_list" not in visit.token.scopes:
        return {"data": []}
    return visit.edge(user.id, tokens.pages(visit.world, visit.token, user.id), field, default=ACCOUNTS_DEFAULT)


def _permissions(visit: Visit, _user: FacebookUser, _field: Field) -> object:
    granted = [{"permission": scope, "status": "granted"} for scope in visit.token.scopes]
    declined = [{"permission": scope, "status": "declined"} for scope in visit.token.declined]
    return {"data": granted + declined}


PUBLIC: Mapping[str, Maker] = {
    "id": lambda _v, person, _f: person.user_id,
    "username": lambda _v, person, _f: person.username,
    "name": lambda _v, person, _f: person.name or None,
    "biography": lambda _v, person, _f: person.biography or None,
    "website": lambda _v, person, _f: person.website or None,
    "profile_picture_url": _picture,
    "followers_count": lambda _v, person, _f: person.followers_count,
    "follows_count": lambda _v, person, _f: person.follows_count,
    "media_count": _media_count,
    "media": _media,
}
OWN: Mapping[str, Maker] = {
    **PUBLIC,
    "stories": _stories,
    "tags": _tags,
    "live_media": _live,
    "subscribed_apps": _subscribed,
}
INSTAGRAM: Mapping[str, Maker] = {
    **OWN,
    "id": lambda _v, person, _f: person.scoped_id,
    "user_id": lambda _v, person, _f: person.user_id,
    "account_type": lambda _v, person, _f: person.account_type,
}
FACEBOOK: Mapping[str, Maker] = {
    **OWN,
    "ig_id": lambda _v, person, _f: person.pk,
    "has_profile_pic": lambda _v, _p, _f: True,
    "is_published": lambda _v, _p, _f: True,
    "legacy_instagram_user_id": lambda _v, person, _f: str(person.pk),
    "shopping_product_tag_eligibility": lambda _v, _p, _f: False,
    "business_discovery": _discovery,
    "mentioned_media": _mentioned_media,
    "mentioned_comment": _mentioned_comment,
}
UNSET = (
    "about",
    "description",
    "emails",
    "phone",
    "website",
    "cover",
    "location",
    "display_subtext",
    "global_brand_page_name",
)


def _nothing(_visit: Visit, _node: object, _field: Field) -> object:
    return None


PAGE: Mapping[str, Maker] = {
    **dict.fromkeys(
        (*UNSET, "description_html", "engagement", "global_brand_root_id", "verification_status"), _nothing
    ),
    "fan_count": lambda _v, page, _f: len(page.name) * 31,
    "picture": _nothing,
    "id": lambda _v, page, _f: page.id,
    "name": lambda _v, page, _f: page.name,
    "username": lambda _v, page, _f: page.username,
    "category": lambda _v, page, _f: page.category,
    "category_list": lambda _v, page, _f: [{"id": str(2200 + len(page.category)), "name": page.category}],
    "access_token": _page_token,
    "tasks": lambda _v, _p, _f: TASKS,
    "link": lambda _v, page, _f: f"https://www.facebook.com/{page.id}",
    "instagram_business_account": _page_account,
    "connected_instagram_account": _page_account,
    "subscribed_apps": _subscribed,
}
USER: Mapping[str, Maker] = {
    "id": lambda _v, user, _f: user.id,
    "name": lambda _v, user, _f: user.name,
    **dict.fromkeys(
        ("first_name", "last_name", "middle_name", "name_format", "picture", "short_name", "email"), _nothing
    ),
    "accounts": _accounts,
    "permissions": _permissions,
    "businesses": lambda _v, _u, _f: {"data": []},
}
