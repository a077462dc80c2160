"""The OpenAI client under OpenTelemetry's own instrumentation, which puts messages into log records.

It is `opentelemetry-instrumentation-genai-openai`. Where that is not installed (see
`older/openai-official.txt`) it is `opentelemetry-instrumentation-openai-v2`, which came before it and
makes a log record of each message.
"""

import os

try:
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    service, capture = "openai-official", "event_only"
except ImportError:
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    service, capture = "openai-official-older", "true"

import weather_chat
from telemetry import Telemetry


def main():
    os.environ.setdefault("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", capture)
    telemetry = Telemetry(service)
    OpenAIInstrumentor().instrument(tracer_provider=telemetry.tracers, logger_provider=telemetry.loggers)
    chat = weather_chat.client()
    with telemetry.tracers.get_tracer("weather").start_as_current_span("weather request"):
        weather_chat.ask_with_tools(chat)
    telemetry.flush()

    weather_chat.ask_streamed(chat)
    weather_chat.ask_overloaded(chat)
    weather_chat.embed(chat)
    telemetry.finish(**weather_chat.EXPECTED)


main()
