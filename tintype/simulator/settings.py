"""The switches of the pretend world: those of `reset`, and one for each point on which Meta's sources contradict each other."""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from tintype.simulator.model import DAY, HOUR

MOST = 1e12  # no setting means more than this


@dataclass(frozen=True, slots=True)
class Settings:
    """Every switch, its unit and its default."""

    container_seconds: float | None = None  # None: an image is ready at the 2nd poll, a video at the 4th
    quota_total: int = 100
    quota_containers: int = 400
    latency_ms: int = 0
    image_lifetime: float = 4 * DAY
    video_lifetime: float = 12 * HOUR
    short_token_seconds: int = HOUR
    long_token_seconds: int = 60 * DAY
    refresh_keeps_token: bool = False

    token_shape: Literal["flat", "wrapped"] = "flat"  # noqa: S105 - a shape, not a secret
    me_shape: Literal["flat", "wrapped"] = "flat"
    permissions_shape: Literal["list", "string"] = "list"
    expired_subcode: int | None = 463
    missing_scope_code: Literal[10, 200] = 10
    young_refresh_code: Literal[10, 100] = 10
    require_appsecret_proof: bool = False

    reel_max_bytes: int = 300 * 1024 * 1024
    resumable_for_instagram_login: bool = True
    tags_for_instagram_login: bool = False
    hashtag_max: int = 30
    png: Literal["refused", "accepted"] = "refused"
    fetch_pictures: bool = True
    unreadable_after_publish: int = 0  # so many reads of a fresh post answer 100/33
    spam_shield: bool = False

    development_mode: bool = False  # comments read with the Instagram login come back as an empty list
    testers: tuple[str, ...] | None = None  # who has a role while in development mode; None: everybody
    panel_elsewhere: bool = False  # whether the panel opens for browsers on other machines, too

    webhook_shape: Literal["changes", "flat"] = "changes"
    comment_id_key: Literal["id", "comment_id"] = "id"
    webhook_url: str | None = None
    webhook_attempts: int = 3
    verify_token: str = "tintype"  # noqa: S105 - a pretend world's default
    deauthorize_url: str | None = None
    deletion_url: str | None = None
    redirect_uris: tuple[str, ...] = ()

    views_breakdown: Literal["follower_type", "follow_type"] = "follower_type"
    insights_delay_hours: float = 0.0
    story_viewers: int | None = None

    impressions: int = 10_000  # calls per 24 h and account = 4800 x impressions
    app_calls_per_hour: int = 1_000_000
    app_usage: int | None = None  # percent; overrides counting
    business_usage: int | None = None
    regain_minutes: int = 20

    def changed(self, given: dict[str, object]) -> "Settings":
        """These settings with some replaced by name; ValueError names what is unknown or of a wrong type."""
        known = {item.name for item in fields(self)}
        if unknown := sorted(set(given) - known):
            raise ValueError(f"unknown setting {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        return replace(self, **{name: _checked(name, value) for name, value in given.items()})  # pyright: ignore[reportArgumentType] - each value was checked against the field's own type


def _checked(name: str, value: object) -> object:
    hint: Any = get_type_hints(Settings)[name]
    if isinstance(value, int | float) and not 0 <= value <= MOST:
        raise ValueError(f"setting {name}: must be from 0 to {MOST:g}")
    try:
        return cast(object, TypeAdapter[Any](hint).validate_python(value))
    except ValidationError as error:
        raise ValueError(f"setting {name}: {error.errors()[0]['msg']}") from error
