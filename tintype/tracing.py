"""Traces for OpenTelemetry: one span for each request, job and call to others. The extra `otel` brings what sends them.

Without OTEL_EXPORTER_OTLP_ENDPOINT nothing is loaded, and a span costs one comparison.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from tintype.errors import Misconfigured

Kind = Literal["server", "client", "internal"]

_tracer: Any = None
_provider: Any = None


def begin(endpoint: str | None, version: str) -> None:
    """Send traces to this address from now on; None: none.

    Raises `Misconfigured` when the extra is missing.
    """
    global _tracer, _provider  # of the process, as the logs are
    if endpoint is None or _provider is not None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise Misconfigured("OTEL_EXPORTER_OTLP_ENDPOINT needs the extra: pip install 'tintype[otel]'") from None
    _provider = TracerProvider(resource=Resource.create({"service.name": "tintype", "service.version": version}))
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    _tracer = _provider.get_tracer("tintype", version)


def end() -> None:
    """Send what is left, and no more."""
    global _tracer, _provider  # as above
    provider, _tracer, _provider = _provider, None, None
    if provider is not None:
        provider.shutdown()


@contextmanager
def span(name: str, kind: Kind = "internal", attributes: Mapping[str, str | int] | None = None) -> Generator[Any]:
    """Open a span inside the present one; yields it, or None when nobody traces.

    Attributes are ids and names: no address with a query, no header and no body ever stands in one.
    """
    if _tracer is None:
        yield None
        return
    from opentelemetry.trace import SpanKind

    with _tracer.start_as_current_span(name, kind=SpanKind[kind.upper()], attributes=dict(attributes or {})) as opened:
        yield opened
