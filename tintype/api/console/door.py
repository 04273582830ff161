"""The door of the console: who comes in, what their forms must show, and how pages are drawn for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tintype import __version__
from tintype.api.callers import address, host_of
from tintype.api.console.headers import HEADERS
from tintype.api.console.sections import SECTIONS
from tintype.api.letters import without_null
from tintype.api.templates import templates
from tintype.core.access import LONGEST, Audit, Browsing, Role, Visit
from tintype.errors import Forbidden, Unauthorized

FIELD_BYTES = 256 * 1024
MOST_FILES = 10


@dataclass(frozen=True, slots=True)
class Door:
    """Lets people in by their browser's cookie, and takes only forms that our own pages sent."""

    browsing: Browsing
    audit: Audit
    base: str
    trusted: tuple[str, ...]

    @property
    def cookie(self) -> str:
        """The cookie's name; over TLS one that browsers take from this very host alone."""
        return "__Host-tintype" if self.base.startswith("https:") else "tintype"

    async def visit(self, request: Request, role: Role = Role.VIEWER) -> Visit:
        """Return who asks for a page; a stranger is led to sign in, and comes back to it.

        Raises `Forbidden` for a visitor whose role here is not enough.
        """
        try:
            visit = await self.browsing.visit(self.secret(request))
        except Unauthorized:
            raise HTTPException(303, "sign in to go on", {"Location": f"/signin?{_back_to(request)}"}) from None
        if visit.seat is None:
            raise Forbidden("you have no place in any workspace; ask an owner to add you")
        visit.caller().must(role)
        return visit

    async def form(self, request: Request, role: Role = Role.EDITOR, *, files: bool = False) -> tuple[Visit, FormData]:
        """Return who sent a form, and the form; only one of our own pages can have sent it.

        Whoever asks for its files closes it. Raises `Forbidden` for any other, and for a visitor whose role here is not enough.
        """
        check_own(request)
        visit = await self.visit(request, role)
        form = _typed(await request.form(max_files=MOST_FILES, max_part_size=FIELD_BYTES))
        is_own = compare_digest(text_of(form, "form_token").encode(), visit.form_token.encode())
        if not files or not is_own:
            await form.close()
        if not is_own:
            raise Forbidden("this form is from an earlier session; go back, load the page again and send it once more")
        return visit, form

    async def note(self, visit: Visit, what: str, subject: str = "") -> None:
        """Write what a visitor did into the log of deeds."""
        await self.audit.note(visit.caller(), visit.person.user.email or visit.person.user.name, what, subject)

    def secret(self, request: Request) -> str:
        """Return what the browser's cookie holds, or nothing."""
        return request.cookies.get(self.cookie, "")

    def address(self, request: Request) -> str:
        """Return the address that a request comes from."""
        return address(request, self.trusted)

    def let_in(self, secret: str, to: str) -> Response:
        """Lead a browser on with the cookie of its new session."""
        answer = RedirectResponse(to, 303, {"Cache-Control": "no-store"})
        answer.set_cookie(
            self.cookie,
            secret,
            max_age=int(LONGEST.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self.base.startswith("https:"),
        )
        return answer

    def let_out(self, to: str) -> Response:
        """Lead a browser on without its cookie."""
        answer = RedirectResponse(to, 303, {"Cache-Control": "no-store"})
        answer.delete_cookie(self.cookie, secure=self.base.startswith("https:"), httponly=True, samesite="lax")
        return answer

    def page(
        self,
        visit: Visit,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] = HEADERS,
        **shown: object,
    ) -> HTMLResponse:
        """Return a page of the console as a visitor sees it."""
        page = templates.get_template(f"console/{template}").render(
            visit=visit,
            sections=[one for one in SECTIONS if visit.may(one.role) and (visit.operates or not one.operators)],
            version=__version__,
            now=datetime.now(UTC),
            **shown,
        )
        return HTMLResponse(page, status, headers)


def bare(template: str, *, status: int = 200, headers: Mapping[str, str] = HEADERS, **shown: object) -> HTMLResponse:
    """Return a page for somebody who is not signed in."""
    page = templates.get_template(f"console/{template}").render(version=__version__, **shown)
    return HTMLResponse(page, status, headers)


def back(path: str, done: str = "") -> Response:
    """Lead a browser to a page after a form; `done` is the word of the sentence that it is to show."""
    return RedirectResponse(f"{path}?{urlencode({'done': done})}" if done else path, 303, {"Cache-Control": "no-store"})


async def words_of(request: Request) -> FormData:
    """Return a form of which only the words are of use: files in it are let go of."""
    form = await request.form()
    await form.close()
    return _typed(form)


def _typed(form: FormData) -> FormData:
    return FormData([(name, without_null(one) if isinstance(one, str) else one) for name, one in form.multi_items()])


def text_of(form: FormData, name: str) -> str:
    """Return a field's text, or nothing: a file under its name is no text."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def own_path(path: str) -> str:
    """Return a path of ours to go on to, or the console's first page for anything that would lead away."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/console"
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if ours and path.isprintable() else "/console"


def check_own(request: Request) -> None:
    """Go on when a form was sent by a page of this very host.

    Raises `Forbidden`.
    """
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if foreign or (origin is not None and host_of(origin).lower() != host.lower()):
        raise Forbidden("this is only done for pages of this server itself")


def _back_to(request: Request) -> str:
    if request.method != "GET":
        return ""
    return urlencode({"next": request.url.path + (f"?{request.url.query}" if request.url.query else "")})
