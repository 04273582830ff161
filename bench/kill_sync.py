"""Kill a server at many moments of its first sync, and count what the next start could not repair.

    python bench/kill_sync.py [--times 50] [--posts 12] [--seed 7]

Each round starts `tintype serve` on a fresh copy of a data folder, asks for the first sync, and kills the process at a
moment drawn from one of as many equal parts of an undisturbed sync. Then: is every copy on record whole? Does the next
start end the sync by itself, with whole pictures only? After a collect, is every file one that a post shows?
"""

import argparse
import random
import shutil
import tempfile
from pathlib import Path

from tests.instagram.pretend import running
from tests.walks import killing

CHECKS = (killing.assert_nothing_broken_is_referenced, killing.assert_repaired, killing.assert_no_orphans)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--posts", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    with running() as pretend, tempfile.TemporaryDirectory(prefix="kill-sync-") as text:
        folder = Path(text)
        scene = killing.prepare(pretend, folder / "scene", given.posts)
        whole = killing.whole_time(killing.copied(scene, folder / "undisturbed"))
        print(f"an undisturbed sync of {given.posts} posts with all sizes takes {whole:.1f} s")
        moments = random.Random(given.seed)
        kept = 0
        for number in range(given.times):
            one = killing.copied(scene, folder / str(number))
            moment = whole * (number + moments.random()) / given.times
            killing.kill_after(one, moment)
            kept += _holds(one, f"{number + 1}. killed after {moment:.2f} s")
            shutil.rmtree(one.folder)
        print(f"{kept} of {given.times} kills left nothing broken and were repaired by the next start")


def _holds(scene: killing.Scene, about: str) -> bool:
    for check in CHECKS:
        try:
            check(scene)
        except (AssertionError, OSError) as failure:
            print(f"{about}: {check.__name__} fails: {failure}", flush=True)
            return False
    print(f"{about}: whole, repaired, no orphans", flush=True)
    return True


if __name__ == "__main__":
    main()
