"""/api/notifications: browsers that want to be told of the queue."""

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from tintype.api.dialect import read_body, takes
from tintype.api.queue.desk import QueueDesk

KEY = "/api/notifications/vapid-key"
SUBSCRIBE = "/api/notifications/subscribe"

_PER_MINUTE = 60  # subscriptions of one address: a family behind one, and a page that is reloaded


class Keys(BaseModel):
    """What a message is encrypted for, in base64url."""

    p256dh: str = Field(max_length=200, description="The browser's public key: a point on P-256.")
    auth: str = Field(max_length=100, description="The browser's secret: 16 bytes.")


class SubscriptionBody(BaseModel):
    """What a browser's PushSubscription gives as JSON."""

    endpoint: str = Field(max_length=2048, description="Where the browser's push service takes messages for it.")
    keys: Keys


class SubscribeRequest(BaseModel):
    """Body of POST /api/notifications/subscribe."""

    subscription: SubscriptionBody
    clientId: str = Field(min_length=1, max_length=200, description="A name that the browser gives itself.")  # noqa: N815 - the document's


class UnsubscribeRequest(BaseModel):
    """Body of DELETE /api/notifications/subscribe."""

    clientId: str = Field(min_length=1, max_length=200, description="The name it subscribed with.")  # noqa: N815 - the document's


def add(app: FastAPI, desk: QueueDesk) -> None:
    """Add the routes."""

    @app.get(KEY)
    async def key(request: Request) -> Response:
        """Return the key that a browser subscribes with: the same string under both names."""
        desk.gate.check(request)
        public = (await desk.notifier.key()).public
        return JSONResponse({"publicKey": public, "applicationServerKey": public})

    @app.post(SUBSCRIBE, openapi_extra=takes(SubscribeRequest))
    async def subscribe(request: Request) -> Response:
        """Tell this browser of every recipe that comes to an end; the same client again replaces its subscription."""
        desk.gate.check(request)
        await desk.limiter.check(request, "push-subscriptions", _PER_MINUTE)
        body = await read_body(request, SubscribeRequest)
        given = body.subscription
        count = await desk.notifier.subscribe(body.clientId, given.endpoint, given.keys.p256dh, given.keys.auth)
        return _counted("Successfully subscribed to push notifications", count)

    @app.delete(SUBSCRIBE, openapi_extra=takes(UnsubscribeRequest))
    async def unsubscribe(request: Request) -> Response:
        """Tell this browser of nothing any more; one that is not known is no mistake."""
        desk.gate.check(request)
        body = await read_body(request, UnsubscribeRequest)
        count = await desk.notifier.unsubscribe(body.clientId)
        return _counted("Successfully unsubscribed from push notifications", count)


def _counted(message: str, count: int) -> Response:
    return JSONResponse({"success": True, "message": message, "subscriptionCount": count})
