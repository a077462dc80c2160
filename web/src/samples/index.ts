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
      sample("running-traces", "Running now", "And the spans at work in them"),
      sample("conversations", "Conversations", "Newest messages and tool calls"),
      sample("failed-traces", "Latest failures", "Runs with failed spans, and what those say"),
    ],
  },
  {
    title: "Follow live",
    samples: [
      sample("follow-running-traces", "All running traces", "And the spans at work in them, as they change", {
        after: null,
      }),
      sample("follow-trace", "Spans of a trace", "As they start, change and end", {
        trace: { newest: "runningTrace" },
        after: null,
      }),
      sample("follow-conversation", "Messages of a conversation", "As they are said, and calls get results", {
        conversation: { newest: "conversation" },
        after: null,
      }),
      sample("follow-plan", "Steps of a plan", "As they start, are tried again, and end", {
        plan: { newest: "plan" },
        after: null,
      }),
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
      sample("trace-skeleton", "A trace in columns", "The whole shape of a large trace", {
        trace: { newest: "trace" },
      }),
      sample("model-messages", "Model calls as messages", "Messages, tools, settings, in one form", {
        trace: { newest: "trace" },
      }),
      sample("span-bodies", "Model calls in full", "Inputs, outputs, tokens, cost, versions", {
        trace: { newest: "trace" },
      }),
      sample("trace-cost", "What a trace cost", "By model and call: tokens, dollars, price table", {
        trace: { newest: "trace" },
      }),
      sample("found-documents", "Documents that were found", "Of the newest run that searched for any", {
        trace: { newest: "retrievalTrace" },
      }),
    ],
  },
  {
    title: "Conversations and plans",
    samples: [
      sample("conversation", "A conversation", "Messages, tool calls, and the runs behind", {
        conversation: { newest: "conversation" },
      }),
      sample("plan-steps", "A plan with its steps", "Where it stands, and what waits for what", {
        plan: { newest: "plan" },
      }),
    ],
  },
  {
    title: "Find and chart",
    samples: [
      sample("query-traces", "Traces by conditions", "And, or, not; the costliest first"),
      sample("query-spans", "Spans by conditions", "In all traces; those that took longest first"),
      sample("search", "Search texts", "Words, phrases, beginnings of words", { text: "error" }),
      sample("time-series", "The last day by model", "Calls, failures, tokens, cost, latency", {
        from: { hoursAgo: 24 },
      }),
    ],
  },
  {
    title: "Evaluate",
    samples: [
      sample("trace-time", "What took the time", "By operation, critical path, slowest spans", {
        trace: { newest: "trace" },
      }),
      sample("trace-failures", "Why a trace failed", "First cause, retries, tools, the tree", {
        trace: { newest: "failedTrace" },
      }),
      sample("conversation-evaluation", "Evaluation of a conversation", "Latency, cost, errors, trends by turn", {
        conversation: { newest: "conversation" },
      }),
      sample("compare-trials", "Compare trials", "Success, turns, cost, with intervals", {
        a: { tags: ["trial-0"] },
        b: { tags: ["trial-1"] },
      }),
    ],
  },
  {
    title: "Components",
    samples: [
      sample("component-versions", "Versions and labels", "Of prompts, tools and model settings"),
      sample("version-usage", "What versions come to", "Uses, latency, tokens, cost, scores, history", {
        component: { newest: "component" },
      }),
      sample("component-in-production", "What is in production", "The version that a label names", {
        component: { newest: "component" },
      }),
    ],
  },
  {
    title: "Record",
    samples: [
      sample("create-conversation", "Create a conversation", "The samples below go on with it"),
      sample("add-message", "Add a message", "And start the trace that it sets off", {
        conversation: { newest: "ownConversation" },
      }),
      sample("create-span", "Create a span", "A model call begins", { trace: { newest: "ownTrace" } }),
      sample("complete-span", "Complete a span", "With its output and tokens", {
        span: { newest: "ownSpan" },
      }),
      sample("complete-trace", "Complete a trace", "With its final output", {
        trace: { newest: "ownTrace" },
      }),
      sample("record-score", "Record a score", "A judgement of the newest trace", {
        trace: { newest: "trace" },
      }),
      sample("register-version", "Register a version", "Of a prompt, named by its content"),
      sample("set-label", "Set a label", "This version is in production now", {
        hash: { newest: "ownVersion" },
      }),
      sample("create-plan", "Make a plan", "Steps that wait for each other", {
        conversation: { newest: "ownConversation" },
      }),
    ],
  },
  {
    title: "Scores",
    samples: [
      sample("trace-scores", "Scores of traces", "By people, rules and models, with their reasons"),
      sample("make-rule", "Make a rule", "A budget of time, as a version"),
      sample("make-judge", "Make a judge", "A model that judges by a rubric"),
      sample("evaluate-traces", "Evaluate traces", "The newest ones, in the background"),
      sample("follow-evaluation", "Follow it", "Done, passed, failed, skipped, errors", {
        evaluation: { newest: "evaluation" },
      }),
      sample("evaluate-new-traces", "Evaluate new traces", "A share of those that come"),
    ],
  },
  {
    title: "Agents",
    samples: [
      sample("models-and-tools", "Models and tools", "What an agent may ask and call here"),
      sample("make-agent", "Make an agent", "Its prompt, model and tools, as a version"),
      sample("talk-to-agent", "Talk to it", "The answer, and the run behind it", {
        conversation: { newest: "ownConversation" },
      }),
      sample("follow-agent", "Follow its run", "Text, tools and spans, as they come", {
        trace: { newest: "runningTrace" },
        after: null,
      }),
      sample("replay-trace", "Run it again", "As it ran, or with other versions", {
        trace: { newest: "agentTrace" },
      }),
      sample("draft-plan", "Have a plan written", "By the model, checked, to be carried out", {
        conversation: { newest: "ownConversation" },
      }),
      sample("tracing-settings", "What is recorded", "Sampling, capture, redaction of runs here"),
    ],
  },
  {
    title: "Datasets and experiments",
    samples: [
      sample("create-dataset", "Make a dataset", "The samples below go on with it"),
      sample("add-dataset-items", "Add items", "What is new makes a version", {
        dataset: { newest: "ownDataset" },
      }),
      sample("datasets", "Datasets", "Items, versions, and experiments over them"),
      sample("start-experiment", "Start an experiment", "An agent over each item, in traces of their own", {
        dataset: { newest: "ownDataset" },
      }),
      sample("follow-experiment", "Follow it", "How it stands, then every run", {
        experiment: { newest: "experiment" },
        after: null,
      }),
      sample("experiment-summary", "What came of it", "Scores, latency, tokens, cost, answers", {
        experiment: { newest: "experiment" },
      }),
      sample("compare-experiments", "Side by side", "Which version is better, and how sure that is", {
        a: { newest: "experiment" },
        b: { newest: "experiment" },
      }),
    ],
  },
];
