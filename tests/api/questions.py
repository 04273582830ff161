"""Every route that names something by an id: how it is asked about another workspace's, or why there is nothing to ask."""

from tests.api.rooms import Question, Route

SNS = "/api/sns/instagram"
HOOK = "/api/webhooks/{endpoint_id}"
POST = {"account_id": 1, "image_url": "https://pictures.example/a.jpg"}

# Routes whose path names nothing of one workspace, or what is a key of its own.
NOBODYS: dict[Route, str] = {
    ("GET", "/feeds/{name}"): "the name is the publishable key that opens this one feed",
    ("OPTIONS", "/feeds/{name}"): "a browser's question whether a page may ask",
    ("GET", "/m/{digest}/{name}"): "pictures lie under the digest of their content, for websites",
    ("POST", "/sync/process/{tenant_id}"): "opened by QStash's signature over this very address",
    ("GET", "/connect/{state}"): "a random state, good once and for ten minutes",
    ("GET", "/meta/data-deletion/{code}"): "a code with its own proof, which says only that all is done",
    ("GET", f"{SNS}/files/{{name}}"): "Instagram fetches it; the name is the digest of the content",
    ("GET", "/scrape/jobs/{job_id}"): "posts are fetched for the house, and ids are random",
    ("GET", "/media/{shortcode}/{name}"): "opened by a signed link",
    ("GET", "/static/{name}"): "the console's own files",
    ("GET", "/docs/api/{name}"): "documentation",
    ("GET", "/docs/{path:path}"): "documentation",
    ("GET", "/openapi/{name}.json"): "documentation",
    ("GET", "/welcome/{secret}"): "a one-time link",
    ("POST", "/welcome/{secret}"): "a one-time link",
    ("GET", "/welcome/to/{secret}"): "an invitation's link",
    ("POST", "/welcome/to/{secret}"): "an invitation's link",
    ("GET", "/picker/{version}/picker.js"): "a script",
    ("GET", "/dialog/assets/{digest}/{name}"): "a script",
    ("POST", "/api/store/{location}"): "names a kind of store of the key's own app",
    ("PUT", "/multipart/part/{upload_id}/{part}/{offset}"): "clients send parts without a key; the id is random",
    ("GET", "/dialog/thumbs/{dialog_id}/{token}"): "opened by a sealed token, see test_picker_dialog.py",
}
for _path in ("", "/retry", "/recipe", "/approve", "/thumbnail", "/recipe.jsonld", "/recipe.md"):
    for _method in ("GET", "POST", "PATCH", "DELETE"):
        NOBODYS[_method, f"/api/queue/{{item_id}}{_path}"] = "one queue for the house, behind its key"
for _path in ("items/{item_id}", "items/{item_id}/retry", "items/{item_id}/approve", "items/{item_id}/remove"):
    NOBODYS.update(
        {(_method, f"/share/{_path}"): "one queue for the house, behind its key" for _method in ("GET", "POST")}
    )
NOBODYS.update({("GET", f"/share/{name}"): "one queue for the house" for name in ("recipes/{item_id}", "{name}")})
for _path in ("recipes/{item_id}", "recipes/{item_id}/picture", "recipes/{item_id}/edit"):
    NOBODYS.update({(_method, f"/console/{_path}"): "one queue for the house" for _method in ("GET", "POST")})
NOBODYS.update(
    {
        ("GET", f"/console/downloads/{path}"): "posts are fetched for the house"
        for path in ("{shortcode}", "{shortcode}/{name}")
    }
)

