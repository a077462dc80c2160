import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

const compressible = /\.(js|css|svg|json|md|txt|ttf)$/;
/** Below this, headers outweigh what compression saves. */
const smallest = 1024;

/**
 * Replaces each large text asset by its `.gz` and `.br`, so that the binary carries no plain copy
 * and the server never compresses. A client that takes neither is served the inflated `.gz`.
 */
export function precompress(): Plugin {
  let outDir = "";
  return {
    name: "precompress",
    apply: "build",
    configResolved: (config) => {
      outDir = join(config.root, config.build.outDir);
    },
    writeBundle: async () => {
      const entries = await readdir(outDir, { recursive: true });
      const files = entries.filter((name) => compressible.test(name));
      await Promise.all(files.map((name) => replace(join(outDir, name))));
    },
  };
}

async function replace(path: string): Promise<void> {
  if ((await stat(path)).size < smallest) return;
  const plain = await readFile(path);
  const [gz, br] = await Promise.all([
    promisify(gzip)(plain, { level: 9 }),
    promisify(brotliCompress)(plain, {
      params: {
        // 11 takes four times as long as 9 for a few per cent.
        [constants.BROTLI_PARAM_QUALITY]: 9,
        [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
      },
    }),
  ]);
  await Promise.all([writeFile(`${path}.gz`, gz), writeFile(`${path}.br`, br)]);
  await rm(path);
}
