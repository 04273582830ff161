"""Whose Instagram: accounts are connected, kept alive by refreshing their tokens, and disconnected here.

Other parts ask `Accounts.open` for a token at the moment they need one; nobody else ever holds or stores tokens.
"""

from tintype.core.accounts.accounts import Accounts
from tintype.core.accounts.connecting import AppSettings, Beginning, Connecting
from tintype.core.accounts.diagnosis import CAUSES, Cause, Finding, diagnose, look
from tintype.core.accounts.looking import Looking
from tintype.core.accounts.model import Account, Grip, Signer, State, share
from tintype.core.accounts.records import AccountRecords, connected_ids, held

__all__ = [
    "CAUSES",
    "Account",
    "AccountRecords",
    "Accounts",
    "AppSettings",
    "Beginning",
    "Cause",
    "Connecting",
    "Finding",
    "Grip",
    "Looking",
    "Signer",
    "State",
    "connected_ids",
    "diagnose",
    "held",
    "look",
    "share",
]
