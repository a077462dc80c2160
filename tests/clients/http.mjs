// The GraphQL-over-HTTP audits of graphql-http, the SHOULDs and MAYs too.
//   node http.mjs http://127.0.0.1:4000/graphql
import { auditServer } from "graphql-http";
import { check, finish } from "./checks.mjs";

const [, , url] = process.argv;
for (const result of await auditServer({ url, fetchFn: fetch })) {
  check(`${result.id} ${result.name}`, result.status === "ok" ? "ok" : result.reason, "ok");
}
finish();
