"""Routes that are reached without a detour: those whose handler takes the request as it is and makes the whole answer.

The framework reads the signature of a handler, and at every request walks all routes, opens four stacks for what handlers may
depend on and passes seven layers, each for something that such a route does not use. What it says of them in OpenAPI, and what it
refuses, is the same either way.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, IntegerConvertor, StringConvertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Message, Receive, Scope, Send

Handler = Callable[..., Awaitable[Response]]
Refuse = Callable[[Request, Exception], Awaitable[Response]]

_SAMPLES = ("1", "x")  # of what a path may end with


class Straight(FastAPI):
    """An app that knows the way to its plain routes; everything else, refusals of paths included, is the framework's."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        route = self._found(scope) if scope["type"] == "http" else None
        if route is None:
            await super().__call__(scope, receive, send)
        else:
            await self._serve(route, scope, receive, send)

    def _found(self, scope: Scope) -> APIRoute | None:
        method, path = scope["method"], scope["path"]
        if (method, path) in self._exact:
            route = self._exact[method, path]
            if route is not None:
                scope.update(route=route, path_params={})
            return route
        beginning, _, end = path.rpartition("/")
        route = self._ending.get((method, beginning))
        if route is None or not end.isascii():
            return None
        match, found = route.matches(scope)
        scope.update(found)
        return route if match is Match.FULL else None

    async def _serve(self, route: APIRoute, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        request, begun = Request(scope, receive, send), False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            response = await cast("Handler", route.endpoint)(request=request, **scope["path_params"])
            await response(scope, receive, noting)
        except Exception as error:
            refuse = None if begun else self._refusing(error)
            if refuse is None:  # a fault of ours: whoever stands around the app answers for it
                raise
            await (await refuse(request, error))(scope, receive, send)

    def _refusing(self, error: Exception) -> Refuse | None:
        handlers = cast("Mapping[Any, Refuse]", self.exception_handlers)
        kinds = (kind for kind in type(error).__mro__ if kind is not Exception)
        return next((handlers[kind] for kind in kinds if kind in handlers), None)

    @cached_property
    def _exact(self) -> Mapping[tuple[str, str], APIRoute | None]:
        """Routes by method and path; None: another one, that the framework finds."""
        found: dict[tuple[str, str], APIRoute | None] = {}
        for route, before in self._ordered():
            if not route.param_convertors:
                for method in route.methods or ():
                    is_hidden = any(_answers(one, method, route.path) for one in before)
                    found.setdefault((method, route.path), route if is_plain(route) and not is_hidden else None)
        return found

    @cached_property
    def _ending(self) -> Mapping[tuple[str, str], APIRoute]:
        """Routes with one parameter, at the end of their path, by method and what stands before it."""
        found: dict[tuple[str, str], APIRoute] = {}
        for route, before in self._ordered():
            beginning, _, end = route.path_format.rpartition("/")
            if [end] != [f"{{{name}}}" for name in route.param_convertors] or not is_plain(route):
                continue
            samples = [f"{beginning}/{sample}" for sample in _SAMPLES]
            for method in route.methods or ():
                if not any(_answers(one, method, sample) for one in before for sample in samples):
                    found[method, beginning] = route
        return found

    def _ordered(self) -> Iterator[tuple[APIRoute, Sequence[BaseRoute]]]:
        """Yield each route with those before it that answer to more than one path."""
        before: list[BaseRoute] = []
        for route in self.routes:
            if isinstance(route, APIRoute):
                yield route, before
            if not isinstance(route, APIRoute) or route.param_convertors:
                before.append(route)


def _answers(route: BaseRoute, method: str, path: str) -> bool:
    if isinstance(route, APIRoute):
        return method in (route.methods or ()) and route.path_regex.match(path) is not None
    return route.matches({"type": "http", "method": method, "path": path, "root_path": ""})[0] is not Match.NONE


def is_plain(route: APIRoute) -> bool:
    """Tell whether a route's handler takes the request, and what stands in the path, and makes the whole answer."""
    signature = inspect.signature(route.endpoint)
    taken = {name: one.annotation for name, one in signature.parameters.items()}
    named = {name: _READ.get(type(convertor)) for name, convertor in route.param_convertors.items()}
    made = signature.return_annotation
    makes = inspect.iscoroutinefunction(route.endpoint) and inspect.isclass(made) and issubclass(made, Response)
    return makes and taken == {"request": Request, **named} and not route.dependencies


# What a handler gets of a path without the framework's reading it once more.
_READ: Mapping[type[Convertor[Any]], type] = {StringConvertor: str, IntegerConvertor: int}
