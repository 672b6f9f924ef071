// Sizes and sources of what is shipped: run by `bin/web --check` after the type check.
import { readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";

const problems = [];
const manifest = JSON.parse(readFileSync("dist/manifest.json", "utf8"));
const read = (name) => readFileSync(`dist/${manifest[name]}`);

const handwritten = readdirSync("styles").map((name) => readFileSync(`styles/${name}`));
const raw = handwritten.reduce((sum, body) => sum + body.length, 0);
if (raw > 40 * 1024) problems.push(`styles/ holds ${raw} bytes; the limit is ${40 * 1024}`);

const lines = readFileSync("src/app.ts", "utf8").split("\n").length - 1;
if (lines > 150) problems.push(`src/app.ts has ${lines} lines; the limit is 150`);

const wire = ["styles.css", "app.js", "htmx.js", "icons.svg"].reduce((sum, name) => sum + brotliCompressSync(read(name)).length, 0) + read("inter.woff2").length;
if (wire > 90 * 1024) problems.push(`a first visit loads ${wire} bytes beside the page; the limit is ${90 * 1024}`);

for (const name of ["styles.css", "app.js", "icons.svg"]) {
  const outside = read(name).toString().replaceAll("http://www.w3.org/2000/svg", "").match(/(https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}/i);
  if (outside) problems.push(`${name} names an address outside: ${outside[0]}`);
}
if (/["'](https?:\/\/|data:)/.test(readFileSync("package-lock.json", "utf8").replace(/"url": "[^"]*"/g, "")))
  problems.push("package-lock.json names a host");

for (const problem of problems) console.error(`web: ${problem}`);
console.log(`web: styles ${raw} bytes raw, first visit ${wire} bytes beside the page, app.ts ${lines} lines`);
process.exit(problems.length ? 1 : 0);
