"""Frozen facts that the house announces after the data is stored; they drive caches, webhooks, streams and pages.

An event only says what is already true. Nobody steers anything by publishing one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkspaceChanged:
    """A workspace, or one of its credentials, was made, altered or removed: forget what was remembered of it."""

    workspace_id: str


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """An Instagram account was connected, refreshed, disconnected or lost its permission."""

    workspace_id: str
    account_id: str
    state: str


@dataclass(frozen=True, slots=True)
class AccountExpiring:
    """The account's token dies in `days` days and could not be refreshed so far."""

    workspace_id: str
    account_id: str
    days: int


@dataclass(frozen=True, slots=True)
class MediaSynced:
    """An account's media were compared with Instagram; `changed` tells whether anybody has to read them again."""

    workspace_id: str
    account_id: str
    changed: bool


@dataclass(frozen=True, slots=True)
class PostScheduled:
    """A post waits for its time, which may be now; also after its time was changed."""

    workspace_id: str
    account_id: str
    post_id: int


@dataclass(frozen=True, slots=True)
class PostPublished:
    """A post is live, and `media_id` is what Instagram calls it."""

    workspace_id: str
    account_id: str
    post_id: int
    media_id: str


@dataclass(frozen=True, slots=True)
class PostUnlinked:
    """A post was published, or may have been, and a person has to say which medium of the account it is."""

    workspace_id: str
    account_id: str
    post_id: int


@dataclass(frozen=True, slots=True)
class PostFailed:
    """A post was certainly not published and is not tried again by itself."""

    workspace_id: str
    account_id: str
    post_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class PostCancelled:
    """Somebody called a post back before it was published."""

    workspace_id: str
    account_id: str
    post_id: int


@dataclass(frozen=True, slots=True)
class InsightsUpdated:
    """New numbers of an account or of its posts were stored."""

    workspace_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class FileStored:
    """A file was linked, stored or overwritten in one of the picker's apps."""

    workspace_id: str
    app_id: str
    handle: str


@dataclass(frozen=True, slots=True)
class FileRemoved:
    """A file was removed with everything that was made of it."""

    workspace_id: str
    app_id: str
    handle: str


@dataclass(frozen=True, slots=True)
class QueueItemChanged:
    """A recipe on its way came one step further; `number` is the change's place in the log of all changes.

    `tell` is set when people should be told: the item ended, and it is not the same end that they heard of already.
    """

    item_id: str
    status: str
    number: int
    tell: bool


Event = (
    WorkspaceChanged
    | AccountChanged
    | AccountExpiring
    | MediaSynced
    | PostScheduled
    | PostPublished
    | PostUnlinked
    | PostFailed
    | PostCancelled
    | InsightsUpdated
    | FileStored
    | FileRemoved
    | QueueItemChanged
)

EVENTS: tuple[type[Event], ...] = (
    WorkspaceChanged,
    AccountChanged,
    AccountExpiring,
    MediaSynced,
    PostScheduled,
    PostPublished,
    PostUnlinked,
    PostFailed,
    PostCancelled,
    InsightsUpdated,
    FileStored,
    FileRemoved,
    QueueItemChanged,
)
