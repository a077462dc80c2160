// The Vercel AI SDK 6 with its mock model and `experimental_telemetry`, which speaks `ai.*` beside `gen_ai.*`.
import { generateText, stepCountIs, streamText, tool } from "ai-v6";
import { MockLanguageModelV3 } from "ai-v6/test";
import { start } from "./telemetry.mjs";
import { EXPECTED, talk } from "./weather_model.mjs";

const telemetry = start("vercel-ai-v6");
const metadata = { sessionId: "session-vercel-6", userId: "user-7" };
await talk({
  generateText,
  streamText,
  tool,
  stepCountIs,
  MockModel: MockLanguageModelV3,
  flush: telemetry.flush,
  telemetry: {
    experimental_telemetry: { isEnabled: true, functionId: "weather-function", metadata },
  },
});
await telemetry.finish({
  conversationId: metadata.sessionId,
  userId: metadata.userId,
  functionId: "weather-function",
  ...EXPECTED,
});
