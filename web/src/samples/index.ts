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

/** What a first visit opens with. */
export const first = sample("latest-traces", "Latest traces", "The newest runs: status, time, spans, tokens, cost");

/** What runs without any id comes first. */
export const groups: Group[] = [
  {
    title: "Start here",
    samples: [
      first,
      sample("running-traces", "Running now", "Traces that have not ended yet"),
      sample("conversations", "Conversations", "With their messages and tool calls"),
      sample("failed-traces", "What went wrong", "Failed traces and their failed spans"),
    ],
  },
  {
    title: "Traces",
    samples: [
      sample("trace-tree", "A trace as a tree", "The newest one, with nested children", {
        trace: { newest: "trace" },
      }),
      sample("trace-spans", "A trace as a flat list", "In pre-order: depth, placement, children", {
        trace: { newest: "trace" },
      }),
      sample("span-bodies", "Model calls in full", "Their inputs, outputs, tokens, versions", {
        trace: { newest: "trace" },
      }),
    ],
  },
  {
    title: "Conversations and plans",
    samples: [
      sample("conversation", "A conversation", "Its messages, tool calls and traces", {
        conversation: { newest: "conversation" },
      }),
      sample("plan-steps", "A plan with its steps", "Where it stands, and what it waits for", {
        plan: { newest: "plan" },
      }),
    ],
  },
  {
    title: "Components",
    samples: [
      sample("component-versions", "Versions and labels", "Of prompts, tools and model settings"),
    ],
  },
  {
    title: "Follow live",
    samples: [
      sample("follow-running-traces", "All running traces", "A snapshot, then every change"),
      sample("follow-trace", "Spans of a trace", "As they start, change and end", {
        trace: { newest: "runningTrace" },
        after: null,
      }),
      sample("follow-conversation", "Messages of a conversation", "As they are added", {
        conversation: { newest: "conversation" },
        after: null,
      }),
      sample("follow-plan", "Steps of a plan", "As they start, retry and end", {
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
