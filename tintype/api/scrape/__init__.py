"""Seed 2: a post by its address, as files and JSON. Errors are `{error}` with the promised texts, and a code beside them."""

from tintype.api.scrape.dialect import SCRAPE, alone
from tintype.api.scrape.files import MediaLinks
from tintype.api.scrape.gate import Gate, Rates
from tintype.api.scrape.routes import ScrapeDesk, mount

__all__ = ["SCRAPE", "Gate", "MediaLinks", "Rates", "ScrapeDesk", "alone", "mount"]
