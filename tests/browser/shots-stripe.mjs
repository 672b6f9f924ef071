// Screenshots of what concerns Stripe, on a server of its own beside a sandbox: OAuth settings, History with its progress,
// Compare with Stripe, Test scenarios; before anything is connected, while it works, and with data. In both themes and two
// widths, for looking at. `tests/browser/shots FOLDER stripe` runs it.
import { mkdirSync } from "node:fs";
import { newcomer } from "./newcomer.mjs";
import { context, follow, launch, overflow, seriousFindings } from "./tools.mjs";

const folder = process.env.TRIBUTARY_TEST_SHOTS;
if (!folder) throw new Error("run tests/browser/shots");
mkdirSync(folder, { recursive: true });

const browser = await launch();
const { house, storageState, at } = await newcomer(browser);
let wrong = 0;
try {
  const control = async (path, body) => {
    const answer = await fetch(`${house.sandbox}/_sandbox/${path}`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  /** A page as it is now; `prepare` does what a person would do first. */
  const picture = async (name, path, prepare = async () => {}) => {
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1440, 390]) {
        const viewport = { width, height: width === 390 ? 844 : 900 };
        const made = await context(browser, { storageState, colorScheme, viewport, hasTouch: width === 390 });
        const page = await made.newPage();
        const answer = await page.goto(path.startsWith("http") ? path : at(path));
        if (answer.status() !== 200) throw new Error(`${name}: ${path} answered ${answer.status()}`);
        await prepare(page);
        await page.evaluate(() => document.fonts.ready);
        const found = [...(await seriousFindings(page))];
        const over = await overflow(page);
        if (over > 0) found.push(`${over} px too wide`);
        for (const one of found) console.log(`${name} ${colorScheme} ${width}: ${one}`, (wrong += 1));
        await page.screenshot({ path: `${folder}/stripe-${name}-${colorScheme}-${width}.png`, fullPage: true });
        await made.close();
      }
    }
  };

  const openEntry = (page) => page.getByText("Enter an App or platform").click();
  await picture("none-settings", "settings/stripe");
  await picture("none-oauth-entry", "settings/stripe", openEntry);
  await picture("none-choices", "integration/stripe");
  await picture("none-reconcile", "reconcile");
  await picture("none-scenarios", "scenarios");
  await picture("none-events", "events");

  const made = await context(browser, { storageState });
  const page = await made.newPage();
  for (const [kind, id, secret] of [
    ["Stripe App", "ca_shotsapp1", "sk_test_acct-owner_1234"],
    ["Connect platform", "ca_shotsconnect1", "sk_test_acct-platform_1234"],
  ]) {
    await page.goto(at("settings/stripe"));
    await openEntry(page);
    const kinds = await page.getByLabel("Kind").locator("option").allTextContents();
    await page.getByLabel("Kind").selectOption({ label: kinds.find((one) => one.includes(kind.split(" ")[0])) });
    await page.getByLabel("Client id").fill(id);
    await page.getByLabel("Secret key of the account that owns it").fill(secret);
    await follow(page, page.getByRole("button", { name: "Save" }));
  }
  await picture("oauth-entered", "settings/stripe");
  await picture("oauth-choices", "integration/stripe");

  await page.goto(at("partners/new"));
  await page.getByLabel("First name", { exact: true }).fill("Ada");
  await page.getByLabel("Last name", { exact: true }).fill("Lovelace");
  await page.getByLabel("E-mail", { exact: true }).fill("ada@partners.example");
  await page.getByLabel("Key", { exact: true }).fill("ada");
  await follow(page, page.getByRole("button", { name: "Add the partner" }).or(page.getByRole("button", { name: "Add partner" })));
  await page.goto(at("integration/stripe"));
  await page.getByLabel("Restricted API key").fill("rk_test_browser0123456789");
  await follow(page, page.getByRole("button", { name: "Connect Stripe" }));
  await page.getByText("is connected. What it may read stands below.").waitFor();
  await picture("connected", "settings/stripe");
  const history = await (async () => {
    await page.goto(at("settings/stripe"));
    return page.getByRole("link", { name: "History" }).first().getAttribute("href");
  })();
  const ofHistory = house.url + history;
  await picture("scenarios", "scenarios");
  let played = "";
  for (const story of ["partial_refund", "upgrade", "promo_code", "jpy", "two_currencies"]) {
    await page.goto(at("scenarios"));
    await follow(page, page.locator(`button[name=story][value=${story}]`));
    await page.waitForTimeout(1500);
    played = page.url();
    if (story === "partial_refund") await picture("scenarios-played", played);
  }
  await picture("scenarios-currencies", played);
  await picture("events", "events");

  // One story whose events get lost, so that the comparison has something to find.
  await control("delivery", { drop_percent: 100 });
  await page.goto(at("scenarios"));
  await follow(page, page.locator("button[name=story][value=guest_one_time]"));
  await picture("scenarios-waits", page.url());
  await control("delivery", { drop_percent: 0 });

  await page.goto(at("reconcile"));
  await follow(page, page.getByRole("button", { name: "Compare" }));
  await page.getByText("Fetch what is missing").waitFor({ timeout: 60_000 });
  await picture("reconcile-missing", page.url());
  await follow(page, page.getByRole("button", { name: "Fetch what is missing" }));
  await page.waitForTimeout(4000);
  await picture("reconcile-mended", page.url());
  // A comparison and an import whose lists come slowly: their progress.
  await control("api_faults", { faults: Array(60).fill({ path_prefix: "/v1/", delay_ms: 2500 }) });
  await page.goto(at("reconcile"));
  await follow(page, page.getByRole("button", { name: "Compare" }));
  await picture("reconcile-progress", page.url());
  await page.goto(ofHistory);
  await follow(page, page.getByRole("button", { name: "Start" }));
  await page.getByLabel("What to read").selectOption({ index: 1 });
  await follow(page, page.getByRole("button", { name: "Start" }));
  await picture("history-progress", ofHistory);
  await control("api_faults", { faults: [] });
  await page.goto(ofHistory);
  for (let tries = 0; tries < 60 && (await page.getByText("Running").count()); tries += 1) {
    await page.waitForTimeout(1000);
    await page.goto(ofHistory);
  }
  await picture("history-done", ofHistory);
  await control("keys/lost", { key: "rk_test_browser0123456789", permissions: ["invoice_read"] });
  await page.goto(at("settings/stripe"));
  await follow(page, page.getByRole("button", { name: "Check again" }));
  await picture("permission-lost", "settings/stripe");
  await control("keys/lost", { key: "rk_test_browser0123456789", permissions: [] });
  await control("keys/revoke", { key: "rk_test_browser0123456789" });
  await page.goto(at("settings/stripe"));
  await follow(page, page.getByRole("button", { name: "Check again" }));
  await picture("broken", "settings/stripe");
  await made.close();
} finally {
  await browser.close();
  await house.end();
}
if (wrong) process.exitCode = 1;
