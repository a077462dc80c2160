"""The smallest agent that shows up in Dendro: pydantic-ai under OpenTelemetry, with its test model, which needs
neither a key nor a network. Put a real model in its place, and everything else stays.

    pip install pydantic-ai-slim opentelemetry-exporter-otlp-proto-http
    export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
    python3 examples/otel_agent.py
"""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

# To see spans from their start, add the LiveSpans of live_spans.py beside this processor.
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
Agent.instrument_all()

model = TestModel(custom_output_text="No: the sky over Graz is clear.")
agent = Agent(model, name="umbrella", instructions="Answer in one sentence.")


@agent.tool_plain
def weather(city: str) -> dict:
    """The weather in a city now."""
    return {"city": city, "sky": "clear"}


print(agent.run_sync("Do I need an umbrella in Graz?").output)
provider.shutdown()  # Sends what still waits.
