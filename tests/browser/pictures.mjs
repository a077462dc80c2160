// The README's pictures, taken of GraphiQL while scripted agents are at work:
//   node pictures.mjs target/release/dendro docs [light|dark]
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import UPNG from "upng-js";
import { open } from "./browser.mjs";
import { GraphiQL } from "./page.mjs";

const [program, folder, scheme = "light"] = process.argv.slice(2);
const LARGEST_BYTES = 400_000;

/** Starts a demo and answers it with its address, once it listens. */
async function demo() {
  const flags = ["--listen", "127.0.0.1:0", "--engine", "memory", "--pace", "200ms", "--log", "warn"];
  const child = spawn(program, ["demo", ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const [, server] = /^listening on (.*)$/.exec(line) ?? [];
    if (server) return { child, server };
  }
  throw new Error(`${program} did not start`);
}

async function ask(server, query) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${server}/graphql`, { method: "POST", headers, body: JSON.stringify({ query }) });
  return (await response.json()).data;
}

/** Waits for a newest trace that has something to show. */
async function something(server) {
  for (;;) {
    const { traces } = await ask(server, "{ traces(first: 1) { nodes { spanCount } } }");
    const [newest] = traces.nodes;
    if (newest?.spanCount >= 12) return;
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Waits until the newest run that goes on is one of an agent of this server, and has just begun. */
async function atWork(server) {
  const query = "{ traces(first: 1, filter: { statuses: [RUNNING] }) { nodes { spanCount name } } }";
  for (;;) {
    const [newest] = (await ask(server, query)).traces.nodes;
    if (newest && newest.spanCount < 6 && ["researcher", "support", "coder"].includes(newest.name)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Follows a run by a sample until so many events have come. The run may be over, or another's, by then: again. */
async function follow(page, sample, events) {
  for (let seen = false; !seen; ) {
    await atWork(server);
    await page.openSample(sample);
    await page.start();
    seen = await page.eventsAtLeast(events, 10_000).then(() => true, () => false);
  }
  await page.showAll();
}

/** Takes a picture, in 256 colours: one sees no difference, and it is a third as large. */
async function keep(page, name) {
  const path = `${folder}/${name}.png`;
  await page.page.mouse.move(700, 4);
  const taken = UPNG.decode(await page.page.screenshot());
  const picture = Buffer.from(UPNG.encode(UPNG.toRGBA8(taken), taken.width, taken.height, 256));
  console.log(`${path}  ${Math.round(picture.length / 1000)} kB`);
  if (picture.length > LARGEST_BYTES) throw new Error(`it is larger than ${LARGEST_BYTES / 1000} kB`);
  writeFileSync(path, picture);
}

const { child, server } = await demo();
const browser = await open();
try {
  const page = await GraphiQL.open(browser, server, scheme, { deviceScaleFactor: 2 });
  await page.ready();
  await something(server);
  await page.openSample("trace-tree");
  await page.run();
  await keep(page, "graphiql");

  await follow(page, "follow-trace", 6);
  await keep(page, "live");
  await follow(page, "follow-agent", 5);
  await keep(page, "agent");
} finally {
  await browser.close();
  child.kill();
}
