"""A post that is live is told of once, whenever the process that published it ended: timeline, webhooks and numbers."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.instagram.pretend import Pretend, running
from tests.walks.dying import PATIENCE
from tintype.core.publishing import Product

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(4 * PATIENCE)
@pytest.mark.parametrize("end", ["killed", "stopped"])
@pytest.mark.parametrize("product", [Product.IMAGE, Product.STORY])
def test_what_nobody_was_told_of_is_told_by_the_next(product: Product, end: str, tmp_path: Path) -> None:
    with running() as pretend:
        pretend.post("/reset", seed=7, container_seconds=0)
        for found in _stood(pretend, tmp_path, end, product):
            assert found["state"] == "published"
            assert found["timeline"].count("published") == 1
            assert found["measured"] == [found["media_id"]]
            assert found["told"] == ["post.published"]
            assert found["permalink"]


@pytest.mark.timeout(4 * PATIENCE)
def test_a_failure_that_nobody_was_told_of_is_told_by_the_next(tmp_path: Path) -> None:
    with running() as pretend:
        pretend.post("/reset", seed=7, container_seconds=0)
        pretend.fault("graph.publish", "status", code=25, subcode=2207050, status=400)
        for found in _stood(pretend, tmp_path, "killed", Product.IMAGE):
            assert (found["state"], found["media_id"], found["measured"]) == ("failed", None, [])
            assert found["timeline"].count("failed") == 1
            assert found["told"] == ["post.failed"]


def _stood(pretend: Pretend, folder: Path, end: str, product: Product) -> Sequence[dict[str, Any]]:
    """How it stood after the process that ended too soon: with the next one, and with another one after that."""
    command = [sys.executable, "-m", "tests.walks.dying_untold", pretend.origin, str(folder), "quiet.one", end, product]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=3 * PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["died"] == (end == "killed")
    assert len(told["stood"]) == 2
    assert None not in told["stood"], done.stderr[-3000:]
    return told["stood"]
