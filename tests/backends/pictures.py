"""Pictures for tests, drawn here: photograph-like gradients with grain, in any format, and broken ones."""

from typing import Any

import pyvips

_Image: Any = pyvips.Image  # pyright: ignore[reportUnknownMemberType] - pyvips carries no types


def draw(width: int = 1440, height: int = 1800, seed: int = 1) -> Any:
    """Return a picture that fades from blue to orange, with grain."""
    ramp = _Image.xyz(width, height)
    across, down = ramp[0] / width, ramp[1] / height
    grain = _Image.gaussnoise(width, height, sigma=6, mean=0, seed=seed)
    bands = [across * 200 + 30, down * 120 + 60, (1 - across) * 180 + 20]
    return bands[0].bandjoin(bands[1:]).linear(1, 0).__add__(grain).cast("uchar").copy(interpretation="srgb")


def picture(form: str = "jpeg", width: int = 1440, height: int = 1800, **options: object) -> bytes:
    """Return a drawn picture as `jpeg`, `png`, `webp`, `avif`, `gif` or `tiff`."""
    suffix = {"jpeg": ".jpg", "avif": ".avif"}.get(form, f".{form}")
    if form in ("avif", "gif"):
        options = {"effort": 1, **options}
    return bytes(draw(width, height).write_to_buffer(suffix, **options))


def blank(width: int, height: int) -> bytes:
    """Return a PNG of one colour, which is small and quickly made at any size."""
    return bytes(_Image.black(width, height, bands=3).write_to_buffer(".png", compression=1))


def turned(orientation: int, width: int = 300, height: int = 200) -> bytes:
    """Return a JPEG that asks to be turned, as phones write them."""
    image = draw(width, height).copy()
    image.set_type(_gint(), "orientation", orientation)
    return bytes(image.write_to_buffer(".jpg"))


def see(data: bytes) -> Any:
    """Decode a picture again, as a browser would."""
    return _Image.new_from_buffer(data, "", fail_on="warning").copy_memory()


def _gint() -> int:
    return pyvips.GValue.gint_type  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
