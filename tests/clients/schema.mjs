// The style of a schema: graphql-eslint, and graphql-schema-linter for what that leaves out.
//   node schema.mjs schema.graphql
import { spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { check, finish } from "./checks.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const schema = resolve(process.argv[2]);
const rules = [
  "fields-have-descriptions",
  "types-have-descriptions",
  "arguments-have-descriptions",
  "enum-values-all-caps",
  "deprecations-have-a-reason",
  "relay-connection-types-spec",
  "relay-page-info-spec",
];

process.env.SCHEMA = schema;
const eslint = new ESLint({ cwd: dirname(schema), overrideConfigFile: join(here, "eslint.config.mjs") });
const found = await eslint.lintFiles([schema]);
const faults = found.flatMap(({ messages }) => messages);
check("graphql-eslint read the schema", found.length, 1);
check("graphql-eslint finds nothing", faults.map((fault) => `${fault.line}: ${fault.message} (${fault.ruleId})`), []);

const linter = join(here, "node_modules/graphql-schema-linter/lib/cli.js");
const linted = spawnSync(process.execPath, [linter, schema, "--rules", rules.join(",")], { encoding: "utf8" });
check("graphql-schema-linter finds nothing", linted.status === 0 ? "" : linted.stdout + linted.stderr, "");
finish();
