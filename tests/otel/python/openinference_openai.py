"""The OpenAI client under OpenInference's instrumentation, with its session, user and prompt template."""

from openinference.instrumentation import using_attributes, using_prompt_template
from openinference.instrumentation.openai import OpenAIInstrumentor
from openinference.semconv.trace import OpenInferenceSpanKindValues as Kind
from openinference.semconv.trace import SpanAttributes

import weather_chat
from telemetry import Telemetry

SESSION = "session-openinference-1"
USER = "user-7"


def main():
    telemetry = Telemetry("openinference-openai")
    OpenAIInstrumentor().instrument(tracer_provider=telemetry.tracers)
    tracer = telemetry.tracers.get_tracer("weather")
    chat = weather_chat.client()

    def run_tool(city: str) -> str:
        with tracer.start_as_current_span("weather") as span:
            span.set_attributes(
                {
                    SpanAttributes.OPENINFERENCE_SPAN_KIND: Kind.TOOL.value,
                    SpanAttributes.TOOL_NAME: "weather",
                    SpanAttributes.TOOL_PARAMETERS: f'{{"city": "{city}"}}',
                    SpanAttributes.INPUT_VALUE: city,
                    SpanAttributes.OUTPUT_VALUE: (result := weather_chat.weather(city)),
                    SpanAttributes.OUTPUT_MIME_TYPE: "application/json",
                }
            )
            return result

    attributes = {"session_id": SESSION, "user_id": USER, "metadata": {"city_count": 2}, "tags": ["test"]}
    with using_attributes(**attributes), tracer.start_as_current_span("weather agent") as agent:
        agent.set_attributes(
            {
                SpanAttributes.OPENINFERENCE_SPAN_KIND: Kind.AGENT.value,
                SpanAttributes.AGENT_NAME: "weather_agent",
                SpanAttributes.INPUT_VALUE: weather_chat.PROMPT,
            }
        )
        template = {
            "template": "What is the weather in {first} and in {second}?",
            "variables": {"first": "Vienna", "second": "Graz"},
            "version": "v2",
        }
        with using_prompt_template(**template):
            answer = weather_chat.ask_with_tools(chat, run_tool)
        agent.set_attribute(SpanAttributes.OUTPUT_VALUE, answer)
    telemetry.flush()

    with using_attributes(session_id=SESSION, user_id=USER):
        weather_chat.ask_streamed(chat)
        weather_chat.ask_overloaded(chat)
        weather_chat.embed(chat)
    telemetry.finish(conversationId=SESSION, userId=USER, **weather_chat.EXPECTED)


main()
