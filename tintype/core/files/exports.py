"""Files brought out of the picker to Instagram: published as a post, told of, and linked to under a handle of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.core.accounts import Account
from tintype.core.files.files import Files
from tintype.core.files.keys import filename_of, new_handle
from tintype.core.files.model import INSTAGRAM, File, Kind, Medium, PickerApp
from tintype.errors import Unsupported


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a file on Instagram: the post's number here, and its medium once it is live."""

    post_id: int
    media_id: str | None


# Publishes a file's bytes on an account with a caption; the same key publishes once, however often it is asked.
Publish = Callable[[Account, File, AsyncIterator[bytes], str, str | None], Awaitable[Published]]

TAKEN = frozenset({"image/jpeg", "image/png", "image/webp", "image/avif", "image/gif", "video/mp4", "video/quicktime"})


@dataclass(frozen=True, slots=True)
class Exports:
    """Brings files to Instagram; `publish` is given at the roof, for publishing is another trade."""

    files: Files
    publish: Publish

    async def export(
        self,
        app: PickerApp,
        file: File,
        account: Account,
        *,
        caption: str = "",
        filename: str | None = None,
        key: str | None = None,
    ) -> tuple[File, Published]:
        """Publish a file as a post of an account; return a link to the post, and what became of it.

        While Instagram still works on it the new handle is a link to the file itself. Raises `Unsupported` for what is
        neither a picture nor a video, and what publishing raises.
        """
        if file.content_type not in TAKEN:
            raise Unsupported(f"{file.content_type} is nothing that Instagram takes; export a picture or a video")
        opened = await self.files.open(file)
        published = await self.publish(account, file, opened.chunks, caption, key)
        now, told = self.files.now(), f"{published.post_id}:{published.media_id or 'under way'}"
        made = replace(
            file,
            handle=new_handle(),
            number=0,
            app_id=app.id,
            workspace_id=app.workspace_id,
            kind=Kind.LINK,
            client=INSTAGRAM,
            filename=filename_of(filename or file.filename),
            uploaded_at=now,
            changed_at=now,
            version=1,
            stored=None,
            medium=Medium(account.id, published.media_id) if published.media_id else file.medium,
        )
        if made.medium is None:
            shown = replace(file, client=INSTAGRAM, filename=made.filename)
            await self.files.telling.tell_exported(app, file, shown, told)
            return file, published

        async def tell(connection: AsyncConnection, created: File) -> None:
            await self.files.telling.exported(connection, app, file, created, told)

        created = await self.files.records.add(app, made, tell)
        self.files.telling.outbox.due()
        return created, published
