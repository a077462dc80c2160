// GraphQL documents, in files of their own, in pages and in the texts of programs, fit the schema.
//   node documents.mjs schema.graphql FILE…
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { buildSchema, parse, validate } from "graphql";
import { check, finish } from "./checks.mjs";

const [, , schemaFile, ...files] = process.argv;
const schema = buildSchema(readFileSync(schemaFile, "utf8"));

/** What stands between quotes of any kind and begins as an operation does. */
function documents(file) {
  const text = readFileSync(file, "utf8");
  if (file.endsWith(".graphql")) return [text];
  if (file.endsWith(".md")) return [...text.matchAll(/```graphql\n(.*?)```/gs)].map(([, document]) => document);
  return text.split(/["`]/).filter((piece) => /^\s*(query|mutation|subscription)\s+\w+\s*[({]/.test(piece));
}

for (const file of files) {
  const found = documents(file);
  check(`${basename(file)} has documents`, found.length > 0);
  for (const document of found) {
    const [, name] = /(?:query|mutation|subscription)\s+(\w+)/.exec(document) ?? [, document.split("\n")[1]?.trim()];
    check(`${basename(file)}: from ${name}`, validate(schema, parse(document)).map((error) => error.message), []);
  }
}
finish();
