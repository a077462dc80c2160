"""The OpenAI client under OpenLLMetry's instrumentation (`opentelemetry-instrumentation-openai`)."""

from opentelemetry.instrumentation.openai import OpenAIInstrumentor

import weather_chat
from telemetry import Telemetry


def main():
    telemetry = Telemetry("openllmetry-openai")
    OpenAIInstrumentor().instrument(tracer_provider=telemetry.tracers)
    chat = weather_chat.client()
    with telemetry.tracers.get_tracer("weather").start_as_current_span("weather request"):
        weather_chat.ask_with_tools(chat)
    telemetry.flush()

    weather_chat.ask_streamed(chat)
    weather_chat.ask_overloaded(chat)
    weather_chat.embed(chat)
    telemetry.finish(**weather_chat.EXPECTED)


main()
