"""Apps that were asked for lately, in this process's memory: forgotten as soon as somebody changes one of their workspace's."""

from dataclasses import dataclass, field

from tintype.core.files.app_records import SealedApp

MOST = 1000


@dataclass(slots=True)
class Remembered:
    """Apps by their keys and ids; `forgotten` counts how often something was, so that nothing old is kept after that."""

    forgotten: int = 0
    _by_key: dict[str, SealedApp] = field(default_factory=dict[str, SealedApp], repr=False)
    _keys: dict[str, str] = field(default_factory=dict[str, str], repr=False)

    def by_key(self, key: str) -> SealedApp | None:
        """Return an app by its key."""
        return self._by_key.get(key)

    def by_id(self, app_id: str) -> SealedApp | None:
        """Return an app by its id."""
        return self._by_key.get(self._keys.get(app_id, ""))

    def keep(self, held: SealedApp, since: int) -> None:
        """Keep an app that was read when so much had been forgotten; what was forgotten meanwhile may have been this one."""
        if since != self.forgotten or held.app.key in self._by_key:
            return
        while len(self._by_key) >= MOST:
            self._drop(next(iter(self._by_key.values())))
        self._by_key[held.app.key] = held
        self._keys[held.app.id] = held.app.key

    def forget(self, workspace_id: str | None = None) -> None:
        """Forget a workspace's apps, or all."""
        self.forgotten += 1
        for one in list(self._by_key.values()):
            if workspace_id in (None, one.app.workspace_id):
                self._drop(one)

    def _drop(self, held: SealedApp) -> None:
        self._by_key.pop(held.app.key, None)
        self._keys.pop(held.app.id, None)
