"""An endpoint that is not sent to any more: its owners get a letter, once, also when the mail server was away."""

import asyncio
from typing import Any

from tests.core.webhooks.desk import LINK, receiving
from tests.mail_server import mail_server
from tests.walks.stage import Stage, staged
from tintype.backends.engine import JobState
from tintype.core.webhooks import Happening

OWNER = {"email": "owner@example.com", "password": "Correct-h0rse"}


async def test_owners_learn_that_an_endpoint_is_disabled() -> None:
    async with receiving() as receiver, mail_server() as server:
        receiver.answers["/hook?token=hidden"] = ("410 Gone",)
        given: dict[str, Any] = {
            "outbound_allow": receiver.remote.place,
            "smtp_url": f"smtp://127.0.0.1:{server.port}",
            "smtp_from": "tintype@example.com",
        }
        async with staged(**given) as stage:
            said = (await stage.http.post("/api/auth/register", json=OWNER)).raise_for_status().json()
            headers = {"Authorization": f"Bearer {said['access_token']}"}
            wish = {"url": f"{receiver.url('/hook')}?token=hidden", "events": ["all"]}
            made = (await stage.http.post("/api/webhooks", json=wish, headers=headers)).raise_for_status().json()
            assert await _written(stage) == 0

            server.refusals.append("451 later")
            happening = Happening(said["user"]["workspace_id"], None, "fp.upload", LINK, stage.clock())
            await stage.house.picking.hooks.outbox.tell(happening)
            await _disabled(stage, made["id"], headers)
            assert await _written(stage) == 0
            assert [await _written(stage), await _written(stage)] == [1, 0]

            (letter,) = server.letters
            assert letter["To"] == OWNER["email"]
            text = letter.get_content()
            assert f"/console/webhooks/{made['id']}" in text
            assert "410 Gone" in text
            assert "hidden" not in str(letter)

            resumed = await stage.http.post(f"/api/webhooks/{made['id']}/resume", json={}, headers=headers)
            assert resumed.status_code == 200, resumed.text
            await stage.house.picking.hooks.outbox.tell(happening)
            await _disabled(stage, made["id"], headers)
            assert await _written(stage) == 1, "it was disabled once more"


async def _disabled(stage: Stage, endpoint_id: str, headers: dict[str, str]) -> None:
    async with asyncio.timeout(30):
        while True:
            shown = (await stage.http.get(f"/api/webhooks/{endpoint_id}", headers=headers)).json()
            if shown["state"] == "disabled":
                return
            await asyncio.sleep(0.05)


async def _written(stage: Stage) -> object:
    engine = stage.house.backends.engine
    outcome = await engine.outcome(await engine.enqueue("webhooks.letters"), wait=30)
    assert outcome.state is JobState.DONE
    return outcome.result["written"]
