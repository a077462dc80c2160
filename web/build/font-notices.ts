import { readFile } from "node:fs/promises";
import type { Plugin } from "vite";

/** Vite gathers the notices of bundled scripts; fonts are files to it, so theirs are added here. */
export function fontNotices(fonts: string[]): Plugin {
  return {
    name: "font-notices",
    apply: "build",
    async generateBundle() {
      const texts = await Promise.all(
        fonts.map(async (font) => `## ${font}\n\n${await readFile(`node_modules/${font}/LICENSE`, "utf8")}`),
      );
      this.emitFile({ type: "asset", fileName: "licenses-fonts.md", source: texts.join("\n") });
    },
  };
}