PATHS: dict[Route, Question] = {
    ("GET", "/api/auth/workspaces/{workspace_id}/members"): Question("user", ("workspace_id",)),
    ("POST", "/api/auth/workspaces/{workspace_id}/members"): Question(
        "user", ("workspace_id",), body={"email": "new@example.com", "role": "viewer"}
    ),
    ("PATCH", "/api/auth/workspaces/{workspace_id}/members/{user_id}"): Question(
        "user", ("workspace_id", "colleague"), body={"role": "editor"}
    ),
    ("DELETE", "/api/auth/workspaces/{workspace_id}/members/{user_id}"): Question(
        "user", ("workspace_id", "colleague")
    ),
    ("GET", f"{SNS}/accounts/{{number:int}}/quota"): Question("user", ("account",)),
    ("GET", f"{SNS}/accounts/{{number:int}}/insights"): Question("user", ("account",)),
    ("GET", f"{SNS}/accounts/{{number:int}}/insights.csv"): Question("token", ("account",)),
    ("GET", f"{SNS}/accounts/{{number:int}}/best-times"): Question("user", ("account",)),
    ("GET", f"{SNS}/{{number:int}}/insights"): Question("user", ("published",)),
    ("GET", f"{SNS}/posts/{{number:int}}"): Question("user", ("post",)),
    ("GET", f"{SNS}/posts/{{number:int}}/events"): Question("token", ("post",)),
    ("PATCH", f"{SNS}/posts/{{number:int}}"): Question("user", ("post",), body={"caption": "mine now"}),
    ("DELETE", f"{SNS}/posts/{{number:int}}"): Question("token", ("post",)),
    ("DELETE", f"{SNS}/accounts/{{number:int}}"): Question("user", ("account",)),
    ("POST", f"{SNS}/posts/{{number:int}}/retry"): Question("user", ("post",), body={}),
    ("POST", f"{SNS}/posts/{{number:int}}/link"): Question("user", ("post",), body={"media_id": "1"}),
    ("DELETE", f"{SNS}/posts/import/{{batch}}"): Question("user", ("batch",)),
    ("GET", "/api/apps/{app_id}"): Question("token", ("app_id",)),
    ("PATCH", "/api/apps/{app_id}"): Question("user", ("app_id",), body={"name": "mine now"}),
    ("POST", "/api/apps/{app_id}/secret"): Question("token", ("app_id",)),
    ("DELETE", "/api/apps/{app_id}"): Question("token", ("app_id",)),
    ("POST", "/api/apps/{app_id}/storages/test"): Question("user", ("app_id",), body={"location": "S3"}),
    ("PUT", "/api/apps/{app_id}/instagram"): Question("token", ("app_id",), body={"key": "1", "secret": "secret"}),
    ("POST", "/api/apps/{app_id}/instagram/test"): Question("token", ("app_id",)),
    ("GET", "/api/file/{name}/convert"): Question("app", ("handle",), query={"w": "10"}),
    ("POST", "/api/file/{name}/convert"): Question("app", ("handle",), query={"w": "10"}),
    ("GET", "/api/file/{name}"): Question("app", ("handle",)),
    ("GET", "/api/file/{name}/metadata"): Question("app", ("handle",)),
    ("POST", "/api/file/{name}"): Question("app", ("handle",), raw=b"mine now"),
    ("POST", "/api/file/{name}/remove"): Question("app", ("handle",)),
    ("DELETE", "/api/file/{name}"): Question("app", ("handle",)),
    ("POST", "/api/file/{name}/export"): Question("app", ("handle",), form={"account_id": "<account_id>"}),
    ("GET", "/cdn/{address:path}"): Question("key", ("[security]/resize=width:9/<handle>",)),
    ("POST", "/cdn/{address:path}"): Question("key", ("[security]/resize=width:9/<handle>",)),
    ("GET", HOOK): Question("token", ("endpoint_id",)),
    ("PATCH", HOOK): Question("user", ("endpoint_id",), body={"description": "mine now"}),
    ("DELETE", HOOK): Question("token", ("endpoint_id",)),
    ("GET", f"{HOOK}/deliveries"): Question("token", ("endpoint_id",)),
    ("POST", f"{HOOK}/test"): Question("token", ("endpoint_id",), body={}),
    ("POST", f"{HOOK}/recover"): Question("token", ("endpoint_id",), body={"since": "2026-01-01T00:00:00Z"}),
    ("POST", f"{HOOK}/pull"): Question("token", ("endpoint_id",), body={}),
    ("GET", f"{HOOK}/deliveries/{{delivery_id}}"): Question("token", ("endpoint_id", "delivery_id")),
    ("POST", f"{HOOK}/deliveries/{{delivery_id}}/replay"): Question("token", ("endpoint_id", "delivery_id")),
    ("POST", f"{HOOK}/deliveries/{{delivery_id}}/answer"): Question(
        "token", ("endpoint_id", "delivery_id"), body={"fence": 1, "url": "http://127.0.0.1:1/", "status": 200}
    ),
    ("GET", "/dialog/connect/{dialog_id}/{ticket}"): Question("key", ("dialog_id", "ticket")),
    ("POST", "/dialog/connect/{dialog_id}/{ticket}"): Question("key", ("dialog_id", "ticket")),
    ("POST", "/console/feed/{media_id}"): Question("browser", ("media_id",), form={"verb": "hide"}),
    ("GET", "/console/publish/{post_id}"): Question("browser", ("post",)),
    ("GET", "/console/uploads/{key:path}"): Question("browser", ("piece",)),
    ("GET", "/console/posts/{post_id}"): Question("browser", ("post",)),
    ("POST", "/console/posts/{post_id}"): Question("browser", ("post",), form={"verb": "cancel"}),
    ("GET", "/console/insights/posts/{media_id}"): Question("browser", ("media_id",)),
    ("GET", "/console/picker/{app_id}"): Question("browser", ("app_id",)),
    ("POST", "/console/picker/{app_id}"): Question("browser", ("app_id",), form={"name": "mine now"}),
    ("POST", "/console/picker/{app_id}/secret"): Question("browser", ("app_id",)),
    ("POST", "/console/picker/{app_id}/storages"): Question("browser", ("app_id",)),
    ("POST", "/console/picker/{app_id}/presets"): Question(
        "browser", ("app_id",), form={"preset": "mine", "plan": "resize=w:9"}
    ),
    ("POST", "/console/picker/{app_id}/presets/remove"): Question("browser", ("app_id",), form={"preset": "mine"}),
    ("POST", "/console/picker/{app_id}/remove"): Question("browser", ("app_id",)),
    ("POST", "/console/picker/{app_id}/instagram"): Question("browser", ("app_id",)),
    ("GET", "/console/webhooks/{endpoint_id}"): Question("browser", ("endpoint_id",)),
    ("POST", "/console/webhooks/{endpoint_id}/test"): Question(
        "browser", ("endpoint_id",), form={"event": "fp.upload"}
    ),
    ("POST", "/console/webhooks/{endpoint_id}"): Question("browser", ("endpoint_id",), form={"verb": "rotate"}),
    ("GET", "/console/webhooks/{endpoint_id}/{delivery_id}"): Question("browser", ("endpoint_id", "delivery_id")),
    ("POST", "/console/webhooks/{endpoint_id}/{delivery_id}"): Question("browser", ("endpoint_id", "delivery_id")),
    ("POST", "/console/team/members/{user_id}/role"): Question("browser", ("colleague",), form={"role": "editor"}),
    ("POST", "/console/team/members/{user_id}/remove"): Question("browser", ("colleague",)),
    ("POST", "/console/team/tokens/{credential_id}/revoke"): Question("browser", ("credential_id",)),
    # The owner of the first room came first, and runs the house.
    ("POST", "/console/system/jobs/{job_id}/{verb}"): Question("browser", ("<job>", "retry")),
}
for _verb in ("pause", "resume", "rotate"):
    PATHS["POST", f"{HOOK}/{_verb}"] = Question("token", ("endpoint_id",), body={})
