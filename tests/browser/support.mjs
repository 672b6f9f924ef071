// A logged-in browser against a running server, and what is measured on every page.
import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests need a running server (see README.md beside them)`);
  return value;
};

export const base = need("TRIBUTARY_TEST_URL").replace(/\/$/, "");
export const email = need("TRIBUTARY_TEST_EMAIL");
export const password = need("TRIBUTARY_TEST_PASSWORD");
export const program = need("TRIBUTARY_TEST_PROGRAM");
/** Screenshots are kept where this names a folder; they are for looking at, not for comparing. */
const shots = process.env.TRIBUTARY_TEST_SHOTS;
const executablePath = process.env.TRIBUTARY_TEST_CHROMIUM ?? "/usr/bin/chromium";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Everything that the console or the network says of a page that it should not. */
export const complaints = new WeakMap();

export const launch = () => chromium.launch({ executablePath, args: ["--no-sandbox"] });

/** A browser context; `options` are Playwright's. */
export async function context(browser, options = {}) {
  const made = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  made.on("page", (page) => {
    const list = [];
    complaints.set(page, list);
    page.on("console", (message) => message.type() === "error" && list.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => list.push(`script: ${error}`));
    page.on("response", (answer) => answer.status() >= 500 && list.push(`${answer.status()} ${answer.url()}`));
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText ?? "";
      if (!why.includes("ERR_ABORTED")) list.push(`failed: ${request.url()} ${why}`);
    });
  });
  return made;
}

/** Presses something that leads to another page, or to the same one anew, and waits until that page has loaded. */
export async function follow(page, locator) {
  const loaded = page.waitForEvent("load");
  await locator.click();
  await loaded;
}

export async function login(page) {
  await page.goto(`${base}/login`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await follow(page, page.getByRole("button", { name: "Log in" }));
  await page.waitForURL(/\/p\/[^/]+\/transactions/);
}

/** The log-in once, as a state that other contexts start from: log-ins are limited. */
export async function signedIn(browser) {
  const first = await context(browser);
  await login(await first.newPage());
  const storageState = await first.storageState();
  await first.close();
  return storageState;
}

export const address = (path) => `${base}/p/${program}/${path}`;

/** The addresses of a page of each kind that has something on it. */
export async function somePages(page) {
  await page.goto(address("transactions"));
  const transaction = await page.locator("a.cover").first().getAttribute("href");
  await page.goto(address("events"));
  const event = await page.locator("a.cover").first().getAttribute("href");
  return {
    transactions: address("transactions"),
    "transactions-refunded": address("transactions?state=refunded"),
    "transactions-nothing": address("transactions?q=nobody%20has%20this%20name"),
    transaction: base + transaction,
    events: address("events"),
    "events-ignored": address("events?outcome=ignored"),
    event: base + event,
    "not-found": address("nothing"),
  };
}

/** What axe finds and takes for serious. */
export async function seriousFindings(page) {
  // Playwright's evaluate goes past the page's policy; nothing of the page is loosened for it.
  const found = await page.evaluate(`${axe}; axe.run({ resultTypes: ["violations"] })`);
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ")}`);
}

/** How many pixels the page is wider than its window. */
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

export async function shot(page, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
}
