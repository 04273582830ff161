"""Signed webhooks: who is told of what, kept in the transaction of the change itself, delivered until it arrived.

put          write what happened, in the transaction in which it happens
deliver      send what is due, until it was taken or the schedule is over
look         a log of every attempt, replays, tests, and a way to fetch instead of being called
"""

from tintype.core.webhooks.advice import advice
from tintype.core.webhooks.deliverer import Deliverer, Tries
from tintype.core.webhooks.delivery_records import DeliveryRecords
from tintype.core.webhooks.letters import Letters, jobs, schedules
from tintype.core.webhooks.model import (
    ALL,
    EVENTS,
    EVERYTHING,
    Answer,
    Attempt,
    Delivery,
    Endpoint,
    Envelope,
    Happening,
    Policy,
    Progress,
    State,
    Verdict,
    Way,
    enveloped,
)
from tintype.core.webhooks.outbox import Outbox
from tintype.core.webhooks.records import EndpointRecords
from tintype.core.webhooks.schedule import CUSTOM, PRESETS, Schedule
from tintype.core.webhooks.sending import Prepared, send
from tintype.core.webhooks.signing import filestack_text, standard_text
from tintype.core.webhooks.webhooks import LISTENER, Issued, Pulled, Scope, Tested, Webhooks, Wish

__all__ = [
    "ALL",
    "CUSTOM",
    "EVENTS",
    "EVERYTHING",
    "LISTENER",
    "PRESETS",
    "Answer",
    "Attempt",
    "Deliverer",
    "Delivery",
    "DeliveryRecords",
    "Endpoint",
    "EndpointRecords",
    "Envelope",
    "Happening",
    "Issued",
    "Letters",
    "Outbox",
    "Policy",
    "Prepared",
    "Progress",
    "Pulled",
    "Schedule",
    "Scope",
    "State",
    "Tested",
    "Tries",
    "Verdict",
    "Way",
    "Webhooks",
    "Wish",
    "advice",
    "enveloped",
    "filestack_text",
    "jobs",
    "schedules",
    "send",
    "standard_text",
]
