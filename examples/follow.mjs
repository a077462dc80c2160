// Follows agents at work, and shows their spans as a tree that grows:
//   node follow.mjs [http://127.0.0.1:4000] [trace id]
// Without an id it follows all running traces, until it is stopped; with one, that trace to its end.
// On a terminal the trees are drawn in place; elsewhere every change is a line.
// When the connection is lost or the server restarts, it comes back and resumes where it was.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [server = "http://127.0.0.1:4000", only] = process.argv.slice(2);

const RUNNING_TRACES = `subscription RunningTraces($after: String) {
  runningTraces(after: $after) { cursor snapshot traces { traceId startTime } }
}`;
const STARTED_SINCE = `query StartedSince($since: DateTime!) {
  traces(first: 50, filter: { from: $since }) { nodes { traceId } }
}`;
const TRACE_SPANS = `subscription TraceSpans($traceId: ID!, $after: BigInt) {
  traceSpans(traceId: $traceId, after: $after) {
    revision
    trace { name status revision }
    spans { spanId parentSpanId operationType name status statusMessage startOffsetMs durationMs totalTokens }
  }
}`;

const client = createClient({
  url: `${server.replace(/^http/, "ws").replace(/\/$/, "")}/graphql/ws`,
  webSocketImpl: WebSocket,
  keepAlive: 10_000,
  retryAttempts: Infinity,
  shouldRetry: () => true,
  retryWait: (attempt) => new Promise((done) => setTimeout(done, Math.min(5000, 200 * 2 ** attempt))),
  on: {
    connected: () => connection("connected"),
    closed: ({ code }) => code !== 1000 && connection("not connected, trying again"),
  },
});

/** The traces that are followed, by id. */
const traces = new Map();

async function followAll() {
  let since;
  // A client that comes back sends the same object again, with `after` as it then is: that resumes.
  const variables = {};
  for await (const { data, errors } of client.iterate({ query: RUNNING_TRACES, variables })) {
    if (errors) fail(errors);
    const { cursor, snapshot, traces } = data.runningTraces;
    variables.after = cursor;
    // A server that was started anew has what runs now, and not what ended just before.
    if (snapshot && since) followSince(since).catch(fail);
    for (const { traceId, startTime } of traces) {
      if (!since || Date.parse(startTime) > Date.parse(since)) since = startTime;
      follow(traceId).catch(fail);
    }
  }
}

async function followSince(since) {
  for await (const { data, errors } of client.iterate({ query: STARTED_SINCE, variables: { since } })) {
    if (errors) fail(errors);
    for (const { traceId } of data.traces.nodes) follow(traceId).catch(fail);
  }
}

/** Follows one trace until it has ended. Spans may still come later: without the `break` they are seen. */
async function follow(traceId) {
  if (traces.has(traceId)) return;
  const spans = new Map();
  const trace = { traceId, name: "", status: "RUNNING", spans };
  traces.set(traceId, trace);
  const variables = { traceId };
  for await (const { data, errors } of client.iterate({ query: TRACE_SPANS, variables })) {
    if (errors) fail(errors);
    const change = data.traceSpans;
    Object.assign(trace, change.trace);
    for (const span of change.spans) spans.set(span.spanId, span);
    variables.after = change.revision;
    if (terminal) draw();
    else logChanges(trace, new Set(change.spans));
    // A large state comes in several messages: only the last one has the trace's own revision.
    if (trace.status !== "RUNNING" && change.revision === trace.revision) break;
  }
  if (terminal) draw(trace);
  else log(`${title(trace)}  ${trace.status}, ${spans.size} spans`);
  trace.spans = new Map(); // Its id stays, so that it is not followed again.
}

// What is shown.

const terminal = process.stdout.isTTY;
const MARKS = { RUNNING: "…", OK: "✓", ERROR: "✗", CANCELLED: "–" };

const title = ({ name, traceId }) => `${name ?? ""} [${traceId.slice(-8)}]`;

/** The spans above one. Its parent may come after it, or never: until then it stands at the top. */
function above(spans, span) {
  const path = new Set();
  for (let at = span; (at = spans.get(at.parentSpanId)) && at !== span && !path.has(at); ) path.add(at);
  return path;
}

function line({ spans }, span) {
  const facts = [span.operationType, span.durationMs !== null && `${Math.round(span.durationMs)} ms`];
  facts.push(span.totalTokens && `${span.totalTokens} tokens`, span.statusMessage);
  const indent = "  ".repeat(above(spans, span).size);
  return `${indent}${MARKS[span.status]} ${span.name}  ${facts.filter(Boolean).join(", ")}`;
}

/** All spans, parents before their children, siblings by their start. */
function inOrder({ spans }) {
  const paths = [...spans.values()].map((span) => [...[...above(spans, span)].reverse(), span]);
  return paths.sort(compare).map((path) => path.at(-1));
}

function compare(one, other) {
  const fork = one.findIndex((span, depth) => span !== other[depth]);
  if (fork < 0) return -1;
  if (fork >= other.length) return 1;
  return one[fork].startOffsetMs - other[fork].startOffsetMs || (one[fork].spanId < other[fork].spanId ? -1 : 1);
}

const tree = (trace) => [title(trace), ...inOrder(trace).map((span) => `  ${line(trace, span)}`), ""];

let drawn = 0;

/** Draws the running trees over the last drawing; what is done, and notes, stay above them for good. */
function draw(done, note) {
  const running = [...traces.values()].filter((trace) => trace !== done && trace.spans.size > 0);
  const cut = (text) => text.slice(0, process.stdout.columns - 1);
  const live = running.flatMap(tree).slice(1 - process.stdout.rows);
  const stays = [...(note ? [note] : []), ...(done ? tree(done) : [])];
  const back = drawn > 0 ? `\x1b[${drawn}F` : "";
  process.stdout.write(`${back}\x1b[J${[...stays, ...live].map((text) => `${cut(text)}\n`).join("")}`);
  drawn = live.length;
}

function logChanges(trace, changed) {
  for (const span of inOrder(trace)) if (changed.has(span)) log(`${title(trace)}  ${line(trace, span)}`);
}

function log(text) {
  if (terminal) draw(undefined, text);
  else console.log(text);
}

let told;

/** Says how the connection is, once. */
function connection(state) {
  if (state !== told) log(`${state}: ${server}`);
  told = state;
}

function fail(cause) {
  const errors = Array.isArray(cause) ? cause : [cause];
  console.error(errors.map((error) => error.message || error.reason || error).join("\n"));
  process.exit(1);
}

process.stdout.on("error", () => process.exit()); // Nobody reads any more.
await (only ? follow(only) : followAll()).catch(fail);
await client.dispose();
