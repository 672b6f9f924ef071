// A server of its own on an empty database, beside a sandbox: what a newcomer meets.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyDatabase } from "./database.mjs";

const binary = process.env.TRIBUTARY_TEST_BIN;
if (!binary) throw new Error("TRIBUTARY_TEST_BIN is not set: these tests start servers of their own (see README.md beside them)");

const firstLine = (child, name) =>
  new Promise((done, fail) => {
    const lines = createInterface({ input: child.stdout });
    lines.once("line", (line) => done(JSON.parse(line)));
    child.once("exit", (code) => fail(new Error(`${name} ended with ${code} before it said anything`)));
  });

/** Starts both; `env` adds settings of `serve`. `restart()` starts `serve` again on the same database. */
export async function fresh(env = {}) {
  const folder = mkdtempSync(join(tmpdir(), "tributary-fresh-"));
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TRIBUTARY_")));
  const database = emptyDatabase(folder);
  const children = [];
  const start = async (name, args, extra) => {
    const child = spawn(binary, [...args, "--json"], { cwd: folder, env: { ...clean, ...extra }, stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    return { child, said: await firstLine(child, name) };
  };
  const stop = (child) =>
    new Promise((done) => {
      if (child.exitCode !== null) return done();
      child.once("exit", done);
      child.kill("SIGTERM");
    });
  const sandbox = await start("sandbox", ["sandbox", "--listen", "127.0.0.1:0"], {});
  const settings = {
    TRIBUTARY_DATABASE_URL: database.url,
    TRIBUTARY_LISTEN: "127.0.0.1:0",
    TRIBUTARY_STRIPE_API_BASE: sandbox.said.url,
    ...env,
  };
  let serve = await start("serve", ["serve"], settings);
  return {
    get url() {
      return serve.said.url;
    },
    get setupUrl() {
      return serve.said.setup_url;
    },
    sandbox: sandbox.said.url,
    async restart() {
      await stop(serve.child);
      serve = await start("serve", ["serve"], { ...settings, TRIBUTARY_LISTEN: serve.said.listen });
    },
    async end() {
      for (const child of children) await stop(child);
      database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
