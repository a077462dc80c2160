// The page about REST in a real browser, against a running server:
//   node docs.mjs http://127.0.0.1:4000 [folder for screenshots]
import assert from "node:assert/strict";
import { open } from "./browser.mjs";

// Other tests may have the machine to themselves for a while.
const PATIENCE = 60_000;
const [server = "http://127.0.0.1:4000", screenshots] = process.argv.slice(2);
const browser = await open();

// Of a text to what is behind it, so that it can be read (WCAG 2, level AA).
const LEAST_CONTRAST = 4.5;

/** The contrast of an element's text to the navigation that it stands in, as WCAG counts it. */
function contrastToNavigation(element) {
  const luminance = (color) => {
    const channels = color.match(/[\d.]+/g).slice(0, 3).map((text) => Number(text) / 255);
    const linear = channels.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = getComputedStyle(element.closest(".nav-bar")).backgroundColor;
  const both = [getComputedStyle(element).color, behind].map(luminance).sort((a, b) => b - a);
  return (both[0] + 0.05) / (both[1] + 0.05);
}

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
  const left = (selector) => page.locator(selector).first().evaluate((element) => element.getBoundingClientRect().left);
  assert.equal(await left("#api-info"), await left("#api-title"), "the licence stands below the title");
  for (const method of ["get", "post", "put", "patch", "delete"]) {
    const label = page.locator(`.nav-method.${method}`).first();
    const contrast = await label.evaluate(contrastToNavigation);
    assert.ok(contrast >= LEAST_CONTRAST, `${method} can be read in ${colorScheme}: ${contrast}`);
  }
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
