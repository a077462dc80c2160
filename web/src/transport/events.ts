import type { ExecutionResult } from "graphql";
import { observable } from "../observable";

/** More than this is scrolling, not reading; it also bounds the work of showing them. */
const KEPT = 100;
const REMEMBERED = "dendro:events";

/** Whether the response shows the newest event alone, or all kept ones. */
export type EventView = "latest" | "all";

export const eventView = observable<EventView>(
  localStorage.getItem(REMEMBERED) === "all" ? "all" : "latest",
);

eventView.subscribe(() => localStorage.setItem(REMEMBERED, eventView.get()));

/** The events of the running or last subscription, newest first. */
let kept: ExecutionResult[] = [];

export function forgetEvents(): void {
  kept = [];
}

export function keepEvent(event: ExecutionResult): void {
  kept = [event, ...kept.slice(0, KEPT - 1)];
}

/** What the response editor should hold now; nothing before the first event. */
export function shownEvents(): object | undefined {
  if (kept.length === 0) return undefined;
  return eventView.get() === "all" ? { newestFirst: kept } : kept[0];
}
