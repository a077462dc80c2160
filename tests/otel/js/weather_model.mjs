// A talk with the AI SDK's mock model: a tool call, its answer, and the same text streamed.
import { z } from "zod";

export const SYSTEM = "You tell the weather in few words.";
export const PROMPT = "What is the weather in Vienna?";
export const ANSWER = "It is sunny in Vienna.";
export const MODEL = "mock-model-1";

/** What a reader should find, whichever version of the SDK it was. */
export const EXPECTED = {
  model: MODEL,
  prompt: PROMPT,
  answer: ANSWER,
  toolCalls: ["call_1"],
  usage: [
    { input: 120, output: 40, cacheRead: 64, cacheWrite: 8, reasoning: 16 },
    { input: 150, output: 20, cacheRead: 128, cacheWrite: 0, reasoning: 0 },
  ],
};

const usage = ({ input, output, cacheRead, cacheWrite, reasoning }) => ({
  inputTokens: { total: input, noCache: input - cacheRead - cacheWrite, cacheRead, cacheWrite },
  outputTokens: { total: output, text: output - reasoning, reasoning },
});

const response = (step) => ({
  id: `response_${step}`,
  modelId: `${MODEL}-2025-01-01`,
  timestamp: new Date("2025-06-15T12:00:00Z"),
});

const STEPS = [
  {
    content: [
      { type: "reasoning", text: "One city, so one call." },
      { type: "tool-call", toolCallId: "call_1", toolName: "weather", input: '{"city":"Vienna"}' },
    ],
    finishReason: { unified: "tool-calls", raw: "tool_use" },
    usage: usage(EXPECTED.usage[0]),
    response: response(1),
    warnings: [],
  },
  {
    content: [{ type: "text", text: ANSWER }],
    finishReason: { unified: "stop", raw: "end_turn" },
    usage: usage(EXPECTED.usage[1]),
    response: response(2),
    warnings: [],
  },
];

/** The model, of the class that this version of the SDK has; it answers the steps in order. */
export function scripted(MockModel) {
  let step = 0;
  return new MockModel({
    provider: "mock.provider",
    modelId: MODEL,
    doGenerate: async () => STEPS[step++],
    doStream: async () => ({ stream: ReadableStream.from(pieces(STEPS[1])) }),
  });
}

function* pieces({ content, finishReason, usage: used, response: meta }) {
  yield { type: "stream-start", warnings: [] };
  yield { type: "response-metadata", ...meta };
  yield { type: "text-start", id: "1" };
  for (const word of content[0].text.split(/(?<= )/)) yield { type: "text-delta", id: "1", delta: word };
  yield { type: "text-end", id: "1" };
  yield { type: "finish", finishReason, usage: used };
}

export const weather = {
  description: "The weather in a city now.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => ({ city, sky: "sunny", celsius: 21 }),
};

/** A tool call in two steps, then a stream. `telemetry` is spread into the options of both calls. */
export async function talk({ generateText, streamText, stepCountIs, tool, MockModel, telemetry, flush }) {
  const options = { system: SYSTEM, temperature: 0.2, maxOutputTokens: 500, ...telemetry };
  const { text } = await generateText({
    model: scripted(MockModel),
    prompt: PROMPT,
    tools: { weather: tool(weather) },
    stopWhen: stepCountIs(3),
    ...options,
  });
  if (text !== ANSWER) throw new Error(`generated ${text}`);
  await flush();

  const messages = [{ role: "user", content: PROMPT }];
  let streamed = "";
  for await (const piece of streamText({ model: scripted(MockModel), messages, ...options }).textStream) {
    streamed += piece;
  }
  if (streamed !== ANSWER) throw new Error(`streamed ${streamed}`);
}
