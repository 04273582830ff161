"""Whoever moves here keeps their environment: every name of an original is on its page, and those that are taken are taken."""

import re
from base64 import b64encode
from pathlib import Path

import pytest
from pydantic import AliasChoices

from tintype.settings import Settings, load

FOLDER = Path(__file__).parents[2] / "docs" / "moving"
KEY = b64encode(bytes(32)).decode()

# What the originals' own documents name, with a value as somebody there has it.
ORIGINALS: dict[str, dict[str, str]] = {
    "instagram-media-service": {
        "UPSTASH_REDIS_REST_URL": "https://eu1-calm-fox-1.upstash.io",
        "UPSTASH_REDIS_REST_TOKEN": "AX-token",
        "QSTASH_TOKEN": "qstash",
        "QSTASH_CURRENT_SIGNING_KEY": "sig_1",
        "QSTASH_NEXT_SIGNING_KEY": "sig_2",
        "WEBHOOK_BASE_URL": "https://media.example.com/",
        "REDIRECT_URI": "https://media.example.com/instagram-callback",
        "ENCRYPTION_KEY": KEY,
        "SYNC_INTERNAL_SECRET": "sync",
        "PORT": "3000",
        "INSTAGRAM_PHOTOS_TTL_SECONDS": "604800",
        "INSTAGRAM_API_TIMEOUT_MS": "10000",
        "REDIS_KEY_PREFIX": "media:",
        "CLOUDINARY_CLOUD_NAME": "cloud",
        "CLOUDINARY_API_KEY": "key",
        "CLOUDINARY_API_SECRET": "secret",
    },
    "instagram-scrapper": {
        "API_KEY": "key",
        "MAX_URL_LENGTH": "2048",
        "MAX_JSON_BODY_BYTES": "4096",
        "RATE_LIMIT_WINDOW_SECONDS": "60",
        "RATE_LIMIT_MAX_REQUESTS": "30",
        "MAX_MEDIA_AGE_DAYS": "7",
        "MEDIA_CLEANUP_INTERVAL_SECONDS": "3600",
    },
    "sns-backend": {
        "PLATFORM_SECRET_KEY": "a secret of more than thirty-two bytes",
        "INSTAGRAM_APP_ID": "123456789",
        "INSTAGRAM_APP_SECRET": "secret",
        "DATABASE_URL": "postgresql://sns@127.0.0.1/sns",
    },
    "instarecipe": {
        "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1",
        "OPENAI_API_KEY": "key",
        "LLM_MODEL": "small",
        "TANDOOR_SERVER_URL": "https://tandoor.example.com",
        "TANDOOR_API_TOKEN": "tda_1",
    },
    "filestack": {},
}

NAMES = [(page, name) for page, names in ORIGINALS.items() for name in names]


def known() -> dict[str, str]:
    """Return the field behind every environment name that is taken."""
    return {
        str(name): field
        for field, one in Settings.model_fields.items()
        if isinstance(one.validation_alias, AliasChoices)
        for name in one.validation_alias.choices
    }


def test_there_is_a_page_for_each_original() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(ORIGINALS)


@pytest.mark.parametrize("page", ORIGINALS)
def test_a_page_tells_all_that_somebody_has_to_know(page: str) -> None:
    told = re.findall(r"^## (.+)$", (FOLDER / f"{page}.md").read_text(), re.MULTILINE)
    assert [one for one in told if not one.startswith("What to change")] == [
        "What stays the same",
        "Settings",
        "What is different, and why",
        f"Take your {'files' if page == 'filestack' else 'data'} along",
        "Go back",
    ]


@pytest.mark.parametrize(("page", "name"), NAMES)
def test_every_name_of_an_original_stands_in_its_page_and_is_taken(
    page: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert any(f"`{name}`" in row for row in (FOLDER / f"{page}.md").read_text().splitlines() if row.startswith("| "))
    for one, value in ORIGINALS[page].items():
        monkeypatch.setenv(one, value)
    assert known()[name] in load().model_fields_set


@pytest.mark.parametrize("page", ORIGINALS)
def test_every_name_in_a_page_is_one_of_ours_or_of_the_original(page: str) -> None:
    text = (FOLDER / f"{page}.md").read_text()
    named = set(re.findall(r"`([A-Z][A-Z_]{3,})(?:=[^`]*)?`", text))
    assert named - set(known()) - set(ORIGINALS[page]) == set()


def test_an_environment_of_the_media_service_means_what_it_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ORIGINALS["instagram-media-service"].items():
        monkeypatch.setenv(name, value)
    found = load()
    assert (found.address(), found.port) == ("https://media.example.com", 3000)
    assert found.callback() == "https://media.example.com/instagram-callback"
    assert found.redis_address() == "rediss://default:AX-token@eu1-calm-fox-1.upstash.io:6379"


def test_an_environment_of_the_recipe_queue_means_what_it_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ORIGINALS["instarecipe"].items():
        monkeypatch.setenv(name, value)
    found = load()
    assert (found.llm_base_url, found.llm_model) == ("http://127.0.0.1:11434/v1", "small")
    assert found.tandoor_url == "https://tandoor.example.com"
    assert found.tandoor_token is not None
