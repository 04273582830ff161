"""Keep an account's media fresh in own copies, and serve them without asking Instagram.

sync      compare one account with Instagram, copy what is new, swap it in
render    make the sizes that websites ask for
collect   drop copies that nobody shows any more
view      what a website gets, always the last good list
"""

from tintype.core.feed.copies import Copies, blob_key
from tintype.core.feed.curation import Choice, Choices, Curation
from tintype.core.feed.feed import Feed, Report
from tintype.core.feed.hosting import Hosting
from tintype.core.feed.hosting_model import HostedStanding
from tintype.core.feed.hosting_records import HostingRecords
from tintype.core.feed.model import FORMATS, SIZES, Asset, Item, Policy, Standing, View, first_sentence
from tintype.core.feed.owning import OwnPosts
from tintype.core.feed.records import FeedRecords
from tintype.core.feed.renditions import Renditions, widths
from tintype.core.feed.work import jobs, schedules

__all__ = [
    "FORMATS",
    "SIZES",
    "Asset",
    "Choice",
    "Choices",
    "Copies",
    "Curation",
    "Feed",
    "FeedRecords",
    "HostedStanding",
    "Hosting",
    "HostingRecords",
    "Item",
    "OwnPosts",
    "Policy",
    "Renditions",
    "Report",
    "Standing",
    "View",
    "blob_key",
    "first_sentence",
    "jobs",
    "schedules",
    "widths",
]
