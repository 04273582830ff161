"""Unmodified instaloader and yt-dlp against the pretend Instagram, led there by environment variables alone.

They are a second opinion on our shapes: when Instagram changes and they follow, their next version fails here first.
"""

import json
import lzma
import os
import pickle
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from pyvips import Image

from tests.instagram.pretend import Pretend, running
from tests.tunnel import Tunnel, tunnel

BAKER, WALKER = "marlow.bakehouse", "juniper.walks"
PROGRAMS = Path(sys.executable).parent
PATIENCE = 90  # seconds for a program of several requests on a busy machine


@dataclass(frozen=True)
class Desk:
    """A folder from which programs are run, with the tunnel as their only way out."""

    folder: Path
    pretend: Pretend
    tunnel: Tunnel

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, whatever it says."""
        known = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return subprocess.run(
            [PROGRAMS / program, *arguments],
            cwd=self.folder,
            env={**known, "HOME": str(self.folder), **self.tunnel.environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def instaloader(self, code: str, *more: str) -> list[Path]:
        """Download a post; the files in order."""
        folder = self.folder / f"post {code}"
        done = self.run("instaloader", "--no-sleep", "--dirname-pattern", str(folder), *more, "--", f"-{code}")
        assert done.returncode == 0, done.stderr
        return sorted(folder.iterdir())

    def yt_dlp(self, code: str, *more: str) -> subprocess.CompletedProcess[str]:
        """Download a reel as `reel.mp4` and print its title."""
        order = ("--compat-options", "no-certifi", "--no-simulate", "--print", "title", "--output", "reel.%(ext)s")
        return self.run("yt-dlp", *order, *more, f"https://www.instagram.com/reel/{code}/")

    def code(self, media_type: str, product: str = "FEED") -> str:
        """The shortcode of a post of this kind."""
        query = {"fields": "shortcode,media_type,media_product_type", "limit": "50"}
        query["access_token"] = self.pretend.token(BAKER)
        listed = self.pretend.levers.get("/me/media", params=query).raise_for_status().json()["data"]
        posts = cast("list[dict[str, str]]", listed)
        wanted = (media_type, product)
        return next(one["shortcode"] for one in posts if (one["media_type"], one["media_product_type"]) == wanted)

    def asked(self, since: int) -> list[str]:
        """What was asked of Instagram's hosts after the entry of this number, without the media."""
        calls = [call for call in self.pretend.calls()[since:] if str(call["host"]).endswith(".instagram.com")]
        return [f"{call['method']} {call['host']}{call['path']}" for call in calls]


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    with running() as pretend, tunnel(int(pretend.origin.rpartition(":")[2]), certificates) as way:
        (tmp_path / "desk").mkdir()
        yield Desk(tmp_path / "desk", pretend, way)
        assert way.refused == []


def is_clip(path: Path) -> bool:
    return path.read_bytes()[4:8] == b"ftyp"


def told(files: list[Path]) -> dict[str, Any]:
    """What instaloader wrote down about the post."""
    found = next(path for path in files if path.name.endswith(".json.xz"))
    return json.loads(lzma.decompress(found.read_bytes()))["node"]


def test_instaloader_downloads_a_photo(desk: Desk) -> None:
    code = desk.code("IMAGE")
    before = len(desk.pretend.calls())
    files = desk.instaloader(code)
    assert [path.suffix for path in files] == [".jpg", ".xz", ".txt"]
    assert Image.new_from_file(str(files[0]), fail_on="warning").deviate() > 5
    assert told(files)["shortcode"] == code
    assert desk.asked(before) == ["GET www.instagram.com/", "POST www.instagram.com/api/graphql"]


def test_instaloader_downloads_a_carousel(desk: Desk) -> None:
    files = desk.instaloader(desk.code("CAROUSEL_ALBUM"))
    children = told(files)["carousel_media"]
    pictures = [path for path in files if path.suffix == ".jpg"]
    clips = [path for path in files if path.suffix == ".mp4"]
    assert len(pictures) == len(children) >= 2
    assert len(clips) == sum(child["media_type"] == 2 for child in children)
    assert all(is_clip(path) for path in clips)


def test_instaloader_downloads_a_reel(desk: Desk) -> None:
    files = desk.instaloader(desk.code("VIDEO", "REELS"))
    assert [path.suffix for path in files] == [".jpg", ".xz", ".mp4", ".txt"]
    assert is_clip(files[2])


def test_instaloader_downloads_as_a_person(desk: Desk) -> None:
    cookies = desk.pretend.post("/sessions", username=WALKER)["cookies"]
    session = desk.folder / "session"
    session.write_bytes(pickle.dumps(cookies))
    code = desk.code("VIDEO", "REELS")
    before = len(desk.pretend.calls())
    files = desk.instaloader(code, "--login", WALKER, "--sessionfile", str(session))
    assert any(path.suffix == ".mp4" and is_clip(path) for path in files)
    pk = told(files)["pk"]
    assert desk.asked(before) == [
        "GET www.instagram.com/graphql/query",
        "POST www.instagram.com/graphql/query",
        f"GET i.instagram.com/api/v1/media/{pk}/info/",
    ]


def test_instaloader_is_refused_what_nobody_may_see(desk: Desk) -> None:
    for code, says in (("x-age", "Fetching Post metadata failed"), ("x-checkpt", "checkpoint_required")):
        done = desk.run("instaloader", "--no-sleep", "--max-connection-attempts", "1", "--", f"-{code}")
        assert done.returncode != 0
        assert says in done.stderr


def test_yt_dlp_downloads_a_reel_and_prints_its_title(desk: Desk) -> None:
    code = desk.code("VIDEO", "REELS")
    before = len(desk.pretend.calls())
    done = desk.yt_dlp(code)
    assert (done.returncode, done.stdout.strip()) == (0, f"Video by {BAKER}"), done.stderr
    assert is_clip(desk.folder / "reel.mp4")
    ruling = "GET www.instagram.com/api/v1/web/get_ruling_for_content/"
    assert desk.asked(before)[:2] == ["GET www.instagram.com/", ruling]


def test_yt_dlp_downloads_as_a_person(desk: Desk) -> None:
    cookies = cast("dict[str, str]", desk.pretend.post("/sessions", username=WALKER)["cookies"])
    lines = [f".instagram.com\tTRUE\t/\tTRUE\t2000000000\t{name}\t{value}" for name, value in cookies.items()]
    jar = desk.folder / "cookies.txt"
    jar.write_text("\n".join(["# Netscape HTTP Cookie File", *lines, ""]))
    code = desk.code("VIDEO", "REELS")
    before = len(desk.pretend.calls())
    assert desk.yt_dlp(code, "--cookies", str(jar)).returncode == 0
    assert is_clip(desk.folder / "reel.mp4")
    assert [call.partition("/media/")[0] for call in desk.asked(before)] == ["GET www.instagram.com/api/v1"]


def test_yt_dlp_is_told_why_a_post_may_not_be_seen(desk: Desk) -> None:
    done = desk.yt_dlp("x-age")
    assert done.returncode != 0
    assert "Restricted Video" in done.stderr


def test_the_tunnel_leads_nowhere_else(desk: Desk) -> None:
    done = desk.run("yt-dlp", "--compat-options", "no-certifi", "--retries", "0", "https://elsewhere.example/clip.mp4")
    assert done.returncode != 0
    assert desk.tunnel.taken == []
    assert desk.tunnel.refused.pop() == "elsewhere.example:443"
    desk.tunnel.refused.clear()
