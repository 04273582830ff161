"""When a post is due, whatever zone, year or clock somebody means it in."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tintype.core.publishing import Moment, moment_of, moved
from tintype.core.publishing.schedule import FARTHEST, LATE
from tintype.errors import Invalid

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Asia/Tokyo", "Australia/Lord_Howe",
     "Pacific/Chatham", "Pacific/Apia", "Africa/Casablanca", "America/St_Johns", "Atlantic/Azores", "Asia/Tehran", "UTC"]
)  # fmt: skip
YEARS = st.integers(1995, 2060)
MINUTES = st.timedeltas(timedelta(0), timedelta(days=365)).map(
    lambda span: timedelta(minutes=span // timedelta(minutes=1))
)


def refused(text: str, timezone: str | None = None, now: datetime = NOW) -> str:
    with pytest.raises(Invalid) as trouble:
        moment_of(text, timezone, now)
    return trouble.value.message


@given(ZONES, ZONES, YEARS, MINUTES)
def test_a_moment_that_moves_to_another_zone_keeps_the_time_of_the_clock(
    a: str, b: str, year: int, span: timedelta
) -> None:
    at = datetime(year, 1, 1, tzinfo=UTC) + span
    shown = at.astimezone(ZoneInfo(a)).replace(tzinfo=None)
    there = shown.replace(tzinfo=ZoneInfo(b))
    assume(there.astimezone(UTC).astimezone(ZoneInfo(b)).replace(tzinfo=None) == shown)  # no time that its clocks skip
    moment = moved(Moment(at, a), b, at - timedelta(days=2))
    assert moment.timezone == b
    assert moment.at.astimezone(ZoneInfo(b)).replace(tzinfo=None) == shown


@pytest.mark.parametrize("hour", [0, 1])
def test_the_second_of_two_equal_times_stays_the_second_in_a_zone_with_the_same_clocks(hour: int) -> None:
    at = datetime(2027, 10, 31, hour, 30, tzinfo=UTC)
    assert moved(Moment(at, "Europe/Berlin"), "Europe/Paris", NOW) == Moment(at, "Europe/Paris")
    there = moved(Moment(at, "Europe/Berlin"), "America/New_York", NOW)
    assert there.at == datetime(2027, 10, 31, 6, 30, tzinfo=UTC)


@given(ZONES, YEARS, MINUTES)
def test_an_instant_comes_back_from_the_wall_clock_of_any_zone(zone: str, year: int, span: timedelta) -> None:
    at = datetime(year, 1, 1, tzinfo=UTC) + span
    local = at.astimezone(ZoneInfo(zone))
    assume(not local.fold)  # the second time that a clock shows: the first one is meant
    moment = moment_of(local.replace(tzinfo=None).isoformat(), zone, at)
    assert (moment.at, moment.timezone) == (at, zone)


@given(ZONES, YEARS, MINUTES)
def test_a_wall_clock_time_exists_and_is_the_earlier_one_or_is_refused(zone: str, year: int, span: timedelta) -> None:
    wall = datetime(year, 1, 1) + span  # noqa: DTZ001 - a wall clock's
    around = wall.replace(tzinfo=UTC) - timedelta(days=2)
    shown = [
        at
        for quarter in range(4 * 30)
        if (at := wall.replace(tzinfo=UTC) + timedelta(minutes=15 * quarter) - timedelta(hours=15))
        .astimezone(ZoneInfo(zone))
        .replace(tzinfo=None)
        == wall
    ]
    if shown:
        assert moment_of(wall.isoformat(), zone, around).at == shown[0]
    else:
        assert "skip" in refused(wall.isoformat(), zone, around)


@pytest.mark.parametrize(
    ("text", "zone", "instead"),
    [
        ("2027-03-28T02:30:00", "Europe/Berlin", "03:30"),
        ("2027-03-14T02:00", "America/New_York", "03:00"),
        ("2027-10-03T02:15", "Australia/Lord_Howe", "02:45"),
    ],
)
def test_a_time_that_a_clock_skips_is_refused_with_the_time_shown_instead(text: str, zone: str, instead: str) -> None:
    message = refused(text, zone)
    assert zone in message
    assert "skip" in message
    assert instead in message


@pytest.mark.parametrize(
    ("text", "zone", "at"),
    [
        ("2027-10-31T02:30:00", "Europe/Berlin", "2027-10-31T00:30:00+00:00"),
        ("2027-11-07T01:30", "America/New_York", "2027-11-07T05:30:00+00:00"),
        ("2027-05-01T09:00:00Z", None, "2027-05-01T09:00:00+00:00"),
        ("2027-05-01t09:00:00z", "Asia/Tokyo", "2027-05-01T09:00:00+00:00"),
        ("2027-05-01 09:00+0530", None, "2027-05-01T03:30:00+00:00"),
        ("2027-05-01T09:00:00.25-03:00", "Europe/Berlin", "2027-05-01T12:00:00.250000+00:00"),
        (" 2027-05-01T09:00 ", "Asia/Kathmandu", "2027-05-01T03:15:00+00:00"),
    ],
)
def test_what_is_written_is_understood(text: str, zone: str | None, at: str) -> None:
    moment = moment_of(text, zone, NOW)
    assert moment.at == datetime.fromisoformat(at)
    assert moment.at.utcoffset() == timedelta(0)
    assert moment.timezone == zone


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2027-05-01", "20270501T0900Z", "2027-W18-6T09:00Z", "2027-02-30T09:00Z", "2027-05-01T25:00Z", "1800000000",
     "\uff12\uff10\uff12\uff17-05-01T09:00Z", "2027-05-01T09:00:00+99:00", "2027-05-01T09:00Z; DROP TABLE posts"],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    assert "2026-05-01T09:00:00Z" in refused(text)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe", "\0", "x" * 300])
def test_a_zone_that_nobody_knows_is_refused(zone: str) -> None:
    assert refused("2027-05-01T09:00", zone).startswith("timezone: ")


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin"])
def test_a_file_of_the_machine_is_no_zone(zone: str) -> None:
    assert refused("2027-05-01T09:00", zone).startswith("timezone: ")


def test_a_time_without_any_zone_is_refused() -> None:
    assert "no zone" in refused("2027-05-01T09:00")


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00+23:00", "9999-12-31T23:59-23:00", "0001-01-01T00:00", "9999-12-31T23:59"]
)
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_the_ends_of_the_calendar_are_refused(text: str, zone: str) -> None:
    assert refused(text, zone).startswith("scheduled_at")


@given(st.timedeltas(-timedelta(days=2000), timedelta(days=2000)))
def test_only_what_is_to_come_within_two_years_is_taken(span: timedelta) -> None:
    at = NOW + span
    if -LATE <= span <= FARTHEST:
        assert moment_of(at.isoformat(), None, NOW).at == at
    else:
        assert ("passed" if span < timedelta(0) else "two years") in refused(at.isoformat())
