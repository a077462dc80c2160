import { useGraphiQL } from "@graphiql/react";
import { activity, type Activity, type FollowState } from "./activity";
import { useObservable } from "./observable";
import { eventView, shownEvents, type EventView } from "./transport/events";

type Tone = "quiet" | "good" | "waiting" | "bad";

const followTold: Record<FollowState, [label: string, tone: Tone]> = {
  connecting: ["Connecting", "waiting"],
  live: ["Live", "good"],
  reconnecting: ["Reconnecting", "waiting"],
  ended: ["Ended", "quiet"],
  stopped: ["Stopped", "quiet"],
  failed: ["Failed", "bad"],
};

/** One line under the response: how the last request went, or how the subscription is doing. */
export function StatusLine() {
  const now = useObservable(activity);
  const { label, tone, facts } = tell(now);
  return (
    <div className="dendro-status">
      <span className="dendro-status-dot" data-tone={tone} aria-hidden="true" />
      <span role="status">{label}</span>
      {facts.map((fact) => (
        <span key={fact.name} className="dendro-status-fact" data-fact={fact.name}>
          {fact.text}
        </span>
      ))}
      {now.kind === "following" && <ViewSwitch />}
    </div>
  );
}

interface Told {
  label: string;
  tone: Tone;
  facts: { name: string; text: string }[];
}

function tell(now: Activity): Told {
  switch (now.kind) {
    case "idle":
      return { label: "Ready", tone: "quiet", facts: [] };
    case "failed":
      return { label: "Failed", tone: "bad", facts: [] };
    case "following": {
      const [label, tone] = followTold[now.state];
      return { label, tone, facts: [{ name: "events", text: count(now.events, "event") }] };
    }
    case "answered": {
      const failed = now.status >= 400 || now.errors > 0;
      const facts = [
        { name: "time", text: `${now.milliseconds.toFixed(now.milliseconds < 10 ? 1 : 0)} ms` },
        { name: "size", text: size(now.bytes) },
      ];
      if (now.errors > 0) facts.unshift({ name: "errors", text: count(now.errors, "error") });
      return { label: String(now.status), tone: failed ? "bad" : "good", facts };
    }
  }
}

const views: [EventView, string][] = [
  ["latest", "Latest"],
  ["all", "All"],
];

/** Whether the response shows the newest event or all of them; works after the end, too. */
function ViewSwitch() {
  const chosen = useObservable(eventView);
  const editor = useGraphiQL((state) => state.responseEditor);
  const choose = (view: EventView) => {
    eventView.set(view);
    const shown = shownEvents();
    if (shown) editor?.setValue(JSON.stringify(shown, null, 2));
  };
  return (
    <div className="dendro-switch" role="group" aria-label="Events shown">
      {views.map(([view, label]) => (
        <button key={view} type="button" aria-pressed={view === chosen} onClick={() => choose(view)}>
          {label}
        </button>
      ))}
    </div>
  );
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
