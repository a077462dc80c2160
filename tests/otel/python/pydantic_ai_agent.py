"""Two turns of one conversation with a pydantic-ai agent that has two tools; the second is streamed.

The model is pydantic-ai's own FunctionModel, which needs no network. The library makes up the
conversation's id in the first turn and takes it from the messages in the second.
"""

import asyncio
from decimal import Decimal

from pydantic_ai import Agent, ModelResponse, ModelRetry, TextPart, ThinkingPart, ToolCallPart
from pydantic_ai.models.function import DeltaToolCall, FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.usage import RequestUsage

from telemetry import Telemetry

FIRST = "What is the weather in Vienna and in Graz?"
FIRST_ANSWER = "It is sunny in Vienna (21 °C) and raining in Graz (14 °C)."
SECOND = "How many degrees apart are they?"
SECOND_ANSWER = "They are 7 degrees apart."


def returns(messages) -> dict:
    """What the tools answered since the last prompt, by the id of their call."""
    parts = [part for message in messages for part in message.parts]
    last = max(at for at, part in enumerate(parts) if part.part_kind == "user-prompt")
    kinds = ("tool-return", "retry-prompt")
    return {part.tool_call_id: part for part in parts[last:] if part.part_kind in kinds}


def answer(messages, _info) -> ModelResponse:
    done = returns(messages)
    if not done:
        parts = [
            ThinkingPart("Two cities, so two calls."),
            ToolCallPart("weather", {"city": "Vienna"}, tool_call_id="call_1"),
            ToolCallPart("weather", '{"city": "Gratz"}', tool_call_id="call_2"),
        ]
        usage = RequestUsage(input_tokens=120, output_tokens=40, details={"reasoning_tokens": 12})
        return ModelResponse(parts, usage=usage, finish_reason="tool_call")
    if "call_3" not in done:
        parts = [ToolCallPart("weather", {"city": "Graz"}, tool_call_id="call_3")]
        usage = RequestUsage(input_tokens=200, output_tokens=18, cache_read_tokens=128)
        return ModelResponse(parts, usage=usage, finish_reason="tool_call")
    usage = RequestUsage(
        input_tokens=230,
        output_tokens=22,
        cache_read_tokens=192,
        cache_write_tokens=16,
        cost=Decimal("0.0012"),
    )
    text = TextPart(FIRST_ANSWER)
    return ModelResponse([text], usage=usage, finish_reason="stop", provider_response_id="response_3")


async def answer_in_pieces(messages, _info):
    if not returns(messages):
        yield {0: DeltaToolCall("subtract", '{"left": 21,', tool_call_id="call_4")}
        yield {0: DeltaToolCall(json_args=' "right": 14}')}
        return
    for word in SECOND_ANSWER.split(" "):
        yield word + ("" if word.endswith(".") else " ")


model = FunctionModel(answer, stream_function=answer_in_pieces, model_name="scripted-1")
agent = Agent(
    model,
    name="weather_agent",
    system_prompt="You tell the weather in few words.",
    instructions="Answer in English.",
    model_settings={"temperature": 0.2, "max_tokens": 500},
)


@agent.tool_plain
def weather(city: str) -> dict:
    """The weather in a city now.

    Args:
        city: Its English name.
    """
    known = {"Vienna": {"sky": "sunny", "celsius": 21}, "Graz": {"sky": "rain", "celsius": 14}}
    if city not in known:
        raise ModelRetry(f"There is no city {city}. Did you mean Graz?")
    return known[city]


@agent.tool_plain
def subtract(left: int, right: int) -> int:
    """Takes the right number from the left one."""
    return left - right


async def main():
    telemetry = Telemetry("pydantic-ai-agent")
    Agent.instrument_all(InstrumentationSettings(tracer_provider=telemetry.tracers))

    first = await agent.run(FIRST)
    assert first.output == FIRST_ANSWER
    telemetry.flush()

    async with agent.run_stream(SECOND, message_history=first.all_messages()) as second:
        async for _ in second.stream_text():
            pass
        output = await second.get_output()
    assert output == SECOND_ANSWER

    telemetry.finish(
        conversationId=second.conversation_id,
        agent="weather_agent",
        prompts=[FIRST, SECOND],
        answers=[FIRST_ANSWER, SECOND_ANSWER],
        toolCalls=["call_1", "call_2", "call_3", "call_4"],
        failedToolCalls=["call_2"],
        # Of the first turn; those of a streamed run are FunctionModel's estimates.
        inputTokens=[120, 200, 230],
        outputTokens=[40, 18, 22],
        cost=0.0012,
    )


asyncio.run(main())
