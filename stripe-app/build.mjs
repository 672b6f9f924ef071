// `node build.mjs`: bundles each view of the manifest as Stripe's tool does, to see that it can be and how large it is.
// `node build.mjs test`: bundles the tests, because the SDK's modules are written for bundlers and not for Node.js.
import { build } from "esbuild";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";

const tests = process.argv[2] === "test";
const out = tests ? "dist/test" : "dist/views";
rmSync(out, { recursive: true, force: true });

const { views } = JSON.parse(readFileSync("stripe-app.json", "utf8")).ui_extension;
const entryPoints = tests
  ? readdirSync("test").filter((name) => /\.test\.tsx?$/.test(name)).map((name) => `test/${name}`)
  : views.map((view) => `src/views/${view.component}.tsx`);

await build({
  entryPoints,
  outdir: out,
  bundle: true,
  format: "esm",
  jsx: "automatic",
  legalComments: "none",
  logLevel: "warning",
  ...(tests
    ? {
        platform: "node",
        target: "node20",
        outExtension: { ".js": ".mjs" },
        define: { "process.env.NODE_ENV": '"development"' },
        banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
      }
    : { platform: "browser", target: "es2022", minify: true, define: { "process.env.NODE_ENV": '"production"' } }),
});

if (!tests) {
  for (const name of readdirSync(out)) console.log(`${name}: ${Math.ceil(statSync(`${out}/${name}`).size / 1024)} KB`);
}
