"""The way without a detour leads to the same answers as the framework's own."""

from typing import Annotated

import httpx2
import pytest
from fastapi import FastAPI, Query, Request
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tintype.api.dialect import build
from tintype.api.social.dialect import SOCIAL
from tintype.errors import NotFound

QUESTIONS = [
    ("GET", "/plain"),
    ("POST", "/plain"),
    ("DELETE", "/plain"),
    ("OPTIONS", "/plain"),
    ("GET", "/plain/"),
    ("GET", "/query?limit=7"),
    ("GET", "/query?limit=x"),
    ("GET", "/away"),
    ("GET", "/range"),
    ("GET", "/things/7"),
    ("GET", "/things/x"),
    ("GET", "/things/all"),
    ("GET", "/things/7/more"),
    ("PATCH", "/things/7"),
    ("PUT", "/things/7"),
    ("GET", "/names/a-b.c"),
    ("GET", "/names/all"),
    ("GET", "/names/late"),
    ("GET", "/names/%C3%A4"),
    ("GET", "/names/a%2Fb"),
    ("GET", "/names/"),
    ("GET", "/wide/a/b"),
    ("GET", "/wide/a"),
    ("GET", "/nowhere"),
]
STRAIGHT = [
    ("GET", "/plain"),
    ("POST", "/plain"),
    ("GET", "/away"),
    ("GET", "/things/all"),
    ("GET", "/things/7"),
    ("PATCH", "/things/7"),
    ("GET", "/names/a-b.c"),
]


def made() -> FastAPI:
    app = build(SOCIAL, version="1")
    _places(app)
    _things(app)
    _names(app)
    return app


def shown(request: Request, **more: object) -> JSONResponse:
    return JSONResponse({"path": request.url.path, "params": request.path_params, **more}, 201)


def _places(app: FastAPI) -> None:
    @app.get("/plain")
    @app.post("/plain")
    async def plain(request: Request) -> Response:
        return shown(request)

    @app.get("/query")
    async def query(request: Request, limit: Annotated[int, Query()] = 1) -> Response:
        return shown(request, limit=limit)

    @app.get("/away")
    async def away(request: Request) -> Response:
        raise NotFound(f"nothing at {request.url.path}")

    @app.get("/range")
    async def outside(request: Request) -> Response:
        raise HTTPException(416, "outside", {"Content-Range": f"bytes */{len(request.url.path)}"})

    @app.get("/broken")
    async def broken(request: Request) -> Response:
        raise ZeroDivisionError(request.url.path)

    del plain, query, away, outside, broken


def _things(app: FastAPI) -> None:
    @app.get("/things/all")
    async def things(request: Request) -> Response:
        return shown(request, all=True)

    @app.get("/things/{number:int}")
    async def thing(request: Request, number: int) -> Response:
        return shown(request, number=number)

    @app.patch("/things/{number:int}")
    async def change(request: Request, number: int) -> Response:
        return shown(request, changed=number)

    del things, thing, change


def _names(app: FastAPI) -> None:
    @app.get("/names/all")
    async def names(limit: Annotated[int, Query()] = 1) -> Response:
        return JSONResponse({"all": limit})

    @app.get("/names/{name}")
    async def name(request: Request, name: str) -> Response:
        return shown(request, name=name)

    @app.get("/names/late")
    async def late(request: Request) -> Response:
        return shown(request, late=True)

    @app.get("/wide/{rest:path}")
    async def wide(request: Request, rest: str) -> Response:
        return shown(request, rest=rest)

    @app.get("/wide/{one}")
    async def narrow(request: Request, one: str) -> Response:
        return shown(request, one=one)

    del names, name, late, wide, narrow


async def asked(app: FastAPI, method: str, path: str, *, detour: bool) -> httpx2.Response:
    async def around(scope: Scope, receive: Receive, send: Send) -> None:
        await (FastAPI.__call__(app, scope, receive, send) if detour else app(scope, receive, send))

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(around), base_url="http://here") as client:
        return await client.request(method, path)


@pytest.mark.parametrize(("method", "path"), QUESTIONS)
async def test_both_ways_give_the_same_answer(method: str, path: str) -> None:
    app = made()
    straight, around = [await asked(app, method, path, detour=detour) for detour in (False, True)]
    assert (straight.status_code, straight.content) == (around.status_code, around.content)
    assert straight.headers.raw == around.headers.raw


@pytest.mark.parametrize("detour", [False, True])
async def test_a_fault_reaches_whoever_stands_around(detour: bool) -> None:
    with pytest.raises(ZeroDivisionError):
        await asked(made(), "GET", "/broken", detour=detour)


@pytest.mark.parametrize(("method", "path"), STRAIGHT)
async def test_the_framework_is_not_asked_where_it_has_nothing_to_do(
    method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(FastAPI, "__call__")
    monkeypatch.delattr(Starlette, "__call__")
    assert (await asked(made(), method, path, detour=False)).status_code in (201, 404)
