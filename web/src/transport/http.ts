import type { ExecutionResult } from "graphql";
import type { FetcherParams } from "@graphiql/toolkit";
import { activity } from "../activity";
import { failure } from "./failure";

export type Headers = Record<string, string>;

/** Runs a query or mutation. The iterator form lets GraphiQL's stop button cancel the request. */
export function ask(params: FetcherParams, headers: Headers): AsyncIterableIterator<ExecutionResult> {
  const abort = new AbortController();
  let answered = false;
  const end = { value: undefined, done: true } as const;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (answered) return end;
      answered = true;
      try {
        return { value: await timed(params, headers, abort.signal), done: false };
      } catch (error) {
        if (abort.signal.aborted) return end;
        activity.set({ kind: "failed" });
        throw error;
      }
    },
    async return() {
      abort.abort();
      return end;
    },
  };
}

/** For requests that are not the user's own: the status line does not tell of them. */
export async function askQuietly(params: FetcherParams, headers: Headers): Promise<ExecutionResult> {
  return (await post(params, headers)).result;
}

async function timed(params: FetcherParams, headers: Headers, signal: AbortSignal) {
  activity.set({ kind: "idle" });
  const started = performance.now();
  const { result, status, bytes } = await post(params, headers, signal);
  activity.set({
    kind: "answered",
    status,
    milliseconds: performance.now() - started,
    bytes,
    errors: result.errors?.length ?? 0,
  });
  return result;
}

async function fetched(request: RequestInit): Promise<Response> {
  try {
    return await fetch("/graphql", request);
  } catch {
    throw failure("The server did not answer: it is not running, or the connection was lost");
  }
}

async function post(params: FetcherParams, headers: Headers, signal?: AbortSignal) {
  const response = await fetched({
    method: "POST",
    body: JSON.stringify(params),
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json;q=0.9",
      ...headers,
    },
    ...(signal && { signal }),
  });
  const text = await response.text();
  const { status } = response;
  return { result: read(text, response), status, bytes: new Blob([text]).size };
}

/** A proxy or an overloaded server may answer with something other than JSON. */
function read(text: string, { status, statusText }: Response): ExecutionResult {
  try {
    return JSON.parse(text) as ExecutionResult;
  } catch {
    throw failure(`HTTP ${status} ${statusText}: ${text.slice(0, 500) || "empty answer"}`);
  }
}
