import { askQuietly, type Headers } from "../transport/http";
import { lookups, type LookupName } from "./lookups";

/** A variable whose value is looked up when its sample is opened: the newest trace, for one. */
export interface FromServer {
  newest: LookupName;
}

/** A variable that is a moment before now. */
export interface HoursAgo {
  hoursAgo: number;
}

export type SampleVariables = Record<string, unknown>;

export interface Filled {
  variables: SampleVariables;
  /** For each value that could not be found: what to do about it. */
  missing: string[];
}

export async function fill(variables: SampleVariables, headers: Headers): Promise<Filled> {
  const missing: string[] = [];
  const filled = await Promise.all(
    Object.entries(variables).map(async ([name, value]) => {
      if (isHoursAgo(value)) return [name, momentAgo(value)] as const;
      if (!isFromServer(value)) return [name, value] as const;
      const found = await lookUp(value.newest, headers);
      if (found === undefined) missing.push(lookups[value.newest].missing);
      return [name, found ?? ""] as const;
    }),
  );
  return { variables: Object.fromEntries(filled), missing };
}

function isFromServer(value: unknown): value is FromServer {
  return typeof value === "object" && value !== null && "newest" in value;
}

function isHoursAgo(value: unknown): value is HoursAgo {
  return typeof value === "object" && value !== null && "hoursAgo" in value;
}

function momentAgo({ hoursAgo }: HoursAgo): string {
  return new Date(Date.now() - hoursAgo * 3_600_000).toISOString();
}

/** Every look-up names what it goes through `found`, and the value at its end `id`. */
interface Found {
  id?: string;
  found?: Found | null;
  nodes?: Found[];
}

async function lookUp(name: LookupName, headers: Headers): Promise<string | undefined> {
  try {
    const { data } = await askQuietly({ query: lookups[name].query }, headers);
    return firstId((data ?? {}) as Found);
  } catch {
    return undefined; // The sample still opens, and running it shows what is wrong.
  }
}

function firstId({ id, found, nodes = [] }: Found): string | undefined {
  if (id !== undefined) return id;
  for (const inside of found ? [found] : nodes) {
    const first = firstId(inside);
    if (first !== undefined) return first;
  }
  return undefined;
}
