"""What keeps an account from being connected, and what to do about it: causes with Meta's own words for them.

Sources are Meta's pages on Instagram Login, Facebook Login and error handling, and what people reported of the real service
where those pages are silent. Pure: `diagnose` reads a message, `look` reads what is set and stored.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tintype.core.accounts.model import Account, State
from tintype.instagram import ALL_SCOPES, App, Login

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong: what it is, how one can tell, and the next step."""

    name: str
    title: str
    next_step: str
    said: tuple[str, ...] = ()  # pieces of what Meta, or this house, says then; matched without regard to case


CAUSES: tuple[Cause, ...] = (
    Cause(
        "personal_account",
        "The Instagram account is a personal one",
        "In the Instagram app open Settings, Account type and tools, and switch to a professional account (creator or "
        "business; it is free). Then connect again.",
        ("personal account", "account type is not supported", "not a business account", "must be a professional"),
    ),
    Cause(
        "no_page",
        "No Facebook Page is linked to the Instagram account",
        "With Facebook login Instagram is reached through a Page: in the Page's settings open Linked accounts and add the "
        "Instagram account. Or connect with Instagram login, which needs no Page.",
        (
            "no instagram business account",
            "no page",
            "not linked to a page",
            "no linked page",
            "instagram_business_account",
        ),
    ),
    Cause(
        "page_not_chosen",
        "The Page was not chosen on the consent page",
        "Connect again, and on Facebook's page choose Edit access and tick both the Page and the Instagram account.",
        ("missing pages_show_list", "does not have access to this page", "page was not granted"),
    ),
    Cause(
        "missing_scope",
        "A permission was not given",
        "Connect again and leave every switch on the consent page on. What is missing stands beside the account.",
        ("permission", "(#10)", "(#200)", "missing scope", "requires the instagram_", "did not grant"),
    ),
    Cause(
        "tester_role",
        "The account has no role in the app, which is still in development",
        "In the Meta app open App roles, add the account as Instagram tester, and accept the invitation in Instagram under "
        "Settings, Website permissions, Apps and websites, Tester invites.",
        ("insufficient developer role", "not a tester", "tester", "app role"),
    ),
    Cause(
        "development_mode",
        "The app is in development mode, or not active",
        "Switch the app to live in its dashboard, or give the account a tester role. A live app needs a privacy policy's "
        "address and, for accounts of others, advanced access by app review.",
        ("app not active", "development mode", "app is not accessible", "not live", "app isn't available"),
    ),
    Cause(
        "wrong_redirect",
        "The redirect address is not the one that the app knows",
        "Register the redirect address, letter by letter, in the app under Business login settings (Instagram login) or "
        "Facebook Login settings. It is shown below.",
        ("redirect_uri", "redirect uri", "url blocked", "redirect address"),
    ),
    Cause(
        "wrong_secret",
        "The app's secret is wrong",
        "Copy the secret once more: that of the Instagram app (in API setup with Instagram login) for Instagram login, that of "
        "the Meta app itself for Facebook login. They differ.",
        ("client secret", "validating application", "app secret", "invalid client_secret", "verification code"),
    ),
    Cause(
        "wrong_app",
        "The app's id is wrong, or that of the other login",
        "Instagram login has an Instagram app id of its own, which is not the Meta app's id. Both are numbers.",
        ("invalid platform app", "invalid app id", "client_id", "app id"),
    ),
    Cause(
        "code_used",
        "The code was used already, or is older than an hour",
        "Begin again: each consent gives one code, for one use. A page that was loaded twice uses it up.",
        ("authorization code has been used", "code has expired", "code was already", "invalid code", "used, over"),
    ),
    Cause(
        "refused",
        "The person said no",
        "Begin again when they are ready. Nothing was changed.",
        ("access_denied", "user_denied", "user denied", "cancelled", "the user denied"),
    ),
    Cause(
        "other_browser",
        "The answer came back in another browser",
        "Begin and end in one browser. A phone that opens the Instagram app comes back in its own browser: use a computer, or "
        "hand on the address that `tintype account connect` prints.",
        ("another browser", "begun elsewhere", "belongs to a connection"),
    ),
    Cause(
        "state_over",
        "The connection took longer than ten minutes",
        "Begin again. If that happens at once, this machine's clock is wrong: `tintype doctor` compares it.",
        ("state that is unknown", "state is unknown", "ten minutes", "state has expired", "unknown state"),
    ),
    Cause(
        "password_changed",
        "The password was changed, or Instagram ended the session",
        "Connect the account again. Stored posts go on being served meanwhile.",
        (
            "password was changed",
            "session has been invalidated",
            "ended the session",
            "(190/460)",
            "error validating access",
        ),
    ),
    Cause(
        "app_removed",
        "The app was removed in the account's settings",
        "Connect the account again, if its owner wants that.",
        ("app was removed", "has not authorized application", "(190/458)", "deauthorized"),
    ),
    Cause(
        "token_expired",
        "The token has run out",
        "Connect the account again. Tokens live sixty days and are refreshed here from their twentieth day on, so this server "
        "was switched off, or Instagram refused, for weeks.",
        ("token has expired", "session has expired", "expired", "(190/463)"),
    ),
    Cause(
        "checkpoint",
        "Instagram wants to check the person first",
        "Log in at instagram.com or in the app, follow what it asks, then connect again.",
        (
            "checkpoint",
            "challenge",
            "confirm your account",
            "check this person",
            "(190/459)",
            "(190/464)",
            "not confirmed",
        ),
    ),
    Cause(
        "two_factor",
        "The business asks for two-factor authentication",
        "Switch two-factor authentication on for the Facebook user in Meta's security centre, then connect again.",
        ("two factor", "two-factor", "2fac"),
    ),
    Cause(
        "restricted",
        "The account, or the app, is restricted by Meta",
        "Look at Account status in the Instagram app, and at the app's alerts in its dashboard. Only Meta can lift it.",
        ("restricted", "disabled", "blocked from", "temporarily blocked", "(368", "policy violation"),
    ),
    Cause(
        "rate_limited",
        "Instagram asks to wait",
        "Wait as long as is said, usually less than an hour. With an app of your own nobody else uses up your calls.",
        ("rate limit", "request limit", "too many", "(#4)", "(#17)", "(#32)", "(#613)"),
    ),
    Cause(
        "no_app",
        "There is no Instagram app to speak for",
        "Make a Meta app, add the product Instagram, and put INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET into the environment "
        "(FACEBOOK_APP_ID and FACEBOOK_APP_SECRET for Facebook login).",
        ("no instagram app", "no app for", "app is not set"),
    ),
    Cause(
        "not_https",
        "The public address is not reached over TLS",
        "Meta sends people back to https addresses only, but for localhost. Put a certificate before this server and set "
        "PUBLIC_URL.",
        ("https", "insecure", "not secure"),
    ),
    Cause(
        "unreachable",
        "Instagram does not answer this server",
        "Try again in a few minutes. If it stays so, `tintype doctor` tells whether this machine reaches graph.instagram.com.",
        ("unreachable", "did not answer", "timed out", "time-out", "connection refused", "name or service"),
    ),
)

