"""What users can set, call and meet has its heading in the documentation."""

import re
from pathlib import Path

import pytest

from tintype.api.console.documentation import slug
from tintype.api.dialect import Dialect
from tintype.api.feed import FEED
from tintype.api.picker import PICKER
from tintype.api.queue.dialect import QUEUE
from tintype.api.scrape.dialect import SCRAPE, STATUSES
from tintype.api.social import SOCIAL
from tintype.cli.measuring import insights
from tintype.cli.people import users
from tintype.cli.publishing import posts, publish
from tintype.core.publishing import COLUMNS
from tintype.instagram.public import MEANINGS, Reason
from tintype.settings import Settings, environment_name

DOCS = Path(__file__).parents[2] / "docs"


def headings(page: str) -> set[str]:
    return {line.lstrip("# ").strip() for line in (DOCS / page).read_text().splitlines() if line.startswith("#")}


def test_every_setting_has_its_heading() -> None:
    assert {environment_name(name) for name in Settings.model_fields} <= headings("settings.md")


def test_no_heading_names_a_setting_that_is_gone() -> None:
    known = {environment_name(name) for name in Settings.model_fields}
    assert {name for name in headings("settings.md") if re.fullmatch(r"[A-Z_]{4,}", name)} <= known


@pytest.mark.parametrize("dialect", [FEED, PICKER, SOCIAL, QUEUE], ids=lambda one: one.name)
def test_every_code_of_a_dialect_is_explained(dialect: Dialect) -> None:
    page = (DOCS / "dialects" / f"{dialect.name}.md").read_text()
    sayings = {*dialect.sayings.values(), dialect.crash}
    missing = {saying.code for saying in sayings if f"| {saying.code} | {saying.status} |" not in page}
    assert missing == set()


def test_every_code_of_the_scrape_dialect_is_explained() -> None:
    page = (DOCS / "dialects" / "scrape.md").read_text()
    rows = [row for row in page.splitlines() if row.startswith("| ")]
    known = {saying.code: saying.status for saying in (*SCRAPE.sayings.values(), SCRAPE.crash)}
    known |= {reason.value: SCRAPE.sayings[meaning.kind].status for reason, meaning in MEANINGS.items()}
    known |= STATUSES
    known.pop(Reason.POST_MISSING.value)  # it is found out what it means before anybody is told
    known.pop("invalid_request")  # said by nobody: each of them has a word of its own
    missing = {
        code: status
        for code, status in known.items()
        if not any(row.startswith(f"| {status} |") and f"`{code}`" in row for row in rows)
    }
    assert missing == {}


def test_the_commands_of_the_social_dialect_are_explained() -> None:
    page = (DOCS / "dialects" / "social.md").read_text().partition("## On the command line")[2]
    told = set(re.findall(r"`([^`]+)`", page))
    wanted = {publish.__name__, insights.__name__}
    for name, group in (("posts", posts), ("user", users)):
        wanted |= {f"{name} {one.name}" for one in group.registered_commands}
    assert {
        one for one in wanted if not any(f"{each} ".removeprefix("tintype ").startswith(f"{one} ") for each in told)
    } == set()


def test_every_column_of_a_list_of_posts_is_explained() -> None:
    for page in ("dialects/social.md", "how-to/lists-of-posts.md"):
        text = (DOCS / page).read_text()
        assert {name for name in COLUMNS if f"`{name}`" not in text} == set()


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


def test_links_into_pages_lead_to_headings() -> None:
    root = DOCS.parent
    broken: list[str] = []
    for page in (*root.glob("*.md"), *DOCS.rglob("*.md")):
        for link, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)]+)\)", page.read_text()):
            target = page.parent / link if link else page
            told = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            broken += [f"{page.name}: {link}#{anchor}"] if anchor not in map(slug, told) else []
    assert broken == []


def test_no_page_has_two_headings_of_one_address() -> None:
    for page in DOCS.rglob("*.md"):
        told = [slug(one) for one in re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)]
        assert sorted(told) == sorted(set(told)), page
