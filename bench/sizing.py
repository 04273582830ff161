"""What houses of ten to a million accounts need, and what gives out first: arithmetic with the house's own policies.

    python -m bench.sizing [--posts-a-week 3] [--reads-a-day 1000] [--publishes-a-week 1] [--sync-minutes 30] [--no-insights]
                           [--conversions-a-day 200] [--deliveries-a-week 4] [--endpoints 1] [--waiting 0.02]

Nothing is started and nobody is asked. When accounts are synced, tokens refreshed, numbers read and due webhooks looked for is taken
from the very rules that the server goes by; what each of them costs was measured, see docs/operations/sizing.md, or is an estimate
and called so there.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from tintype.core.accounts.model import REFRESH_AFTER, Account, State, refresh_due, share
from tintype.core.feed.model import Standing, sync_due
from tintype.core.insights.model import METRICS, Product, next_due
from tintype.core.webhooks import Policy
from tintype.instagram import LIMITS, Login

SIZES = tuple(10**power for power in range(1, 7))
SAMPLE = 1_000  # accounts by which jitter is looked at
DAY, HOUR, LOOK = timedelta(days=1), timedelta(hours=1), timedelta(minutes=5)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY_SECONDS = 86_400.0
KB, MB, GB = 1e3, 1e6, 1e9
WIDTHS = (9, 7, 8, 7, 7, 8, 7, 8, 11, 11)
TELLING = Policy()


@dataclass(frozen=True, slots=True)
class Habits:
    """What one account and its visitors do."""

    posts_held: int = 50
    posts_a_week: float = 3.0
    stories_a_week: float = 3.0
    reads_a_day: float = 1_000.0
    publishes_a_week: float = 1.0
    conversions_a_day: float = 200.0  # served, of those that are kept already
    deliveries_a_week: float = 4.0  # of webhooks
    endpoints: float = 1.0  # addresses that hear of an account by webhook
    waiting: float = 0.02  # of these, paused or before another attempt, with something to be sent
    sync: timedelta = timedelta(minutes=30)
    insights: bool = True


@dataclass(frozen=True, slots=True)
class Costs:
    """What things cost: seconds of a processor, and bytes."""

    read: float = 49e-6
    look: float = 13e-6  # one account in the look at who is due
    sync: float = 8.5e-3
    publish: float = 15e-3  # of a picture that goes nowhere else
    picture: float = 0.67
    conversion: float = 44e-6
    delivery: float = 11.5e-3  # the message written, claimed, signed, sent and recorded
    endpoint: float = 5e-6  # one endpoint that has something waiting, in a look for what is due to be sent
    numbers: float = 10e-3  # estimated: a call, like a sync, and a dozen rows
    refresh: float = 0.15  # estimated: seconds by the clock, one account after the other
    account_bytes: float = 1.1 * KB
    item_bytes: float = 1.0 * KB
    sample_bytes: float = 330.0
    delivery_bytes: float = 1.5 * KB  # the message and its log
    feed_bytes: float = 45 * KB  # prepared, in a shared cache
    post_files: float = 1.5 * MB  # estimated: the picture in ten files, and a fifth of the posts with a video of 5 MB


@dataclass(frozen=True, slots=True)
class Node:
    """One machine as people rent it, and what of it is meant to be used at all times."""

    cores: float = 8.0
    database: float = 1_000 * GB
    cache: float = 16 * GB
    files: float = 100_000 * GB  # a bucket has no end; this is where its bill wants a look
    load: float = 0.6


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a house needs: how much of it there is, and whether more machines make more of it."""

    name: str
    used: float  # 1: all that there is
    divides: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A house of so many accounts."""

    accounts: int
    cores: float
    database: float
    cache: float
    files: float
    calls: float  # of Instagram, a second
    deliveries: float  # of webhooks, a second
    look_seconds: float
    refreshes: float  # in the busiest hour, when all were connected in one
    catching_up: float  # seconds on one node after an outage
    needs: tuple[Need, ...]

    @property
    def bottleneck(self) -> Need:
        """What is used most."""
        return max(self.needs, key=lambda one: one.used)


@cache
def refreshed_at_once() -> float:
    """Return the part of accounts connected in one hour whose tokens are first refreshed in the busiest hour.

    The first try comes twenty days after connecting, and each account's at a moment of its own.
    """
    names = [f"account-{number}" for number in range(SAMPLE)]
    hours: Counter[int] = Counter()
    for name in names:
        account, own = connected(name), share(name)
        first = next(hour for hour in range(40 * 24) if refresh_due(account, BEGIN + hour * HOUR, own))
        hours[first] += 1
    return max(hours.values()) / SAMPLE


def connected(name: str) -> Account:
    """Return an account that was connected at the beginning."""
    return Account(
        id=name,
        workspace_id="workspace",
        login=Login.INSTAGRAM_LOGIN,
        instagram_id=name,
        username=None,
        name=None,
        account_type="BUSINESS",
        state=State.CONNECTED,
        reason=None,
        scopes=(),
        token_issued_at=BEGIN,
        token_expires_at=BEGIN + timedelta(seconds=LIMITS.long_token_life.value),
        token_tried_at=None,
        warned_days=None,
        created_at=BEGIN,
    )


def due_at_once(interval: timedelta) -> float:
    """Return the part of accounts synced at one moment that the busiest look finds due again."""
    looks: Counter[int] = Counter()
    for number in range(SAMPLE):
        name = f"account-{number}"
        standing = Standing(name, synced_at=BEGIN)
        looks[next(at for at in range(10_000) if sync_due(standing, name, BEGIN + at * LOOK, interval))] += 1
    return max(looks.values()) / SAMPLE


def reads_of(product: Product) -> int:
    """Return how often the numbers of one medium are read in its life."""
    reads, last = 0, None
    while (due := next_due(product, BEGIN, last, share("medium"))) is not None:
        reads, last = reads + 1, due
    return reads


def numbers_a_day(habits: Habits) -> float:
    """Return how often numbers of an account and its media are read a day."""
    if not habits.insights:
        return 0.0
    posts = habits.posts_a_week / 7 * reads_of(Product.FEED)
    stories = habits.stories_a_week / 7 * reads_of(Product.STORY)
    return posts + stories + 1 + 8  # the account's day, and a look for stories every three hours


def samples_held(habits: Habits) -> float:
    """Return the rows of numbers of one account after a year: all of ninety days, one a day of what is older."""
    if not habits.insights:
        return 0.0
    each = len(METRICS[Product.FEED])
    young = habits.posts_a_week * 90 / 7 * reads_of(Product.FEED) / 2  # on average half of them have been read by then
    old = habits.posts_a_week * 275 / 7 * 90
    stories = habits.stories_a_week * 52 * reads_of(Product.STORY) / 4
    return (young + old) * each + stories * len(METRICS[Product.STORY]) + 365 * 4


def busy_a_day(habits: Habits, costs: Costs) -> float:
    """Return the seconds of a processor that one account takes a day."""
    return (
        habits.reads_a_day * costs.read
        + DAY / habits.sync * costs.sync
        + numbers_a_day(habits) * costs.numbers
        + habits.publishes_a_week / 7 * costs.publish
        + habits.posts_a_week / 7 * costs.picture
        + DAY / LOOK * costs.look
        + habits.conversions_a_day * costs.conversion
        + habits.deliveries_a_week / 7 * costs.delivery
        + DAY / TELLING.idle * habits.endpoints * habits.waiting * costs.endpoint
    )


def planned(accounts: int, habits: Habits, costs: Costs, node: Node) -> Plan:
    """Return what so many accounts need."""
    syncs, numbers = DAY / habits.sync, numbers_a_day(habits)
    posts, told = habits.posts_a_week / 7, habits.deliveries_a_week / 7
    calls = (syncs + 1 + numbers + habits.publishes_a_week / 7 * 4 + posts) / DAY_SECONDS
    cores = accounts * busy_a_day(habits, costs) / DAY_SECONDS / node.load
    held = max(habits.posts_held, habits.posts_a_week * 52)
    database = accounts * (
        costs.account_bytes
        + habits.posts_held * costs.item_bytes
        + samples_held(habits) * costs.sample_bytes
        + told * (TELLING.kept / DAY) * costs.delivery_bytes
    )
    cache, files = accounts * costs.feed_bytes, accounts * min(held, 500) * costs.post_files
    look, due = accounts * costs.look, accounts * habits.endpoints * habits.waiting * costs.endpoint
    hourly = LIMITS.calls_per_app_user.value / 3600
    needs = (
        Need("processors", cores / node.cores, divides=True),
        Need("database", database / node.database, divides=False),
        Need("Redis", cache / node.cache, divides=False),
        Need("files", files / node.files, divides=True),
        Need("the look at all accounts", look / LOOK.total_seconds(), divides=False),
        Need("the look for due webhooks", due / TELLING.idle.total_seconds(), divides=False),
        Need("token refreshes", accounts / (REFRESH_AFTER / HOUR) * costs.refresh / 3600, divides=False),
        Need("Instagram's calls for one app", calls / hourly, divides=False),
    )
    return Plan(
        accounts=accounts,
        cores=cores,
        database=database,
        cache=cache,
        files=files,
        calls=accounts * calls,
        deliveries=accounts * told / DAY_SECONDS,
        look_seconds=look,
        refreshes=accounts * refreshed_at_once(),
        catching_up=accounts * costs.sync / node.cores,
        needs=needs,
    )


def lines(plans: Sequence[Plan]) -> list[str]:
    """Return the table of all plans."""
    names = (
        "accounts",
        "cores",
        "database",
        "Redis",
        "files",
        "calls/s",
        "told/s",
        "look",
        "refreshes/h",
        "catching up",
    )
    head = " ".join(f"{name:>{width}}" for name, width in zip(names, WIDTHS, strict=True))
    return [f"{head}  used most of one node", *map(_line, plans)]


def _line(plan: Plan) -> str:
    most = plan.bottleneck
    more = "" if most.used <= 1 else ": more nodes" if most.divides else ": more nodes do not help"
    cells = (
        f"{plan.accounts:,}",
        f"{plan.cores:.2f}",
        _bytes(plan.database),
        _bytes(plan.cache),
        _bytes(plan.files),
        f"{plan.calls:.2f}",
        f"{plan.deliveries:.3f}",
        _seconds(plan.look_seconds),
        f"{plan.refreshes:,.0f}",
        _seconds(plan.catching_up),
    )
    row = " ".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True))
    return f"{row}  {most.name}, {most.used:.0%}{more}"


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.0f} TB" if value >= 10 else f"{value:.1f} TB"


def _seconds(value: float) -> str:
    for unit, most in (("ms", 1.0), ("s", 120.0), ("min", 7200.0)):
        if value < most:
            return f"{value * 1000:.1f} ms" if unit == "ms" else f"{value / (1 if unit == 's' else 60):.0f} {unit}"
    return f"{value / 3600:.0f} h"


def table(habits: Habits = Habits(), costs: Costs = Costs(), node: Node = Node()) -> list[str]:
    """Return all lines that are printed."""
    once, again = refreshed_at_once(), due_at_once(habits.sync)
    post, story, day = reads_of(Product.FEED), reads_of(Product.STORY), numbers_a_day(habits)
    return [
        *lines([planned(accounts, habits, costs, node) for accounts in SIZES]),
        "",
        f"numbers are read {post} times of a post, {story} times of a story, {day:.0f} times a day of an account",
        f"connected in one hour: {once:.0%} are first refreshed in one hour, twenty days later",
        f"synced at one moment: {again:.0%} are due again at one look",
    ]


def main() -> None:
    """Print the table for the habits that were given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts-a-week", type=float, default=3.0)
    parser.add_argument("--reads-a-day", type=float, default=1_000.0)
    parser.add_argument("--publishes-a-week", type=float, default=1.0)
    parser.add_argument("--conversions-a-day", type=float, default=200.0)
    parser.add_argument("--deliveries-a-week", type=float, default=4.0)
    parser.add_argument("--endpoints", type=float, default=1.0)
    parser.add_argument("--waiting", type=float, default=0.02)
    parser.add_argument("--sync-minutes", type=float, default=30.0)
    parser.add_argument("--no-insights", action="store_true")
    given = parser.parse_args()
    habits = Habits(
        posts_a_week=given.posts_a_week,
        reads_a_day=given.reads_a_day,
        publishes_a_week=given.publishes_a_week,
        conversions_a_day=given.conversions_a_day,
        deliveries_a_week=given.deliveries_a_week,
        endpoints=given.endpoints,
        waiting=given.waiting,
        sync=timedelta(minutes=given.sync_minutes),
        insights=not given.no_insights,
    )
    print("\n".join(table(habits)))


if __name__ == "__main__":
    main()