_BY_NAME = {cause.name: cause for cause in CAUSES}


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that was found, and what it was found at."""

    cause: Cause
    about: str


def diagnose(message: str) -> Sequence[Cause]:
    """Return the causes that a message speaks of, the most telling first; none for words that nobody knows."""
    said = " ".join(message.lower().split())
    scores = [(max((len(piece) for piece in cause.said if piece in said), default=0), cause) for cause in CAUSES]
    found = [(score, cause) for score, cause in scores if score]
    return [cause for _, cause in sorted(found, key=lambda one: -one[0])[:3]]


def look(apps: Sequence[App], redirect_uri: str, accounts: Sequence[Account]) -> Sequence[Finding]:
    """Return what is wrong about what is set and what is stored, without asking anybody."""
    return [*_of_apps(apps), *_of_address(redirect_uri), *(one for account in accounts for one in _of_account(account))]


def _of_apps(apps: Sequence[App]) -> Sequence[Finding]:
    if not apps:
        return [Finding(_BY_NAME["no_app"], "settings")]
    odd = [app for app in apps if not re.fullmatch(r"\d{10,20}", app.id)]
    return [Finding(_BY_NAME["wrong_app"], f"{app.login.value} app {app.id[:30]}") for app in odd]


def _of_address(redirect_uri: str) -> Sequence[Finding]:
    parts = urlsplit(redirect_uri)
    if parts.scheme == "https" or parts.hostname in _LOOPBACK:
        return []
    return [Finding(_BY_NAME["not_https"], redirect_uri)]


def _of_account(account: Account) -> Sequence[Finding]:
    name = account.username or account.instagram_id
    found: list[Finding] = []
    if account.state is State.RECONNECT:
        causes = diagnose(account.reason or "")
        found += [Finding(cause, f"{name}: {account.reason}") for cause in causes[:1]]
    missing = [scope for scope in ALL_SCOPES[account.login] if account.scopes and scope not in account.scopes]
    if account.state is State.CONNECTED and missing:
        found.append(Finding(_BY_NAME["missing_scope"], f"{name}: without {', '.join(missing)}"))
    if account.login is Login.FACEBOOK_LOGIN and account.state is State.WAITING:
        found.append(Finding(_BY_NAME["no_page"], name))
    return found
