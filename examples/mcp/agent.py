"""An agent with an MCP server: it reads notes through the server that `dendro.toml` names. From the project's root:

    target/release/dendro serve --config examples/mcp/dendro.toml --data ./data
    python3 examples/mcp/agent.py

The first time, npx downloads the MCP server. The model is scripted and needs no key; with one, name another:

    python3 examples/mcp/agent.py --model openai/gpt-4o-mini --ask "What do my notes say about bread?"
"""

import argparse
import json
import sys
import time
import urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("server", nargs="?", default="http://127.0.0.1:4000")
parser.add_argument("--model", default="scripted/librarian")
parser.add_argument("--ask", default="What do my notes say about tea and coffee?")
arguments = parser.parse_args()

TOOLS = "{ tools { name mcpServer } }"
CREATE_AGENT = """
mutation CreateAgent($input: CreateAgentInput!) {
  createAgent(input: $input) { component { componentId } refusal { message } }
}"""
CREATE_CONVERSATION = """
mutation CreateConversation($input: CreateConversationInput!) {
  createConversation(input: $input) { conversation { conversationId } refusal { message } }
}"""
PROCESS_USER_INPUT = """
mutation ProcessUserInput($input: ProcessUserInputInput!) {
  processUserInput(input: $input) {
    answer { content }
    failure { kind message }
    trace { traceId spans(first: 100) { nodes { depth operationType name status statusMessage durationMs } } }
    refusal { message }
  }
}"""


def ask(document, **variables):
    body = json.dumps({"query": document, "variables": variables}).encode()
    request = urllib.request.Request(f"{arguments.server}/graphql", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as response:
        answer = json.load(response)
    if "errors" in answer:
        sys.exit(answer["errors"][0]["message"])
    [payload] = answer["data"].values()
    if isinstance(payload, dict) and payload.get("refusal"):
        sys.exit(payload["refusal"]["message"])
    return payload


def tools():
    """The tools of the MCP server, once it is ready."""
    for _ in range(240):
        found = [tool["name"] for tool in ask(TOOLS) if tool["mcpServer"] == "notes"]
        if found:
            return [name for name in found if name in ("notes_list_directory", "notes_read_text_file")]
        time.sleep(0.5)
    sys.exit("the MCP server does not come up: the server's log says why")


def main():
    agent = ask(
        CREATE_AGENT,
        input={
            "name": "librarian",
            "systemPrompt": "You answer from the user's notes. Look which there are, and read before you answer.",
            "model": {"name": arguments.model},
            "tools": tools(),
            "limits": {"steps": 8, "seconds": "120"},
        },
    )["component"]["componentId"]
    conversation = ask(CREATE_CONVERSATION, input={"title": arguments.ask})["conversation"]["conversationId"]
    done = ask(
        PROCESS_USER_INPUT,
        input={"conversationId": conversation, "agentId": agent, "content": arguments.ask},
    )
    trace = done["trace"]  # nothing where the server's `tracingSettings` leave the run out
    for span in trace["spans"]["nodes"] if trace else []:
        failed = f"  {span['statusMessage']}" if span["status"] == "ERROR" else ""
        name = f"{'  ' * span['depth']}{span['operationType']} {span['name']}"
        print(f"{name:<44} {span['durationMs']:8.1f} ms{failed}")
    if done["failure"]:
        sys.exit(f"{done['failure']['kind']}: {done['failure']['message']}")
    print(f"\n{done['answer']['content']}")
    if trace:
        print(f"\nsee     {arguments.server}/graphiql, trace {trace['traceId']}")


if __name__ == "__main__":
    main()
