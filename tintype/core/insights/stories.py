"""A story's last numbers, as Instagram sends them by webhook when it vanishes (graph-api.md 7.4)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tintype.core.insights.model import METRICS, Product, Sample, Source
from tintype.instagram import Change

FIELD = "story_insights"
MOST = 10**15  # no story was ever seen so often: such a number is a fault

# The webhook's words for what the API breaks down; newer deliveries may use the API's own.
_NAVIGATION: Mapping[str, str] = {
    "taps_forward": "tap_forward",
    "taps_back": "tap_back",
    "exits": "tap_exit",
    "swipe_forward": "swipe_forward",
}
_METRICS = frozenset((*METRICS[Product.STORY], "impressions"))


def samples_of(change: Change, now: datetime) -> Sequence[Sample]:
    """Return the numbers of a `story_insights` change; counts below five come as -1 and are unknown."""
    at = change.at if change.at is not None and change.at < now else now
    found: list[Sample] = []
    for key, value in change.value.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        number = float(value) if 0 <= value < MOST else None
        if key in _NAVIGATION:
            found.append(Sample("navigation", number, at, Source.WEBHOOK, breakdown=_NAVIGATION[key]))
        elif key in _METRICS:
            found.append(Sample(key, number, at, Source.WEBHOOK))
    return found
