"""The fields language and the cursors, as rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.simulator.errors import GraphError
from tintype.simulator.grammar import Field, parse
from tintype.simulator.visit import cursor, read_cursor, window

NAMES = st.from_regex(r"[a-z][a-z_]{0,12}", fullmatch=True)
VALUES = st.from_regex(r"[A-Za-z0-9_.,-]{0,10}", fullmatch=True)
FIELDS = st.recursive(
    st.builds(Field, NAMES, st.dictionaries(NAMES, VALUES, max_size=2)),
    lambda inner: st.builds(
        Field, NAMES, st.dictionaries(NAMES, VALUES, max_size=2), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


def written(field: Field) -> str:
    text = field.name + "".join(f".{name}({value})" for name, value in field.args.items())
    return text if field.fields is None else text + "{" + ",".join(map(written, field.fields)) + "}"


def bare(field: Field) -> Field:
    inner = None if field.fields is None else tuple(map(bare, field.fields))
    return Field(field.name, dict(field.args), inner)


@given(st.lists(FIELDS, min_size=1, max_size=4))
def test_what_is_written_is_read_back(fields: list[Field]) -> None:
    text = ",".join(map(written, fields))
    assert tuple(map(bare, parse(text))) == tuple(map(bare, fields))


def test_spaces_and_the_inner_text_are_kept_apart() -> None:
    (field,) = parse(" media.limit(2) { id , children{id} } ")
    assert (field.name, field.args, field.inner) == ("media", {"limit": "2"}, "id , children{id}")


@pytest.mark.parametrize(
    "text", ["a{", "a}", "a..b(1)", "a.limit(", "{a}", "a b", "a,,b", "a{}", "ä", "a" + "{a" * 9 + "}" * 9]
)
def test_what_is_no_list_of_fields_is_refused(text: str) -> None:
    with pytest.raises(GraphError) as refused:
        parse(text)
    assert refused.value.code == 2500


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except GraphError as refused:
        assert refused.code == 2500  # noqa: PT017 - both outcomes are right, anything else is not


@given(st.text(max_size=30), st.from_regex(r"\d{1,18}", fullmatch=True), st.integers(0, 10_000))
def test_a_cursor_is_opaque_and_comes_back(scope: str, key: str, place: int) -> None:
    text = cursor(scope, key, place)
    assert text.startswith("QVFI")
    assert read_cursor(scope, text) == (key, place)
    with pytest.raises(GraphError):
        read_cursor(scope + "x", text)


@given(st.text(max_size=60))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(GraphError):
        read_cursor("1/media", text)


@given(st.integers(0, 40), st.integers(1, 12), st.data())
def test_walking_forward_meets_everything_once(count: int, limit: int, choose: st.DataObject) -> None:
    keys, seen, args = [str(number) for number in range(count)], list[str](), dict[str, str]()
    while True:
        start, end = window(keys, limit, args, "s")
        seen += keys[start:end]
        if end >= len(keys):
            break
        args = {"after": cursor("s", keys[end - 1], end - 1)}
    assert seen == keys
    if seen:
        place = choose.draw(st.integers(0, count - 1))
        start, end = window(keys, limit, {"before": cursor("s", keys[place], place)}, "s")
        assert keys[start:end] == keys[max(0, place - limit) : place]
