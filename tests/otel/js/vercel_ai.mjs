// The Vercel AI SDK 7 with its mock model. It traces through `@ai-sdk/otel`, which speaks OpenTelemetry's
// `gen_ai.*`, or with the argument `legacy` the older `ai.*`.
//   node vercel_ai.mjs [legacy]
import { LegacyOpenTelemetry, OpenTelemetry } from "@ai-sdk/otel";
import { generateText, isStepCount, registerTelemetry, streamText, tool } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { start } from "./telemetry.mjs";
import { EXPECTED, talk } from "./weather_model.mjs";

const legacy = process.argv[2] === "legacy";
const telemetry = start(legacy ? "vercel-ai-legacy" : "vercel-ai");
registerTelemetry(legacy ? new LegacyOpenTelemetry() : new OpenTelemetry({ runtimeContext: true, usage: true }));

const metadata = { sessionId: "session-vercel-1", userId: "user-7" };
await talk({
  generateText,
  streamText,
  tool,
  stepCountIs: isStepCount,
  MockModel: MockLanguageModelV4,
  flush: telemetry.flush,
  telemetry: {
    runtimeContext: metadata,
    telemetry: {
      functionId: "weather-function",
      includeRuntimeContext: { sessionId: true, userId: true },
    },
  },
});
await telemetry.finish({
  conversationId: metadata.sessionId,
  userId: metadata.userId,
  functionId: "weather-function",
  ...EXPECTED,
});
