"""How other programs are told of things."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from tintype.settings.names import names


class WebhookSettings(BaseSettings):
    """How other programs are told of things."""

    webhook_schedule: Literal["filestack-2016", "filestack-2026", "standard", "once"] = Field(
        "filestack-2016",
        validation_alias=names("WEBHOOK_SCHEDULE"),
        description="When a message that was not taken is sent again, for endpoints that choose nothing else.",
    )
    webhook_jitter_seconds: int = Field(
        30,
        ge=0,
        le=3600,
        validation_alias=names("WEBHOOK_JITTER_SECONDS"),
        description="A repeated attempt comes up to so much later, never earlier, so that not all come at once.",
    )
    webhook_seconds: float = Field(
        15.0,
        gt=0,
        le=45,
        validation_alias=names("WEBHOOK_SECONDS"),
        description="Time that a receiver may take to answer, in all.",
    )
    webhook_kept_days: int = Field(
        30,
        ge=1,
        validation_alias=names("WEBHOOK_KEPT_DAYS"),
        description="How long messages and the log of their deliveries are kept.",
    )
    webhook_queue_workspace: str | None = Field(
        None,
        validation_alias=names("WEBHOOK_QUEUE_WORKSPACE"),
        description="Id of the workspace whose endpoints may hear of recipes; default the only one, where there is one.",
    )
