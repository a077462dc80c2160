"""Records a run of an agent with Python's standard library alone, over plain HTTP:

    python3 examples/record.py http://127.0.0.1:4000

It begins a conversation, adds the user's message (which starts the trace), records spans as they
happen, and judges the answer. A span is a context manager: an exception ends it with an error.
"""

import json
import sys
import time
import urllib.request
from contextlib import contextmanager

SERVER = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:4000"

CREATE_CONVERSATION = """
mutation CreateConversation($input: CreateConversationInput!) {
  createConversation(input: $input) { conversation { conversationId } refusal { message } }
}"""
ADD_MESSAGE = """
mutation AddMessage($input: AddMessageInput!) {
  addMessage(input: $input) { message { messageId } trace { traceId } refusal { message } }
}"""
CREATE_SPAN = """
mutation CreateSpan($input: CreateSpanInput!) {
  createSpan(input: $input) { span { id } refusal { message } }
}"""
COMPLETE_SPAN = """
mutation CompleteSpan($input: CompleteSpanInput!) {
  completeSpan(input: $input) { span { id } refusal { message } }
}"""
COMPLETE_TRACE = """
mutation CompleteTrace($input: CompleteTraceInput!) {
  completeTrace(input: $input) { trace { status spanCount } refusal { message } }
}"""
RECORD_SCORE = """
mutation RecordScore($input: RecordScoreInput!) {
  recordScore(input: $input) { score { scoreId } refusal { message } }
}"""


def read(query, **variables):
    """Sends one query and returns its answer."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{SERVER}/graphql", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as response:
        answer = json.load(response)
    if "errors" in answer:
        raise RuntimeError(answer["errors"][0]["message"])
    return answer["data"]


def write(mutation, **fields):
    """Sends one mutation and returns its payload. When it returns, the write is durable."""
    [payload] = read(mutation, input=fields).values()
    if payload["refusal"]:
        raise RuntimeError(payload["refusal"]["message"])
    return payload


class Span:
    """A span at work. What is put into `ending` is sent with its end."""

    def __init__(self, trace, span_id=None):
        self.trace, self.id, self.ending = trace, span_id, {}

    @contextmanager
    def span(self, operation_type, name, **more):
        """Records a span below this one for as long as the `with` block runs."""
        about = {"traceId": self.trace, "parentSpanId": self.id, "operationType": operation_type, "name": name}
        payload = write(CREATE_SPAN, **about, **more)
        inner = Span(self.trace, payload["span"]["id"])
        try:
            yield inner
        except Exception as error:
            details = {"type": type(error).__name__}
            write(COMPLETE_SPAN, spanId=inner.id, status="ERROR", statusMessage=str(error), errorDetails=details)
            raise
        write(COMPLETE_SPAN, spanId=inner.id, **inner.ending)


def weather(span, city):
    """A tool. It fails where it knows nothing."""
    with span.span("TOOL_CALL", "weather", toolName="weather", inputs={"city": city}) as call:
        time.sleep(0.1)
        if city != "Graz":
            raise LookupError(f"no station in {city}")
        call.ending = {"outputs": {"sky": "clear", "celsius": 21}}


def main():
    question = "Do I need an umbrella in Eggenberg?"
    conversation = write(CREATE_CONVERSATION, title="Umbrella")["conversation"]["conversationId"]
    asked = write(
        ADD_MESSAGE, conversationId=conversation, role="USER", content=question, trace={"name": "umbrella"}
    )
    trace = asked["trace"]["traceId"]
    print(f"trace   {trace}\nwatch   {SERVER}/graphiql", flush=True)

    answer = "No: the sky over Graz is clear."
    with Span(trace).span("AGENT", "weather-agent", agentName="weather-agent") as agent:
        with agent.span("LLM_CALL", "choose a tool", model="example-model", inputs={"question": question}) as call:
            time.sleep(0.1)
            call.ending = {"outputs": {"tool": "weather"}, "tokens": {"input": 96, "output": 12}}
        try:
            weather(agent, "Eggenberg")
        except LookupError:
            weather(agent, "Graz")
        with agent.span("LLM_CALL", "answer", model="example-model") as call:
            call.ending = {"outputs": {"text": answer}, "tokens": {"input": 131, "output": 11}}

    write(ADD_MESSAGE, conversationId=conversation, role="ASSISTANT", content=answer, traceId=trace)
    done = write(COMPLETE_TRACE, traceId=trace, finalOutput=answer)["trace"]
    write(RECORD_SCORE, target={"traceId": trace}, name="helpful", value={"number": 0.9}, source="RULE")
    print(f"done    {done['status']} with {done['spanCount']} spans")


if __name__ == "__main__":
    main()
