"""A server killed at any moment of a sync: the next start repairs by itself, and nothing broken is ever referenced."""

import random
from pathlib import Path

from tests.instagram.pretend import running
from tests.walks import killing

TIMES = 4  # bench/kill_sync.py does the same fifty times
POSTS = 4


def test_the_next_start_repairs_what_a_killed_sync_left(tmp_path: Path) -> None:
    with running() as pretend:
        scene = killing.prepare(pretend, tmp_path / "scene", POSTS)
        whole = killing.whole_time(killing.copied(scene, tmp_path / "undisturbed"))
        moments = random.Random(7)
        for number in range(TIMES):
            # One moment in each part of the sync, as chance has it.
            one = killing.copied(scene, tmp_path / str(number))
            killing.kill_after(one, whole * (number + moments.random()) / TIMES)
            killing.assert_nothing_broken_is_referenced(one)
            killing.assert_repaired(one)
            killing.assert_no_orphans(one)
