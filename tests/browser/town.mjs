// A fresh installation on hosts of its own: Tributary, a shop, and the pages where the shop's buyers pay.
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { mkdtempSync, readFileSync, rmSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyDatabase } from "./database.mjs";

const binary = process.env.TRIBUTARY_TEST_BIN;
if (!binary) throw new Error("TRIBUTARY_TEST_BIN is not set: this test starts servers of its own (see README.md beside it)");

export const places = { tributary: "http://tributary.test", shop: "http://shop.test", app: "http://app.shop.test", pay: "http://pay.test" };

const freePort = () =>
  new Promise((done, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

const firstLine = (child, name, log) =>
  new Promise((done, fail) => {
    let text = "";
    child.stdout.on("data", (part) => {
      text += part;
      if (text.includes("\n")) done(JSON.parse(text.slice(0, text.indexOf("\n"))));
    });
    child.once("exit", (code) => fail(new Error(`${name} ended with ${code}:\n${readFileSync(log, "utf8").slice(-2000)}`)));
  });

/** Starts the sandbox with the shop, and Tributary beside it, which nobody has set up. */
export async function town() {
  const folder = mkdtempSync(join(tmpdir(), "tributary-town-"));
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TRIBUTARY_")));
  const database = emptyDatabase(folder);
  const children = [];
  const start = async (name, args, env = {}) => {
    const log = join(folder, `${name}.log`);
    const child = spawn(binary, [...args, "--json"], { cwd: folder, env: { ...clean, ...env }, stdio: ["ignore", "pipe", openSync(log, "a")] });
    children.push({ name, child, log });
    return firstLine(child, name, log);
  };
  // Each has to know the other before it starts, so Tributary's port is chosen here.
  const listen = `127.0.0.1:${await freePort()}`;
  const sandbox = await start("sandbox", [
    "sandbox", "--listen", "127.0.0.1:0", "--shop-listen", "127.0.0.1:0", "--shop-url", places.shop, "--pay-url", places.pay,
    "--resolve", `tributary.test=${listen}`,
  ]);
  const settings = {
    TRIBUTARY_DATABASE_URL: database.url,
    TRIBUTARY_LISTEN: listen,
    TRIBUTARY_PUBLIC_URL: places.tributary,
    TRIBUTARY_STRIPE_API_BASE: sandbox.url,
    TRIBUTARY_LINK_DELAY_MS: "500",
  };
  const serve = await start("serve", ["serve"], settings);
  const payAddress = new URL(sandbox.url).host;
  return {
    setupUrl: serve.setup_url,
    engine: settings.TRIBUTARY_DATABASE_URL.split(":")[0],
    /** Names for the browser. */
    hosts: {
      "tributary.test": listen,
      "shop.test": sandbox.shop_listen,
      "*.shop.test": sandbox.shop_listen,
      "pay.test": payAddress,
    },
    /** What the sandbox holds. */
    look: async (path) => (await fetch(`${sandbox.url}/_sandbox/${path}`)).json(),
    /** A command beside the running server; what it answers. */
    command: (...args) => {
      const done = spawnSync(binary, [...args, "--json"], { cwd: folder, env: { ...clean, ...settings }, encoding: "utf8" });
      return { code: done.status, said: done.stdout ? JSON.parse(done.stdout) : null, log: done.stderr };
    },
    log: () => readFileSync(join(folder, "serve.log"), "utf8").slice(-3000),
    async end() {
      for (const { child } of children.reverse()) {
        if (child.exitCode !== null) continue;
        const ended = new Promise((done) => child.once("exit", done));
        child.kill("SIGTERM");
        await ended;
      }
      database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
