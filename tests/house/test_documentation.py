"""What users can set, call and meet has its heading in the documentation."""

import re
from pathlib import Path

from tintype.api.feed.dialect import FEED
from tintype.settings import Settings, environment_name

DOCS = Path(__file__).parents[2] / "docs"


def headings(page: str) -> set[str]:
    return {line.lstrip("# ").strip() for line in (DOCS / page).read_text().splitlines() if line.startswith("#")}


def test_every_setting_has_its_heading() -> None:
    assert {environment_name(name) for name in Settings.model_fields} <= headings("settings.md")


def test_no_heading_names_a_setting_that_is_gone() -> None:
    known = {environment_name(name) for name in Settings.model_fields}
    assert {name for name in headings("settings.md") if re.fullmatch(r"[A-Z_]{4,}", name)} <= known


def test_every_code_of_the_feed_is_explained() -> None:
    page = (DOCS / "dialects" / "feed.md").read_text()
    missing = {saying.code for saying in FEED.sayings.values() if f"| {saying.code} | {saying.status} |" not in page}
    assert missing == set()


def test_links_between_pages_lead_somewhere() -> None:
    root = DOCS.parent
    pages = [*root.glob("*.md"), *DOCS.rglob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert broken == []
