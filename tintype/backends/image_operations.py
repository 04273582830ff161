"""What can be done to a picture, as values: one frozen class per operation, with only numbers and words in it.

They go to the worker as JSON. Lengths are pixels of the picture as it is when the operation's turn comes, colours are
`rrggbb`, `rrggbbaa` or `transparent`, and every default is the one of the processing URLs' documents.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

BoxFit = Literal["clip", "crop", "scale", "max"]
Format = Literal["", "jpg", "png", "webp", "avif", "auto"]

ALIGNMENTS = (
    "center",
    "top",
    "bottom",
    "left",
    "right",
    "top,left",
    "top,right",
    "bottom,left",
    "bottom,right",
    "attention",
    "entropy",
)
RESULT_SIDE = 4096  # pixels; only a picture that is larger already stays so


@dataclass(frozen=True, slots=True)
class Resize:
    """Scale to a box: `clip` and `max` fit inside (`max` never enlarges), `crop` fills it, `scale` distorts."""

    task: ClassVar[str] = "resize"
    width: int | None = None
    height: int | None = None
    fit: BoxFit = "clip"
    align: str = "center"


@dataclass(frozen=True, slots=True)
class Crop:
    """Cut out a rectangle; the part of it that lies inside of the picture remains."""

    task: ClassVar[str] = "crop"
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SmartCrop:
    """Fill a box with what draws the eye (`attention`) or holds the most detail (`entropy`)."""

    task: ClassVar[str] = "smart_crop"
    width: int
    height: int
    mode: Literal["attention", "entropy"] = "attention"


@dataclass(frozen=True, slots=True)
class Rotate:
    """Turn clockwise; corners that come up are filled."""

    task: ClassVar[str] = "rotate"
    deg: int
    background: str = "ffffff"


@dataclass(frozen=True, slots=True)
class Flip:
    """Mirror upside down."""

    task: ClassVar[str] = "flip"


@dataclass(frozen=True, slots=True)
class Flop:
    """Mirror left to right."""

    task: ClassVar[str] = "flop"


@dataclass(frozen=True, slots=True)
class Sharpen:
    """Sharpen."""

    task: ClassVar[str] = "sharpen"
    amount: float = 2


@dataclass(frozen=True, slots=True)
class Blur:
    """Blur; the amount is the deviation in pixels."""

    task: ClassVar[str] = "blur"
    amount: float = 2


@dataclass(frozen=True, slots=True)
class BlackWhite:
    """Black where it is darker than the threshold (in per cent), white elsewhere."""

    task: ClassVar[str] = "blackwhite"
    threshold: int = 50


@dataclass(frozen=True, slots=True)
class Sepia:
    """Brown as an old print, by so many per cent."""

    task: ClassVar[str] = "sepia"
    tone: int = 80


@dataclass(frozen=True, slots=True)
class Monochrome:
    """Grey."""

    task: ClassVar[str] = "monochrome"


@dataclass(frozen=True, slots=True)
class Negative:
    """Every colour's opposite."""

    task: ClassVar[str] = "negative"


@dataclass(frozen=True, slots=True)
class Modulate:
    """Brightness and saturation in per cent, hue in degrees."""

    task: ClassVar[str] = "modulate"
    brightness: int = 100
    saturation: int = 100
    hue: int = 0


@dataclass(frozen=True, slots=True)
class Pixelate:
    """Squares of one colour, so many pixels wide."""

    task: ClassVar[str] = "pixelate"
    amount: int = 2


@dataclass(frozen=True, slots=True)
class RoundedCorners:
    """Round the corners; radius 0 stands for as round as can be."""

    task: ClassVar[str] = "rounded_corners"
    radius: int = 10
    blur: float = 0.3
    background: str = "transparent"


@dataclass(frozen=True, slots=True)
class Circle:
    """Cut the largest circle out of the middle."""

    task: ClassVar[str] = "circle"
    background: str = "transparent"


@dataclass(frozen=True, slots=True)
class Border:
    """Put a frame of one colour around it; the background shows through its transparent parts."""

    task: ClassVar[str] = "border"
    width: int = 3
    color: str = "ffffff"
    background: str = "transparent"


@dataclass(frozen=True, slots=True)
class Watermark:
    """Lay another file's picture over it, at so many per cent of its own size."""

    task: ClassVar[str] = "watermark"
    file: str
    size: int = 100
    position: str = "center"


Operation = (
    Resize
    | Crop
    | SmartCrop
    | Rotate
    | Flip
    | Flop
    | Sharpen
    | Blur
    | BlackWhite
    | Sepia
    | Monochrome
    | Negative
    | Modulate
    | Pixelate
    | RoundedCorners
    | Circle
    | Border
    | Watermark
)

OPERATIONS: tuple[type[Operation], ...] = (
    Resize,
    Crop,
    SmartCrop,
    Rotate,
    Flip,
    Flop,
    Sharpen,
    Blur,
    BlackWhite,
    Sepia,
    Monochrome,
    Negative,
    Modulate,
    Pixelate,
    RoundedCorners,
    Circle,
    Border,
    Watermark,
)

_BY_TASK = {kind.task: kind for kind in OPERATIONS}


@dataclass(frozen=True, slots=True)
class Output:
    """How the result is written: no format is the source's own, no quality is the house's."""

    task: ClassVar[str] = "output"
    format: Format = ""
    quality: int | None = None
    compress: bool = False
    progressive: bool = False
    background: str = "ffffff"


AS_IS = Output()


@dataclass(frozen=True, slots=True)
class Converted:
    """A made picture: its format as browsers call it, and its size in pixels."""

    data: bytes = field(repr=False)
    format: str
    width: int
    height: int

    @property
    def content_type(self) -> str:
        return f"image/{self.format}"


def as_job(operations: tuple[Operation, ...], output: Output) -> dict[str, object]:
    """Return operations as JSON for the worker."""
    return {"operations": [[one.task, asdict(one)] for one in operations], "output": asdict(output)}


def of_job(job: Mapping[str, Any]) -> tuple[tuple[Operation, ...], Output]:
    """Return the operations that `as_job` wrote."""
    return tuple(_BY_TASK[task](**fields) for task, fields in job["operations"]), Output(**job["output"])
