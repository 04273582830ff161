"""Seed 1: pick, store, convert. One script tag, the dialog it opens, files by their handles, and webhooks about them."""

from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.dialect import PICKER
from tintype.api.picker.results import Results
from tintype.api.picker.routes import mount

__all__ = ["PICKER", "PickerDesk", "Results", "mount"]
