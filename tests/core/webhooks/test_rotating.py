"""Secrets and keys that take the place of others: who had the earlier one loses nothing meanwhile."""

import asyncio
from dataclasses import replace
from datetime import datetime

from standardwebhooks import WebhookVerificationError

from tests.backends.remote import Asked
from tests.core.webhooks.desk import HOUR, MINUTE, Desk, filestack_takes, standard_takes
from tintype.backends.vault import Key, Vault, new_key
from tintype.core.webhooks import Issued, Progress
from tintype.errors import Conflict


async def test_two_secrets_sign_for_a_day_after_a_rotation(desk: Desk) -> None:
    first = await desk.add()
    second = await desk.webhooks.rotate(desk.scope, first.endpoint.id)
    assert second.secret != first.secret
    desk.receiver.answers["/hook"] = ("500 Oops",)
    await desk.tell()
    await desk.deliver()
    await desk.deliver(5 * MINUTE)
    new, old = desk.receiver.arrived()
    for asked in (new, old):
        for issued in (first, second):
            assert standard_takes(issued.secret, asked, desk.now)
    assert filestack_takes(second.secret, new)
    assert filestack_takes(first.secret, old), "who has only the earlier secret gets it with the next attempt"
    await desk.deliver(25 * HOUR)
    assert standard_takes(second.secret, desk.receiver.arrived()[-1], desk.now)
    assert filestack_takes(second.secret, desk.receiver.arrived()[-1])
    assert len(desk.receiver.arrived()[-1].headers["webhook-signature"].split()) == 2  # v1 and v1a


def takes(secret: str, asked: Asked, at: datetime) -> bool:
    """Tell whether the official verifier takes a request with this secret."""
    try:
        return bool(standard_takes(secret, asked, at))
    except WebhookVerificationError:
        return False


async def test_of_two_rotations_at_once_no_secret_is_given_out_that_never_signs(desk: Desk) -> None:
    for path in ("/one", "/two", "/three", "/four", "/five"):
        first = await desk.add(path)
        rotations = (desk.webhooks.rotate(desk.scope, first.endpoint.id) for _ in range(2))
        found = await asyncio.gather(*rotations, return_exceptions=True)
        assert all(isinstance(one, Issued | Conflict) for one in found)
        given = {one.secret for one in found if isinstance(one, Issued)}
        await desk.tell()
        await desk.deliver()
        asked = desk.receiver.arrived(path)[0]
        signing = {secret for secret in (first.secret, *given) if takes(secret, asked, desk.now)}
        assert len(signing) == 2, "the present one, and the one before it for a day"
        assert given
        assert given <= signing


async def test_a_new_key_of_the_vault_opens_and_seals_all_secrets_anew(desk: Desk) -> None:
    issued = await desk.add()
    await desk.webhooks.rotate(desk.scope, issued.endpoint.id)
    before, webhooks = desk.webhooks.vault.current, desk.webhooks
    vault = Vault(Key.of(new_key()), (before,))
    turned = replace(webhooks, vault=vault, tries=replace(webhooks.tries, vault=vault))
    assert await turned.rotate_vault() == 3  # the secret, the one before, and the key pair
    assert await turned.rotate_vault() == 0
    desk.webhooks = replace(turned, vault=Vault(vault.current), tries=replace(turned.tries, vault=Vault(vault.current)))
    await desk.tell()
    assert await desk.deliver() == [Progress.DELIVERED]
    assert standard_takes(issued.secret, desk.receiver.arrived()[0], desk.now)
