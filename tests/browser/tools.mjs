// A browser, and what is measured on every page; these need no server that runs already.
import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

/** Screenshots are kept where this names a folder; they are for looking at, not for comparing. */
const shots = process.env.TRIBUTARY_TEST_SHOTS;
const executablePath = process.env.TRIBUTARY_TEST_CHROMIUM ?? "/usr/bin/chromium";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Everything that the console or the network says of a page that it should not. */
export const complaints = new WeakMap();

/**
 * A browser; `hosts` gives names an address of this machine: `{ "shop.test": "127.0.0.1:8080" }`, `*.shop.test` too.
 * `extra` are arguments of Chromium.
 */
export const launch = (hosts = {}, extra = []) => {
  const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name}:80 ${address}`);
  const args = rules.length ? [`--host-resolver-rules=${rules.join(",")}`] : [];
  return chromium.launch({ executablePath, args: ["--no-sandbox", ...args, ...extra] });
};

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

/** What axe finds and takes for serious. */
export async function seriousFindings(page) {
  // Playwright's evaluate goes past the page's policy; nothing of the page is loosened for it.
  // A colour that is on its way from one theme to the other is neither's: it is brought to its end. Waiting for it would
  // not do, since in a closed <details> nothing is drawn and so nothing gets there.
  await page.evaluate(() => document.getAnimations()
    .filter((one) => one.effect?.getComputedTiming().endTime !== Infinity).forEach((one) => one.finish()));
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
