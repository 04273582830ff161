"""The picker's apps: a public key for pages, a secret for servers, what both may do, and the Instagram app they show."""

import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from tintype.backends.bus import Bus
from tintype.backends.vault import Vault
from tintype.core.access import Uses
from tintype.core.accounts import Accounts
from tintype.core.files.app_records import AppRecords, SealedApp, Usage
from tintype.core.files.conversion.presets import presets_of
from tintype.core.files.model import CHANGEABLE, HOME, IssuedApp, PickerApp, location_of
from tintype.core.files.origins import origins_of
from tintype.core.files.remembering import Remembered
from tintype.errors import Conflict, Forbidden, Invalid, NotFound, Trouble
from tintype.events import Event, WorkspaceChanged
from tintype.instagram import App, Graph, Login, oauth

KEY_LETTERS = 20  # 119 random bits between a first and a last letter that are always the same
SECRET_LETTERS = 40
OVERLAP = timedelta(days=1)  # how long the secret before the present one still counts

CALLBACK = "/api/client/instagram/authCallback/open"  # where Instagram sends people back, as the seed promises

_BASE62 = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class AppCheck:
    """What Instagram says of an app of its own: fine, or which setting is wrong (`key`, `secret` or `redirect`)."""

    fine: bool
    wrong: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Apps:
    """Makes, changes and recognises the picker's apps; `stores` names the operator's stores beside the house's own."""

    records: AppRecords
    accounts: Accounts
    vault: Vault
    graph: Graph
    bus: Bus
    now: Callable[[], datetime]
    uses: Uses
    stores: frozenset[str] = frozenset()
    remembered: Remembered = field(default_factory=Remembered, repr=False)

    async def create(
        self, workspace_id: str, name: str, *, key: str | None = None, secret: str | None = None, **given: Any
    ) -> IssuedApp:
        """Make an app with a key and a secret of its own, or with those of an earlier service.

        Raises `Invalid` for a value that cannot be, `NotFound` for a workspace that was removed.
        """
        values = self._checked({"name": name, **given})
        app = PickerApp(str(uuid4()), 0, workspace_id, key or _new_key(), created_at=self.now(), **values)
        secret = secret or "".join(secrets.choice(_BASE62) for _ in range(SECRET_LETTERS))
        number = await self.records.add(app, self.vault.seal(secret, context=_context(app.id)))
        if number is None:
            raise NotFound(f"there is no workspace {workspace_id!r}")
        return IssuedApp(replace(app, number=number), secret)

    async def by_key(self, key: str) -> PickerApp:
        """Return the app of a key.

        Raises `Forbidden` for a key that is none of ours.
        """
        found = (await self._held(key)).app
        self.uses.note(found.id)
        return found

    async def by_id(self, app_id: str) -> PickerApp:
        """Return a living app by its id.

        Raises `NotFound` when it was removed.
        """
        since = self.remembered.forgotten
        found = self.remembered.by_id(app_id) or await self.records.by_id(app_id)
        if found is None:
            raise NotFound("the app of this file was removed")
        self.remembered.keep(found, since)
        return found.app

    async def get(self, workspace_id: str, app_id: str) -> PickerApp:
        """Return a workspace's app.

        Raises `NotFound` when it has none of that id.
        """
        found = await self.records.by_id(app_id)
        if found is None or found.app.workspace_id != workspace_id:
            raise NotFound(f"there is no app {app_id!r} in this workspace")
        return found.app

    async def of_workspace(self, workspace_id: str) -> Sequence[PickerApp]:
        """Return a workspace's apps, oldest first."""
        return await self.records.of_workspace(workspace_id)

    async def usage(self, app: PickerApp) -> Usage:
        """Return how many files an app has and how many bytes they take."""
        return await self.records.usage(app.id)

    async def change(
        self, workspace_id: str, app_id: str, values: Mapping[str, Any], *, tag: str | None = None
    ) -> PickerApp:
        """Change an app, as soon as this returns everywhere; with a `tag` only from what that one names.

        Raises `Invalid` for a value that cannot be, `NotFound` when the workspace has no such app, and `Stale` when `tag`
        is not its present one.
        """
        checked = self._checked(values)
        stored = {name: list(one) if name == "origins" else one for name, one in checked.items()}
        if stored and not await self.records.amend(workspace_id, app_id, tag, stored):
            raise NotFound(f"there is no app {app_id!r} in this workspace")
        await self.bus.publish(WorkspaceChanged(workspace_id))
        return await self.get(workspace_id, app_id)

    async def rotate_secret(self, workspace_id: str, app_id: str, *, overlap: timedelta = OVERLAP) -> IssuedApp:
        """Give an app a new secret; what was signed with the one before it counts for the `overlap`.

        Raises `NotFound` when the workspace has no such app, and `Conflict` when somebody else does the same at this
        moment: one of the two secrets would never count.
        """
        held = await self.records.by_id(app_id)
        if held is None or held.app.workspace_id != workspace_id:
            raise NotFound(f"there is no app {app_id!r} in this workspace")
        secret = "".join(secrets.choice(_BASE62) for _ in range(SECRET_LETTERS))
        sealed = self.vault.seal(secret, context=_context(app_id))
        until = self.now() + overlap
        if not await self.records.rotate(held, sealed, until):
            raise Conflict("somebody else gave this app a new secret at this moment; look whether you need another")
        await self.bus.publish(WorkspaceChanged(workspace_id))
        return IssuedApp(held.app, secret)

    async def remove(self, workspace_id: str, app_id: str) -> None:
        """Remove an app: its key opens nothing any more, its links say so, and its files are put away by the next sweep.

        Raises `NotFound` when the workspace has no such app.
        """
        if not await self.records.change(workspace_id, app_id, removed_at=self.now()):
            raise NotFound(f"there is no app {app_id!r} in this workspace")
        await self.bus.publish(WorkspaceChanged(workspace_id))

    async def secrets(self, app: PickerApp) -> Sequence[str]:
        """Return the secrets that count for an app now, the present one first."""
        held = await self._held(app.key)
        sealed = [held.secret]
        if held.old_secret and held.old_secret_until and held.old_secret_until > self.now():
            sealed.append(held.old_secret)
        return [self.vault.open(one, context=_context(app.id)) for one in sealed]

    async def rotate(self) -> int:
        """Seal anew, with the current key, every secret that an earlier key sealed; return how many."""
        done = 0
        for held in await self.records.sealed():
            for name, old in (("secret", held.secret), ("old_secret", held.old_secret)):
                if old and self.vault.needs_rotation(old):
                    context = _context(held.app.id)
                    new = self.vault.seal(self.vault.open(old, context=context), context=context)
                    done += await self.records.reseal(held.app.id, name, old, new)
        self.remembered.forget()
        return done

    async def instagram_app(self, app: PickerApp) -> App | None:
        """Return the Instagram app of the workspace's own; None: people are shown the operator's."""
        return await self.accounts.own_app(app.workspace_id, Login.INSTAGRAM_LOGIN)

    async def set_instagram_app(self, app: PickerApp, key: str, secret: str) -> None:
        """Keep the workspace's own Instagram app, sealed; whoever connects from now on is shown that one.

        Raises `Invalid` when the key or the secret is empty.
        """
        if not _plain(key) or not _plain(secret):
            raise Invalid("an Instagram app has a key (Instagram app ID) and a secret (Instagram app secret)")
        await self.accounts.set_app(app.workspace_id, App(Login.INSTAGRAM_LOGIN, key.strip(), secret.strip()))

    async def test_instagram_app(self, app: PickerApp, base: str) -> AppCheck:
        """Ask Instagram about the workspace's own app, and name the setting that is wrong.

        A code that cannot be is offered for a token: Instagram looks at the key and the secret before it looks at the code.
        """
        own = await self.instagram_app(app)
        if own is None:
            return AppCheck(False, "key", "no Instagram app of your own is set; the operator's is shown")
        try:
            await oauth.exchange_code(self.graph, own, "tintype-checks-this-app", base + CALLBACK)
        except Trouble as trouble:
            return _judged(trouble)
        return AppCheck(True, None, "Instagram knows the app")

    async def forget(self, event: Event) -> None:
        """Forget what is remembered of a workspace's apps that were changed."""
        if isinstance(event, WorkspaceChanged):
            self.remembered.forget(event.workspace_id)

    async def _held(self, key: str) -> SealedApp:
        since = self.remembered.forgotten
        found = self.remembered.by_key(key) or await self.records.by_key(key)
        if found is None:
            raise Forbidden("this API key is not known here")
        self.remembered.keep(found, since)
        return found

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        unknown = sorted(values.keys() - CHANGEABLE)
        if unknown:
            raise Invalid(f"{unknown[0]!r} is not a setting of an app")
        checked = dict(values)
        if "name" in checked and not (1 <= len(checked["name"].strip()) <= 200 and checked["name"].isprintable()):
            raise Invalid("name must have 1 to 200 characters that can be shown")
        if "origins" in checked:
            checked["origins"] = origins_of(checked["origins"])
        if "storages" in checked:
            checked["storages"] = self._storages(checked["storages"])
        if "presets" in checked:
            checked["presets"] = presets_of(checked["presets"])
        negative = [name for name in ("quota_bytes", "quota_files", "quota_derived") if (checked.get(name) or 0) < 0]
        if negative:
            raise Invalid(f"{negative[0]} must be at least 0")
        return checked

    def _storages(self, given: Mapping[str, str]) -> dict[str, str]:
        known = self.stores | {HOME}
        for name in given.values():
            if name not in known:
                raise Invalid(f"there is no store {name!r} here; known are {', '.join(sorted(known))}")
        return {location_of(location): name for location, name in given.items()}


def _judged(trouble: Trouble) -> AppCheck:
    said = trouble.message.lower()
    if "does not know the app" in said:
        return AppCheck(
            False, "key", "Instagram does not know this app key; copy the Instagram app ID, not the Meta app ID"
        )
    if "secret" in said:
        return AppCheck(False, "secret", "Instagram does not take this app secret; copy the Instagram app secret anew")
    if "redirect" in said and "code" not in said:
        return AppCheck(False, "redirect", f"add this redirect address to the app, letter by letter: …{CALLBACK}")
    if "code" in said:
        return AppCheck(True, None, "Instagram knows the app key and takes its secret")
    return AppCheck(False, None, trouble.message)


def _plain(text: str) -> bool:
    return bool(text.strip()) and text.isascii() and text.isprintable()


def _new_key() -> str:
    return "A" + "".join(secrets.choice(_BASE62) for _ in range(KEY_LETTERS)) + "z"


def _context(app_id: str) -> str:
    return f"picker_apps:{app_id}:secret"
