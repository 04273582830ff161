"""The examples of the documentation, as people would copy them: fenced blocks of shell, Python and JavaScript."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGES = ("bash", "sh", "python", "js")
LEFT_OUT = "noexec"  # behind the language: shown, and not run; the reason stands in the test's own table

_FENCE = re.compile(r"^```(\w+)((?: \w+)*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """One block of a page."""

    page: str
    line: int
    language: str
    is_run: bool
    code: str

    @property
    def first(self) -> str:
        """Its first line, by which the table knows it."""
        return self.code.partition("\n")[0]


def pages() -> dict[str, tuple[Example, ...]]:
    """Return the examples of each page that has some, in their order."""
    files = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
    found = {_name(path): tuple(_examples(_name(path), path.read_text())) for path in files}
    return {page: examples for page, examples in found.items() if examples}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").as_posix().removeprefix("docs/")


def _examples(page: str, text: str) -> list[Example]:
    return [
        Example(page, text.count("\n", 0, one.start()) + 1, one[1], LEFT_OUT not in one[2].split(), one[3])
        for one in _FENCE.finditer(text)
        if one[1] in LANGUAGES
    ]
