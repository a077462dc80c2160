// Checks that are counted, so that one failure does not hide the next.

const results = [];

/** Records whether `got` is `want`, compared as JSON. */
export function check(name, got, want = true) {
  const ok = JSON.stringify(got) === JSON.stringify(want);
  results.push(ok);
  const found = ok ? "" : `: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`;
  console.log(`${ok ? "ok  " : "FAIL"} ${name}${found}`);
}

/** Says how many checks hold, and ends the program: with 0 only where all do. */
export function finish() {
  const ok = results.filter(Boolean).length;
  console.log(`${ok}/${results.length} checks ok`);
  process.exit(ok === results.length ? 0 : 1);
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
