"""Conversion: what is wanted of a picture, read from either grammar into one plan, made once and kept.

read_parameters  the first version's query, done in a fixed order
read_address     processing addresses
read_body        their JSON form
Conversions      makes what a plan says, once, and hands out what was made
"""

from tintype.core.files.conversion.addresses import read_address, read_body
from tintype.core.files.conversion.conversions import Conversions, Derived, renamed
from tintype.core.files.conversion.first import PARAMETERS, read_parameters
from tintype.core.files.conversion.making import Making
from tintype.core.files.conversion.model import CACHED, Caching, Plan, Source, Value, Wish, newest
from tintype.core.files.conversion.presets import is_signed, planned, read_plan, signature_of
from tintype.core.files.conversion.records import DerivedRecords
from tintype.core.files.conversion.tasks import SUPPORTED

__all__ = [
    "CACHED",
    "PARAMETERS",
    "SUPPORTED",
    "Caching",
    "Conversions",
    "Derived",
    "DerivedRecords",
    "Making",
    "Plan",
    "Source",
    "Value",
    "Wish",
    "is_signed",
    "newest",
    "planned",
    "read_address",
    "read_body",
    "read_parameters",
    "read_plan",
    "renamed",
    "signature_of",
]
