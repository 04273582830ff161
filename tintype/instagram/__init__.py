"""The Instagram client library: calls as values, one sender, one error table; usable without the rest of Tintype.

    graph = Graph(outbound, version="…", timeout_seconds=10)
    token = (await connect(graph, app, code, redirect_uri))[0].token
    async for page in graph.pages(calls.media_page(Login.INSTAGRAM_LOGIN, "me"), token.value):
        ...

Every refusal arrives as one of the kinds in `tintype.errors`; `revokes(trouble)` tells whether the account is disconnected.
"""

from tintype.instagram import calls, publishing
from tintype.instagram.calls import Call, Host
from tintype.instagram.errors import category_of, doubtful, revokes, trouble_from
from tintype.instagram.graph import Graph, utc_now
from tintype.instagram.limits import LIMITS, Limit, Limits
from tintype.instagram.meanings import MEANINGS, Category, Meaning, meaning_of, meaning_of_container
from tintype.instagram.model import (
    App,
    Comment,
    Container,
    ContainerState,
    FacebookPage,
    InsightSet,
    Login,
    Media,
    MediaKind,
    MediaProduct,
    MediaUrls,
    Metric,
    Page,
    Point,
    Profile,
    PublishingQuota,
    Slice,
    Token,
    expiry_of,
    media_from,
)
from tintype.instagram.oauth import (
    ALL_SCOPES,
    COMMENT_SCOPES,
    INSIGHT_SCOPES,
    PUBLISH_SCOPES,
    READ_SCOPES,
    Connection,
    ShortToken,
    authorize_url,
    connect,
    exchange_code,
    long_lived,
    parse_signed_request,
    refresh,
)
from tintype.instagram.usage import Pace, Throttle, Usage, account_usage, app_usage, pace
from tintype.instagram.webhooks import Change, parse_webhook, verify_webhook_signature

__all__ = [
    "ALL_SCOPES",
    "COMMENT_SCOPES",
    "INSIGHT_SCOPES",
    "LIMITS",
    "MEANINGS",
    "PUBLISH_SCOPES",
    "READ_SCOPES",
    "App",
    "Call",
    "Category",
    "Change",
    "Comment",
    "Connection",
    "Container",
    "ContainerState",
    "FacebookPage",
    "Graph",
    "Host",
    "InsightSet",
    "Limit",
    "Limits",
    "Login",
    "Meaning",
    "Media",
    "MediaKind",
    "MediaProduct",
    "MediaUrls",
    "Metric",
    "Pace",
    "Page",
    "Point",
    "Profile",
    "PublishingQuota",
    "ShortToken",
    "Slice",
    "Throttle",
    "Token",
    "Usage",
    "account_usage",
    "app_usage",
    "authorize_url",
    "calls",
    "category_of",
    "connect",
    "doubtful",
    "exchange_code",
    "expiry_of",
    "long_lived",
    "meaning_of",
    "meaning_of_container",
    "media_from",
    "pace",
    "parse_signed_request",
    "parse_webhook",
    "publishing",
    "refresh",
    "revokes",
    "trouble_from",
    "utc_now",
    "verify_webhook_signature",
]
