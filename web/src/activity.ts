import { observable } from "./observable";

/** What the last request is doing, as the status line tells it. */
export type Activity =
  | { kind: "idle" }
  | { kind: "failed" }
  | { kind: "answered"; status: number; milliseconds: number; bytes: number; errors: number }
  | { kind: "following"; state: FollowState; events: number };

export type FollowState = "connecting" | "live" | "reconnecting" | "ended" | "stopped" | "failed";

export const activity = observable<Activity>({ kind: "idle" });
