"""Conversion: what is wanted of a picture, read from either grammar into one plan, made once and kept.

read_parameters  the first version's query, done in a fixed order
read_address     processing addresses
read_body        their JSON form
"""

from tintype.core.files.conversion.addresses import read_address, read_body
from tintype.core.files.conversion.first import joined, read_parameters
from tintype.core.files.conversion.model import Caching, Plan, Request, Source, Value
from tintype.core.files.conversion.tasks import SUPPORTED

__all__ = [
    "SUPPORTED",
    "Caching",
    "Plan",
    "Request",
    "Source",
    "Value",
    "joined",
    "read_address",
    "read_body",
    "read_parameters",
]
