import { useGraphiQL } from "@graphiql/react";
import { useRef, useState, type KeyboardEvent } from "react";
import { groups, type Group, type Sample } from "./index";
import { useOpenSample } from "./open";

/** The sidebar's list of samples: filter by typing, move with the arrows, open with Enter. */
export function SamplesPanel() {
  const [wanted, setWanted] = useState("");
  const { open, missing } = useOpenSample();
  const list = useRef<HTMLDivElement>(null);
  const shown = matching(wanted);
  return (
    <section className="dendro-samples" aria-label="Samples" onKeyDown={(event) => move(event, list.current)}>
      <div className="graphiql-doc-explorer-title dendro-samples-title">Samples</div>
      <input
        type="search"
        value={wanted}
        placeholder="Filter samples"
        aria-label="Filter samples"
        onChange={(event) => setWanted(event.target.value)}
        onKeyDown={(event) => {
          const only = shown[0]?.samples[0];
          if (event.key === "Enter" && wanted && only) void open(only);
        }}
      />
      <Missing what={missing} />
      <div ref={list} className="dendro-samples-list">
        {shown.map((group) => (
          <SampleGroup key={group.title} group={group} open={open} />
        ))}
        {shown.length === 0 && <p className="dendro-samples-none">No sample matches “{wanted}”.</p>}
      </div>
    </section>
  );
}

function SampleGroup({ group, open }: { group: Group; open: (sample: Sample) => Promise<void> }) {
  const current = useGraphiQL(({ tabs, activeTabIndex }) => tabs[activeTabIndex]?.query?.trim());
  return (
    <section aria-label={group.title}>
      <h3>{group.title}</h3>
      <ul>
        {group.samples.map((sample) => (
          <li key={sample.name}>
            <button
              type="button"
              data-sample={sample.name}
              data-kind={sample.kind}
              aria-current={sample.text.trim() === current}
              onClick={() => void open(sample)}
            >
              <span className="dendro-sample-title">{sample.title}</span>
              <span className="dendro-sample-line">{sample.line}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Missing({ what }: { what: string[] }) {
  if (what.length === 0) return null;
  return (
    <p className="dendro-samples-missing" role="status">
      {what.join(" ")} Or fill the variable in.
    </p>
  );
}

function matching(wanted: string): Group[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return groups
    .map((group) => ({
      ...group,
      samples: group.samples.filter((sample) => {
        const text = `${group.title} ${sample.title} ${sample.line} ${sample.kind}`.toLowerCase();
        return words.every((word) => text.includes(word));
      }),
    }))
    .filter((group) => group.samples.length > 0);
}

/** Arrow keys, Home and End go through the filter and all samples, across groups. */
function move(event: KeyboardEvent, list: HTMLElement | null): void {
  const stops = list ? [...list.querySelectorAll("button")] : [];
  const at = stops.indexOf(document.activeElement as HTMLButtonElement);
  const inFilter = document.activeElement instanceof HTMLInputElement;
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: inFilter ? undefined : 0, End: inFilter ? undefined : stops.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const filter = event.currentTarget.querySelector("input");
  (next < 0 ? filter : (stops[next] ?? stops.at(-1)))?.focus();
}
