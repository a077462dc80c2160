"""What the programs here share: OpenTelemetry set up as the environment says, and its end.

OTEL_EXPORTER_OTLP_ENDPOINT says where to send to, OTEL_EXPORTER_OTLP_PROTOCOL how: `http/protobuf`
(if it is not set) or `grpc`.
"""

import json
import os

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


class TraceIds(SpanProcessor):
    """Remembers the trace of each span that started, in order and once."""

    def __init__(self):
        self.seen = {}

    def on_start(self, span, parent_context=None):
        self.seen[f"{span.get_span_context().trace_id:032x}"] = None


class Telemetry:
    """The providers of one program. Nothing else is detected about the machine it runs on."""

    def __init__(self, service: str):
        spans, logs = exporters()
        resource = Resource(
            {
                "telemetry.sdk.language": "python",
                "telemetry.sdk.name": "opentelemetry",
                "service.name": service,
                "service.version": "1.0.0",
            }
        )
        self.trace_ids = TraceIds()
        self.tracers = TracerProvider(resource=resource)
        self.tracers.add_span_processor(self.trace_ids)
        self.tracers.add_span_processor(BatchSpanProcessor(spans))
        self.loggers = LoggerProvider(resource=resource)
        self.loggers.add_log_record_processor(BatchLogRecordProcessor(logs))
        trace.set_tracer_provider(self.tracers)
        set_logger_provider(self.loggers)

    def flush(self) -> None:
        """Sends what is there, so that what follows is a request of its own."""
        self.tracers.force_flush()
        self.loggers.force_flush()

    def finish(self, **expected) -> None:
        """Sends what is left, then prints what a reader of the server should find."""
        self.flush()
        self.tracers.shutdown()
        self.loggers.shutdown()
        print(json.dumps({"traceIds": list(self.trace_ids.seen), **expected}))


def exporters():
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    elif protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    else:
        raise SystemExit(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}: http/protobuf or grpc")
    return OTLPSpanExporter(), OTLPLogExporter()
