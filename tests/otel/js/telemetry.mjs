// What the programs here share: OpenTelemetry over OTLP/HTTP JSON, to where OTEL_EXPORTER_OTLP_ENDPOINT says.
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

/** Starts both providers. Nothing is detected about the machine: the resource says the service alone. */
export function start(service, compression = "none") {
  const resource = resourceFromAttributes({ "service.name": service, "service.version": "1.0.0" });
  const traceIds = new Set();
  const remember = {
    onStart: (span) => traceIds.add(span.spanContext().traceId),
    onEnd() {},
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const tracers = new NodeTracerProvider({
    resource,
    spanProcessors: [remember, new BatchSpanProcessor(new OTLPTraceExporter({ compression }))],
  });
  tracers.register();
  const loggers = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ compression }) })],
  });

  return {
    tracers,
    loggers,
    /** Sends what is there, so that what follows is a request of its own. */
    async flush() {
      await tracers.forceFlush();
      await loggers.forceFlush();
    },
    /** Sends what is left, then prints what a reader of the server should find. */
    async finish(expected) {
      await tracers.shutdown();
      await loggers.shutdown();
      console.log(JSON.stringify({ traceIds: [...traceIds], ...expected }));
    },
  };
}
