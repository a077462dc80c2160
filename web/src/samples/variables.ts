import { askQuietly, type Headers } from "../transport/http";
import { lookups, type LookupName } from "./lookups";

/** A variable whose value is looked up when its sample is opened: the newest trace, for one. */
export interface FromServer {
  newest: LookupName;
}

export type SampleVariables = Record<string, unknown>;

export interface Filled {
  variables: SampleVariables;
  /** What could not be found because nothing of the kind is recorded yet. */
  missing: string[];
}

export async function fill(variables: SampleVariables, headers: Headers): Promise<Filled> {
  const missing: string[] = [];
  const filled = await Promise.all(
    Object.entries(variables).map(async ([name, value]) => {
      if (!isFromServer(value)) return [name, value] as const;
      const found = await lookUp(value.newest, headers);
      if (found === undefined) missing.push(lookups[value.newest].called);
      return [name, found ?? ""] as const;
    }),
  );
  return { variables: Object.fromEntries(filled), missing };
}

function isFromServer(value: unknown): value is FromServer {
  return typeof value === "object" && value !== null && "newest" in value;
}

/** Every look-up names its list `found` and its items' value `id`. */
interface Found {
  found?: { nodes: { id: string }[] } | null;
}

async function lookUp(name: LookupName, headers: Headers): Promise<string | undefined> {
  try {
    const { data } = await askQuietly({ query: lookups[name].query }, headers);
    return (data as Found | null | undefined)?.found?.nodes[0]?.id;
  } catch {
    return undefined; // The sample still opens, and running it shows what is wrong.
  }
}
