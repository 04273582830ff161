"""A process killed in the middle of a publish: the next one goes on, and the post is on Instagram exactly once.

A few moments of each kind; `bench/kill_publish.py` takes all of them.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.instagram.pretend import running
from tintype.core.publishing import Product, State

ROOT = Path(__file__).parents[2]
PATIENCE = 600.0  # seconds: on Postgres what a dead process held goes on after seven of them, each time

# Counted from the acceptance of the post on: in the middle of preparing, of a container, of the publish itself and after it.
MOMENTS = {
    Product.IMAGE: (5, 15, 20, 21, 22, 24),
    Product.CAROUSEL: (17, 38, 56, 58),
    Product.REEL: (14, 25),
    Product.STORY: (20, 22),
}


@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("product", list(Product))
def test_a_killed_publish_goes_on_and_is_done_once(product: Product, tmp_path: Path) -> None:
    with running() as pretend:
        pretend.post("/reset", seed=7, container_seconds=0)
        command = [sys.executable, "-m", "tests.walks.dying", pretend.origin, str(tmp_path), "victim", product.value]
        done = subprocess.run(
            [*command, *map(str, MOMENTS[product])],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(ends) == len(MOMENTS[product])
    for end in ends:
        assert end["died"], end
        assert end["state"] == State.PUBLISHED, end
        assert end["live"] == [end["media_id"]], end
