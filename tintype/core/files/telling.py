"""What webhooks say of files: the documented texts, letter by letter and in their order. Pure but for the handing over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.core.files.model import File, PickerApp
from tintype.core.webhooks import Happening, Outbox


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells an app's endpoints of what happened to its files."""

    outbox: Outbox
    base: str
    now: Callable[[], datetime]

    def address(self, handle: str) -> str:
        """Return the address under which everybody knows a file."""
        return f"{self.base}/api/file/{handle}"

    async def uploaded(self, connection: AsyncConnection, app: PickerApp, file: File) -> None:
        """Tell of a new file, a link or a copy."""
        await self._put(connection, app, "fp.upload", uploaded(file, self.address(file.handle)))

    async def overwritten(self, connection: AsyncConnection, app: PickerApp, file: File) -> None:
        """Tell of a file's new content."""
        await self._put(connection, app, "fp.overwrite", uploaded(file, self.address(file.handle)))

    async def removed(self, connection: AsyncConnection, app: PickerApp, file: File) -> None:
        """Tell that a file is gone."""
        await self._put(connection, app, "fp.delete", uploaded(file, self.address(file.handle)))

    async def exported(
        self, connection: AsyncConnection, app: PickerApp, source: File, created: File, key: str
    ) -> None:
        """Tell that a file was brought to a service, and what it is there; once for all who bring it under this key."""
        await self.outbox.put(connection, self._export(app, source, created, key))

    async def tell_exported(self, app: PickerApp, source: File, created: File, key: str) -> None:
        """Tell the same where nothing else is stored."""
        await self.outbox.tell(self._export(app, source, created, key))

    def _export(self, app: PickerApp, source: File, created: File, key: str) -> Happening:
        text = {
            "source": self.address(source.handle),
            "client": created.client,
            "filename": created.filename,
            "created": self.address(created.handle),
        }
        return Happening(app.workspace_id, app.id, "fp.export", text, self.now(), f"fp.export:{app.id}:{key}")

    async def converted(self, connection: AsyncConnection, app: PickerApp, file: File, url: str) -> None:
        """Tell of a conversion; `url` is its whole address."""
        await self._put(connection, app, "fp.converse", converted(app, file, url))

    async def _put(self, connection: AsyncConnection, app: PickerApp, event: str, text: Mapping[str, object]) -> None:
        await self.outbox.put(connection, Happening(app.workspace_id, app.id, event, text, self.now()))


def uploaded(file: File, url: str) -> Mapping[str, object]:
    """Return the documented text of an upload: that of a link and that of a copy have their keys in different orders."""
    if file.stored is None:
        return {
            "url": url,
            "client": file.client,
            "type": file.content_type,
            "filename": file.filename,
            "size": file.size,
        }
    return {
        "container": file.stored.container,
        "url": url,
        "filename": file.filename,
        "client": file.client,
        "key": file.stored.key,
        "type": file.content_type,
        "size": file.size,
    }


def converted(app: PickerApp, file: File, url: str) -> Mapping[str, object]:
    """Return the documented text of a conversion."""
    lies = file.stored.key if file.stored else f"instagram/{file.filename}"
    created = file.uploaded_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "url": url,
        "link": {
            "writeable": True,
            "mimetype": file.content_type,
            "handle": file.handle,
            "url": lies,
            "created_at": created,
            "provider": file.provider,
            "app_id": app.number,
            "filename": file.filename,
            "mongo_id": None,
            "_metadata": None,
            "access_tokens": [],
            "is_folder": False,
            "persist": file.stored is not None,
            "user_id": None,
            "id": file.number,
            "size": None if file.size is None else str(file.size),
        },
    }
