"""Every task of the processing addresses, and the options it takes; a one-letter name stands for the first that fits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tintype.backends.image_operations import (
    BlackWhite,
    Blur,
    Border,
    Circle,
    Crop,
    Flip,
    Flop,
    Modulate,
    Monochrome,
    Negative,
    Operation,
    Output,
    Pixelate,
    Resize,
    Rotate,
    RoundedCorners,
    Sepia,
    Sharpen,
    SmartCrop,
    Watermark,
)
from tintype.core.files.conversion import values
from tintype.core.files.conversion.model import Value
from tintype.core.files.conversion.values import Reader
from tintype.errors import Invalid

Options = Mapping[str, Value]

_SIZE = values.whole(0, values.SIDE)
_PERCENT = values.whole(0, 100)
_FORMATS = values.choice("jpg", "png", "webp", "avif", "auto", jpeg="jpg")
_IGNORED: Reader = values.words


def _rotate(name: str, value: Value) -> int:
    # Pictures are always turned upright before anything else, which is all that `exif` asks for.
    turn = values.whole(-360, 360, exif=0)(name, value)
    return int(str(turn)) % 360


def _format(name: str, value: Value) -> str:
    return "pjpg" if value in ("pjpg", "pjpeg") else str(_FORMATS(name, value))


def _turned(given: dict[str, Any]) -> Operation | None:
    if not given.get("deg"):
        return None
    made = Rotate(**given)
    return made if made.deg % 90 else Rotate(made.deg)


def _crop(given: dict[str, Any]) -> Operation | None:
    if "dim" in given:
        return Crop(*given["dim"])
    if not {"width", "height"} <= given.keys():
        raise Invalid("crop needs dim:[x,y,width,height]")
    return Crop(given.get("x", 0), given.get("y", 0), given["width"], given["height"])


def _resize(given: dict[str, Any]) -> Operation | None:
    sides = {name: given[name] or None for name in ("width", "height") if name in given}
    if not any(sides.values()):
        raise Invalid("resize needs a width or a height above 0")
    shape = {name: given[name] for name in ("fit", "align") if name in given}
    made = Resize(**sides, **shape)
    if made.fit == "crop" and (made.width is None or made.height is None):
        made = replace(made, fit="clip")  # with one side alone there is nothing to cut off
    return made if made.fit == "crop" else replace(made, align="center")


def _smart_crop(given: dict[str, Any]) -> Operation | None:
    if not {"width", "height"} <= given.keys():
        raise Invalid("smart_crop needs a width and a height")
    return SmartCrop(given["width"], given["height"], given.get("mode", "attention"))


def _watermark(given: dict[str, Any]) -> Operation | None:
    if "file" not in given:
        raise Invalid("watermark needs a file")
    return Watermark(**given)


def _plain(kind: Callable[..., Operation]) -> Callable[[dict[str, Any]], Operation | None]:
    return lambda given: kind(**given)


def _unless(nothing: Operation, kind: Callable[..., Operation]) -> Callable[[dict[str, Any]], Operation | None]:
    def make(given: dict[str, Any]) -> Operation | None:
        made = kind(**given)
        return None if made == nothing else made

    return make


@dataclass(frozen=True, slots=True)
class Task:
    """One operation's options with their readers, and what becomes of them; None: nothing is left to do."""

    options: Mapping[str, Reader]
    make: Callable[[dict[str, Any]], Operation | None]
    ignored: tuple[str, ...] = ()
    renamed: Mapping[str, str] | None = None


_BACKGROUND = {"background": values.colour}

