import type { GraphiQLPlugin } from "@graphiql/react";
import { SamplesPanel } from "./Panel";

export const samplesPlugin: GraphiQLPlugin = {
  title: "Samples",
  icon: SamplesIcon,
  content: SamplesPanel,
};

function SamplesIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <rect x="3.75" y="3.75" width="16.5" height="5.5" rx="1.5" />
      <path d="M6.5 13h11M6.5 16.5h11M6.5 20h6" strokeLinecap="round" />
    </svg>
  );
}
