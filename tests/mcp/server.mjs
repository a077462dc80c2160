// An MCP server that misbehaves when it is told to: what real ones do on a bad day.
import { spawn } from "node:child_process";

import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
} from "@modelcontextprotocol/sdk/types.js";

const text = (text) => ({ content: [{ type: "text", text }] });
let cancelled = 0;

const tools = {
  echo: ({ text: said }) => text(said),
  die: () => process.exit(3),
  hang: (_, signal) => {
    signal.addEventListener("abort", () => (cancelled += 1));
    return new Promise(() => {});
  },
  cancelled: () => text(String(cancelled)),
  fail: () => ({ ...text("no such file"), isError: true }),
  refuse: () => {
    throw new McpError(ErrorCode.InvalidParams, "the moon is no place");
  },
  huge: () => text("x".repeat(6 << 20)),
  long: () => text("ü".repeat(1 << 20)),
  rubbish: () => {
    process.stdout.write("this is no JSON\n{\"neither\": is this\n[1, 2]\n\n");
    return text("after the rubbish");
  },
  complain: () => {
    for (let line = 0; line < 3000; line += 1) console.error(`complaint ${line} ${"!".repeat(2000)}`);
    return text("complained");
  },
  environment: () => text(JSON.stringify(process.env)),
  family: () => {
    const child = spawn("sleep", ["600"], { stdio: "ignore" });
    return text(JSON.stringify([process.pid, child.pid]));
  },
  change: async () => {
    tools.newcomer = () => text("new");
    await server.sendToolListChanged();
    return text("changed");
  },
  "odd name/with: signs": () => text("odd"),
  "broken schema": () => text("never"),
};

const schemas = {
  echo: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  "broken schema": { type: "object", properties: { a: { pattern: "(" } } },
};

const server = new Server({ name: "bad-days", version: "1.0.0" }, { capabilities: { tools: { listChanged: true } } });

// Four on a page.
server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
  const from = Number(params?.cursor ?? 0);
  const names = Object.keys(tools);
  const page = names.slice(from, from + 4);
  return {
    tools: page.map((name) => ({
      name,
      description: `Does ${name}`,
      inputSchema: schemas[name] ?? { type: "object" },
    })),
    ...(from + 4 < names.length ? { nextCursor: String(from + 4) } : {}),
  };
});

server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal }) =>
  tools[params.name](params.arguments ?? {}, signal),
);

await server.connect(new StdioServerTransport());
