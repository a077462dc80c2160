import type { SampleVariables } from "./variables";

/** A document that can be opened and run as it is. */
export interface Sample {
  /** The file's name without its ending. */
  name: string;
  title: string;
  /** What it shows, in one line. */
  line: string;
  kind: "query" | "mutation" | "subscription";
  text: string;
  variables: SampleVariables;
}

export interface Group {
  title: string;
  samples: Sample[];
}

const texts = import.meta.glob<string>("./*.graphql", { query: "?raw", import: "default", eager: true });

function sample(name: string, title: string, line: string, variables: SampleVariables = {}): Sample {
  const text = texts[`./${name}.graphql`];
  if (text === undefined) throw new Error(`samples/${name}.graphql is not there`);
  return { name, title, line, kind: kindOf(text), text, variables };
}

/** Samples start with their operation, after comments. */
function kindOf(text: string): Sample["kind"] {
  const [kind] = /^(mutation|subscription)\b/m.exec(text) ?? ["query"];
  return kind as Sample["kind"];
}

/** What runs without any id comes first. */
export const groups: Group[] = [
  {
    title: "Start here",
    samples: [
      sample("latest-traces", "Latest traces", "The newest runs: status, time taken, spans, tokens and cost"),
      sample("running-traces", "Running now", "Traces that have not ended, with their newest spans"),
      sample("conversations", "Conversations", "By last activity, each with its messages and tool calls"),
      sample("failed-traces", "What went wrong", "Traces that ended in an error, and the spans that failed"),
    ],
  },
  {
    title: "Traces",
    samples: [
      sample("trace-tree", "A trace as a tree", "The newest trace: conversation, root spans, nested children", {
        trace: { newest: "trace" },
      }),
      sample("trace-spans", "A trace as a flat list", "Spans in pre-order with depth, placement and child count", {
        trace: { newest: "trace" },
      }),
      sample("span-bodies", "Model calls in full", "Inputs, outputs, tokens and component versions of its model calls", {
        trace: { newest: "trace" },
      }),
    ],
  },
  {
    title: "Conversations and plans",
    samples: [
      sample("conversation", "A conversation", "The newest one: messages, tool calls, traces and branches", {
        conversation: { newest: "conversation" },
      }),
      sample("plan-steps", "A plan with its steps", "Where it stands, what is ready, what blocks what", {
        plan: { newest: "plan" },
      }),
    ],
  },
  {
    title: "Components",
    samples: [
      sample("component-versions", "Versions and labels", "Prompts, tools and model settings with their versions"),
    ],
  },
  {
    title: "Follow live",
    samples: [
      sample("follow-running-traces", "All running traces", "A snapshot, then each change as agents work"),
      sample("follow-trace", "Spans of a trace", "Each span as it starts, changes and ends; resumes after a lost connection", {
        trace: { newest: "runningTrace" },
        after: null,
      }),
      sample("follow-conversation", "Messages of a conversation", "Each message as it is added", {
        conversation: { newest: "conversation" },
        after: null,
      }),
      sample("follow-plan", "Steps of a plan", "Each step as it starts, retries and ends", {
        plan: { newest: "plan" },
        after: null,
      }),
    ],
  },
  {
    title: "Record",
    samples: [
      sample("create-conversation", "1. Create a conversation", "Where messages and traces belong"),
      sample("start-trace", "2. Start a trace", "In the newest conversation", {
        conversation: { newest: "conversation" },
      }),
      sample("create-span", "3. Create a span", "A model call in the newest running trace", {
        trace: { newest: "runningTrace" },
      }),
      sample("complete-span", "4. Complete the span", "With its output and token counts"),
      sample("complete-trace", "5. Complete the trace", "With its final output", {
        trace: { newest: "runningTrace" },
      }),
      sample("record-score", "6. Record a score", "A judgement of the newest trace", {
        trace: { newest: "trace" },
      }),
    ],
  },
];

/** What a new tab of a first visit holds. */
export const first: Sample = sample("latest-traces", "", "");
