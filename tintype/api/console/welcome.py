"""What a demonstration offers: it is opened before there are pages that show it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Welcome:
    """What the start page offers to everybody on this machine; empty outside of a demonstration."""

    workspace_id: str | None = None
    feed_key: str | None = field(default=None, repr=False)
    simulator: str | None = None
    user_id: int | None = None  # whoever opens the console from the start page comes in as this user

    def offer(self, workspace_id: str, feed_key: str, simulator: str, user_id: int | None = None) -> None:
        """Begin to show a demonstration's workspace."""
        self.workspace_id, self.feed_key, self.simulator = workspace_id, feed_key, simulator
        self.user_id = user_id
