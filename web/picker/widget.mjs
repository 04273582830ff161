// Builds what is committed in tintype/web/widget; with a folder as argument it builds there, for a test to compare.
import { build, transform } from "esbuild";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = process.argv[2] ?? join(web, "..", "tintype", "web", "widget");

// The style sheet travels in the script, as text.
const sheets = {
  name: "sheets",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: "es2020" });
      return { contents: code.trim(), loader: "text" };
    }),
};

await build({
  entryPoints: [join(web, "widget", "main.ts")],
  outfile: join(out, "widget.js"),
  target: "es2020",
  format: "iife",
  bundle: true,
  minify: true,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  plugins: [sheets],
});
