"""How the house itself stands: its parts, the ways to public posts, its jobs, its storage and its settings."""

import asyncio
import time
from dataclasses import dataclass

from fastapi import FastAPI, Request
from starlette.responses import Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import back
from tintype.api.health import SECONDS, Part
from tintype.errors import Trouble

PLACE = "/console/system"


@dataclass(frozen=True, slots=True)
class State:
    """How one part answered: in so many milliseconds, or with a problem."""

    name: str
    problem: str | None
    milliseconds: float


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""

    @app.get(PLACE)
    async def system(request: Request) -> Response:
        """Show everything that an operator asks first."""
        visit = await desk.door.visit(request)
        visit.must_operate()
        states = await asyncio.gather(*(_asked(part) for part in desk.parts))
        kept, left = await desk.storage()
        return desk.door.page(
            visit,
            "system.html",
            states=states,
            ways=await desk.ways(),
            jobs=await desk.jobs.recent(),
            kept=kept,
            left=left,
            settings=desk.settings,
            done=request.query_params.get("done", ""),
        )

    @app.post(PLACE + "/jobs/{job_id}/{verb}")
    async def change(job_id: str, verb: str, request: Request) -> Response:
        """Try a job again, or call it off."""
        visit, _ = await desk.door.form(request)
        visit.must_operate()
        if verb == "retry":
            await desk.jobs.retry(job_id)
        else:
            await desk.jobs.cancel(job_id)
        await desk.door.note(visit, f"job.{'retried' if verb == 'retry' else 'cancelled'}", job_id)
        return back(PLACE, verb)


async def _asked(part: Part) -> State:
    began = time.perf_counter()
    problem = await _problem(part)
    return State(part.name, problem, (time.perf_counter() - began) * 1000)


async def _problem(part: Part) -> str | None:
    try:
        async with asyncio.timeout(SECONDS):
            await part.check()
    except TimeoutError:
        return f"did not answer within {SECONDS:.0f} s"
    except Trouble as trouble:
        return trouble.message
    return None
