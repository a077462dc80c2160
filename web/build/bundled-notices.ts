import { readFile } from "node:fs/promises";
import type { Plugin } from "vite";

/** A package that comes as one bundle names what is in it in a file beside: that travels with it. */
export function bundledNotices(name: string, path: string): Plugin {
  return {
    name: "bundled-notices",
    apply: "build",
    async generateBundle() {
      const source = await readFile(`node_modules/${path}`, "utf8");
      this.emitFile({ type: "asset", fileName: `licenses-${name}.txt`, source });
    },
  };
}
