// The page about REST in a real browser, against a running server:
//   node docs.mjs http://127.0.0.1:4000 [folder for screenshots]
import assert from "node:assert/strict";
import { open } from "./browser.mjs";

// Other tests may have the machine to themselves for a while.
const PATIENCE = 60_000;
const [server = "http://127.0.0.1:4000", screenshots] = process.argv.slice(2);
const browser = await open();

async function visit(colorScheme) {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const [foreign, complaints] = [[], []];
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (!["data:", "blob:"].includes(url.protocol) && url.origin !== server) foreign.push(request.url());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });

  await page.goto(`${server}/api/v1/docs`);
  await page.locator('[data-content-id="get-/conversations"]').click();
  await page.getByRole("button", { name: "TRY" }).first().click();
  await page.getByText('"items"').first().waitFor();
  if (screenshots) await page.screenshot({ path: `${screenshots}/docs-${colorScheme}.png` });
  assert.deepEqual(foreign, [], "it asks no other host");
  assert.deepEqual(complaints, [], "the console is quiet");
  await context.close();
  console.log(`ok  ${colorScheme}: the page describes the API and tries it out`);
}

try {
  for (const scheme of ["light", "dark"]) await visit(scheme);
} finally {
  await browser.close();
}
