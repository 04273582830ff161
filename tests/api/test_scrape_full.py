"""A volume without room: said so, before anything is asked of Instagram or left on the disk."""

from tests.served import served


async def test_a_full_disk_is_said_and_nothing_is_left() -> None:
    async with served(only=("scrape",), min_free_bytes=2**60) as door:
        answer = await door.client.post("/scrape", json={"url": "https://www.instagram.com/p/x-other/"})
        assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
        assert answer.json()["error"] == "No room left to store the media"
        again = await door.client.post(
            "/scrape",
            json={"url": "https://www.instagram.com/p/x-other/"},
            headers={"accept": "application/problem+json"},
        )
        assert (again.status_code, again.json()["status"], again.json()["code"]) == (507, 507, "disk_full")
        calls = (await door.simulator.get("/_world/log")).json()
        assert [call for call in calls if "graphql" in call["path"]] == []
        root = door.house.downloads.folders.root
        assert list(root.iterdir()) == []