for _verb in ("sync", "refresh", "disconnect"):
    PATHS["POST", f"/console/accounts/{{account_id}}/{_verb}"] = Question("browser", ("account_id",))

_POSTED = {**POST, "account_id": "<account>"}

_NONE = "no such upload"
_UPLOADED = {"account_id": "[account]", "upload": "<piece>"}
_COVERED = {"account_id": "[account]", "video_url": "https://pictures.example/a.mp4", "cover_upload": "<piece>"}
_PLACE = "/<account_id>/<media_id>"
_WITH_TOKEN = {"apikey": "[key]", "policy": "[policy]", "signature": "[signature]", "token": "<dialog>"}

# What is named beside the path: in a query, a body, a form or a header. The words say which of them, and how.
BESIDE: tuple[tuple[str, Route, Question], ...] = (
    ("account_id", ("GET", f"{SNS}/account/info"), Question("user", query={"account_id": "<account>"})),
    ("account_id", ("GET", f"{SNS}/media"), Question("token", query={"account_id": "<account>"})),
    ("account_id", ("GET", f"{SNS}/posts"), Question("user", query={"account_id": "<account>"})),
    ("account_id", ("GET", f"{SNS}/posts/top"), Question("user", query={"account_id": "<account>"})),
    ("account_id", ("GET", f"{SNS}/posts/export"), Question("user", query={"account_id": "<account>"})),
    ("account_id", ("GET", f"{SNS}/insights.csv"), Question("user", query={"account_id": "<account>"})),
    ("account_id", ("POST", f"{SNS}/posts"), Question("user", body=_POSTED)),
    ("account_id", ("POST", f"{SNS}/stories"), Question("user", body=_POSTED)),
    ("account_id", ("POST", f"{SNS}/reels"), Question("user", body={**_POSTED, "video_url": "https://x.example/a.mp4"})),
    ("account_id", ("POST", f"{SNS}/posts/validate"), Question("user", body=_POSTED)),
    ("upload", ("POST", f"{SNS}/posts"), Question("user", body={"account_id": "[account]", "upload": "<piece>"}, says="no such upload")),
    ("upload", ("POST", f"{SNS}/posts/validate"), Question("user", body={"account_id": "[account]", "upload": "<piece>"}, says="no such upload")),
    ("account", ("GET", "/console/insights"), Question("browser", query={"account": "<account_id>"})),
    ("account", ("GET", "/console/insights/days.csv"), Question("browser", query={"account": "<account_id>"})),
    ("account", ("GET", "/console/insights/posts.csv"), Question("browser", query={"account": "<account_id>"})),
    ("workspace", ("POST", "/console/workspace"), Question("browser", form={"workspace": "<workspace_id>"})),
    ("account", ("GET", "/dialog/media"), Question("dialog", query={"account": "<account_id>"})),
    ("account", ("POST", "/dialog/choose"), Question("dialog", body={"account": "<account_id>", "media": "<media_id>"})),
    ("media", ("POST", "/dialog/choose"), Question("dialog", body={"account": "[account_id]", "media": "<media_id>"}, says="may not show it", control=False)),
    ("account", ("POST", "/dialog/forget"), Question("dialog", body={"account": "<account_id>"})),
    ("account", ("POST", "/folder/list"), Question(
        "key", body={"apikey": "[key]", "policy": "[policy]", "signature": "[signature]", "token": "[dialog]", "clouds": {"instagram": {"path": "/<account_id>"}}}
    )),
    ("token", ("POST", "/folder/list"), Question("key", body=_WITH_TOKEN)),
    ("token", ("POST", "/store"), Question("key", body={**_WITH_TOKEN, "clouds": {"instagram": {"path": _PLACE}}})),
    ("upload_id", ("POST", "/multipart/upload"), Question("key", body={
        "apikey": "[key]", "upload_id": "<upload_id>", "part": 1, "size": 5
    })),
    ("upload_id", ("POST", "/multipart/commit"), Question("key", body={
        "apikey": "[key]", "upload_id": "<upload_id>", "part": 1
    }, control=False)),
    ("upload_id", ("POST", "/multipart/complete"), Question("key", body={
        "apikey": "[key]", "upload_id": "<upload_id>", "parts": []
    }, control=False)),
    ("handle", ("POST", "/process"), Question("key", body={
        "apikey": "[key]", "sources": ["<handle>"], "tasks": [{"name": "resize", "params": {"width": 9}}]
    }, control=False)),
    ("appId", ("POST", "/api/webhooks"), Question("token", body={
        "url": "https://hooks.example/", "appId": "<app_id>"
    }, control=False)),
    ("upload", ("POST", f"{SNS}/stories"), Question("user", body=_UPLOADED, says=_NONE)),
    ("upload", ("POST", f"{SNS}/reels"), Question("user", body=_UPLOADED, says="a reel is made of a video", control=False)),
    ("upload", ("POST", f"{SNS}/batch-post"), Question("user", body={"account_ids": ["[account]"], "upload": "<piece>"}, says=_NONE)),
    ("upload", ("PATCH", f"{SNS}/posts/{{number:int}}"), Question("user", ("[post]",), body={"upload": "<piece>"}, says=_NONE)),
    ("cover_upload", ("POST", f"{SNS}/reels"), Question("user", body=_COVERED, says=_NONE)),
    ("account_ids", ("POST", f"{SNS}/batch-post"), Question("user", body={**POST, "account_ids": ["<account>"]}, says="not found")),
    ("media_id", ("POST", f"{SNS}/posts/{{number:int}}/link"), Question("user", ("[post]",), body={"media_id": "<media_id>"}, says="published_unlinked", control=False)),
    ("account", ("POST", "/dialog/export"), Question("dialog", body={"account": "<account_id>"}, says="only files of this server", control=False)),
    ("account_id", ("POST", "/console/publish"), Question(
        "browser", form={"account_id": "<account_id>", "product": "image", "urls": "https://pictures.example/a.jpg"}, says="hoose the account"
    )),
)  # fmt: skip

