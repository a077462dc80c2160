import agentTrace from "./lookups/agent-trace.graphql?raw";
import component from "./lookups/component.graphql?raw";
import conversation from "./lookups/conversation.graphql?raw";
import failedTrace from "./lookups/failed-trace.graphql?raw";
import ownConversation from "./lookups/own-conversation.graphql?raw";
import ownSpan from "./lookups/own-span.graphql?raw";
import ownTrace from "./lookups/own-trace.graphql?raw";
import ownVersion from "./lookups/own-version.graphql?raw";
import plan from "./lookups/plan.graphql?raw";
import retrievalTrace from "./lookups/retrieval-trace.graphql?raw";
import runningTrace from "./lookups/running-trace.graphql?raw";
import trace from "./lookups/trace.graphql?raw";

/**
 * What samples may ask for: the newest of a kind, and how to say that there is none. Samples that
 * write go on with what samples have begun, and never with the work of a real agent.
 */
export const lookups = {
  trace: { query: trace, missing: "No trace is recorded yet." },
  runningTrace: { query: runningTrace, missing: "No trace is running now." },
  failedTrace: { query: failedTrace, missing: "Nothing has failed yet." },
  retrievalTrace: { query: retrievalTrace, missing: "None of the newest traces searched for documents." },
  conversation: { query: conversation, missing: "No conversation is recorded yet." },
  plan: { query: plan, missing: "No plan is recorded yet." },
  component: { query: component, missing: "No component is registered yet." },
  agentTrace: { query: agentTrace, missing: "Run “Make an agent” and “Talk to it” first." },
  ownConversation: { query: ownConversation, missing: "Run “Create a conversation” first." },
  ownTrace: { query: ownTrace, missing: "Run “Add a message” first." },
  ownSpan: { query: ownSpan, missing: "Run “Create a span” first." },
  ownVersion: { query: ownVersion, missing: "Run “Register a version” first." },
};

export type LookupName = keyof typeof lookups;
