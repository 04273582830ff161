"""The addresses that Filestack's own Python client writes are read as what it means."""

from importlib import import_module
from typing import Any

import pytest

from tintype.core.files import Source, read_address

CLIENT: Any = import_module("filestack")  # it carries no types
HANDLE = "WAunDTTqQfCNWwUUyf6n"
OTHER = "0CpUz9H4QfaX7LwwsgUf"
KEY = "Abcdefghijklmnopqrstuv"


def path_of(url: object) -> str:
    """Return what stands behind the host."""
    return str(url).partition("://")[2].partition("/")[2]


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("resize", {"width": 400, "height": 300}, "resize=height:300,width:400"),
        ("resize", {"width": 4, "height": 3, "fit": "crop", "align": "faces"}, "resize=align:attention,fit:crop,height:3,width:4"),
        ("crop", {"dim": [1, 2, 30, 40]}, "crop=height:40,width:30,x:1,y:2"),
        ("rotate", {"deg": 90, "exif": True, "background": "red"}, "rotate=deg:90"),
        ("rotate", {"deg": 33, "background": "red"}, "rotate=background:ff0000,deg:33"),
        ("flip", {}, "flip"),
        ("flop", {}, "flop"),
        ("watermark", {"file": OTHER, "size": 50, "position": ["top", "right"]}, f'watermark=file:{OTHER},position:"top,right",size:50'),
        ("round_corners", {"radius": 150, "blur": 0.8, "background": "black"}, "rounded_corners=background:000000,blur:0.8,radius:150"),
        ("round_corners", {"radius": "max"}, "rounded_corners=radius:0"),
        ("circle", {"background": "red"}, "circle=background:ff0000"),
        ("border", {"width": 4, "color": "red", "background": "white"}, "border=background:ffffff,color:ff0000,width:4"),
        ("sharpen", {"amount": 12}, "sharpen=amount:12"),
        ("blur", {"amount": 1}, "blur=amount:1"),
        ("monochrome", {}, "monochrome"),
        ("negative", {}, "negative"),
        ("blackwhite", {"threshold": 60}, "blackwhite=threshold:60"),
        ("sepia", {"tone": 85}, "sepia=tone:85"),
        ("pixelate", {"amount": 10}, "pixelate=amount:10"),
        ("modulate", {"brightness": 155, "hue": 155, "saturation": 155}, "modulate=brightness:155,hue:155,saturation:155"),
        ("filetype_conversion", {"format": "jpg", "background": "red", "quality": 100, "strip": True}, "output=background:ff0000,format:jpg,quality:100"),
        ("no_metadata", {}, ""),
        ("quality", {"value": 75}, "output=quality:75"),
        ("auto_image", {}, "output=format:auto"),
        ("smart_crop", {"width": 400, "height": 300}, "smart_crop=height:300,width:400"),
    ],
)  # fmt: skip
def test_every_step_of_the_client_that_is_served(name: str, options: dict[str, object], text: str) -> None:
    security = CLIENT.Security({"call": ["read", "convert"], "expiry": 1893456000}, "SECRET")
    whole = getattr(CLIENT.Filelink(HANDLE, apikey=KEY, security=security), name)(**options)
    read = read_address(path_of(whole.url))
    assert (read.plan.text, read.source, read.policy) == (text, Source("handle", HANDLE), None)
    read = read_address(path_of(whole.signed_url(security)))
    assert (read.plan.text, read.source) == (text, Source("handle", HANDLE))
    assert read.signature == "fdcea4e5666a5b21128256ae5f92a50a200c28742796b9a8211458810eb24569"
    assert read.policy == "eyJjYWxsIjogWyJyZWFkIiwgImNvbnZlcnQiXSwgImV4cGlyeSI6IDE4OTM0NTYwMDB9"


def test_steps_run_in_the_order_in_which_they_were_written() -> None:
    whole = CLIENT.Filelink(HANDLE).flip().resize(width=9).flop().quality(value=50)
    assert read_address(path_of(whole.url)).plan.text == "flip/resize=width:9/flop/output=quality:50"


def test_an_address_on_the_web_as_the_client_writes_it() -> None:
    whole = CLIENT.Transformation(apikey=KEY, external_url="https://example.com/a/b.jpg").resize(width=9)
    read = read_address(path_of(whole.url))
    assert (read.key, read.plan.text) == (KEY, "resize=width:9")
    assert read.source == Source("url", "https://example.com/a/b.jpg")
