"""Picked files: links to Instagram media, stored copies, what is made of them, and who may use them."""

from tintype.core.files.app_records import AppRecords, Usage
from tintype.core.files.apps import CALLBACK, AppCheck, Apps
from tintype.core.files.dialog_model import Dialog, Opening, Purpose, Showing, Shown
from tintype.core.files.dialog_records import DialogRecords
from tintype.core.files.model import (
    File,
    IssuedApp,
    Kind,
    Medium,
    MediumGone,
    Opened,
    PickerApp,
    Stored,
    StoreOptions,
    location_of,
    provider_of,
)
from tintype.core.files.origins import origin_of, origins_of

__all__ = [
    "CALLBACK",
    "AppCheck",
    "AppRecords",
    "Apps",
    "Dialog",
    "DialogRecords",
    "File",
    "IssuedApp",
    "Kind",
    "Medium",
    "MediumGone",
    "Opened",
    "Opening",
    "PickerApp",
    "Purpose",
    "Showing",
    "Shown",
    "StoreOptions",
    "Stored",
    "Usage",
    "location_of",
    "origin_of",
    "origins_of",
    "provider_of",
]
