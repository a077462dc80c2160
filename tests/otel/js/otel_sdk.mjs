// A hand-instrumented agent on the OpenTelemetry JS SDK, over OTLP/HTTP JSON with gzip.
// Attributes of every type, a span event, a link, an error, and log records.
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { start } from "./telemetry.mjs";

const CONVERSATION = "conversation-js-1";
const QUESTION = "What is the weather in Vienna?";
const ANSWER = "It is sunny in Vienna. ☀";

const telemetry = start("otel-sdk-js", "gzip");
const tracer = telemetry.tracers.getTracer("weather", "1.2.3");

/** Runs `work` in a span, which ends when `work` does and says when it fails. */
function within(name, options, work) {
  return tracer.startActiveSpan(name, options, (span) => {
    try {
      return work(span);
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      throw error;
    } finally {
      span.end();
    }
  });
}

const text = (content) => ({ type: "text", content });
const call = { type: "tool_call", id: "call_1", name: "weather", arguments: { city: "Vienna" } };
const asked = [{ role: "user", parts: [text(QUESTION)] }];
const thought = { type: "reasoning", content: "One city." };
const called = { role: "assistant", parts: [thought, call], finish_reason: "tool_call" };
const result = { role: "tool", parts: [{ type: "tool_call_response", id: "call_1", response: { sky: "sunny" } }] };
const answer = { role: "assistant", parts: [text(ANSWER)], finish_reason: "stop" };

function chat(input, output, usage) {
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.conversation.id": CONVERSATION,
    "gen_ai.request.model": "claude-sonnet",
    "gen_ai.request.temperature": 1,
    "gen_ai.request.top_p": 0.9,
    "gen_ai.request.stop_sequences": ["END"],
    "gen_ai.system_instructions": JSON.stringify([text("You tell the weather in few words.")]),
    "gen_ai.input.messages": JSON.stringify(input),
  };
  return within("chat claude-sonnet", { kind: SpanKind.CLIENT, attributes }, (span) => {
    span.addEvent("first token", { index: 0 });
    span.setAttributes({
      "gen_ai.output.messages": JSON.stringify([output]),
      "gen_ai.response.model": "claude-sonnet-2025",
      "gen_ai.response.finish_reasons": [output.finish_reason],
      ...Object.fromEntries(Object.entries(usage).map(([name, count]) => [`gen_ai.usage.${name}`, count])),
    });
    return span.spanContext();
  });
}

function tool(argument, run) {
  const attributes = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "weather",
    "gen_ai.tool.type": "function",
    "gen_ai.tool.call.id": "call_1",
    "gen_ai.tool.call.arguments": JSON.stringify(argument),
  };
  return within("execute_tool weather", { attributes }, (span) => {
    span.setAttribute("gen_ai.tool.call.result", JSON.stringify(run(argument)));
  });
}

const agent = (more, work) => {
  const attributes = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "weather_agent",
    "gen_ai.conversation.id": CONVERSATION,
    "user.id": "user-7",
  };
  return within("invoke_agent weather_agent", { attributes, ...more }, work);
};

let judged;
const root = agent({}, (span) => {
  chat(asked, called, { input_tokens: 120, output_tokens: 40, "cache_read.input_tokens": 64 });
  tool(call.arguments, () => ({ sky: "sunny" }));
  const usage = { input_tokens: 150, output_tokens: 12, "cache_write.input_tokens": 8 };
  judged = chat([...asked, called, result], answer, usage);
  return span.spanContext();
});

telemetry.loggers.getLogger("judge").emit({
  eventName: "gen_ai.evaluation.result",
  context: trace.setSpanContext(context.active(), judged),
  attributes: {
    "gen_ai.evaluation.name": "correctness",
    "gen_ai.evaluation.score.value": 1,
    "gen_ai.evaluation.score.label": "correct",
    details: { by: "rule", checks: [{ name: "city", ok: true }, null] },
  },
});
await telemetry.flush();

try {
  agent({ links: [{ context: root, attributes: { reason: "follows" } }] }, () => {
    tool({ city: "Atlantis" }, ({ city }) => {
      throw new Error(`there is no city ${city}`);
    });
  });
} catch {
  // The failure is in the spans.
}
await telemetry.finish({
  conversationId: CONVERSATION,
  userId: "user-7",
  agent: "weather_agent",
  prompt: QUESTION,
  answer: ANSWER,
  toolCalls: ["call_1"],
  evaluatedSpanId: judged.spanId,
  evaluation: { name: "correctness", value: 1, label: "correct" },
  linkedSpanId: root.spanId,
  usage: { input: 270, output: 52, cacheRead: 64, cacheWrite: 8 },
  error: "there is no city Atlantis",
});
