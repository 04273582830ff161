"""What browsers load of the picker: small, built from the source that stands beside it, and from nobody else's."""

import gzip
import json
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "web" / "picker"
BUILT = ROOT / "tintype" / "web" / "picker"
LARGEST = 15 * 1024


def test_the_committed_files_are_what_the_source_builds_to(tmp_path: Path) -> None:
    done = subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n`make test` installs what the build needs"
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in BUILT.iterdir() if path.is_file()}
    assert {name for name in made | kept if made.get(name) != kept.get(name)} == set(), "run `make script`"


def test_the_source_is_well_typed() -> None:
    done = subprocess.run(["npm", "run", "--silent", "check"], cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_script_is_small_and_calls_on_nobody() -> None:
    script = (BUILT / "filepicker.js").read_bytes()
    assert len(gzip.compress(script, 9)) < LARGEST
    for path in BUILT.glob("*.js"):
        text = path.read_text("utf-8")
        addresses = set(re.findall(r"https?://[\w.-]+", text)) - {"http://www.w3.org"}  # the name of SVG
        assert addresses == set(), path.name
        assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", text), path.name


def test_the_lock_names_hashes_and_no_addresses() -> None:
    lock = json.loads((SOURCE / "package-lock.json").read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    assert {name for name, one in packages.items() if "resolved" in one or "integrity" not in one} == set()


def test_every_language_has_every_word() -> None:
    spoken = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in (BUILT / "words").glob("*.toml")}
    assert len(spoken) >= 12
    holes = re.compile(r"\{\w+\}")
    for language, words in spoken.items():
        assert words.keys() == spoken["en"].keys(), language
        wrong = {key for key in words if sorted(holes.findall(words[key])) != sorted(holes.findall(spoken["en"][key]))}
        assert wrong == set(), language
