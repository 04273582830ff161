"""The last phase: one import ends as exactly one recipe in the outlet, and one post as one, unless somebody wants a second.

That it begins is stored before anything is sent, and where the recipe is before its picture is; both are found again by
whoever goes on after a process that died.
"""

from dataclasses import dataclass
from typing import Any

from tintype.backends.blobs import Blobs
from tintype.core.recipes.items import Item, Stage, Upload, progressed
from tintype.core.recipes.outlets.outlet import Order, Outlet, Receipt, place
from tintype.core.recipes.records import ItemRecords
from tintype.core.recipes.walk import Walk
from tintype.errors import NotFound

DISABLED = "upload_disabled"
KNOWN = "already_uploaded"


@dataclass(frozen=True, slots=True)
class Uploading:
    """Puts recipes into the outlet, when there is one."""

    outlet: Outlet | None
    blobs: Blobs
    records: ItemRecords

    async def upload(self, walk: Walk) -> None:
        """Complete the phase."""
        outlet = self.outlet
        if outlet is None:
            await walk.complete(Stage.UPLOADING, warnings=_with(walk.item, DISABLED))
            return
        others = await self.records.uploads(walk.item, outlet.name)
        known = next((one.upload for one in others if one.upload), None)
        if known is not None and not walk.item.again and not _is_at(walk.item, outlet):
            done: dict[str, Any] = {"upload": known, "warnings": _with(walk.item, KNOWN)}
            await walk.complete(Stage.UPLOADING, **done)
            return
        taken = frozenset(one.upload.id for one in others if one.upload and one.upload.id)
        await self._put(walk, outlet, taken)

    async def _put(self, walk: Walk, outlet: Outlet, taken: frozenset[str]) -> None:
        item = walk.item
        order = await self._order(item, taken)
        if _is_at(item, outlet) and item.upload and item.upload.id:
            receipt = Receipt(item.upload.id, item.upload.url or "")
        else:
            begun = _is_at(item, outlet)
            await walk.note(upload=Upload(outlet.name))
            receipt = await place(outlet, order, begun=begun)
            where: dict[str, Any] = {"upload": Upload(outlet.name, receipt.id, receipt.url)}
            await walk.move(**progressed(walk.item, Stage.UPLOADING, 70), **where)
        refused = await outlet.illustrate(receipt, order.cover) if order.cover else None
        warnings = _with(walk.item, *receipt.warnings, *([refused] if refused else []))
        await walk.complete(Stage.UPLOADING, warnings=warnings)

    async def _order(self, item: Item, taken: frozenset[str]) -> Order:
        assert item.parsed is not None
        return Order(
            id=item.id,
            recipe=item.parsed.value,
            since=item.created_at,
            source_url=item.link,
            cover=await self._cover(item),
            taken=taken,
        )

    async def _cover(self, item: Item) -> bytes | None:
        if item.source is None or item.source.cover is None:
            return None
        try:
            return await self.blobs.get(item.source.cover)
        except NotFound:
            return None


def _is_at(item: Item, outlet: Outlet) -> bool:
    """Tell whether an upload of this item to this outlet was begun."""
    return item.upload is not None and item.upload.outlet == outlet.name


def _with(item: Item, *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*item.warnings, *more)))
