"""Secrets of every kind are planted, every dialect is driven, well and badly, with logs at their most talkative: where do they show?

Only in the one answer that gives a secret out, and nowhere in logs, databases, files of the data folder or later pages.
"""

import base64
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from tests.api.websites import picture
from tests.cli.programs import started
from tests.instagram.pretend import Pretend, running
from tests.trust import NOBODY
from tintype.backends.vault import new_key

PASSWORD = f"Correct-h0rse-{uuid4().hex}"
EMAIL = "keeper@example.com"
NOWHERE = "http://127.0.0.1:9"
DIALECTS = ("feed", "social", "scrape", "queue", "picker", "meta")


@dataclass(slots=True)
class Vaulted:
    """What must stay secret, by name, with the answers that may show it; and everything that was answered."""

    secrets: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    shown_by: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    answers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]], repr=False)

    def plant(self, name: str, secret: str = "", *, shown_by: str = "") -> str:
        """Remember a secret, a new one when none is given, and return it."""
        assert name not in self.secrets
        self.secrets[name] = secret or f"planted{uuid4().hex}"
        self.shown_by[name] = {shown_by} if shown_by else set()
        return self.secrets[name]

    def heard(self, answer: httpx2.Response) -> httpx2.Response:
        """Keep an answer, headers and all."""
        place = f"{answer.request.method} {answer.request.url.path}"
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
        self.answers.append((place, f"{headers}\n{answer.text}"))
        return answer

    def found_in(self, text: str) -> set[str]:
        """Return the names of secrets that stand in a text, as they are or in base64."""
        return {name for name, secret in self.secrets.items() if any(form in text for form in _forms(secret))}


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, and the inner letters of its base64 at each of the three places where it can begin."""
    yield secret
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode()).decode()
        inner = encoded[4 if before else 0 : len(encoded) - 4]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def _settings(kept: Vaulted, pretend: Pretend) -> dict[str, str]:
    app = pretend.app("instagram")
    given = {
        name: kept.plant(name)
        for name in (
            "ADMIN_TOKEN", "SYNC_INTERNAL_SECRET", "QSTASH_TOKEN", "QSTASH_CURRENT_SIGNING_KEY",
            "QSTASH_NEXT_SIGNING_KEY", "PLATFORM_SECRET_KEY", "API_KEY", "QUEUE_API_KEY", "TANDOOR_TOKEN", "LLM_API_KEY",
            "INSTAGRAM_WEBHOOK_VERIFY_TOKEN", "METRICS_TOKEN", "FACEBOOK_APP_SECRET", "CLOUDINARY_API_SECRET",
        )
    }  # fmt: skip
    return {
        **given,
        "ENCRYPTION_KEY": kept.plant("ENCRYPTION_KEY", new_key()),
        "INSTAGRAM_APP_SECRET": kept.plant("INSTAGRAM_APP_SECRET", str(app["app_secret"])),
        "INSTAGRAM_APP_ID": str(app["app_id"]),
        "FACEBOOK_APP_ID": "4711",
        "INSTAGRAM_ORIGIN": pretend.origin,
        "QSTASH_URL": NOWHERE,
        "TANDOOR_URL": NOWHERE,
        "LLM_BASE_URL": NOWHERE,
        "LLM_MODEL": "some",
        "OUTBOUND_ALLOW": NOWHERE.removeprefix("http://"),
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "json",
        "RATE_LIMIT_PER_MINUTE": "0",
        "IMAGE_WORKERS": "1",
    }


def test_no_secret_shows_where_it_is_not_given_out(tmp_path: Path) -> None:
    kept = Vaulted()
    with running() as pretend, started(tmp_path, "serve", "--port", "0", **_settings(kept, pretend)) as program:
        origin = re.findall(r"http://\S+", program.line("listens on"))[0]
        with httpx2.Client(base_url=origin, timeout=60, follow_redirects=False, verify=NOBODY) as client:
            _feed(kept, client, pretend)
            _users(kept, client)
            _console(kept, client)
            _picker(kept, client)
            _queue_and_scrape(kept, client)
            _everything(kept, client)
        assert program.end() == 0
    assert len(kept.secrets) > 25
    assert len(kept.answers) > 300
    shown = {(place, name) for place, text in kept.answers for name in kept.found_in(text)}
    assert {(place, name) for place, name in shown if place not in kept.shown_by[name]} == set()
    # Each secret that is given out was really seen, so this test looks where it should.
    assert {name for name, places in kept.shown_by.items() if places} == {name for _, name in shown}
    assert kept.found_in(program.err.read_text() + program.out.read_text()) == set()
    assert '"level": "debug"' in program.err.read_text()
    assert {place: found for place, text in _stored(tmp_path) if (found := kept.found_in(text))} == {}


def _stored(folder: Path) -> Iterator[tuple[str, str]]:
    """Everything that was written: each column of each database, and each file beside them."""
    tables = 0
    for path in sorted((folder / "tintype-data").rglob("*")):
        if path.suffix == ".db":
            with sqlite3.connect(path) as database:
                names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
                tables += len(names)
                for name in names:
                    for row in database.execute(f'SELECT * FROM "{name}"'):
                        yield f"{path.name} {name}", "\n".join(_text(value) for value in row)
            database.close()
        if path.is_file():
            yield path.name, path.read_bytes().decode("latin-1")
    assert tables > 40


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _feed(kept: Vaulted, client: httpx2.Client, pretend: Pretend) -> None:
    pretend.post("/people", username="kept", media=0)
    pretend.post("/media", username="kept", kind="IMAGE", width=80, height=80)
    dead = kept.plant("a token that Instagram does not know", f"IGAA{uuid4().hex}{uuid4().hex}")
    admin = {"authorization": f"Bearer {kept.secrets['ADMIN_TOKEN']}", "idempotency-key": "one"}
    for name, token in (("living", kept.plant("an Instagram token", pretend.token("kept"))), ("dead", dead)):
        body = {
            "name": f"{name} project",
            "instagramAccountId": "me",
            "instagramAccountSecret": kept.plant(f"the app secret of {name}"),
            "instagramAccessToken": token,
            "apiType": "INSTAGRAM_LOGIN",
        }
        answer = kept.heard(client.post("/register", json=body, headers={**admin, "idempotency-key": name}))
        assert answer.status_code == 201, answer.text
        kept.plant(f"the workspace token of {name}", answer.json()["data"]["authToken"], shown_by="POST /register")
        kept.heard(client.post("/register", json=body, headers={**admin, "idempotency-key": name}))
        key = answer.json()["data"]["authToken"]
        kept.heard(client.get("/photos", headers={"authorization": f"Bearer {key}"}))
    kept.heard(client.post("/sync", json={"secret": kept.secrets["SYNC_INTERNAL_SECRET"]}))
    code = kept.plant("an authorisation code", shown_by="GET /instagram-callback")  # as seed 0 has it
    exchange = {
        "instagramAppId": "1",
        "instagramAppSecret": kept.plant("the app secret of an exchange"),
        "code": code,
        "embedUrl": f"https://www.instagram.com/oauth/authorize?client_id=1&redirect_uri={client.base_url}/x",
    }
    kept.heard(client.post("/auth/obtain-token", json=exchange))
    kept.heard(client.get("/instagram-callback", params={"code": code, "state": kept.plant("a state")}))


def _users(kept: Vaulted, client: httpx2.Client) -> None:
    kept.plant("a password", PASSWORD)
    body = {"email": EMAIL, "password": PASSWORD}
    admin = {"authorization": f"Bearer {kept.secrets['ADMIN_TOKEN']}"}
    for path, headers in (("register", admin), ("login", {}), ("login", {})):
        answer = kept.heard(client.post(f"/api/auth/{path}", json=body, headers=headers))
        assert answer.status_code in (200, 201), answer.text
        place = f"POST /api/auth/{path}"
        for kind in ("access_token", "refresh_token"):
            kept.plant(f"{kind} {len(kept.secrets)}", answer.json()[kind], shown_by=place)
    refresh = answer.json()["refresh_token"]
    answer = kept.heard(client.post("/api/auth/refresh", json={"refresh_token": refresh}))
    kept.plant("access after refresh", answer.json()["access_token"], shown_by="POST /api/auth/refresh")
    kept.plant("refresh after refresh", answer.json()["refresh_token"], shown_by="POST /api/auth/refresh")
    kept.heard(client.post("/api/auth/refresh", json={"refresh_token": refresh}))
    kept.heard(client.post("/api/auth/login", json={"email": EMAIL, "password": kept.plant("a wrong password")}))
    weak = kept.plant("a weak password", f"lower{uuid4().hex}")
    kept.heard(client.post("/api/auth/register", json={"email": "x@example.com", "password": weak}, headers=admin))


def _console(kept: Vaulted, client: httpx2.Client) -> None:
    answer = kept.heard(client.post("/signin", data={"email": EMAIL, "password": PASSWORD}))
    assert answer.status_code == 303, answer.text
    kept.plant("a console session", client.cookies["tintype"], shown_by="POST /signin")
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', client.get("/console/me").text)
    assert found
    form = {"form_token": found[1]}
    page = kept.heard(client.post("/console/team/tokens", data={**form, "grant": "feed", "label": "site"})).text
    key = re.findall(r"fk_[A-Za-z0-9]{20,}", page)[0]
    kept.plant("a feed key", key, shown_by="POST /console/team/tokens")
    page = kept.heard(client.post("/console/team/tokens", data={**form, "grant": "workspace", "label": "cli"})).text
    token = re.findall(r'id="issued">([^<]+)<', page)[0]
    kept.plant("a second workspace token", token, shown_by="POST /console/team/tokens")
    kept.heard(client.get(f"/feeds/{key}.json"))
    kept.heard(client.post("/console/me/password", data={**form, "old": kept.plant("an old password"), "new": "x"}))


def _picker(kept: Vaulted, client: httpx2.Client) -> None:
    owner = {"authorization": f"Bearer {kept.secrets['the workspace token of living']}"}
    once = {**owner, "idempotency-key": "app"}
    made = kept.heard(client.post("/api/apps", json={"name": "Shop"}, headers=once)).json()
    kept.heard(client.post("/api/apps", json={"name": "Shop"}, headers=once))
    secret = kept.plant("a picker app's secret", made["secret"], shown_by="POST /api/apps")
    place = f"/api/apps/{made['id']}"
    again = kept.heard(client.post(f"{place}/secret", headers=owner)).json()["secret"]
    kept.plant("the app's next secret", again, shown_by=f"POST {place}/secret")
    own = {"key": "4711", "secret": kept.plant("an Instagram app's secret of their own")}
    kept.heard(client.put(f"{place}/instagram", json=own, headers=owner))
    kept.heard(client.post(f"{place}/instagram/test", headers=owner))
    hook = {"url": f"{NOWHERE}/hook", "events": ["all"]}
    made_hook = kept.heard(client.post("/api/webhooks", json=hook, headers=owner)).json()
    kept.plant("a webhook's secret", made_hook["secret"], shown_by="POST /api/webhooks")
    stored = client.post("/api/store/S3", params={"key": made["key"]}, content=picture(), auth=("app", secret))
    assert kept.heard(stored).status_code == 200, stored.text
    handle = stored.json()["url"].rpartition("/")[2]
    kept.heard(client.get(f"/api/file/{handle}/metadata", auth=("app", kept.plant("a wrong app secret"))))
    kept.heard(client.post(f"/api/webhooks/{made_hook['id']}/test", json={}, headers=owner))
    kept.heard(client.get(f"/api/webhooks/{made_hook['id']}/deliveries", headers=owner))
    page = kept.heard(
        client.get("/dialog/open", params={"key": made["key"]}, headers={"referer": "https://a.example/"})
    )
    assert page.status_code == 200, page.text
    found = re.findall(r'"secret": ?"([\w-]{40,})"', page.text)
    kept.plant("a dialog's secret", found[0], shown_by="GET /dialog/open")


def _queue_and_scrape(kept: Vaulted, client: httpx2.Client) -> None:
    keyed = {"x-api-key": kept.secrets["QUEUE_API_KEY"]}
    kept.shown_by["QUEUE_API_KEY"] = {"POST /api/queue/session"}  # into a cookie, as it is asked to
    kept.heard(client.post("/api/queue/session", headers=keyed))
    taken = kept.heard(
        client.post("/api/queue", json={"text": "Soup\n\nIngredients:\n- 1 onion\n- 2 l water"}, headers=keyed)
    )
    assert taken.status_code == 201, taken.text
    kept.heard(client.post("/api/queue", json={"url": "https://www.instagram.com/p/AAAAAAAAAAA/"}, headers=keyed))
    for key in (kept.secrets["API_KEY"], kept.plant("a wrong key")):
        body = {"url": "https://www.instagram.com/p/AAAAAAAAAAA/"}
        kept.heard(client.post("/scrape", json=body, headers={"x-api-key": key}))


def _everything(kept: Vaulted, client: httpx2.Client) -> None:
    """Ask every described route, and every page, with each kind of credential and with broken bodies."""
    credentials = [
        *(secret for name, secret in kept.secrets.items() if "token" in name.lower() and "FORM" not in name)
    ][:8]
    for name in DIALECTS:
        document: Any = client.get(f"/openapi/{name}.json").json()
        for template, methods in document["paths"].items():
            path = re.sub(r"\{.*?\}", "1", template)
            if template.endswith(("/stream", "/logout", "/session")):
                continue
            for method in set(methods) & {"get", "post", "patch", "put"}:
                for secret in credentials[:: 1 if method == "get" else 4]:
                    headers = {
                        "authorization": f"Bearer {secret}",
                        "x-api-key": secret,
                        "content-type": "application/json",
                    }
                    broken = b'{"secret": "' + secret.encode() if method != "get" else None
                    kept.heard(client.request(method, path, headers=headers, content=broken))
    for path in ("", "/accounts", "/feed", "/publish", "/posts", "/insights", "/recipes", "/downloads", "/picker",
                 "/webhooks", "/team", "/team/log", "/system", "/me"):  # fmt: skip
        answer = kept.heard(client.get(f"/console{path}"))
        assert answer.status_code == 200, (path, answer.text)
    figures = client.get("/metrics", headers={"authorization": f"Bearer {kept.secrets['METRICS_TOKEN']}"})
    assert kept.heard(figures).status_code == 200
    for path in ("/readyz", "/healthz", "/health", "/", "/docs"):
        kept.heard(client.get(path))
