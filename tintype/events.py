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


Event = WorkspaceChanged | AccountChanged | AccountExpiring | MediaSynced

EVENTS: tuple[type[Event], ...] = (WorkspaceChanged, AccountChanged, AccountExpiring, MediaSynced)
