"""The parameters of the first version, `?w=400&h=400&fit=crop`: whatever order they come in, they are done in one order.

It is resize, crop, watermark, filter, rotate, and then quality and format; `crop_first` puts the crop before the resize.
"""

from collections.abc import Mapping
from dataclasses import replace

from tintype.backends.image_operations import AS_IS, Operation, Output
from tintype.core.files.conversion import values
from tintype.core.files.conversion.model import Plan, Value
from tintype.core.files.conversion.tasks import operation, output
from tintype.errors import Invalid

PARAMETERS = (
    "w",
    "width",
    "h",
    "height",
    "fit",
    "align",
    "crop",
    "crop_first",
    "watermark",
    "watermark_size",
    "watermark_position",
    "filter",
    "blurAmount",
    "sharpenAmount",
    "rotate",
    "quality",
    "format",
    "compress",
    "page",
    "exif",
)
_SHORT: Mapping[str, str] = {"w": "width", "h": "height"}
_NOT_DONE = ("text", "text_align", "text_color", "text_font", "text_padding", "text_size")


def read_parameters(sent: Mapping[str, Value]) -> Plan:
    """Return the plan behind parameters; those that are no conversion's (`key`, `policy`, `_cacheBust` …) are passed over.

    Raises `Invalid` for a value that cannot be used.
    """
    refused = [name for name in _NOT_DONE if sent.get(name) not in (None, "")]
    if refused:
        raise Invalid(f"{refused[0]} is not supported; supported are {', '.join(PARAMETERS)}")
    given = {_SHORT.get(name, name): sent[name] for name in PARAMETERS if sent.get(name) not in (None, "")}
    sizing = [_resized(given), _cropped(given)]
    if values.flag("crop_first", given.get("crop_first", False)):
        sizing.reverse()
    turning = operation("rotate", {"deg": given["rotate"]}) if "rotate" in given else None
    operations = (*sizing, _marked(given), _filtered(given), turning)
    return Plan(tuple(one for one in operations if one is not None), _output(given))


def _resized(given: Mapping[str, Value]) -> Operation | None:
    options = {name: given[name] for name in ("width", "height", "fit", "align") if name in given}
    sized = any(options.get(name) not in (None, "0", 0) for name in ("width", "height"))
    if sized:
        return operation("resize", options)
    if options:  # refuses what cannot be read, though nothing is to be done
        operation("resize", {**options, "width": 1})
    return None


def _cropped(given: Mapping[str, Value]) -> Operation | None:
    return operation("crop", {"dim": given["crop"]}) if "crop" in given else None


def _marked(given: Mapping[str, Value]) -> Operation | None:
    if "watermark" not in given:
        return None
    names = {"watermark": "file", "watermark_size": "size", "watermark_position": "position"}
    return operation("watermark", {option: given[name] for name, option in names.items() if name in given})


def _filtered(given: Mapping[str, Value]) -> Operation | None:
    if "filter" not in given:
        return None
    name = str(values.choice("blur", "sharpen")("filter", given["filter"]))
    amount = given.get(f"{name}Amount")
    return operation(name, {} if amount is None else {"amount": amount})


def _output(given: Mapping[str, Value]) -> Output:
    options = {name: given[name] for name in ("format", "quality") if name in given}
    made = output("output", options, AS_IS)
    wanted = "compress" in given and values.flag("compress", given["compress"])
    return replace(made, compress=True) if wanted else made
