"""The hosts that clients of today call: everything on `cdn.` and `process.` belongs to the picker, whatever its path."""

import pytest

from tests.served import served

ELSEWHERE = "cdn.example.com"


@pytest.mark.parametrize("host", ["cdn.localhost", "process.localhost:8000", "CDN.localhost"])
async def test_an_unclaimed_path_on_a_files_host_is_the_pickers(host: str) -> None:
    async with served() as (client, _, _):
        answer = await client.get("/resize=width:10/photos", headers={"Host": host})
    assert answer.json()["error"]["code"] == answer.status_code


async def test_another_host_of_that_name_changes_nothing() -> None:
    async with served() as (client, _, _):
        answer = await client.get("/resize=width:10/photos", headers={"Host": ELSEWHERE})
    assert answer.status_code == 404
    assert answer.json()["success"] is False
