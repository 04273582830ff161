"""One pasted link to a post becomes its verified files in one folder, fetched once however many ask.

ask       return a post's download, beginning one where there is none
look      say what a post says, and fetch none of its files
find      how far a download is
file      a published file
take_over go on with what dead processes left
clean     take old posts away
"""

from tintype.core.downloads.downloads import Downloads, Flights, Owns
from tintype.core.downloads.fetching import Fetching
from tintype.core.downloads.folders import Folders
from tintype.core.downloads.model import (
    CODES,
    DiskFull,
    Download,
    Failure,
    File,
    Lease,
    Policy,
    Post,
    State,
    next_step,
    standing_of,
)
from tintype.core.downloads.records import DownloadRecords
from tintype.core.downloads.session_records import SessionRecords
from tintype.core.downloads.sessions import Member, Session, Sessions
from tintype.core.downloads.standings import RememberedStandings, StoredStandings, way_health
from tintype.core.downloads.work import Cleaning, Runner, inherit, jobs, schedules

__all__ = [
    "CODES",
    "Cleaning",
    "DiskFull",
    "Download",
    "DownloadRecords",
    "Downloads",
    "Failure",
    "Fetching",
    "File",
    "Flights",
    "Folders",
    "Lease",
    "Member",
    "Owns",
    "Policy",
    "Post",
    "RememberedStandings",
    "Runner",
    "Session",
    "SessionRecords",
    "Sessions",
    "State",
    "StoredStandings",
    "inherit",
    "jobs",
    "next_step",
    "schedules",
    "standing_of",
    "way_health",
]
