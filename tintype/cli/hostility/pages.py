"""What foreign pages, false names and crooked paths get: no cookie, no other site's links, no file of this machine."""

from tintype.cli.hostility.wire import FORM, Place, Said

EVIL = "evil.example"
HTML = {"Accept": "text/html"}
FILES = ("root:x:0:0", "[project]", "sqlite format 3", "-----begin")


async def false_hosts(place: Place) -> str:
    """A Host, X-Forwarded-Host or Forwarded header of somebody else's, on every page that makes links."""
    tricks: tuple[dict[str, str], ...] = (
        {"Host": EVIL},
        {"X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "https"},
        {"Forwarded": f"host={EVIL};proto=https"},
        {"X-Original-URL": f"//{EVIL}/", "X-Rewrite-URL": f"//{EVIL}/"},
    )
    for path in ("/", "/signin", "/console", "/instagram-callback", "/filepicker.js", "/share", "/docs"):
        for trick in tricks:
            found = await place.ask("GET", path, headers={**HTML, **trick})
            if EVIL in found.text or EVIL in found.header("location") or EVIL in found.header("set-cookie"):
                return f"{path} repeats the false name {EVIL}"
    return ""


async def whole_addresses(place: Place) -> str:
    """Targets that are whole addresses of other servers, as a proxy gets them."""
    for target in (f"http://{EVIL}/healthz", "http://127.0.0.1:1/", f"https://{EVIL}:1/"):
        raw = f"GET {target} HTTP/1.1\r\nHost: {place.name}\r\nConnection: close\r\n\r\n".encode()
        found = await place.send(raw, seconds=5)
        if found.status >= 500:
            return f"{target} ended in {found.status}"
    raw = f"CONNECT {EVIL}:443 HTTP/1.1\r\nHost: {EVIL}:443\r\n\r\n".encode()
    return "opened a tunnel" if (await place.send(raw, seconds=3)).status == 200 else ""


async def foreign_pages(place: Place) -> str:
    """Pages of another site that read answers with the visitor's cookies."""
    asked = (
        "/console",
        "/console/me",
        "/signin",
        "/api/auth/me",
        "/api/sns/instagram/accounts",
        "/register",
        "/dialog/session",
    )
    for path in asked:
        for origin in (f"https://{EVIL}", "null", f"http://{place.name}.{EVIL}"):
            for method in ("GET", "OPTIONS"):
                found = await place.ask(
                    method, path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
                )
                allowed = found.header("access-control-allow-origin")
                if allowed and (allowed == origin or found.header("access-control-allow-credentials") == "true"):
                    return f"{path} lets pages of {origin} read with cookies"
    return ""


async def foreign_forms(place: Place) -> str:
    """Forms of another site that act as the visitor."""
    for path in ("/signin", "/signout", "/console/me/password", "/console/team/tokens", "/console/workspace"):
        for headers in ({"Origin": f"https://{EVIL}"}, {"Sec-Fetch-Site": "cross-site"}):
            found = await place.ask("POST", path, b"email=a%40b.example&password=x", {**FORM, **headers})
            if not found.is_refused and not _leads_to_sign_in(found):
                return f"{path} took a form of another site: {found.status}"
            if found.header("set-cookie"):
                return f"{path} set a cookie for a form of another site"
    return ""


def _leads_to_sign_in(found: Said) -> bool:
    return found.status == 303 and found.header("location").startswith("/signin")


async def nameless_pages(place: Place) -> str:
    """Pages whose address is none, in Origin, Referer and Host, and ways on that are none."""
    asked = (
        ("GET", "/dialog/folder"),
        ("POST", "/share"),
        ("POST", "/signin"),
        ("POST", "/start/enter"),
        ("POST", "/api/queue"),
    )
    for name in ("Origin", "Referer", "Host"):
        for method, path in asked:
            if (await place.ask(method, path, b"", {**FORM, name: "http://["})).status == 500:
                return f"{path} broke over {name}: http://["
    broken = [
        to for to in ("//[", "/%09/[", "http://[") if (await place.ask("GET", f"/signin?next={to}")).status == 500
    ]
    return f"/signin broke over next={broken[0]}" if broken else ""


async def cookies_and_frames(place: Place) -> str:
    """Cookies without their flags, and pages without a policy."""
    for path in ("/", "/signin", "/start/enter", "/share", "/dialog/open?key=nobody"):
        found = await place.ask("GET", path, headers=HTML)
        for name, value in found.headers:
            flags = value.lower()
            if name == "set-cookie" and not ("httponly" in flags and "samesite" in flags):
                return f"{path} sets a cookie without HttpOnly and SameSite"
            if name == "set-cookie" and place.is_tls and "secure" not in flags:
                return f"{path} sets a cookie without Secure"
        if (
            found.status == 200
            and "html" in found.header("content-type")
            and not found.header("content-security-policy")
        ):
            return f"{path} is a page without a Content-Security-Policy"
    return ""


async def crooked_paths(place: Place) -> str:
    """Paths that climb out of where they begin, in every spelling."""
    ups = ("../" * 8, "..%2f" * 8, "%2e%2e/" * 8, "%2e%2e%2f" * 8, "..%5c" * 8, "....//" * 8, "%252e%252e%252f" * 8)
    roots = ("/static/", "/m/", f"/m/{'0' * 64}/", "/media/abc/", "/docs/", "/share/", "/dialog/assets/0/", "/api/file/",
             "/openapi/", "/console/uploads/", "/api/sns/instagram/files/", "/cdn/", "/")  # fmt: skip
    for root in roots:
        for up in ups:
            for file in ("etc/passwd", "pyproject.toml", "tintype-data/encryption.key", "tintype-data/tintype.db"):
                shown = (await place.ask("GET", root + up + file)).text.lower()
                if any(mark in shown for mark in FILES):
                    return f"{root}{up}{file} shows a file"
    return ""


async def split_answers(place: Place) -> str:
    """Line ends in paths and queries that would become headers of the answer."""
    line = "%0d%0aX-Split:%20yes%0d%0a"
    for path in (f"/{line}", f"/console?next={line}", f"/connect/{line}", f"/signin?next=/{line}", f"/docs/{line}"):
        if (await place.ask("GET", path)).header("x-split"):
            return f"{path} writes a header of its own"
    return ""


async def open_redirects(place: Place) -> str:
    """Ways on after signing in that lead to another site."""
    for to in (f"https://{EVIL}/", f"//{EVIL}/", f"/\\{EVIL}/", f"/%09/{EVIL}/"):
        for path in (f"/signin?next={to}", f"/connect/x?next={to}", f"/{to}"):
            where = (await place.ask("GET", path)).header("location")
            if EVIL in where and not where.startswith("/signin"):
                return f"{path} leads to {where}"
    return ""


async def odd_methods(place: Place) -> str:
    """Methods that nobody needs."""
    for method in ("TRACE", "TRACK", "DEBUG", "PROPFIND", "A" * 5000):
        found = await place.ask(method, "/healthz", headers={"Cookie": "a=secretsecret"})
        if found.status == 200 or "secretsecret" in found.text:
            return f"answered {method[:20]}"
    return ""
