"""Makes an OpenTelemetry agent live: sends each span to Dendro when it STARTS. The usual exporter sends its
end, which takes the start's place. Copy `LiveSpans`, and add it to your provider beside that exporter.

    pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
    python3 examples/live_spans.py http://127.0.0.1:4318

runs an agent that is slow enough to watch: in GraphiQL, open "Follow live", "Spans of a trace".
"""

import json
import os
import queue
import sys
import threading
import time
import urllib.request

from opentelemetry import context
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider


class LiveSpans(SpanProcessor):
    """Tells Dendro of spans that begin, over a small queue. Where it is full, or Dendro is not there, a
    start is left out: that span is seen when it ends. The agent neither waits nor fails."""

    def __init__(self, endpoint=None):
        endpoint = endpoint or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
        self.url = endpoint.rstrip("/") + "/v1/traces"
        self.begun = queue.Queue(maxsize=1000)
        threading.Thread(target=self.send, daemon=True).start()

    def on_start(self, span, parent_context=None):
        if span.get_span_context().trace_flags.sampled:
            try:
                self.begun.put_nowait((span, dict(span.attributes)))
            except queue.Full:
                pass

    def send(self):
        context.attach(context.set_value("suppress_instrumentation", True))  # No spans of these requests.
        while True:
            batch = [self.begun.get()]
            while not self.begun.empty() and len(batch) < 100:
                batch.append(self.begun.get())
            try:
                starts = [start(span, attributes) for span, attributes in batch if span.is_recording()]
                body = json.dumps({"resourceSpans": starts}).encode()
                request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
                urllib.request.urlopen(request, timeout=5).close()
            except Exception:
                pass


def start(span, attributes):
    """A span that has begun, in OTLP's JSON. That it has no end says that it is running."""
    ids = span.get_span_context()
    begun = {
        "traceId": f"{ids.trace_id:032x}",
        "spanId": f"{ids.span_id:016x}",
        "parentSpanId": f"{span.parent.span_id:016x}" if span.parent else "",
        "name": span.name,
        "kind": span.kind.value + 1,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": "0",
        "attributes": pairs(attributes),
    }
    scope = {"name": span.instrumentation_scope.name, "version": span.instrumentation_scope.version}
    resource = {"attributes": pairs(span.resource.attributes)}
    return {"resource": resource, "scopeSpans": [{"scope": scope, "spans": [begun]}]}


def pairs(attributes):
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def any_value(value):
    if isinstance(value, (list, tuple)):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue"}
    kind = kinds.get(type(value), "stringValue")
    return {kind: value if kind == "boolValue" else str(value)}


# An agent to watch. What is known when a span starts is given to it then, so that it is seen at once.


def work(tracer, pace):
    def span(operation, name, attributes):
        attributes |= {"gen_ai.operation.name": operation, "gen_ai.conversation.id": "live-example"}
        return tracer.start_as_current_span(f"{operation} {name}", attributes=attributes)

    def chat(said, answer, tokens):
        model = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini"}
        with span("chat", "gpt-4o-mini", {**model, "gen_ai.input.messages": json.dumps(said)}) as call:
            time.sleep(pace)
            call.set_attribute("gen_ai.output.messages", json.dumps([answer]))
            call.set_attribute("gen_ai.usage.input_tokens", tokens[0])
            call.set_attribute("gen_ai.usage.output_tokens", tokens[1])

    def message(role, part):
        return {"role": role, "parts": [part]}

    asked = message("user", {"type": "text", "content": "Do I need an umbrella in Graz?"})
    city, sky = {"city": "Graz"}, {"sky": "clear"}
    called = message("assistant", {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": city})
    result = message("tool", {"type": "tool_call_response", "id": "call_1", "response": sky})
    answer = message("assistant", {"type": "text", "content": "No: the sky over Graz is clear."})

    with span("invoke_agent", "umbrella", {"gen_ai.agent.name": "umbrella"}) as agent:
        print(f"trace   {agent.get_span_context().trace_id:032x}", flush=True)
        chat([asked], called, (96, 12))
        tool = {"gen_ai.tool.name": "weather", "gen_ai.tool.call.id": "call_1"}
        with span("execute_tool", "weather", {**tool, "gen_ai.tool.call.arguments": json.dumps(city)}) as call:
            time.sleep(pace)
            call.set_attribute("gen_ai.tool.call.result", json.dumps(sky))
        chat([asked, called, result], answer, (131, 11))


def main(endpoint=None, pace="2"):
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if endpoint:
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
    provider = TracerProvider()
    provider.add_span_processor(LiveSpans())
    # Ends are sent five seconds late where nothing is said.
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=200))
    work(provider.get_tracer("live-example"), float(pace))
    provider.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
