"""A hand-instrumented agent on the plain OpenTelemetry SDK, over HTTP or gRPC.

Two turns of one conversation, each a trace. The second links to the first, and its tool fails. A score
of the first answer goes out as a log record. Messages are JSON texts on the spans and structured values
on a log record, as both are allowed.
"""

import json

from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from telemetry import Telemetry

CONVERSATION = "conversation-sdk-1"
AGENT = {
    "gen_ai.agent.name": "weather_agent",
    "gen_ai.agent.id": "agent-1",
    "gen_ai.conversation.id": CONVERSATION,
    "gen_ai.provider.name": "openai",
    "user.id": "user-7",
}
QUESTION = "What is the weather in Vienna?"
ANSWER = "It is sunny in Vienna."
CALL = {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Vienna"}}


def message(role: str, *parts: dict, **more) -> dict:
    return {"role": role, "parts": list(parts), **more}


def text(content: str) -> dict:
    return {"type": "text", "content": content}


def chat(tracer, said: list, answer: dict, usage: dict):
    """One call of a model."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.conversation.id": CONVERSATION,
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 500,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.system_instructions": json.dumps([text("You tell the weather in few words.")]),
        "gen_ai.input.messages": json.dumps(said),
    }
    with tracer.start_as_current_span(
        "chat gpt-4o-mini", kind=SpanKind.CLIENT, attributes=attributes
    ) as span:
        span.add_event("first token", {"index": 0})
        span.set_attribute("gen_ai.output.messages", json.dumps([answer]))
        span.set_attribute("gen_ai.response.model", "gpt-4o-mini-2024-07-18")
        span.set_attribute("gen_ai.response.id", f"response-{len(said)}")
        span.set_attribute("gen_ai.response.finish_reasons", [answer["finish_reason"]])
        span.set_attributes({f"gen_ai.usage.{name}": count for name, count in usage.items()})
        return span.get_span_context()


def tool(tracer, arguments: dict, run):
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": "The weather in a city now.",
        "gen_ai.tool.call.id": CALL["id"],
        "gen_ai.tool.call.arguments": json.dumps(arguments),
    }
    with tracer.start_as_current_span("execute_tool weather", attributes=attributes) as span:
        span.set_attribute("gen_ai.tool.call.result", json.dumps(run(**arguments)))


def agent(tracer, links=()):
    attributes = {"gen_ai.operation.name": "invoke_agent", **AGENT}
    return tracer.start_as_current_span(
        "invoke_agent weather_agent", kind=SpanKind.INTERNAL, attributes=attributes, links=links
    )


def good_turn(tracer):
    asked = [message("user", text(QUESTION))]
    called = message(
        "assistant", {"type": "reasoning", "content": "One city."}, CALL, finish_reason="tool_call"
    )
    result = {"type": "tool_call_response", "id": CALL["id"], "response": {"sky": "sunny"}}
    answer = message("assistant", text(ANSWER), finish_reason="stop")
    first = {"input_tokens": 120, "output_tokens": 40, "cache_read.input_tokens": 64}
    second = {
        "input_tokens": 150,
        "output_tokens": 12,
        "reasoning.output_tokens": 4,
        "cache_write.input_tokens": 8,
    }
    with agent(tracer) as span:
        chat(tracer, asked, called, first)
        tool(tracer, CALL["arguments"], lambda city: {"sky": "sunny"})
        answered = chat(tracer, [*asked, called, message("tool", result)], answer, second)
        return span.get_span_context(), answered


def failing_turn(tracer, before):
    def weather(city: str):
        raise LookupError(f"there is no city {city}")

    link = Link(before, {"reason": "follows"})
    try:
        with agent(tracer, [link]) as span:
            span.set_attribute("empty", "")
            span.set_attribute("flags", [True, False])
            tool(tracer, {"city": "Atlantis"}, weather)
    except LookupError:
        pass
    # A span that began, was ended early with a status of its own, and has no parent here.
    span = tracer.start_span(
        "invoke_workflow weather", attributes={"gen_ai.operation.name": "invoke_workflow"}
    )
    span.set_status(Status(StatusCode.OK))
    span.end()


def evaluate(loggers, judged) -> None:
    context = trace.set_span_in_context(trace.NonRecordingSpan(judged))
    loggers.get_logger("judge").emit(
        LogRecord(
            context=context,
            event_name="gen_ai.evaluation.result",
            attributes={
                "gen_ai.evaluation.name": "correctness",
                "gen_ai.evaluation.score.value": 0.9,
                "gen_ai.evaluation.score.label": "correct",
                "gen_ai.evaluation.explanation": "It says what the tool said.",
                "gen_ai.response.id": "response-3",
            },
        )
    )


def details(loggers, judged) -> None:
    """What a call said, once more, as structured values."""
    context = trace.set_span_in_context(trace.NonRecordingSpan(judged))
    loggers.get_logger("details").emit(
        LogRecord(
            context=context,
            event_name="gen_ai.client.inference.operation.details",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.output.messages": [message("assistant", text(ANSWER), finish_reason="stop")],
            },
        )
    )


def main():
    telemetry = Telemetry("otel-sdk")
    tracer = telemetry.tracers.get_tracer("weather", "1.2.3")
    root, answered = good_turn(tracer)
    evaluate(telemetry.loggers, answered)
    details(telemetry.loggers, answered)
    telemetry.flush()
    failing_turn(tracer, root)
    telemetry.finish(
        conversationId=CONVERSATION,
        userId="user-7",
        agent="weather_agent",
        prompt=QUESTION,
        answer=ANSWER,
        toolCalls=["call_1"],
        evaluatedSpanId=f"{answered.span_id:016x}",
        evaluation={"name": "correctness", "value": 0.9, "label": "correct"},
        linkedSpanId=f"{root.span_id:016x}",
        usage={"input": 270, "output": 52, "cacheRead": 64, "cacheWrite": 8, "reasoning": 4},
        error="there is no city Atlantis",
    )


main()
