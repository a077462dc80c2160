import ownSpan from "./lookups/own-span.graphql?raw";
import ownTrace from "./lookups/own-trace.graphql?raw";
import runningTrace from "./lookups/running-trace.graphql?raw";
import trace from "./lookups/trace.graphql?raw";

/**
 * What samples may ask for: the newest of a kind, and how to say that there is none. Samples that
 * write go on with what samples have begun, and never with the work of a real agent.
 */
export const lookups = {
  trace: { query: trace, missing: "No trace is recorded yet." },
  runningTrace: { query: runningTrace, missing: "No trace is running now." },
  ownTrace: { query: ownTrace, missing: "Run “Start a trace” first." },
  ownSpan: { query: ownSpan, missing: "Run “Create a span” first." },
};

export type LookupName = keyof typeof lookups;