# What is named beside a path and is nobody's, or nobody else's to name.
OPENLY: dict[tuple[str, Route], str] = {
    ("account", ("GET", "/feeds/{name}")): "asked by test_a_feed_shows_no_account_of_others",
    ("tenantId", ("POST", "/sync/process/{tenant_id}")): "has to be the path's own, under a signature",
    ("workspace", ("POST", "/api/auth/register")): "the name of a new one",
    ("account_id", ("PATCH", f"{SNS}/posts/{{number:int}}")): "has to be the post's own",
    ("account_id", ("POST", f"{SNS}/batch-post")): "not used where account_ids are",
    ("endpoint", ("POST", "/api/notifications/subscribe")): "one queue for the house, behind its key",
    ("clientId", ("POST", "/api/notifications/subscribe")): "one queue for the house, behind its key",
    ("clientId", ("DELETE", "/api/notifications/subscribe")): "one queue for the house, behind its key",
    ("token", ("POST", "/auth/logout")): "a secret that whoever holds it may end",
}
for _path in ("posts", "stories", "batch-post", "posts/validate"):
    OPENLY["cover_upload", ("POST", f"{SNS}/{_path}")] = "only reels have covers"
OPENLY["cover_upload", ("PATCH", f"{SNS}/posts/{{number:int}}")] = "only reels have covers, and the post is a picture"
for _path in ("/folder/list", "/store", "/auth/logout"):
    OPENLY["apikey", ("POST", _path)] = "public, and every page of an app shows it"