TASKS: Mapping[str, Task] = {
    "resize": Task(
        {
            "width": _SIZE,
            "height": _SIZE,
            "fit": values.choice("clip", "crop", "scale", "max"),
            "align": values.align,
        },
        _resize,
        ("filter",),
    ),
    "crop": Task(
        {
            "dim": values.box,
            "x": values.whole(0, values.SIDE),
            "y": values.whole(0, values.SIDE),
            "width": values.whole(1, values.SIDE),
            "height": values.whole(1, values.SIDE),
        },
        _crop,
    ),
    "smart_crop": Task(
        {
            "width": values.whole(1, values.SIDE),
            "height": values.whole(1, values.SIDE),
            "mode": values.choice("attention", "entropy", auto="attention", face="attention", faces="attention"),
        },
        _smart_crop,
        ("fill_color",),
    ),
    "rotate": Task(
        {"deg": _rotate, **_BACKGROUND},
        _turned,
        ("exif",),
        {"color": "background", "colour": "background", "degrees": "deg"},
    ),
    "flip": Task({}, _plain(Flip)),
    "flop": Task({}, _plain(Flop)),
    "sharpen": Task({"amount": values.number(0, 20)}, _unless(Sharpen(0), Sharpen)),
    "blur": Task({"amount": values.number(0, 20)}, _unless(Blur(0), Blur)),
    "blackwhite": Task({"threshold": _PERCENT}, _plain(BlackWhite)),
    "sepia": Task({"tone": _PERCENT}, _unless(Sepia(0), Sepia)),
    "monochrome": Task({}, _plain(Monochrome)),
    "negative": Task({}, _plain(Negative)),
    "modulate": Task(
        {
            "brightness": values.whole(0, 10_000),
            "saturation": values.whole(0, 10_000),
            "hue": values.whole(0, 359),
        },
        _unless(Modulate(), Modulate),
    ),
    "pixelate": Task({"amount": values.whole(2, 100)}, _plain(Pixelate)),
    "rounded_corners": Task(
        {"radius": values.whole(0, values.SIDE, max=0), "blur": values.number(0, 20), **_BACKGROUND},
        _plain(RoundedCorners),
    ),
    "circle": Task(_BACKGROUND, _plain(Circle)),
    "border": Task({"width": values.whole(1, 1000), "color": values.colour, **_BACKGROUND}, _plain(Border)),
    "watermark": Task(
        {"file": values.file, "size": values.whole(1, 500), "position": values.place}, _watermark, ("overlap",)
    ),
}

# What says how the result is written, wherever it stands.
OUTPUTS: Mapping[str, Mapping[str, Reader]] = {
    "output": {
        "format": _format,
        "quality": values.whole(1, 100, input=0),
        "compress": values.flag,
        "progressive": values.flag,
        "background": values.colour,
        **dict.fromkeys(("page", "density", "colorspace", "strip", "secure", "docinfo"), _IGNORED),
    },
    "quality": {"value": values.whole(1, 100, input=0)},
    "compress": {"metadata": _IGNORED},
    "no_metadata": {},
    "auto_image": {"quality": values.whole(1, 100, input=0), "format": _IGNORED},
}

SYNONYMS: Mapping[str, str] = {"round_corners": "rounded_corners", "greyscale": "monochrome", "grayscale": "monochrome"}
OTHERS = ("imagesize", "metadata", "cache", "store", "security", "fallback", "zip", "preset")
SUPPORTED = (*TASKS, *OUTPUTS, *OTHERS)


def operation(name: str, options: Options) -> Operation | None:
    """Return the operation that a task of `TASKS` asks for; None where it would change nothing."""
    task = TASKS[name]
    readers = {**task.options, **dict.fromkeys(task.ignored, _IGNORED)}
    given = read(name, readers, options, task.renamed or {})
    return task.make({option: value for option, value in given.items() if option in task.options})


def output(name: str, options: Options, before: Output) -> Output:
    """Return how the result is written once a task of `OUTPUTS` has had its say."""
    given = read(name, OUTPUTS[name], options, {})
    match name:
        case "quality":
            return replace(before, quality=given.get("value") or None)
        case "compress":
            return replace(before, compress=True)
        case "no_metadata":
            return before  # no result carries any
        case "auto_image":
            return replace(before, format="auto", quality=given.get("quality") or before.quality)
        case _:
            return _output(given, before)


def _output(given: dict[str, Any], before: Output) -> Output:
    kept = {option: given[option] for option in ("compress", "background", "progressive") if option in given}
    if (form := given.get("format")) is not None:
        kept |= {"format": "jpg", "progressive": True} if form == "pjpg" else {"format": form}
    if "quality" in given:
        kept["quality"] = given["quality"] or None
    made = replace(before, **kept)
    return made if made.format in ("", "jpg", "auto") else replace(made, progressive=False)


def read(name: str, readers: Mapping[str, Reader], options: Options, renamed: Mapping[str, str]) -> dict[str, Any]:
    """Return a task's options in their canonical form; raises `Invalid` for one that it does not take."""
    found: dict[str, Any] = {}
    for said, value in options.items():
        option = _full(said.lower(), readers, renamed)
        if option is None:
            known = ", ".join(readers) or "none"
            raise Invalid(f"{name} takes no option {said[:40]!r}; its options: {known}")
        if option in found:
            raise Invalid(f"{name} has the option {option!r} twice")
        found[option] = readers[option](f"{name} {option}", value)
    return found


def _full(said: str, readers: Mapping[str, Reader], renamed: Mapping[str, str]) -> str | None:
    if said in readers:
        return said
    if said in renamed:
        return renamed[said]
    return next((option for option in readers if option[0] == said), None)


def unsupported(name: str) -> Invalid:
    """Return the refusal of a task that is not done here."""
    return Invalid(f"the task {name[:60]!r} is not supported; supported are {', '.join(SUPPORTED)}")
