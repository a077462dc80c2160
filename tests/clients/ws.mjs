// The graphql-transport-ws protocol: message by message, and as the graphql-ws client uses it.
//   node ws.mjs ws://127.0.0.1:4000/graphql/ws 'subscription { … }' [initTimeoutMs]
// The subscription must deliver something now and then, and not end.
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { check, finish, sleep } from "./checks.mjs";

const [, , url, subscription, initTimeout = "12000"] = process.argv;
const query = "{ __typename }";

function open(protocol = "graphql-transport-ws", headers = {}) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocol, { headers });
    socket.received = [];
    socket.closed = new Promise((done) => socket.on("close", done));
    socket.on("message", (data) => {
      const message = JSON.parse(data);
      socket.received.push(message);
      if (message.type === "ping") send(socket, { type: "pong" });
    });
    socket.on("open", () => resolve(socket));
    socket.on("error", reject);
    socket.on("unexpected-response", (_, response) => reject(new Error(`HTTP ${response.statusCode}`)));
  });
}

const send = (socket, message) =>
  socket.send(typeof message === "string" ? message : JSON.stringify(message));

const subscribe = (socket, id, text) => send(socket, { id, type: "subscribe", payload: { query: text } });

async function receive(socket, matches, ms = 3000) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(10)) {
    const found = socket.received.find(matches);
    if (found) return found;
  }
  return null;
}

const receives = async (socket, matches) => (await receive(socket, matches)) !== null;

async function acknowledged() {
  const socket = await open();
  send(socket, { type: "connection_init" });
  if (!(await receives(socket, (m) => m.type === "connection_ack"))) throw new Error("no connection_ack");
  return socket;
}

const closeCode = (socket, ms = 3000) => Promise.race([socket.closed, sleep(ms).then(() => "open")]);

async function initialisation() {
  let socket = await acknowledged();
  check("connection_init is acknowledged", true);
  send(socket, { type: "connection_init" });
  check("a second connection_init closes with 4429", await closeCode(socket), 4429);

  socket = await open();
  subscribe(socket, "1", query);
  check("subscribe before the ack closes with 4401", await closeCode(socket), 4401);

  socket = await open();
  check("no connection_init in time closes with 4408", await closeCode(socket, Number(initTimeout)), 4408);
}

async function invalidMessages() {
  let socket = await open();
  send(socket, { type: "nope" });
  check("an unknown message type closes with 4400", await closeCode(socket), 4400);

  socket = await open();
  send(socket, "not json");
  check("invalid JSON closes with 4400", await closeCode(socket), 4400);

  socket = await acknowledged();
  send(socket, { type: "subscribe", payload: { query } });
  check("subscribe without an id closes with 4400", await closeCode(socket), 4400);
}

async function operations() {
  let socket = await open();
  send(socket, { type: "ping" });
  check("ping before init is answered", await receives(socket, (m) => m.type === "pong"));
  socket.close();

  socket = await acknowledged();
  send(socket, { type: "ping", payload: { a: 1 } });
  check("ping is answered", await receives(socket, (m) => m.type === "pong"));
  subscribe(socket, "q", query);
  check("a query yields next", await receives(socket, (m) => m.type === "next" && m.id === "q" && m.payload?.data));
  check("a query yields complete", await receives(socket, (m) => m.type === "complete" && m.id === "q"));
  subscribe(socket, "e", "{ nope_xyz }");
  const error = await receive(socket, (m) => m.id === "e");
  const isList = error?.type === "error" && Array.isArray(error.payload);
  check("an invalid operation yields an error message with a list", isList);
  await sleep(300);
  check("no complete follows an error", socket.received.some((m) => m.id === "e" && m.type === "complete"), false);
  send(socket, { id: "unknown", type: "complete" });
  check("complete for an unknown id is ignored", await closeCode(socket, 500), "open");
  socket.close();
}

async function subscriptions() {
  let socket = await acknowledged();
  subscribe(socket, "s", subscription);
  subscribe(socket, "s", subscription);
  check("a duplicate id closes with 4409", await closeCode(socket), 4409);

  socket = await acknowledged();
  subscribe(socket, "s", subscription);
  await sleep(300);
  send(socket, { id: "s", type: "complete" });
  await sleep(300);
  socket.received.length = 0;
  await sleep(1500);
  check("nothing follows the client's complete", socket.received.filter((m) => m.id === "s").length, 0);
  subscribe(socket, "s", subscription);
  check("an id is free again after complete", await closeCode(socket, 500), "open");
  socket.close();
}

async function refusals() {
  try {
    const socket = await open("unsupported-protocol");
    check("an unknown subprotocol is refused", await closeCode(socket), 4406);
  } catch (refusal) {
    check("an unknown subprotocol is refused", /HTTP 4|Server sent/.test(refusal.message));
  }
  try {
    const socket = await open("graphql-transport-ws", { origin: "https://evil.example" });
    send(socket, { type: "connection_init" });
    check("a foreign origin is refused", (await closeCode(socket, 1000)) !== "open");
  } catch (refusal) {
    check("a foreign origin is refused", /HTTP 4/.test(refusal.message));
  }
}

async function client() {
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
  const results = [];
  for await (const result of client.iterate({ query })) results.push(result);
  check("graphql-ws gets the result of a query", [results.length, typeof results[0]?.data], [1, "object"]);
  let items = 0;
  for await (const result of client.iterate({ query: subscription })) {
    if (result.data && ++items === 2) break;
  }
  check("graphql-ws gets a subscription's items, and ends it", items, 2);
  try {
    for await (const _ of client.iterate({ query: "{ nope_xyz }" }));
    check("graphql-ws is told errors", false);
  } catch (errors) {
    check("graphql-ws is told errors", errors[0]?.extensions?.code, "GRAPHQL_VALIDATION_FAILED");
  }
  await client.dispose();
}

await Promise.all([initialisation(), invalidMessages(), operations(), subscriptions(), refusals(), client()]);
finish();
