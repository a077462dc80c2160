// GraphQL over server-sent events in distinct-connections mode, as the graphql-sse client uses it.
//   node sse.mjs http://127.0.0.1:4000/graphql/stream 'subscription { … }'
// The subscription must deliver something now and then, and not end; its items must be resumable.
import { createClient } from "graphql-sse";
import { check, finish } from "./checks.mjs";

const [, , url, subscription] = process.argv;
const query = "{ __typename }";
const client = createClient({ url, retryAttempts: 0 });

async function all(text) {
  const results = [];
  for await (const result of client.iterate({ query: text })) results.push(result);
  return results;
}

/** The events of a response, until `enough` of them carry data or it ends. */
async function events(response, enough = Infinity) {
  const found = [];
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const lines = text.slice(0, end).split("\n").map((line) => line.split(/:\s?(.*)/s));
      const event = Object.fromEntries(lines.filter(([name]) => name));
      if ("data" in event) found.push(event);
      if (found.length === enough) return found;
    }
  }
  return found;
}

const get = (text, headers = {}) =>
  fetch(`${url}?query=${encodeURIComponent(text)}`, { headers: { accept: "text/event-stream", ...headers } });

const results = await all(query);
check("a query yields one result and ends", [results.length, typeof results[0]?.data], [1, "object"]);

let items = 0;
for await (const result of client.iterate({ query: subscription })) {
  if (result.data && ++items === 3) break;
}
check("a subscription yields items, and the client can leave", items, 3);

for (const bad of ["{ nope_xyz }", "{"]) {
  const [refused, ...more] = await all(bad);
  const code = refused?.errors?.[0]?.extensions?.code ?? "";
  check(`${bad} yields its errors and ends`, [code.startsWith("GRAPHQL_"), more.length], [true, 0]);
}

let response = await get(query);
check("the content type is text/event-stream", response.headers.get("content-type"), "text/event-stream");
const [next, complete] = await events(response);
check("a result is a next event", [next.event, typeof JSON.parse(next.data).data], ["next", "object"]);
check("complete has an empty data field", complete, { event: "complete", data: "" });

response = await get(subscription);
const first = await events(response, 2);
check("items have ids", first.every((event) => event.id));
response = await get(subscription, { "last-event-id": first[0].id });
const [again] = await events(response, 1);
check("Last-Event-ID goes on with the next item", again.id, first[1].id);

response = await fetch(url, { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" });
check("what is no GraphQL request is refused by status", response.status, 415);

client.dispose();
finish();
