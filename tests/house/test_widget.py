"""The widget's script: small, built from the source that stands beside it, and calling on nobody but its own server."""

import gzip
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "tintype" / "web" / "widget" / "widget.js"
LARGEST = 15 * 1024


def test_the_committed_script_is_what_the_source_builds_to(tmp_path: Path) -> None:
    pages = ROOT / "web" / "picker"  # one set of tools for all that browsers load
    done = subprocess.run(["node", "widget.mjs", str(tmp_path)], cwd=pages, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n`make test` installs what the build needs"
    assert [path.name for path in tmp_path.iterdir()] == [BUILT.name]
    assert (tmp_path / BUILT.name).read_bytes() == BUILT.read_bytes(), "run `make script`"


def test_the_script_is_small_and_calls_on_nobody() -> None:
    script = BUILT.read_text("utf-8")
    assert len(gzip.compress(script.encode(), 9)) < LARGEST
    assert set(re.findall(r"https?://[\w.-]+", script)) <= {"http://www.w3.org"}  # the name of SVG
    assert not re.search(r"\beval\(|new Function|innerHTML|document\.write|cookie|localStorage", script)


def test_every_language_has_every_word() -> None:
    source = (ROOT / "web" / "widget" / "words.ts").read_text("utf-8")
    keys = re.findall(r'"(\w+)"', re.findall(r"const KEYS = \[(.*?)\]", source)[0])
    spoken = {code: words.split("|") for code, words in re.findall(r'^  (\w\w): "(.*)",$', source, re.MULTILINE)}
    assert len(spoken) >= 7
    assert {code for code, words in spoken.items() if len(words) != len(keys) or "" in words} == set()
    holes = {code: [sorted(re.findall(r"\{\d\}", word)) for word in words] for code, words in spoken.items()}
    assert {code for code, found in holes.items() if found != holes["en"]} == set()
