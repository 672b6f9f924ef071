// Sizes and sources of what is shipped: run by `bin/web --check` after the type check.
import { readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

const problems = [];
const manifest = JSON.parse(readFileSync("dist/manifest.json", "utf8"));
const read = (name) => readFileSync(`dist/${manifest[name]}`);

const handwritten = readdirSync("styles").map((name) => readFileSync(`styles/${name}`));
const raw = handwritten.reduce((sum, body) => sum + body.length, 0);
if (raw > 48 * 1024) problems.push(`styles/ holds ${raw} bytes; the limit is ${48 * 1024}`);

const lines = readFileSync("src/app.ts", "utf8").split("\n").length - 1;
if (lines > 150) problems.push(`src/app.ts has ${lines} lines; the limit is 150`);

const wire = ["styles.css", "app.js", "htmx.js", "icons.svg"].reduce((sum, name) => sum + brotliCompressSync(read(name)).length, 0) + read("inter.woff2").length;
if (wire > 90 * 1024) problems.push(`a first visit loads ${wire} bytes beside the page; the limit is ${90 * 1024}`);

// As it leaves the server, for a program with a payment host of its own beside Stripe's.
const settings = {
  TRIBUTARY_ENDPOINT: '"https://affiliates.example.com/t/ABCD2345"',
  TRIBUTARY_PARAMETER: '"partner"',
  TRIBUTARY_SECONDS: "2592000",
  TRIBUTARY_PAYMENT_HOSTS: String.raw`/^(?:buy\.stripe\.com|pay\.example\.com)(?::\d+)?$/`,
};
let tracker = readFileSync("dist/tracker.js", "utf8").trimEnd();
for (const [name, value] of Object.entries(settings)) {
  if (tracker.split(name).length !== 2) problems.push(`tracker.js names ${name} ${tracker.split(name).length - 1} times`);
  tracker = tracker.replace(name, () => value);
}
const script = gzipSync(tracker, { level: 9 }).length;
if (script > 1400) problems.push(`the tracking script has ${script} bytes gzipped; the limit is 1400`);
if (/(https?:)?\/\/(?!affiliates\.example\.com)[a-z0-9.-]+\.[a-z]{2,}/i.test(tracker)) problems.push("the tracking script names an address outside");

for (const name of ["styles.css", "app.js", "icons.svg"]) {
  const outside = read(name).toString().replaceAll("http://www.w3.org/2000/svg", "").match(/(https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}/i);
  if (outside) problems.push(`${name} names an address outside: ${outside[0]}`);
}
if (/["'](https?:\/\/|data:)/.test(readFileSync("package-lock.json", "utf8").replace(/"url": "[^"]*"/g, "")))
  problems.push("package-lock.json names a host");

for (const problem of problems) console.error(`web: ${problem}`);
console.log(`web: styles ${raw} bytes raw, first visit ${wire} bytes beside the page, app.ts ${lines} lines, tracking script ${script} bytes gzipped`);
process.exit(problems.length ? 1 : 0);
