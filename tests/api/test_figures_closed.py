"""Figures without a token: on a server of this machine alone, and sent nowhere else."""

import pytest

from tests.served import served


@pytest.mark.parametrize(("public_url", "status"), [(None, 200), ("https://tintype.example", 404)])
async def test_without_a_token_only_this_machine_sees_them(public_url: str | None, status: int) -> None:
    async with served(public_url=public_url) as house:
        assert (await house.client.get("/metrics")).status_code == status
