"""What this process counts and measures, for Prometheus. Like the logs it belongs to the process, not to one house in it.

Labels are few and their values are known beforehand: a route's template and never a path, a job's name and never its ids.
"""

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LONG = (0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)

REQUESTS = Counter(
    "tintype_http_requests", "Requests answered.", ("dialect", "route", "status_class"), registry=REGISTRY
)
REQUEST_SECONDS = Histogram(
    "tintype_http_request_seconds", "Time to the end of an answer.", ("dialect",), buckets=_QUICK, registry=REGISTRY
)
JOBS = Counter("tintype_jobs", "Jobs that ended.", ("job", "outcome"), registry=REGISTRY)
JOB_SECONDS = Histogram("tintype_job_seconds", "Time a job took.", ("job",), buckets=_LONG, registry=REGISTRY)
INSTAGRAM = Counter("tintype_instagram_calls", "Calls of Instagram's API.", ("call", "outcome"), registry=REGISTRY)
INSTAGRAM_SECONDS = Histogram(
    "tintype_instagram_call_seconds", "Time Instagram took to answer.", ("call",), buckets=_QUICK, registry=REGISTRY
)
USAGE = Gauge(
    "tintype_instagram_usage_percent",
    "The fullest meter of the last answer that told one.",
    ("budget",),
    registry=REGISTRY,
)
OUTBOUND = Counter("tintype_outbound_requests", "All requests to others.", ("outcome",), registry=REGISTRY)
POSTS = Counter("tintype_posts", "Posts that ended.", ("product", "outcome"), registry=REGISTRY)
DELIVERIES = Counter("tintype_webhook_attempts", "Attempts to deliver a webhook.", ("outcome",), registry=REGISTRY)
BUILD = Gauge("tintype_build", "Always 1; the version stands in the label.", ("version",), registry=REGISTRY)

# Asked of the house when somebody looks, because they are states and not events.
STATES: Mapping[str, Gauge] = {
    name: Gauge(name, text, registry=REGISTRY)
    for name, text in {
        "tintype_feeds": "Accounts whose feed is kept.",
        "tintype_feed_age_seconds": "Time since the sync that lies longest back.",
        "tintype_jobs_waiting": "Jobs among the latest that wait for a turn.",
        "tintype_jobs_running": "Jobs among the latest that are worked on.",
        "tintype_recipes_waiting": "Imports that are not finished.",
        "tintype_webhooks_late_seconds": "Time by which the next webhook is late.",
        "tintype_picture_workers": "Processes that decode and convert pictures.",
        "tintype_pictures_waiting": "Pictures that wait for a worker.",
        "tintype_streams": "Clients that watch the queue.",
    }.items()
}


_request_counter = cache(REQUESTS.labels)  # looking a child up by its labels costs more than counting
_request_timer = cache(REQUEST_SECONDS.labels)


def answered(dialect: str, route: str, status_class: str, seconds: float) -> None:
    """Count one request that was answered, or left before it was."""
    _request_counter(dialect, route, status_class).inc()
    _request_timer(dialect).observe(seconds)


def page() -> tuple[str, bytes]:
    """Return the media type and the text that Prometheus reads."""
    return CONTENT_TYPE_LATEST, generate_latest(REGISTRY)


def names() -> set[str]:
    """Return the names of all metrics of ours, as they stand in the text."""
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in REGISTRY.collect()
        if family.name.startswith("tintype_")
    }


@contextmanager
def measured(seconds: Histogram, *labels: str) -> Generator[None]:
    """Measure how long the block takes, however it ends."""
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds.labels(*labels).observe(time.perf_counter() - began)
