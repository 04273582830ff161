"""Both grammars of conversion: what is wanted is one plan, however it was written, and nonsense is refused in words."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.backends.image_operations import (
    ALIGNMENTS,
    AS_IS,
    OPERATIONS,
    Border,
    Circle,
    Crop,
    Operation,
    Output,
    Resize,
    Rotate,
    SmartCrop,
    Watermark,
    as_job,
    of_job,
)
from tintype.core.files import (
    PARAMETERS,
    SUPPORTED_TASKS,
    Plan,
    Source,
    Value,
    read_address,
    read_body,
    read_parameters,
)
from tintype.core.files.conversion.tasks import TASKS
from tintype.errors import Invalid

HANDLE = "WAunDTTqQfCNWwUUyf6n"
OTHER = "0CpUz9H4QfaX7LwwsgUf"
KEY = "Abcdefghijklmnopqrstuv"

SIDES = st.integers(1, 10_000)
COLOURS = st.one_of(st.just("transparent"), st.integers(0, 0xFFFFFF).map("{:06x}".format))
CORNERS = st.sampled_from(ALIGNMENTS[:9])


def fields(kind: type[Operation]) -> st.SearchStrategy[Operation]:
    """Return any value of one operation that the readers leave as it is."""
    special: dict[str, Any] = {
        "Resize": st.one_of(
            st.builds(Resize, SIDES, SIDES, st.just("crop"), st.sampled_from(ALIGNMENTS)),
            st.builds(Resize, SIDES, st.one_of(st.none(), SIDES), st.sampled_from(["clip", "scale", "max"])),
        ),
        "Crop": st.builds(Crop, st.integers(0, 10_000), st.integers(0, 10_000), SIDES, SIDES),
        "SmartCrop": st.builds(SmartCrop, SIDES, SIDES, st.sampled_from(["attention", "entropy"])),
        "Rotate": st.one_of(
            st.builds(Rotate, st.sampled_from([90, 180, 270])),
            st.builds(Rotate, st.integers(1, 89), COLOURS),
        ),
        "Circle": st.builds(Circle, COLOURS),
        "Border": st.builds(Border, st.integers(1, 1000), COLOURS, COLOURS),
        "Watermark": st.builds(Watermark, st.sampled_from([HANDLE, OTHER]), st.integers(1, 500), CORNERS),
    }
    if kind.__name__ in special:
        return special[kind.__name__]
    ranges: dict[str, Any] = {
        "amount": st.integers(2, 20).map(float) if kind.__name__ != "Pixelate" else st.integers(2, 100),
        "threshold": st.integers(0, 100),
        "tone": st.integers(1, 100),
        "brightness": st.integers(0, 99),
        "saturation": st.integers(0, 10_000),
        "hue": st.integers(0, 359),
        "radius": st.integers(0, 10_000),
        "blur": st.floats(0, 20).map(lambda value: round(value, 3)),
        "background": COLOURS,
    }
    return st.builds(kind, **{name: ranges[name] for name in (each.name for each in dataclass_fields(kind))})


OPERATION = st.one_of(*map(fields, OPERATIONS))
OUTPUT = st.one_of(
    st.just(AS_IS),
    st.builds(
        Output,
        st.sampled_from(["", "png", "webp", "avif", "auto"]),
        st.one_of(st.none(), st.integers(1, 100)),
        st.booleans(),
        st.just(False),
        COLOURS,
    ),
    st.builds(Output, st.just("jpg"), st.integers(1, 100), st.booleans(), st.booleans()),
)
PLANS = st.builds(Plan, st.lists(OPERATION, max_size=6).map(tuple), OUTPUT)


def plan(address: str) -> Plan:
    return read_address(f"{address}/{HANDLE}").plan


@given(PLANS)
def test_what_is_printed_is_read_as_the_same_plan(one: Plan) -> None:
    read = read_address(f"{one.text}/{HANDLE}" if one.text else HANDLE)
    assert read.plan == one
    assert read.plan.text == one.text
    assert read.source == Source("handle", HANDLE)


@given(PLANS)
def test_operations_go_to_the_worker_as_json_and_come_back(one: Plan) -> None:
    assert of_job(json.loads(json.dumps(as_job(one.operations, one.output)))) == (one.operations, one.output)


@given(PLANS, st.randoms(use_true_random=False))
def test_the_order_of_options_and_the_place_of_security_do_not_matter(one: Plan, dice: Any) -> None:
    segments: list[str] = []
    for segment in filter(None, one.text.split("/")):
        name, equals, options = segment.partition("=")
        if '"' in options:  # a corner, whose comma belongs to it
            segments.append(segment)
            continue
        shuffled = options.split(",")
        dice.shuffle(shuffled)
        segments.append(name + equals + ",".join(shuffled))
    place = dice.randrange(len(segments) + 1)
    segments.insert(place, "security=s:abc,p:e30=")
    read = read_address("/".join([KEY, *segments, HANDLE]))
    assert (read.plan, read.key, read.policy, read.signature) == (one, KEY, "e30=", "abc")
    assert read.plan.digest() == one.digest()


def spoken(read: Callable[[], object]) -> None:
    """Let no other exception through than a refusal with words in it."""
    with suppress(Invalid):
        read()


@given(st.text(max_size=300), st.text(max_size=50))
def test_any_address_is_read_or_refused_in_words(path: str, query: str) -> None:
    spoken(lambda: read_address(path, query))


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["resize", "=", "width", ":", "100", ",", "[", "]", '"', "/", "crop", "dim", "b64", "http://", HANDLE]
        ),
        st.sampled_from(
            ["%22", "%5B", "%5D", "%2F", "%", "%ff", "\\", "security=p:", "e30=", "src://", "b64://", "+", "."]
        ),
        st.text(max_size=3),
    ),
    max_size=30,
).map("".join)


@given(PIECES)
def test_addresses_that_look_right_are_read_or_refused_in_words(path: str) -> None:
    with suppress(Invalid):
        read = read_address(path)
        assert read.plan == read_address("/".join(filter(None, [read.plan.text, HANDLE]))).plan


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just("resize"), st.just(HANDLE)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["name", "params", "width", "source", "tasks", "apikey", "sources", "headers"]), inner
        ),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["apikey", "sources", "tasks", "upload_tags"]), JSON))
def test_any_body_is_read_or_refused_in_words(body: dict[str, Value]) -> None:
    spoken(lambda: read_body(body))


QUERIES: dict[str, st.SearchStrategy[str]] = {
    "w": SIDES.map(str),
    "h": SIDES.map(str),
    "fit": st.sampled_from(["clip", "crop", "scale", "max"]),
    "align": st.sampled_from(["faces", "top", "left", "bottom,left"]),
    "crop": st.tuples(SIDES, SIDES, SIDES, SIDES).map(lambda box: ",".join(map(str, box))),
    "crop_first": st.sampled_from(["true", "false"]),
    "filter": st.sampled_from(["blur", "sharpen"]),
    "blurAmount": st.integers(1, 20).map(str),
    "rotate": st.sampled_from(["exif", "90", "33"]),
    "quality": st.integers(1, 100).map(str),
    "format": st.sampled_from(["jpg", "png", "webp", "avif", "jpeg"]),
    "watermark": st.just(OTHER),
    "compress": st.just("true"),
    "_cacheBust": st.text(max_size=5),
}


@given(st.fixed_dictionaries({}, optional=QUERIES), st.randoms(use_true_random=False))
def test_the_first_version_has_one_order_whatever_the_query_has(sent: dict[str, Value], dice: Any) -> None:
    made = read_parameters(sent)
    shuffled = list(sent.items())
    dice.shuffle(shuffled)
    assert read_parameters(dict(shuffled)) == made
    order = ["resize", "crop", "watermark", "blur", "sharpen", "rotate"]
    if sent.get("crop_first") == "true":
        order[:2] = ["crop", "resize"]
    places = [order.index(one.task) for one in made.operations]
    assert places == sorted(places)
    assert read_address("/".join(filter(None, [made.text, HANDLE]))).plan == made


@given(st.dictionaries(st.sampled_from([*QUERIES, "width", "page", "exif"]), st.text(max_size=12)))
def test_any_parameters_are_read_or_refused_in_words(sent: dict[str, Value]) -> None:
    spoken(lambda: read_parameters(sent))


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ({"w": "102"}, "resize=width:102"),
        ({"width": "400", "height": "400"}, "resize=height:400,width:400"),
        (
            {"w": "400", "h": "400", "fit": "crop", "align": "faces"},
            "resize=align:attention,fit:crop,height:400,width:400",
        ),
        ({"crop": "1,2,3,4", "w": "10"}, "resize=width:10/crop=height:4,width:3,x:1,y:2"),
        ({"crop": "1,2,3,4", "w": "10", "crop_first": "true"}, "crop=height:4,width:3,x:1,y:2/resize=width:10"),
        ({"rotate": "exif"}, ""),
        ({"rotate": "-90"}, "rotate=deg:270"),
        ({"filter": "blur", "blurAmount": "5"}, "blur=amount:5"),
        ({"format": "jpg", "quality": "70"}, "output=format:jpg,quality:70"),
        ({"key": "K", "policy": "p", "signature": "s", "storeLocation": "S3", "h": ""}, ""),
    ],
)
def test_parameters_of_the_first_version(sent: dict[str, Value], text: str) -> None:
    assert read_parameters(sent).text == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("resize=width:400,height:300", "resize=h:300,w:400"),
        ("resize=w:4,fit:clip,align:center", "resize=width:4"),
        ("rounded_corners=radius:max", "round_corners=radius:0"),
        ("rotate=deg:exif", ""),
        ("blur=amount:0", "sharpen=amount:0"),
        ("output=format:pjpg", "output=format:jpg,progressive:true"),
        ("output=format:png/quality=value:80", "quality=80".replace("80", "value:80") + "/output=f:png"),
        ("auto_image", "output=format:auto"),
        (
            "watermark=file:WAunDTTqQfCNWwUUyf6n,position:[left,top]",
            'watermark=file:"WAunDTTqQfCNWwUUyf6n",p:"top,left"',
        ),
        ("crop=dim:[1,2,30,40]", "crop=d:%5B1,2,30,40%5D"),
        ("circle=background:red", "circle=background:%23f00"),
        ("flip=true", "flip"),
        ("no_metadata", ""),
    ],
)
def test_ways_to_say_the_same(one: str, other: str) -> None:
    assert plan(one) == plan(other)
    assert plan(one).digest() == plan(other).digest()


def test_tasks_of_a_path_run_from_left_to_right() -> None:
    assert [one.task for one in plan("flip/resize=w:3/flip/sepia").operations] == ["flip", "resize", "flip", "sepia"]


@pytest.mark.parametrize(
    "address",
    [
        "resize=w:10/https://example.com/a/b.jpg",
        "resize=w:10/https%3A%2F%2Fexample.com%2Fa%2Fb.jpg",
        "resize=w:10/https:/example.com/a/b.jpg",
    ],
)
def test_an_address_on_the_web_keeps_its_slashes(address: str) -> None:
    read = read_address(f"{KEY}/{address}")
    assert (read.key, read.source) == (KEY, Source("url", "https://example.com/a/b.jpg"))
    assert read.plan.text == "resize=width:10"


def test_a_slash_at_the_end_belongs_to_an_address_on_the_web_and_to_nothing_else() -> None:
    assert read_address(f"/{KEY}/flip/https://example.com/a/").source.text == "https://example.com/a/"
    assert read_address(f"/flip/{HANDLE}/").source == Source("handle", HANDLE)


@pytest.mark.parametrize("quote", ['"', "%22"])
def test_an_address_in_quotes_may_hold_anything(quote: str) -> None:
    told = "https://example.com/a%20b,c.jpg?x=1&y=[2"
    path, _, query = f"{KEY}/flip/{quote}{told}{quote}".partition("?")
    read = read_address(path, query)
    assert (read.source, read.plan.text) == (Source("url", told), "flip")


def test_a_query_belongs_to_an_address_on_the_web_and_to_a_handle_it_says_what_is_wanted() -> None:
    assert (
        read_address(f"{KEY}/https://example.com/a%20b.jpg", "x=1&y=2").source.text
        == "https://example.com/a%20b.jpg?x=1&y=2"
    )
    read = read_address(f"{HANDLE}/metadata", "size=true&policy=P&signature=S")
    assert (read.told, read.wanted, read.policy, read.signature) == ("metadata", {"size"}, "P", "S")
    assert read.source == Source("handle", HANDLE)


@pytest.mark.parametrize(
    "spelling", ["policy:{p},signature:{s}", "signature:{s},policy:{p}", "p:{p},s:{s}", "s:{s},p:{p}"]
)
@pytest.mark.parametrize("alphabet", ["url", "standard"])
def test_security_in_every_spelling(spelling: str, alphabet: str) -> None:
    written = json.dumps({"expiry": 1893456000, "call": ["read", "convert"], "path": "/?>>?>"}).encode() + b"   "
    policy = (base64.b64encode if alphabet == "standard" else base64.urlsafe_b64encode)(written).decode()
    assert ("/" in policy) == (alphabet == "standard")
    security = "security=" + spelling.format(p=policy, s="ab" * 32)
    for address in (f"{security}/resize=w:10/{HANDLE}", f"{KEY}/resize=w:10/{security}/{HANDLE}"):
        read = read_address(address)
        assert (read.policy, read.signature, read.plan.text) == (policy, "ab" * 32, "resize=width:10")


def test_the_form_in_base64() -> None:
    tasks: list[dict[str, object]] = [
        {"name": "resize", "params": {"width": 10}},
        {"name": "cache", "params": False},
        {"name": "flip", "params": {}},
    ]
    said = base64.urlsafe_b64encode(json.dumps(tasks).encode()).decode()
    source = base64.urlsafe_b64encode(b"https://example.com/x.jpg?a=b").decode()
    read = read_address(f"{KEY}/b64/{said}/b64://{source}")
    assert read.source == Source("url", "https://example.com/x.jpg?a=b")
    assert (read.plan.text, read.caching.use) == ("resize=width:10/flip", False)


def test_a_body_says_the_same_as_an_address() -> None:
    read = read_body(
        {
            "apikey": KEY,
            "sources": [{"source": "https://example.com/x.jpg", "headers": {"Accept": "image/*"}}],  # pyright: ignore[reportArgumentType] - JSON
            "tasks": [{"name": "store", "params": {"location": "s3", "path": "/in/"}}],  # pyright: ignore[reportArgumentType] - JSON
        }
    )
    assert (read.key, read.told, read.store) == (KEY, "store", {"location": "s3", "path": "/in/"})
    assert read.source == Source("url", "https://example.com/x.jpg", {"Accept": "image/*"})


def test_what_stands_beside_the_plan() -> None:
    read = read_address(
        f'{KEY}/cache=expiry:60/store=path:"out/a,b/",filename:x.jpg/fallback=file:{OTHER}/flip/{HANDLE}'
    )
    assert (read.caching.expiry, read.fallback, read.plan.text) == (60, OTHER, "flip")
    assert read.store == {"path": "out/a,b/", "filename": "x.jpg"}
    assert read_address(f"cache=max/{HANDLE}").caching.expiry == 31_536_000
    assert read_address(f"{KEY}/zip/security=p:e30=,s:ab/[{HANDLE},{OTHER}]").sources[1].text == OTHER
    assert read_address(f"imagesize/{HANDLE}").told == "imagesize"
    assert read_address(f"preset:thumb/{HANDLE}.webp").preset == "thumb"
    assert read_address(f"preset:thumb/{HANDLE}.webp").plan.text == "output=format:webp"
    assert read_address(f"flip/{HANDLE}+photo.jpg").source == Source("handle", HANDLE)
    assert read_address("flip/src://shop/a/b%20c.jpg").source == Source("alias", "shop/a/b c.jpg")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("enhance", "the task 'enhance' is not supported; supported are resize, crop,"),
        ("detect_faces=minsize:0.25", "supported are resize"),
        ("resize=width:10001", "resize width must be a whole number from 0 to 10000, not '10001'"),
        ("resize=width:ten", "resize width must be a number, not 'ten'"),
        ("resize=width:1,w:2", "resize has the option 'width' twice"),
        ("resize=depth:1", "resize takes no option 'depth'; its options: width, height"),
        ("resize", "resize needs a width or a height above 0"),
        ("resize=w:1,fit:fill", "resize fit must be one of clip, crop, scale, max, not 'fill'"),
        ("resize=w:1,h:2,fit:crop,align:nowhere", "resize align must be one of center, top"),
        ("crop=dim:[1,2,3]", r"crop dim must be \[x,y,width,height\]"),
        ("blur=amount:21", "blur amount must be a number from 0 to 20"),
        ("sharpen=amount:nan", "sharpen amount must be a number"),
        ("circle=background:nocolour", "must be a colour like ff8800"),
        ("watermark", "watermark needs a file"),
        ("watermark=file:short", "watermark file must be a file's handle or address"),
        ("output=format:pdf", "output format must be one of jpg, png, webp, avif, auto"),
        ("resize=w:[1,2", "never closed"),
        ("resize=w:]1", "closed or opened once too often"),
        ("resize=w", "is no option; write name:value"),
        ("/".join(["flip"] * 51), "at most 50 tasks"),
        ("b64/e30", "tasks must be a list"),
        ("b64/!!!", "is not base64 of a list of tasks"),
        ("resize=w:1/%ff", "not UTF-8"),
        ("x" * 9000, "longer than 8192"),
    ],
)
def test_what_is_refused_and_how(address: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        plan(address)


@pytest.mark.parametrize("address", ["", "flip", "flip/short", f"flip/[{HANDLE},{OTHER}]", "b64", f"{KEY}/zip/[]"])
def test_a_source_is_needed_and_only_one(address: str) -> None:
    with pytest.raises(Invalid):
        read_address(address)


def test_text_is_not_drawn_and_says_so() -> None:
    with pytest.raises(Invalid, match="text is not supported; supported are w, width"):
        read_parameters({"text": "hello"})


def test_every_operation_has_its_task() -> None:
    assert set(get_args(Operation)) == set(OPERATIONS)


def test_every_task_and_parameter_is_explained() -> None:
    page = (Path(__file__).parents[3] / "docs" / "dialects" / "picker-conversion.md").read_text()
    names = {*SUPPORTED_TASKS, *PARAMETERS, *(option for task in TASKS.values() for option in task.options)} - {
        "x",
        "y",
    }
    assert {name for name in names if f"`{name}`" not in page and f"`{name}:" not in page} == set()
