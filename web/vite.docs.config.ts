import { defineConfig } from "vite";
import { bundledNotices } from "./build/bundled-notices.ts";
import { fontNotices } from "./build/font-notices.ts";
import { precompress } from "./build/precompress.ts";

// The page about REST. The server answers at /api/v1/docs, and takes everything below it from dist/docs.
export default defineConfig({
  root: "docs",
  base: "/api/v1/docs/",
  plugins: [
    fontNotices(["@fontsource-variable/inter", "@fontsource-variable/jetbrains-mono"]),
    bundledNotices("rapidoc", "rapidoc/dist/rapidoc-min.js.LICENSE.txt"),
    precompress(),
  ],
  build: {
    outDir: "../dist/docs",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    chunkSizeWarningLimit: 1000,
    reportCompressedSize: false,
  },
});
