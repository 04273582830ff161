// Builds what is committed in tintype/web/picker; with a folder as argument it builds there, for a test to compare.
import { build } from "esbuild";
import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "..", "tintype", "web", "picker");
const made = [
  ["script/main.ts", "filepicker.js", "es2019"],
  ["module/main.ts", "module.js", "es2019"],
  ["page/comm.ts", "comm.js", "es2019"],
  ["page/popup.ts", "popup.js", "es2019"],
  ["page/main.ts", "dialog.js", "es2020"],
  ["page/dialog.css", "dialog.css", "es2020"],
];

for (const [source, name, target] of made) {
  await build({
    entryPoints: [join(here, source)],
    outfile: join(out, name),
    target,
    format: name.endsWith(".css") ? undefined : "iife",
    bundle: true,
    minify: true,
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
}

await copyFile(join(here, "page/icon.svg"), join(out, "icon.svg"));
