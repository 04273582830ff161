"""Seed 0: register projects, connect Instagram, serve their feeds. Envelope: `{success, data}` or `{success, code, …}`."""

from tintype.api.feed.desk import FeedDesk
from tintype.api.feed.dialect import FEED
from tintype.api.feed.routes import mount
from tintype.api.feed.shelf import Shelf

__all__ = ["FEED", "FeedDesk", "Shelf", "mount"]
