"""A stand-in for OpenAI's HTTP API on the loopback: scripted answers, the same each time.

Chat completions, whole or streamed: where tools are offered and none has answered yet, the answer is
a call of the first tool for each city in the prompt; else it is a text. Embeddings: three numbers a
text. A prompt with "overloaded" is answered with 429. Token counts have cached and reasoning parts.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "gpt-4o-mini"
ANSWERING_MODEL = "gpt-4o-mini-2024-07-18"
CITIES = ["Vienna", "Graz"]
ANSWER = "It is sunny in Vienna and raining in Graz."
USAGE = {
    "prompt_tokens": 120,
    "completion_tokens": 40,
    "total_tokens": 160,
    "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 16,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def start() -> str:
    """Starts the server in a thread that ends with the program. Returns its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/embeddings":
            return self.answer(200, embeddings(request))
        if self.path != "/v1/chat/completions":
            return self.answer(404, error("not_found", f"there is no {self.path}"))
        if "overloaded" in json.dumps(request["messages"][-1]):
            return self.answer(429, error("rate_limit_exceeded", "Rate limit reached."))
        if request.get("stream"):
            return self.stream(request)
        return self.answer(200, completion(request))

    def answer(self, status: int, body: dict):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def stream(self, request: dict):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in chunks(request):
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, *_):
        pass


def message(request: dict) -> dict:
    """What the assistant says, as a message."""
    done = any(said["role"] == "tool" for said in request["messages"])
    if not request.get("tools") or done:
        return {"role": "assistant", "content": ANSWER, "refusal": None}
    tool = request["tools"][0]["function"]["name"]
    prompt = json.dumps(request["messages"][-1])
    calls = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": tool, "arguments": json.dumps({"city": city})},
        }
        for number, city in enumerate((city for city in CITIES if city in prompt), 1)
    ]
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": calls}


def envelope(request: dict, kind: str) -> dict:
    return {
        "id": f"chatcmpl-{len(request['messages'])}",
        "object": kind,
        "created": 1750000000,
        "model": ANSWERING_MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }


def completion(request: dict) -> dict:
    said = message(request)
    reason = "tool_calls" if "tool_calls" in said else "stop"
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": reason}
    return {**envelope(request, "chat.completion"), "choices": [choice], "usage": USAGE}


def chunks(request: dict):
    """The same message in pieces: texts by the word, a tool call's arguments in two halves."""
    said = message(request)
    base = envelope(request, "chat.completion.chunk")

    def chunk(delta: dict, reason=None):
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    yield chunk({"role": "assistant", "content": None if "tool_calls" in said else ""})
    for index, call in enumerate(said.get("tool_calls", [])):
        text = call["function"]["arguments"]
        begun = {**call, "index": index, "function": {**call["function"], "arguments": text[:6]}}
        yield chunk({"tool_calls": [begun]})
        yield chunk({"tool_calls": [{"index": index, "function": {"arguments": text[6:]}}]})
    for word in (said["content"] or "").split(" "):
        yield chunk({"content": word if word.endswith(".") else f"{word} "})
    yield chunk({}, "tool_calls" if "tool_calls" in said else "stop")
    if (request.get("stream_options") or {}).get("include_usage"):
        yield {**base, "choices": [], "usage": USAGE}


def embeddings(request: dict) -> dict:
    texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
    return {
        "object": "list",
        "model": request["model"],
        "data": [
            {"object": "embedding", "index": index, "embedding": [0.25, -0.5, float(index)]}
            for index in range(len(texts))
        ],
        "usage": {"prompt_tokens": 8 * len(texts), "total_tokens": 8 * len(texts)},
    }


def error(code: str, text: str) -> dict:
    return {"error": {"message": text, "type": "requests", "param": None, "code": code}}
