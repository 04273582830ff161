"""Every figure has its heading, and no heading names one that is gone."""

import re
from pathlib import Path

from tintype import metrics

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "observing.md"


def test_every_figure_is_explained() -> None:
    headings = set(re.findall(r"^### (tintype_\w+)$", PAGE.read_text(), re.MULTILINE))
    assert headings == metrics.names()


def test_alarms_name_figures_that_there_are() -> None:
    rules = re.findall(r"^\| `(.+?)` \|", PAGE.read_text(), re.MULTILINE)
    assert len(rules) > 4
    assert {name for rule in rules for name in re.findall(r"tintype_\w+", rule)} <= metrics.names()
