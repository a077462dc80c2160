import conversation from "./lookups/conversation.graphql?raw";
import plan from "./lookups/plan.graphql?raw";
import runningTrace from "./lookups/running-trace.graphql?raw";
import trace from "./lookups/trace.graphql?raw";

/** What samples may ask for: the newest of a kind, and how to say that there is none. */
export const lookups = {
  trace: { query: trace, called: "trace" },
  runningTrace: { query: runningTrace, called: "running trace" },
  conversation: { query: conversation, called: "conversation" },
  plan: { query: plan, called: "plan" },
};

export type LookupName = keyof typeof lookups;
