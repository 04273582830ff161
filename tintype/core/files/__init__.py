"""Picked files: links to Instagram media, stored copies, what is made of them, and who may use them.

link, copy       a medium that somebody picked: its name, or its bytes
store            bytes or an address that somebody sent
open, metadata   a file and what is known of it
overwrite        new content under the same handle
dialog           a page opens it, an account is connected in it, and some of its photos are chosen
remove           a file with everything that was made of it
"""

from tintype.core.files.addresses import PROCESSING, zone_of
from tintype.core.files.app_records import AppRecords, Usage
from tintype.core.files.apps import CALLBACK, AppCheck, Apps
from tintype.core.files.conversion import (
    CACHED,
    PARAMETERS,
    Caching,
    Conversions,
    Derived,
    DerivedRecords,
    Making,
    Plan,
    Source,
    Value,
    Wish,
    is_signed,
    newest,
    planned,
    read_address,
    read_body,
    read_parameters,
    read_plan,
    renamed,
    signature_of,
)
from tintype.core.files.conversion import SUPPORTED as SUPPORTED_TASKS
from tintype.core.files.debt_records import DebtRecords, Place
from tintype.core.files.dialog_model import Dialog, Entry, Opening, Purpose, Showing
from tintype.core.files.dialog_records import DialogRecords
from tintype.core.files.dialogs import Dialogs, Return, Standing
from tintype.core.files.exports import Exports, Published
from tintype.core.files.fetching import Fetching, Found
from tintype.core.files.files import Files
from tintype.core.files.keys import filename_of, is_handle
from tintype.core.files.links import DELETED, REVOKED, Links
from tintype.core.files.metadata import Metadata
from tintype.core.files.model import (
    COMPUTER,
    HOME,
    INSTAGRAM,
    LOCATIONS,
    File,
    IssuedApp,
    Kind,
    Medium,
    MediumGone,
    Opened,
    Overtaken,
    PickerApp,
    Stored,
    StoreOptions,
    location_of,
    provider_of,
)
from tintype.core.files.origins import origin_of, origins_of
from tintype.core.files.policies import Admitted, Call, Policies, Policy, Shown, Subject, signed
from tintype.core.files.records import FileRecords
from tintype.core.files.sniffing import PICTURES
from tintype.core.files.stores import Store, Stores
from tintype.core.files.storing import Storing
from tintype.core.files.telling import Telling
from tintype.core.files.thumbs import Thumbs
from tintype.core.files.upload_records import Upload, UploadRecords
from tintype.core.files.uploads import Uploads
from tintype.core.files.work import jobs, schedules

__all__ = [
    "CACHED",
    "CALLBACK",
    "COMPUTER",
    "DELETED",
    "HOME",
    "INSTAGRAM",
    "LOCATIONS",
    "PARAMETERS",
    "PICTURES",
    "PROCESSING",
    "REVOKED",
    "SUPPORTED_TASKS",
    "Admitted",
    "AppCheck",
    "AppRecords",
    "Apps",
    "Caching",
    "Call",
    "Conversions",
    "DebtRecords",
    "Derived",
    "DerivedRecords",
    "Dialog",
    "DialogRecords",
    "Dialogs",
    "Entry",
    "Exports",
    "Fetching",
    "File",
    "FileRecords",
    "Files",
    "Found",
    "IssuedApp",
    "Kind",
    "Links",
    "Making",
    "Medium",
    "MediumGone",
    "Metadata",
    "Opened",
    "Opening",
    "Overtaken",
    "PickerApp",
    "Place",
    "Plan",
    "Policies",
    "Policy",
    "Published",
    "Purpose",
    "Return",
    "Showing",
    "Shown",
    "Source",
    "Standing",
    "Store",
    "StoreOptions",
    "Stored",
    "Stores",
    "Storing",
    "Subject",
    "Telling",
    "Thumbs",
    "Upload",
    "UploadRecords",
    "Uploads",
    "Usage",
    "Value",
    "Wish",
    "filename_of",
    "is_handle",
    "is_signed",
    "jobs",
    "location_of",
    "newest",
    "origin_of",
    "origins_of",
    "planned",
    "provider_of",
    "read_address",
    "read_body",
    "read_parameters",
    "read_plan",
    "renamed",
    "schedules",
    "signature_of",
    "signed",
    "zone_of",
]
