"""Telling people what happened when they do not look: web push, to browsers that asked for it.

subscribe    keep a browser's subscription
announce     tell every browser of one thing, once
deliver      send what is due
"""

from tintype.core.notifications.encryption import PLAIN_BYTES, encrypt
from tintype.core.notifications.model import SERVICES, Notice, Outcome, Policy, Subscription
from tintype.core.notifications.notifier import DELIVER, Notifier, Report, Source, opened_key
from tintype.core.notifications.records import PushRecords
from tintype.core.notifications.vapid import VapidKey
from tintype.core.notifications.work import jobs, schedules

__all__ = [
    "DELIVER",
    "PLAIN_BYTES",
    "SERVICES",
    "Notice",
    "Notifier",
    "Outcome",
    "Policy",
    "PushRecords",
    "Report",
    "Source",
    "Subscription",
    "VapidKey",
    "encrypt",
    "jobs",
    "opened_key",
    "schedules",
]
