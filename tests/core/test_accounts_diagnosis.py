"""The connect doctor's rules: what messages mean, and what can be seen without asking anybody."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.accounts import CAUSES, diagnose, look
from tintype.instagram import App, Login

SAID = {
    "@baker is a personal account; Instagram gives apps only business and creator accounts": "personal_account",
    "(#10) Application does not have permission for this action": "missing_scope",
    "Insufficient Developer Role: Insufficient developer role": "tester_role",
    "App not active: This app is not accessible right now": "development_mode",
    "Error validating verification code. Please make sure your redirect_uri is identical": "wrong_redirect",
    "Invalid redirect_uri": "wrong_redirect",
    "Error validating client secret.": "wrong_secret",
    "Invalid platform app": "wrong_app",
    "This authorization code has been used.": "code_used",
    "Instagram did not connect the account: user_denied; begin again to retry": "refused",
    "this answer belongs to a connection begun in another browser; begin again here": "other_browser",
    "Error validating access token: The session has been invalidated because the user changed their password": "password_changed",
    "Error validating access token: Session has expired on Friday": "token_expired",
    "The user has not authorized application 123": "app_removed",
    "Page requires Two Factor Authentication, user also needs to enable Two Factor Authentication": "two_factor",
    "(#4) Application request limit reached": "rate_limited",
    "User is a checkpointed user and needs to confirm": "checkpoint",
    "there is no Instagram app for this login": "no_app",
}  # fmt: skip


@pytest.mark.parametrize("message", SAID)
def test_what_a_message_means_is_among_the_first_two(message: str) -> None:
    assert SAID[message] in [cause.name for cause in diagnose(message)[:2]]


def test_every_cause_has_a_name_of_its_own_and_a_next_step() -> None:
    assert len({cause.name for cause in CAUSES}) == len(CAUSES) >= 20
    assert all(cause.next_step.endswith(".") and cause.said for cause in CAUSES)


@given(st.text())
def test_any_words_are_read(message: str) -> None:
    assert len(diagnose(message)) <= 3


def test_settings_are_looked_at() -> None:
    def names(apps: Sequence[App], address: str) -> Sequence[str]:
        return [one.cause.name for one in look(apps, address, ())]

    app = App(Login.INSTAGRAM_LOGIN, "123456789012345", "secret")
    assert names((), "https://a.example/instagram-callback") == ["no_app"]
    assert names((app,), "http://a.example/instagram-callback") == ["not_https"]
    assert names((app,), "http://localhost:8000/instagram-callback") == []
    assert names((App(Login.INSTAGRAM_LOGIN, "my-app", "secret"),), "https://a.example/x") == ["wrong_app"]
