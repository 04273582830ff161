"""What holds for every test: patience where the product has little, none where it has much, and passwords that are cheap.

How fast an example is found is no matter here, speed is measured in `bench/`.
"""

import gc
import re
from types import ModuleType

import pytest
from argon2 import profiles
from hypothesis import settings

from tintype.api.feed import shelf
from tintype.backends import engine_durable, redis
from tintype.core.access import passwords

# A machine that tests keep busy stalls for seconds, which the product takes for "away". It also looks at its queue rarely,
# and makes a password dear.
_OURS: tuple[tuple[ModuleType, str, object], ...] = (
    (redis, "PATIENCE_SECONDS", 30.0),
    (shelf, "PATIENCE_SECONDS", 30.0),
    (engine_durable, "POLLING_SECONDS", 0.1),
    (passwords, "PARAMETERS", profiles.CHEAPEST),
)
_SOLD = tuple((module, name, getattr(module, name)) for module, name, _ in _OURS)

for _module, _name, _value in _OURS:
    setattr(_module, _name, _value)

settings.register_profile("house", deadline=None)
settings.load_profile("house")


_LONG = re.compile(r"tests/(walks|browser|cli|house)/|_browser\.py$")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that at the end nobody waits for a worker that is alone with one."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not _LONG.search(item.path.as_posix()))


def pytest_collection_finish() -> None:
    """Let nobody look through what was collected again and again: thousands of tests, and all that they import."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def as_sold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's own numbers, for a test that is about them."""
    for module, name, value in _SOLD:
        monkeypatch.setattr(module, name, value)
