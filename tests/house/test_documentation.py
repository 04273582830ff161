"""What users can set, call and meet has its heading in the documentation."""

import re
from pathlib import Path

import pytest

from tintype.api.dialect import Dialect
from tintype.api.feed import FEED
from tintype.api.queue import QUEUE
from tintype.api.social import SOCIAL
from tintype.settings import Settings, environment_name

DOCS = Path(__file__).parents[2] / "docs"


def headings(page: str) -> set[str]:
    return {line.lstrip("# ").strip() for line in (DOCS / page).read_text().splitlines() if line.startswith("#")}


def test_every_setting_has_its_heading() -> None:
    assert {environment_name(name) for name in Settings.model_fields} <= headings("settings.md")


def test_no_heading_names_a_setting_that_is_gone() -> None:
    known = {environment_name(name) for name in Settings.model_fields}
    assert {name for name in headings("settings.md") if re.fullmatch(r"[A-Z_]{4,}", name)} <= known


@pytest.mark.parametrize("dialect", [FEED, SOCIAL, QUEUE], ids=lambda one: one.name)
def test_every_code_of_a_dialect_is_explained(dialect: Dialect) -> None:
    page = (DOCS / "dialects" / f"{dialect.name}.md").read_text()
    sayings = {*dialect.sayings.values(), dialect.crash}
    missing = {saying.code for saying in sayings if f"| {saying.code} | {saying.status} |" not in page}
    assert missing == set()


def test_links_between_pages_lead_somewhere() -> None:
    root = DOCS.parent
    pages = [*root.glob("*.md"), *DOCS.rglob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert broken == []
