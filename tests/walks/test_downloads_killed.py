"""A server killed in the middle of a hundred downloads: each that was accepted ends, and nothing half-written is ever seen."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import httpx2

from tests.instagram.pretend import Pretend, running
from tests.walks.program import environment, serving

POSTS = 100
PATIENCE = 90.0  # seconds on a busy machine
OWNER = "often.killed"


def posted(pretend: Pretend) -> list[str]:
    pretend.post("/people", username=OWNER, media=0)
    shape: dict[str, object] = {"username": OWNER, "kind": "IMAGE", "width": 64, "height": 80}
    return [str(pretend.post("/media", **shape)["shortcode"]) for _ in range(POSTS)]


def accepted(url: str, codes: list[str]) -> list[str]:
    """Ask for posts without waiting for them; return the jobs."""
    with httpx2.Client(base_url=url, headers={"prefer": "respond-async"}, timeout=PATIENCE) as client:
        answers = [client.post("/scrape", json={"url": f"https://www.instagram.com/p/{code}/"}) for code in codes]
    assert {answer.status_code for answer in answers} <= {200, 202}
    return [answer.headers["location"] for answer in answers if answer.status_code == 202]


def ended(url: str, jobs: list[str]) -> list[dict[str, Any]]:
    """Wait until all jobs have ended, and return what became of them."""
    until = time.monotonic() + PATIENCE
    with httpx2.Client(base_url=url, timeout=PATIENCE) as client:
        while True:
            found = [client.get(job).raise_for_status().json() for job in jobs]
            if all(one["status"] != "running" for one in found):
                return found
            assert time.monotonic() < until, sorted(one["status"] for one in found)
            time.sleep(0.2)


def visible(folder: Path) -> list[str]:
    """The posts that can be seen, each of them whole."""
    root = folder / "instaloader"
    places = [path for path in root.iterdir() if not path.name.startswith(".")] if root.is_dir() else []
    for place in places:
        said = json.loads((place / f"{place.name}.json").read_text())
        for file in said["files"]:
            assert hashlib.sha256((place / file["name"]).read_bytes()).hexdigest() == file["sha256"]
        assert len(list(place.iterdir())) == len(said["files"]) + 1
    return [place.name for place in places]


def test_a_killed_server_ends_what_it_accepted(tmp_path: Path) -> None:
    with running() as pretend:
        codes = posted(pretend)
        given = environment(pretend, RATE_LIMIT_MAX_REQUESTS="0", PUBLIC_LOOKUPS_PER_HOUR="1000")
        jobs: list[str] = []
        seen = 0
        for part in range(4):  # each server is killed with some downloads done, some under way and some waiting
            with serving(tmp_path, given) as (process, url):
                jobs += accepted(url, codes[25 * part : 25 * part + 25])
                time.sleep(0.15)
                process.kill()
                process.wait()
            assert len(visible(tmp_path)) >= seen
            seen = len(visible(tmp_path))
        assert len(visible(tmp_path)) < POSTS
        with serving(tmp_path, given) as (_, url):
            assert {one["status"] for one in ended(url, jobs)} == {"done"}
            assert {one["shortcode"] for one in ended(url, jobs)} <= set(codes)
        assert sorted(visible(tmp_path)) == sorted(codes)
        assert {path.name for path in (tmp_path / "instaloader").iterdir()} == set(codes)
