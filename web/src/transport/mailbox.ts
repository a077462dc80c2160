import type { ExecutionResult } from "graphql";
import { activity, type FollowState } from "../activity";
import { keepEvent, shownEvents } from "./events";
import { sleep } from "./sleep";

/** A snapshot may arrive as hundreds of events at once: show them at a pace one can draw. */
const PACE_MILLISECONDS = 50;

/** Between socket and editor: keeps what arrived, and hands on only the newest view of it. */
export class Mailbox {
  #state: FollowState = "connecting";
  #events = 0;
  #unseen = false;
  #failure: Error | undefined;
  #wake: () => void = () => {};
  #markClosed: () => void = () => {};
  #closed = new Promise<void>((mark) => (this.#markClosed = mark));

  put(event: ExecutionResult): void {
    if (!this.#open) return;
    keepEvent(event);
    this.#events += 1;
    this.#unseen = true;
    this.#wake();
  }

  tell(state: FollowState): void {
    if (!this.#open) return;
    this.#state = state;
    this.#report();
  }

  close(state: "ended" | "stopped"): void {
    this.tell(state);
    this.#markClosed();
    this.#wake();
  }

  fail(cause: Error): void {
    if (!this.#open) return;
    this.#failure = cause;
    this.tell("failed");
    this.#markClosed();
    this.#wake();
  }

  /**
   * The views to draw. `stop` runs as soon as the reader leaves, not when the next event comes,
   * which is why this is not simply the generator.
   */
  drain(stop: () => void): AsyncIterableIterator<ExecutionResult> {
    const views = this.#views();
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: () => views.next(),
      return: async () => {
        stop();
        return { value: undefined, done: true };
      },
    };
  }

  async *#views(): AsyncGenerator<ExecutionResult, void> {
    for (;;) {
      if (this.#unseen) {
        this.#unseen = false;
        this.#report();
        yield shownEvents() as ExecutionResult;
        await Promise.race([sleep(PACE_MILLISECONDS), this.#closed]);
      } else if (this.#failure) {
        throw this.#failure;
      } else if (this.#open) {
        await new Promise<void>((wake) => (this.#wake = wake));
      } else {
        return;
      }
    }
  }

  get #open(): boolean {
    return !["ended", "stopped", "failed"].includes(this.#state);
  }

  #report(): void {
    activity.set({ kind: "following", state: this.#state, events: this.#events });
  }
}
