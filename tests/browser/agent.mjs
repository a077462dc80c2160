const START = `mutation ($input: StartTraceInput!) {
  startTrace(input: $input) { trace { traceId } refusal { message } }
}`;
const CREATE = `mutation ($input: CreateSpanInput!) {
  createSpan(input: $input) { span { id spanId } refusal { message } }
}`;
const COMPLETE = `mutation ($input: CompleteSpanInput!) {
  completeSpan(input: $input) { span { id } refusal { message } }
}`;
const END = `mutation ($input: CompleteTraceInput!) {
  completeTrace(input: $input) { trace { traceId } refusal { message } }
}`;

/** An agent that records one run after the other, a write every `pace` milliseconds, until it is stopped. */
export class Agent {
  #stopped = false;

  constructor(server, pace = 100) {
    this.server = server;
    this.pace = pace;
  }

  /** Records one whole run, so that there is something to look at, and then goes on by itself. */
  async start() {
    await this.#run();
    this.#work = (async () => {
      while (!this.#stopped) await this.#run();
    })();
  }

  async stop() {
    this.#stopped = true;
    await this.#work;
  }

  #work = Promise.resolve();

  async #run() {
    const { trace } = await this.#write(START, { name: "book a flight", userInput: "To Kyoto on the 14th, please" });
    const { traceId } = trace;
    const { span: agent } = await this.#write(CREATE, { traceId, name: "agent", operationType: "AGENT" });
    for (const name of ["search_direct_flight", "book_reservation"]) {
      const inside = { traceId, parentSpanId: agent.spanId };
      await this.#operation({ ...inside, name: "plan next step", operationType: "LLM_CALL", model: "scripted" }, "OK");
      await this.#operation({ ...inside, name, operationType: "TOOL_CALL", toolName: name }, name.startsWith("book") ? "ERROR" : "OK");
    }
    await this.#write(COMPLETE, { spanId: agent.id });
    await this.#write(END, { traceId, finalOutput: "The flight is full." });
  }

  async #operation(input, status) {
    const { span } = await this.#write(CREATE, input);
    await this.#write(COMPLETE, { spanId: span.id, status, outputs: { text: "…" } });
  }

  async #write(query, input) {
    const response = await fetch(`${this.server}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const { data, errors } = await response.json();
    const [payload] = Object.values(data ?? {});
    if (errors || payload.refusal) throw new Error(JSON.stringify(errors ?? payload.refusal));
    await new Promise((done) => setTimeout(done, this.pace));
    return payload;
  }
}
