"""Tintype: your own Instagram backend.

`InstagramAPI` and `InstagramAPIError` are its library face; they are loaded when they are asked for, so that importing this
package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tintype.instagram.client import InstagramAPI, InstagramAPIError

__all__ = ["InstagramAPI", "InstagramAPIError", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in ("InstagramAPI", "InstagramAPIError"):
        return getattr(import_module("tintype.instagram.client"), name)
    raise AttributeError(f"module 'tintype' has no attribute {name!r}")
