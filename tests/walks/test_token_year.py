"""Four months of forty accounts whose refreshes fail now and then: nobody is lost, and who really is in danger is warned.

`bench/token_year.py` takes a year and a thousand accounts.
"""

import pytest

from tests.walks.aging import begun
from tests.walks.stage import staged
from tintype.core.accounts import State

ACCOUNTS, DAYS = 40, 120


@pytest.mark.parametrize("share", [0.05, 0.5])
async def test_nobody_is_lost_by_refreshes_that_fail_now_and_then(share: float) -> None:
    async with staged(instagram_api_timeout_ms=3000) as stage:
        months = await begun(stage, share=share)
        await months.pass_days(DAYS, ACCOUNTS)
        assert months.lost == set()
        assert months.troubled > 0.8 * share * (ACCOUNTS - 1) * (DAYS - 20)
        assert months.refreshed >= 3 * (ACCOUNTS - 1)
        everybody = await months.accounts.all()
        assert {account.state for account in everybody if account.username != months.doomed} == {State.CONNECTED}
        assert months.warnings(months.doomed) == [14, 7, 3, 1]
        if share == 0.5:
            assert months.lost_by_one_try > 0, "the trouble is too small to tell policies apart"
