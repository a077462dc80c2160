// Every sample is listed, is one operation, has the variables it declares, and fits the schema.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildSchema, parse, validate } from "graphql";
import { createServer } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const schema = buildSchema(readFileSync(`${root}/../schema.graphql`, "utf8"));

// The list is TypeScript and takes in files as text, so Vite has to load it.
const vite = await createServer({ root, server: { middlewareMode: true, watch: null }, appType: "custom" });
after(() => vite.close());
const { groups } = await vite.ssrLoadModule("/src/samples/index.ts");
const { lookups } = await vite.ssrLoadModule("/src/samples/lookups.ts");
const samples = groups.flatMap((group) => group.samples);

test("every file is listed once", () => {
  const files = readdirSync(`${root}/src/samples`)
    .filter((name) => name.endsWith(".graphql"))
    .map((name) => name.replace(".graphql", ""));
  assert.deepEqual(samples.map((sample) => sample.name).sort(), files.sort());
});

for (const sample of samples) {
  test(`sample ${sample.name}`, () => {
    const operation = fits(sample.text);
    const declared = operation.variableDefinitions.map((one) => one.variable.name.value);
    assert.deepEqual(Object.keys(sample.variables).sort(), declared.sort());
    assert.equal(operation.operation, sample.kind);
  });
}

for (const [name, lookup] of Object.entries(lookups)) {
  test(`look-up ${name}`, () => {
    fits(lookup.query);
  });
}

function fits(text) {
  const document = parse(text);
  const wrong = validate(schema, document).map((error) => error.message);
  assert.deepEqual(wrong, []);
  const operations = document.definitions.filter((one) => one.kind === "OperationDefinition");
  assert.equal(operations.length, 1);
  return operations[0];
}
