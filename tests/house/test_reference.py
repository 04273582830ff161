"""The reference pages name what there is, all of it and nothing else: commands with their options, events, and errors."""

import ast
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from tintype import events
from tintype.api.console.dialect import CONSOLE
from tintype.api.dialect import Dialect
from tintype.api.feed import FEED
from tintype.api.picker import PICKER
from tintype.api.queue.dialect import QUEUE
from tintype.api.scrape.dialect import SCRAPE, STATUSES
from tintype.api.social import SOCIAL
from tintype.cli import app
from tintype.core.accounts import CAUSES, Cause
from tintype.core.webhooks import EVENTS
from tintype.errors import Kind
from tintype.instagram.public import MEANINGS

ROOT = Path(__file__).parents[2]
DIALECTS = (FEED, SCRAPE, SOCIAL, QUEUE, PICKER, CONSOLE)
SHARED = {"--data", "--json"}  # explained once, for all commands

Commands = Mapping[str, frozenset[str]]


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def sections(text: str, mark: str) -> dict[str, str]:
    """Return what stands below each heading of a level, up to the next heading of that level or a higher one."""
    parts = re.split(rf"^#{{1,{len(mark)}}} (.+)$", text, flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    own = set(re.findall(rf"^{mark} (.+)$", text, flags=re.MULTILINE))
    return {name: body for name, body in found.items() if name in own}


def walked(group: TyperGroup, *names: str) -> Iterator[tuple[str, frozenset[str]]]:
    for name, one in group.commands.items():
        if isinstance(one, TyperGroup):
            yield from walked(one, *names, name)
        else:
            options = {word for each in one.params for word in (*each.opts, *each.secondary_opts)}
            yield " ".join((*names, name)), frozenset(word for word in options if word.startswith("-"))


def commands() -> Commands:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return dict(walked(group))


def test_every_command_has_its_heading_and_no_other_has_one() -> None:
    told = {one.removeprefix("tintype ") for one in sections(page("commands"), "###")}
    assert told == set(commands())


@pytest.mark.parametrize("command", commands())
def test_every_option_stands_below_its_command_and_no_other_does(command: str) -> None:
    told = sections(page("commands"), "###")[f"tintype {command}"]
    named = set(re.findall(r"`(-[-a-z]+)`", told))
    assert named - SHARED == commands()[command] - SHARED


def headings_of(section: str) -> set[str]:
    return set(sections(sections(page("events"), "##")[section], "###"))


def test_every_event_of_the_house_is_explained_and_no_other_is() -> None:
    assert headings_of("Inside the house") == {one.__name__ for one in events.EVENTS}


@pytest.mark.parametrize("event", events.EVENTS, ids=lambda one: one.__name__)
def test_every_field_of_an_event_is_named(event: type[events.Event]) -> None:
    told = sections(page("events"), "###")[event.__name__].split("`")[1]
    assert told.split(", ") == list(event.__dataclass_fields__)


def test_every_webhook_event_is_explained_and_no_other_is() -> None:
    assert {one.removeprefix("Webhook: ") for one in headings_of("Webhooks")} == set(EVENTS)


@pytest.mark.parametrize("event", [name for name in EVENTS if EVENTS[name] != name])
def test_the_other_name_of_a_webhook_event_stands_first(event: str) -> None:
    assert sections(page("events"), "###")[f"Webhook: {event}"].lstrip().startswith(f"`{EVENTS[event]}`.")


def test_every_event_of_the_stream_is_explained_and_no_other_is() -> None:
    sources = [path.read_text() for path in (ROOT / "tintype" / "api" / "queue").glob("*.py")]
    sent = {name for source in sources for name in re.findall(r"\bframe\(\"([\w-]+)\"", source)}
    assert headings_of("The queue's stream") == sent


def deeds() -> set[str]:
    """Return what the console's pages write into the audit log; `{verb}` is one of its module's `VERBS`."""
    found: set[str] = set()
    for path in (ROOT / "tintype" / "api" / "console").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "note":
                found |= set(_words(node.args[1], path.stem)) if isinstance(node.func.value, ast.Attribute) else set()
    # What rotates a secret has a word of its own, in both places.
    return found - {"webhook.rotate"}


def _words(node: ast.expr, module: str) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as word):
            yield word
        case ast.IfExp(body=first, orelse=second):
            yield from _words(first, module)
            yield from _words(second, module)
        case ast.JoinedStr(values=[ast.Constant(value=str() as front), ast.FormattedValue(value=behind)]):
            yield from (f"{front}{word}" for word in _words(behind, module))
        case ast.Name(id="verb"):
            yield from import_module(f"tintype.api.console.{module}").VERBS
        case _:
            pass


def test_every_deed_is_explained_and_no_other_is() -> None:
    assert {one.removeprefix("Audit: ") for one in headings_of("The audit log")} == deeds()


def test_every_kind_of_trouble_is_explained_and_no_other_is() -> None:
    told = sections(sections(page("errors"), "##")["The kinds, dialect by dialect"], "###")
    assert set(told) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_the_table_of_kinds_says_what_dialects_say(kind: Kind) -> None:
    row = next(line for line in page("errors").splitlines() if line.startswith(f"| [{kind.value}]"))
    said = [f"{one.sayings[kind].status} {one.sayings[kind].code}" for one in DIALECTS]
    assert [cell.strip() for cell in row.strip("|").split("|")][1:] == said


def codes(dialect: Dialect) -> dict[str, int]:
    return {saying.code: saying.status for saying in (*dialect.sayings.values(), dialect.crash)}


def rows(section: str) -> dict[str, str]:
    """Return the second cell of each row by every code in its first."""
    found: dict[str, str] = {}
    for line in sections(page("errors"), "##")[section].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) > 1:
            found |= dict.fromkeys(cells[0].split(", "), cells[1])
    return found


def test_every_code_of_the_feed_says_what_to_do() -> None:
    told = rows("Codes of the feed")
    assert {code: told.get(code) for code in codes(FEED)} == {code: str(status) for code, status in codes(FEED).items()}


def test_every_code_of_the_scrape_dialect_says_what_to_do() -> None:
    told = rows("Codes of the scrape dialect")
    known = (
        codes(SCRAPE) | {reason.value: SCRAPE.sayings[one.kind].status for reason, one in MEANINGS.items()} | STATUSES
    )
    assert {code: told.get(code) for code in known} == {code: str(status) for code, status in known.items()}


def test_every_code_of_recipes_says_what_to_do() -> None:
    told = set(rows("Codes of recipes"))
    listed = page("dialects/queue").partition("| errorCode | status |")[2].partition("\n\n")[0]
    known = {code for line in listed.splitlines()[2:] for code in line.split("|")[1].strip().split(", ")}
    assert known
    assert known <= told


@pytest.mark.parametrize("cause", CAUSES, ids=lambda one: one.name)
def test_every_cause_that_keeps_an_account_out_has_its_next_step(cause: Cause) -> None:
    assert f"| {cause.title} | {cause.next_step} |" in page("how-to/connect")
