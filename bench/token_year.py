"""A year of many accounts whose token refreshes fail on some days: who is lost without need, by our policy and by one try.

    python -m bench.token_year [--accounts 1000] [--days 365] [--share 0.05] [--seed 7]

The clock of the house and of a pretend Instagram moves a day at a time; the hourly job runs once on each. On its bad days every
refresh of an account fails: 500, an error page, a lost answer or a reset. The other policy refreshes each token by a single
try on its 58th day and gives the account up when that fails. It was written here from its description; no product was run.
"""

import argparse
import asyncio
import logging
import time

from tests.walks.aging import begun
from tests.walks.stage import staged


async def measured(accounts: int, days: int, share: float, seed: int) -> None:
    """Let the year pass and print what came of it."""
    began = time.monotonic()
    async with staged(instagram_api_timeout_ms=3000) as stage:
        months = await begun(stage, seed=seed, share=share)
        await months.pass_days(days, accounts)
        took = time.monotonic() - began
        print(f"{accounts} accounts, {days} days, {share:.0%} of refreshes fail on a day ({took:.0f} s)")
        print(f"  account days with trouble {months.troubled}, refreshes of ours that went well {months.refreshed}")
        print(f"  wrongly lost: ours {len(months.lost)}, one try on day 58 {months.lost_by_one_try}")
        print(f"  an account whose refresh always fails is warned at {months.warnings(months.doomed)} days")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # each refresh that fails is logged
    asyncio.run(measured(given.accounts, given.days, given.share, given.seed))


if __name__ == "__main__":
    main()
