"""The same talk with the OpenAI client for each of its instrumentations: tools, a stream, embeddings.

No retries and no key: the client speaks to `stub_openai`.
"""

import json

import openai

import stub_openai

SYSTEM = "You tell the weather in few words."
PROMPT = "What is the weather in Vienna and in Graz?"
OVERLOADED = "Answer although you are overloaded."
STREAMED = "And now once more, in pieces."
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather in a city now.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]
TEXTS = ["Vienna is the capital of Austria.", "Graz lies on the Mur."]
# What a reader should find, whichever instrumentation it was.
EXPECTED = {
    "prompt": PROMPT,
    "answer": stub_openai.ANSWER,
    "requestModel": stub_openai.MODEL,
    "responseModel": stub_openai.ANSWERING_MODEL,
    "toolCalls": ["call_1", "call_2"],
    "usage": {"input": 120, "output": 40, "cacheRead": 64, "reasoning": 16},
    "chats": 4,
    "failedChats": 1,
}


def weather(city: str) -> str:
    return json.dumps({"Vienna": {"sky": "sunny"}, "Graz": {"sky": "rain"}}[city])


def client() -> openai.OpenAI:
    return openai.OpenAI(base_url=stub_openai.start(), api_key="none", max_retries=0)


def ask_with_tools(chat: openai.OpenAI, run_tool=weather) -> str:
    """Two calls of the model, and between them a tool for each call it asked for."""
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}]
    settings = {"model": stub_openai.MODEL, "tools": TOOLS, "temperature": 0.2, "max_tokens": 500}
    first = chat.chat.completions.create(messages=messages, **settings).choices[0].message
    messages.append(first.model_dump(exclude_none=True))
    for call in first.tool_calls:
        result = run_tool(json.loads(call.function.arguments)["city"])
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    return chat.chat.completions.create(messages=messages, **settings).choices[0].message.content


def ask_streamed(chat: openai.OpenAI) -> str:
    pieces = chat.chat.completions.create(
        model=stub_openai.MODEL,
        messages=[{"role": "user", "content": STREAMED}],
        stream=True,
        stream_options={"include_usage": True},
    )
    return "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)


def ask_overloaded(chat: openai.OpenAI) -> None:
    messages = [{"role": "user", "content": OVERLOADED}]
    try:
        chat.chat.completions.create(model=stub_openai.MODEL, messages=messages)
    except openai.RateLimitError:
        return
    raise AssertionError("the call should have failed")


def embed(chat: openai.OpenAI) -> None:
    chat.embeddings.create(model="text-embedding-3-small", input=TEXTS, encoding_format="float")
