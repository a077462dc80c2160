import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useState } from "react";
import type { Headers } from "../transport/http";
import type { Sample } from "./index";
import { fill } from "./variables";

/** Opens samples in tabs of their own; also says what the last one still misses. */
export function useOpenSample() {
  const { addTab, changeTab, stop, updateActiveTabValues } = useGraphiQLActions();
  const state = useGraphiQL(({ tabs, queryEditor, variableEditor, headerEditor }) => ({
    tabs,
    queryEditor,
    variableEditor,
    headerEditor,
  }));
  const [missing, setMissing] = useState<string[]>([]);

  async function open(sample: Sample): Promise<void> {
    const filled = await fill(sample.variables, headersOf(state.headerEditor?.getValue()));
    const variables = asText(filled.variables);
    stop();
    const there = state.tabs.findIndex((tab) => tab.query?.trim() === sample.text.trim());
    if (there >= 0) changeTab(there);
    else if (state.queryEditor?.getValue().trim()) addTab();
    state.queryEditor?.setValue(sample.text);
    state.variableEditor?.setValue(variables);
    updateActiveTabValues({ query: sample.text, variables });
    setMissing(filled.missing);
    state.queryEditor?.focus();
  }

  return { open, missing };
}

function asText(variables: object): string {
  return Object.keys(variables).length === 0 ? "" : JSON.stringify(variables, null, 2);
}

/** The user's own headers carry the key, when there is one. */
function headersOf(text: string | undefined): Headers {
  try {
    return text ? (JSON.parse(text) as Headers) : {};
  } catch {
    return {};
  }
}
