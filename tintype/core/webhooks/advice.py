"""What to do about a delivery that did not arrive, in a sentence for whoever wrote the receiver."""

from tintype.core.webhooks.model import Answer

REASONS = {
    "blocked": "The address leads to a place that is not called: make it public, or list it in OUTBOUND_ALLOW.",
    "timeout": "No answer in time: answer 200 at once, and do the work afterwards.",
    "dns": "The host's name has no address: look for a mistyped name.",
    "tls": "The encrypted connection failed: look at the certificate, its name and its chain.",
    "connect": "Nobody listens at that address: start the receiver, or open its port.",
    "broken": "The connection broke off, or what came was no HTTP: look at the receiver's log.",
}
_CLIENT = {
    401: "The receiver wants credentials: leave this path open, the signature is the proof.",
    403: "The receiver refuses: leave this path open to POST without a session or CSRF token.",
    404: "The receiver knows no such path: compare the address with its routes.",
    405: "The receiver does not take POST at this path.",
    410: "410 says that the endpoint is gone for good, so it is not sent to any more.",
    413: "The receiver takes only smaller bodies.",
    415: "The receiver wants another type: messages are application/json.",
    429: "The receiver is asked too often: it is tried again later, and a Retry-After is heeded.",
}
_SIGNATURE = (
    "If the signature is what it refuses: check it over the body's raw bytes, before any JSON is parsed, with the whole "
    "secret for FS-Signature and with the bytes behind whsec_ for webhook-signature."
)


def advice(answer: Answer) -> str | None:
    """Return what to do; None where all is well."""
    status = answer.status
    if status is None:
        return REASONS.get(answer.reason or "", REASONS["broken"])
    if status // 100 == 2:
        return None
    if status // 100 == 3:
        place = answer.headers.get("location")
        return f"It answered {status}, which is not followed" + (f": put {place} in instead." if place else ".")
    if status in (400, 401, 403):
        return " ".join(filter(None, (_CLIENT.get(status), _SIGNATURE)))
    if status in _CLIENT:
        return _CLIENT[status]
    return f"It answered {status}: look at the receiver's log." if status < 600 else REASONS["broken"]
