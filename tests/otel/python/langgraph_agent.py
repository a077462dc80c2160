"""A LangGraph agent that retrieves, then calls tools in a loop, under OpenInference's instrumentation.

A hand-made graph of three nodes: `retrieve`, `agent` (LangChain's OpenAI client, against
`stub_openai`) and `tools`. Two turns of one thread, the second streamed.
"""

from langchain_core.documents import Document
from langchain_core.messages import HumanMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from openinference.instrumentation.langchain import LangChainInstrumentor

import stub_openai
import weather_chat
from telemetry import Telemetry

THREAD = "thread-langgraph-1"
FOLLOW_UP = "Thank you. Once more, please."


class Guide(BaseRetriever):
    """Two documents, whatever is asked."""

    def _get_relevant_documents(self, query, *, run_manager):
        return [
            Document(text, id=f"doc-{page}", metadata={"source": "guide", "page": page})
            for page, text in enumerate(weather_chat.TEXTS, 1)
        ]


@tool
def weather(city: str) -> str:
    """The weather in a city now."""
    return weather_chat.weather(city)


def graph(base_url: str):
    model = ChatOpenAI(
        model=stub_openai.MODEL,
        base_url=base_url,
        api_key="none",
        temperature=0.2,
        max_retries=0,
        stream_usage=True,
    ).bind_tools([weather])
    guide = Guide()

    def retrieve(state: MessagesState):
        guide.invoke(state["messages"][-1].content)
        return {}

    def agent(state: MessagesState):
        return {"messages": [model.invoke(state["messages"])]}

    nodes = StateGraph(MessagesState)
    nodes.add_node("retrieve", retrieve)
    nodes.add_node("agent", agent)
    nodes.add_node("tools", ToolNode([weather]))
    nodes.add_edge(START, "retrieve")
    nodes.add_edge("retrieve", "agent")
    nodes.add_conditional_edges("agent", tools_condition)
    nodes.add_edge("tools", "agent")
    return nodes.compile(checkpointer=InMemorySaver(), name="weather_graph")


def main():
    telemetry = Telemetry("langgraph-agent")
    LangChainInstrumentor().instrument(tracer_provider=telemetry.tracers)
    weather_graph = graph(stub_openai.start())
    config = {"configurable": {"thread_id": THREAD}, "metadata": {"user_id": "user-7"}, "tags": ["test"]}

    state = weather_graph.invoke({"messages": [HumanMessage(weather_chat.PROMPT)]}, config)
    assert state["messages"][-1].content == stub_openai.ANSWER
    telemetry.flush()

    turn = {"messages": [HumanMessage(FOLLOW_UP)]}
    for _ in weather_graph.stream(turn, config, stream_mode="messages"):
        pass
    telemetry.finish(
        conversationId=THREAD,
        prompts=[weather_chat.PROMPT, FOLLOW_UP],
        answer=stub_openai.ANSWER,
        toolCalls=["call_1", "call_2"],
        documents=weather_chat.TEXTS,
        chats=3,
        usage=weather_chat.EXPECTED["usage"],
    )


main()
