// Writes dist/: hashed files, their gzip and brotli copies, and manifest.json (logical name → hashed name).
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const out = "dist";
rmSync(out, { recursive: true, force: true });
mkdirSync(out);

const manifest = {};
const hashed = (name, body) => {
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
  const dot = name.lastIndexOf(".");
  return `${name.slice(0, dot)}.${hash}${name.slice(dot)}`;
};
const put = (name, body) => {
  manifest[name] = hashed(name, body);
  writeFileSync(`${out}/${manifest[name]}`, body);
};

const bundled = await build({
  entryPoints: { app: "src/app.ts", styles: "styles/main.css" },
  bundle: true,
  minify: true,
  write: false,
  outdir: out,
  assetNames: "[name]",
  target: ["chrome123", "firefox121", "safari17.5"],
  loader: { ".woff2": "file" },
  legalComments: "none",
  logLevel: "warning",
});
const files = new Map(bundled.outputFiles.map((file) => [file.path.split("/").pop(), file.contents]));

const font = [...files.keys()].find((name) => name.endsWith(".woff2"));
put("inter.woff2", files.get(font));
const css = Buffer.from(files.get("styles.css")).toString().replaceAll(`./${font}`, `./${manifest["inter.woff2"]}`);
put("styles.css", css);
put("app.js", files.get("app.js"));
put("htmx.js", readFileSync("node_modules/htmx.org/dist/htmx.min.js", "utf8").replace(/\n?\/\/# sourceMappingURL=.*$/m, ""));
put("favicon.svg", readFileSync("src/favicon.svg"));

const symbols = readFileSync("icons.txt", "utf8").split("\n").filter(Boolean).map((name) => {
  const svg = readFileSync(`node_modules/lucide-static/icons/${name}.svg`, "utf8");
  const inner = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s+/g, " ").trim()}</symbol>`;
});
put("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`);

for (const name of readdirSync(out)) {
  if (name.endsWith(".woff2")) continue;
  const body = readFileSync(`${out}/${name}`);
  writeFileSync(`${out}/${name}.gz`, gzipSync(body, { level: 9 }));
  writeFileSync(`${out}/${name}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}

// The script for merchants' sites has one plain name: the server renders a program's settings into it.
const tracker = await build({
  entryPoints: ["src/tracker.ts"],
  bundle: true,
  minify: true,
  write: false,
  format: "esm",
  target: "es2021",
  legalComments: "none",
  logLevel: "warning",
});
writeFileSync(`${out}/tracker.js`, tracker.outputFiles[0].contents);

// Last, so that a build that was cut off leaves no manifest behind.
writeFileSync(`${out}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
