"""Counting calls: the two usage headers, and the refusal once a limit is reached."""

import json

from tintype.simulator.errors import GraphError, throttled
from tintype.simulator.model import DAY, HOUR, Token
from tintype.simulator.world import World


def count(world: World, token: Token) -> dict[str, str]:
    """Note one call and say how much of both limits is used, as headers; GraphError 80002 or 4 from 100 percent on."""
    now = world.now()
    own = _kept(world, (token.app_id, token.username), now - DAY)
    whole = _kept(world, (token.app_id, ""), now - HOUR)
    own.append(now)
    whole.append(now)
    settings = world.settings
    business = _percent(settings.business_usage, len(own), 4800 * settings.impressions)
    app = _percent(settings.app_usage, len(whole), settings.app_calls_per_hour)
    headers = usage_headers(world, token, business, app)
    if business >= 100 or app >= 100:
        error = throttled(80002 if business >= 100 else 4)
        error.headers = headers
        raise error
    return headers


def usage_headers(world: World, token: Token, business: int, app: int) -> dict[str, str]:
    """Both headers for these percents."""
    account = world.people[token.username].user_id if token.username in world.people else token.app_id
    wait = world.settings.regain_minutes if business >= 100 else 0
    row = {
        "type": "instagram",
        "call_count": business,
        "total_cputime": business // 2,
        "total_time": business // 2,
        "estimated_time_to_regain_access": wait,
    }
    usage = {"call_count": app, "total_time": app // 2, "total_cputime": app // 2}
    compact = (",", ":")
    return {
        "x-business-use-case-usage": json.dumps({account: [row]}, separators=compact),
        "x-app-usage": json.dumps(usage, separators=compact),
    }


def blame(world: World, token: Token | None, error: GraphError) -> GraphError:
    """A throttling error with headers that say the same; the spam shield has code 4 too, and is no such error."""
    if token is not None and error.code in (4, 17, 32, 613, 80002) and error.subcode != 2207051:
        business = 100 if error.code == 80002 else 0
        error.headers = usage_headers(world, token, business, 0 if business else 100)
    return error


def _kept(world: World, key: tuple[str, str], since: float) -> list[float]:
    times = world.calls.setdefault(key, [])
    fresh = next((place for place, when in enumerate(times) if when > since), len(times))
    del times[:fresh]
    return times


def _percent(fixed: int | None, calls: int, limit: int) -> int:
    return fixed if fixed is not None else calls * 100 // max(1, limit)
