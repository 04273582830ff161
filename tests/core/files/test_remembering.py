"""Apps in memory: an old one never comes back after a change, however the two cross."""

from dataclasses import replace
from datetime import UTC, datetime

from tintype.core.files import PickerApp
from tintype.core.files.app_records import SealedApp
from tintype.core.files.remembering import MOST, Remembered

OLD = SealedApp(PickerApp("1", 1, "w", "k", "shop", datetime(2026, 1, 1, tzinfo=UTC)), b"", None, None)
NEW = replace(OLD, app=replace(OLD.app, secure_reads=True))


def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    known = Remembered()
    since = known.forgotten
    known.forget("w")
    known.keep(OLD, since)
    assert known.by_key("k") is None
    known.keep(NEW, known.forgotten)
    known.keep(OLD, known.forgotten)
    assert known.by_key("k") is known.by_id("1") is NEW


def test_only_what_was_changed_is_forgotten_and_only_so_much_is_kept() -> None:
    known = Remembered()
    for number in range(MOST + 5):
        app = replace(OLD.app, id=str(number), key=f"k{number}", workspace_id=f"w{number % 2}")
        known.keep(replace(OLD, app=app), known.forgotten)
    assert known.by_id("0") is None
    assert known.by_key(f"k{MOST}") is not None
    known.forget("w0")
    assert known.by_key(f"k{MOST}") is None
    assert known.by_key(f"k{MOST + 1}") is not None
