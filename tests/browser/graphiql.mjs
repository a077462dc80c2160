// GraphiQL in a real browser, against a running server, on which it also records some runs:
//   node graphiql.mjs http://127.0.0.1:4000 [folder for screenshots]
import assert from "node:assert/strict";
import { Agent } from "./agent.mjs";
import { open } from "./browser.mjs";
import { GraphiQL } from "./page.mjs";

const [server = "http://127.0.0.1:4000", screenshots] = process.argv.slice(2);
const agent = new Agent(server);
const browser = await open();

async function step(what, work) {
  try {
    await work();
    console.log(`ok  ${what}`);
  } catch (error) {
    console.log(`NOT ${what}`);
    throw error;
  }
}

async function visit(scheme) {
  const page = await GraphiQL.open(browser, server, scheme);

  await step(`${scheme}: the page starts, with Monaco's workers and the schema`, async () => {
    await page.ready();
    await page.workersAtLeast(2);
  });

  await step(`${scheme}: the query of a first visit runs`, async () => {
    const answer = await page.run();
    assert.ok(answer.data, JSON.stringify(answer));
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
    await page.screenshot(screenshots, `${scheme}-query`);
  });

  await step(`${scheme}: a sample is found and opened with the keyboard alone`, async () => {
    const before = await page.tabs();
    await page.openSampleByKeyboard("tree");
    assert.equal(await page.tabs(), before + 1);
    const answer = await page.runByKeyboard();
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  });

  await step(`${scheme}: what is typed is completed from the schema, and runs`, async () => {
    await page.newTab();
    await page.type("{ trac");
    const offered = await page.suggestions();
    assert.ok(offered.includes("traces"), `offered: ${offered}`);
    await page.replace("{ __typename }");
    assert.deepEqual(await page.run(), { data: { __typename: "Query" } });
  });

  await step(`${scheme}: a subscription delivers events until it is stopped`, async () => {
    await page.openSample("follow-running-traces");
    await page.start();
    await page.eventsAtLeast(3);
    await page.showAll();
    const { newestFirst } = await page.response();
    assert.ok(newestFirst.length >= 3);
    for (const event of newestFirst) assert.equal(event.errors, undefined, JSON.stringify(event));
    await page.screenshot(screenshots, `${scheme}-subscription`);
    await page.stop();
    assert.match(await page.status(), /Stopped/);
  });

  await step(`${scheme}: explorer and documentation open`, async () => {
    await page.showPlugin("GraphiQL Explorer");
    await page.screenshot(screenshots, `${scheme}-explorer`);
    await page.showPlugin("Documentation Explorer");
    await page.screenshot(screenshots, `${scheme}-documentation`);
    await page.showPlugin("Samples");
  });

  return page;
}

try {
  await agent.start();
  const light = await visit("light");
  await step("the samples that record can be run one after the other", async () => {
    for (const name of await light.samples("mutation")) {
      assert.ok(await light.openSample(name), `${name} misses something`);
      const answer = await light.run();
      assert.equal(answer.errors, undefined, `${name}: ${JSON.stringify(answer.errors)}`);
      for (const { refusal } of Object.values(answer.data)) assert.equal(refusal, null, `${name}: ${refusal?.message}`);
    }
  });
  await step("every sample that asks without changing anything is answered", async () => {
    for (const name of await light.samples("query")) {
      if (!(await light.openSample(name))) continue; // Nothing of its kind is recorded yet.
      const answer = await light.run();
      assert.equal(answer.errors, undefined, `${name}: ${JSON.stringify(answer.errors)}`);
    }
  });
  const dark = await visit("dark");
  await step("nothing was asked of another host, and nothing was complained of", () => {
    assert.deepEqual([...light.foreign, ...dark.foreign], []);
    assert.deepEqual([...light.complaints, ...dark.complaints], []);
  });
} finally {
  await browser.close();
  await agent.stop();
}
