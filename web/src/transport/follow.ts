import type { FetcherParams } from "@graphiql/toolkit";
import type { ExecutionResult } from "graphql";
import { createClient, type Client } from "graphql-ws";
import { forgetEvents } from "./events";
import { failure } from "./failure";
import type { Headers } from "./http";
import { Mailbox } from "./mailbox";
import { sleep } from "./sleep";

const LONGEST_WAIT_MILLISECONDS = 10_000;
const PING_EVERY_MILLISECONDS = 15_000;

/**
 * Follows a subscription, over as many sockets as it takes: once it was connected, it comes back
 * after a dropped connection or a restart of the server, and resumes after the last cursor or revision seen.
 */
export function follow(params: FetcherParams, headers: Headers): AsyncIterableIterator<ExecutionResult> {
  const mailbox = new Mailbox();
  const variables = { ...params.variables };
  const resumable = /\$after\b/.test(params.query);
  const client = connect(headers, mailbox);
  forgetEvents();
  const stop = client.subscribe(
    { query: params.query, operationName: params.operationName ?? null, variables },
    {
      next(event) {
        if (resumable) resumeAfter(variables, event as ExecutionResult);
        mailbox.put(event as ExecutionResult);
      },
      error: (cause) => mailbox.fail(explain(cause)),
      complete: () => mailbox.close("ended"),
    },
  );
  return mailbox.drain(() => {
    stop();
    mailbox.close("stopped");
  });
}

function connect(headers: Headers, mailbox: Mailbox): Client {
  let connectedOnce = false;
  return createClient({
    url: location.origin.replace(/^http/, "ws") + "/graphql/ws",
    connectionParams: headers,
    keepAlive: PING_EVERY_MILLISECONDS,
    retryAttempts: Infinity,
    // A first failure is the user's to see; later ones are a server that restarts.
    shouldRetry: () => connectedOnce,
    retryWait: (attempt) => sleep(Math.min(LONGEST_WAIT_MILLISECONDS, 500 * 2 ** attempt) * jitter()),
    on: {
      connecting: (again) => mailbox.tell(again ? "reconnecting" : "connecting"),
      connected: () => {
        connectedOnce = true;
        mailbox.tell("live");
      },
    },
  });
}

/** The client sends the same variables on every new socket, so what changes here is what resumes. */
function resumeAfter(variables: Record<string, unknown>, event: ExecutionResult): void {
  for (const value of Object.values(event.data ?? {})) {
    const { cursor, revision } = (value ?? {}) as { cursor?: unknown; revision?: unknown };
    const last = cursor ?? revision;
    if (last !== undefined && last !== null) variables["after"] = last;
  }
}

function explain(cause: unknown): Error {
  if (cause instanceof CloseEvent) {
    return failure(`The server closed the connection: ${cause.code} ${cause.reason}`.trim());
  }
  if (cause instanceof Event) return failure("Could not open a WebSocket to /graphql/ws");
  if (Array.isArray(cause)) return failure(cause.map((one) => one.message).join("\n"));
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** Half to one and a half: clients that lost the same server do not all come back at once. */
function jitter(): number {
  return 0.5 + Math.random();
}
