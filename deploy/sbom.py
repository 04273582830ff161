"""Writes what is inside a release, as CycloneDX JSON: every locked package with its version and its hashes.

`python deploy/sbom.py requirements/run.txt dist/tintype.cdx.json`. The same lock gives the same file.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)\s*(?:;\s*([^\\]+?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)


def components(lock: str) -> list[dict[str, Any]]:
    """Return the packages of a lock; raises ValueError for a line that is not understood."""
    found: list[dict[str, Any]] = []
    for line in lock.splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if digest := _HASH.search(text):
            found[-1]["hashes"].append({"alg": "SHA-256", "content": digest[1]})
        elif pinned := _PINNED.match(text):
            found.append(_component(pinned[1].lower().replace("_", "-"), pinned[2], pinned[3]))
        else:
            raise ValueError(f"not understood: {text}")
    return found


def _component(name: str, version: str, marker: str | None) -> dict[str, Any]:
    address = f"pkg:pypi/{name}@{version}"
    more = {"properties": [{"name": "tintype:marker", "value": marker}]} if marker else {}
    return {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": version,
        "purl": address,
        "hashes": [],
        **more,
    }


def bill(version: str, lock: str) -> dict[str, Any]:
    """Return the bill of materials of a version with a lock."""
    own = f"pkg:pypi/tintype@{version}"
    inside = components(lock)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, own + lock)}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": own, "name": "tintype", "version": version, "purl": own}
        },
        "components": inside,
        "dependencies": [{"ref": own, "dependsOn": [one["bom-ref"] for one in inside]}],
    }


def main(lock: str, target: str) -> None:
    """Write the bill of the version that lies here."""
    source = (Path(__file__).parents[1] / "tintype" / "__init__.py").read_text()
    version = _VERSION.search(source)
    if version is None:
        raise ValueError("tintype/__init__.py names no version")
    place = Path(target)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(bill(version[1], Path(lock).read_text()), indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
