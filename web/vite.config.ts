import { defineConfig } from "vite";
import { fontNotices } from "./build/font-notices.ts";
import { precompress } from "./build/precompress.ts";

// The server answers at /graphiql, and takes everything below it from dist/graphiql.
export default defineConfig({
  base: "/graphiql/",
  plugins: [
    fontNotices(["@fontsource-variable/inter", "@fontsource-variable/jetbrains-mono"]),
    precompress(),
  ],
  build: {
    outDir: "dist/graphiql",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    modulePreload: { polyfill: false },
    // What is bundled asks for its notice to travel with it.
    license: { fileName: "licenses.md" },
    // Monaco is one large chunk by nature; it is loaded once and then cached for good.
    chunkSizeWarningLimit: 5000,
    reportCompressedSize: false,
    rolldownOptions: {
      onLog(level, log, report) {
        // "use client" speaks to frameworks that render on a server; there is none here.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
  // `npm run dev` works against a running server, with hot reload of the page.
  server: {
    proxy: {
      "/graphql": { target: "http://127.0.0.1:4000", ws: true },
    },
  },
});
