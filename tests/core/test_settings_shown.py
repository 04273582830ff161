"""What the System page and the log know of addresses that hold a password: everything but that."""

import pytest

from tintype.cli.opening import secrets_of
from tintype.settings import environment_name, load
from tintype.settings.shown import shown

PLANTED = "pl4nted-w0rd"
STORES = f'{{"S3": "s3://key:{PLANTED}@bucket/prefix", "azure": "file:///srv"}}'


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("database_url", f"postgresql://me:{PLANTED}@db:5433/x", "postgresql://me:…@db:5433/x"),
        ("database_url", f"postgresql://db/x?user=me&password={PLANTED}", "postgresql://db/x?user=me&password=…"),
        ("database_url", f"postgresql://db/x?sslpassword={PLANTED}&a=b", "postgresql://db/x?sslpassword=…&a=b"),
        ("database_url", "postgresql://me@db:5433/x?sslmode=require", "postgresql://me@db:5433/x?sslmode=require"),
        ("storages", STORES, "{'S3': 's3://key:…@bucket/prefix', 'azure': 'file:///srv'}"),
        ("llm_base_url", f"http://me:{PLANTED}@[::1]:11434/v1", "http://me:…@[::1]:11434/v1"),
    ],
)
def test_an_address_is_shown_without_its_password_and_the_log_masks_it(field: str, given: str, said: str) -> None:
    settings = load(**{field: given})
    found = {one.name: one.value for one in shown(settings, {})}
    assert found[field.upper()] == said
    assert environment_name(field) == field.upper()
    assert (PLANTED in secrets_of(settings)) is (PLANTED in given)


@pytest.mark.parametrize(
    ("field", "given"),
    [("redis_url", f"rediss://default:{PLANTED}@redis:6379"), ("smtp_url", f"smtps://me:{PLANTED}@mail.example:465")],
)
def test_of_an_address_that_is_hidden_the_password_alone_is_masked_as_well(field: str, given: str) -> None:
    assert {given, PLANTED} <= set(secrets_of(load(**{field: given})))
