"""Picked files: how large they may be, and where their copies go."""

import json
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from tintype.settings.names import names

SCHEMES = ("file", "s3", "gs", "az", "memory")


class PickerSettings(BaseSettings):
    """Picked files: how large they may be, and where their copies go."""

    files_max_bytes: int = Field(
        64 * 2**20,
        gt=0,
        validation_alias=names("FILES_MAX_BYTES"),
        description="Largest file that the picker stores, in one piece or in parts.",
    )
    storages: Annotated[dict[str, str], NoDecode] = Field(
        {},
        validation_alias=names("STORAGES"),
        description=(
            'Stores beside our own as a JSON object: {"S3": "s3://bucket/prefix?region=…"}; a documented location goes to the '
            "store of its name, an app may choose others, and everything else stays with us."
        ),
    )
    picker_writes_per_minute: int = Field(
        300,
        ge=0,
        validation_alias=names("PICKER_WRITES_PER_MINUTE"),
        description="Files one address may store, overwrite, convert into new ones or remove per minute; 0 switches it off.",
    )

    @field_validator("storages", mode="before")
    @classmethod
    def _parse_stores(cls, value: object) -> object:
        if not isinstance(value, str) or not value:
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('must be a JSON object like {"S3": "s3://bucket/prefix"}') from None

    @field_validator("storages")
    @classmethod
    def _are_addresses(cls, value: dict[str, str]) -> dict[str, str]:
        for name, address in value.items():
            if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii() or len(name) > 64:
                raise ValueError(f"{name[:40]!r} is no name of a store; use letters, digits and hyphens")
            if urlsplit(address).scheme not in SCHEMES:
                raise ValueError(
                    f"the store {name!r} needs an address like s3://bucket/prefix, gs://…, az://… or file:///…"
                )
        return value
