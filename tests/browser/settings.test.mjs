// Settings and Integration on a server of their own: every page sound, every form tried, with and without script.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { account, newcomer } from "./newcomer.mjs";
import { complaints, context, follow, launch, overflow, seriousFindings, shot } from "./support.mjs";

let browser, house, storageState, at;

before(async () => {
  browser = await launch();
  ({ house, storageState, at } = await newcomer(browser));
});
after(async () => {
  await browser?.close();
  await house?.end();
});

const tabs = ["settings", "settings/terms", "settings/keys", "settings/stripe", "settings/profile", "settings/sessions", "settings/audit"];
const others = ["integration", "integration/api", "integration/stripe", "integration/guides/payment-links", "integration/guides/user-sign-up"];

async function everyPage(name, paths = [...tabs, ...others, "../../programs/new"]) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 390]) {
      const viewport = { width, height: width === 390 ? 844 : 900 };
      const made = await context(browser, { storageState, colorScheme, viewport, hasTouch: width === 390 });
      const page = await made.newPage();
      for (const path of paths) {
        const answer = await page.goto(path.startsWith("..") ? `${house.url}/programs/new` : at(path));
        assert.equal(answer.status(), 200, path);
        assert.equal(await page.locator("h1").count(), 1, `${path}: one title`);
        await page.evaluate(() => document.fonts.ready);
        const where = `${path}, ${colorScheme}, ${width}`;
        assert.deepEqual(await seriousFindings(page), [], `${where}: axe`);
        assert.ok((await overflow(page)) <= 0, `${where}: ${await overflow(page)} px too wide`);
        assert.deepEqual(complaints.get(page), [], `${where}: complaints`);
        await shot(page, `${name}-${path.replaceAll(/[^a-z]+/g, "-")}-${colorScheme}-${width}`);
      }
      await made.close();
    }
  }
}

test("every page is sound before Stripe is connected", () => everyPage("empty"));

test("Stripe is authorized, checked, renewed, and let go again", async () => {
  const made = await context(browser, { storageState });
  const page = await made.newPage();
  await page.goto(at("integration"));
  await follow(page, page.getByRole("link", { name: "Authorize" }).last());
  await page.getByText("The 16 permissions, and what each is for").click();
  await page.getByText("Charges and Refunds: Read").waitFor();
  const link = await page.getByRole("link", { name: "Open Stripe with these permissions" }).getAttribute("href");
  assert.match(link, /^https:\/\/dashboard\.stripe\.com\/apikeys\/create\?.*rak_charge_read/);
  await page.getByLabel("Restricted API key").fill("rk_test_browser0123456789");
  await follow(page, page.getByRole("button", { name: "Connect Stripe" }));
  await page.getByText("is connected. What it may read stands below.").waitFor();
  assert.equal(await page.getByText("Stripe is not connected").count(), 0, "what was said before is not said any more");
  await page.getByText("14 of 14 permissions").click();
  await shot(page, "authorized");

  await page.goto(at("settings/stripe"));
  await follow(page, page.getByRole("button", { name: "Check again" }));
  await page.getByText("Stripe was asked.").waitFor();
  await follow(page, page.getByRole("link", { name: "Change the key" }));
  await page.getByLabel("Restricted API key").fill("rk_live_browser0123456789");
  await follow(page, page.getByRole("button", { name: "Use this key" }));
  await page.locator(".field .error").waitFor();
  await page.goto(at("settings/stripe"));
  assert.equal(await page.locator("section.card .badge.good").count(), 1, "the key of another mode changed nothing");

  await everyPage("connected", ["integration", "settings/stripe"]);

  await page.goto(at("settings/stripe"));
  await follow(page, page.getByRole("link", { name: "Disconnect" }));
  await shot(page, "disconnect-asks");
  await follow(page, page.getByRole("button", { name: "Disconnect" }));
  await page.getByText("The webhook endpoint is gone at Stripe").waitFor();
  const endpoints = await (await fetch(`${house.sandbox}/v1/webhook_endpoints`, { headers: { authorization: "Bearer rk_test_browser0123456789" } })).json();
  assert.deepEqual(endpoints.data, [], "nothing of ours is left at Stripe");
  await shot(page, "disconnected");
  await follow(page, page.getByRole("link", { name: "Connect again" }));
  await page.getByLabel("Restricted API key").fill("rk_test_browser0123456789");
  await follow(page, page.getByRole("button", { name: "Use this key" }));
  await page.locator(".badge.good").first().waitFor();
  await page.goto(at("settings/stripe"));
  assert.equal(await page.locator("section.card .kv").count(), 1, "the same row");
  await made.close();
});

test("instructions open over the page, and have a page of their own without script", async () => {
  const made = await context(browser, { storageState });
  const page = await made.newPage();
  await page.goto(at("integration"));
  await page.getByRole("link", { name: "Instructions for Stripe via user sign-up" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Tell of the sign-up.").waitFor();
  await dialog.getByText("PHP", { exact: true }).first().click();
  assert.match(await dialog.locator(".panel:visible code", { hasText: "curl_init" }).first().textContent(), /\/v1\/customers/);
  assert.deepEqual(await seriousFindings(page), []);
  await shot(page, "instructions");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await made.close();

  const plain = await context(browser, { storageState, javaScriptEnabled: false });
  const read = await plain.newPage();
  await read.goto(at("integration"));
  await follow(read, read.getByRole("link", { name: "Instructions for Stripe via Payment Links" }));
  assert.match(read.url(), /\/integration\/guides\/payment-links$/);
  await read.getByText("Buy button", { exact: true }).click();
  await read.getByText("buy-button-id").waitFor();
  await plain.close();
});

test("a key is shown once, and revoked", async () => {
  const made = await context(browser, { storageState });
  const page = await made.newPage();
  await page.goto(at("settings/keys"));
  await page.getByLabel("Name").fill("Shop server");
  await follow(page, page.getByRole("button", { name: "Create API key" }));
  const key = await page.locator(".fresh code").textContent();
  assert.match(key, /^trb_.{49}$/);
  await shot(page, "key-made");
  const call = () => fetch(`${house.url}/v1/test`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await call()).status, 200);
  await page.reload();
  assert.ok(!(await page.content()).includes(key), "never again");
  await page.getByText("cannot be shown any more").waitFor();
  await follow(page, page.getByRole("button", { name: "Revoke Shop server" }));
  await page.getByText("The key was revoked").waitFor();
  assert.equal((await call()).status, 401);
  await made.close();
});

test("terms are versions, settings are saved, and what is wrong is said", async () => {
  const made = await context(browser, { storageState });
  const page = await made.newPage();
  await page.goto(at("settings/terms"));
  await page.getByLabel("How much").fill("30");
  await page.getByLabel("For", { exact: true }).selectOption("lifetime");
  await page.getByText("30 % of every sale, for life").waitFor();
  await follow(page, page.getByRole("button", { name: "Save as a new version" }));
  await page.getByText("The new terms hold for sales from now on").waitFor();
  assert.equal(await page.locator("tbody tr").count(), 2);
  await shot(page, "terms-versions");
  await follow(page, page.getByRole("button", { name: "Save as a new version" }));
  await page.getByText("Nothing was changed").waitFor();
  assert.equal(await page.locator("tbody tr").count(), 2, "the same terms make no version");

  await page.goto(at("settings"));
  await page.getByLabel("Link parameter").fill("a b");
  await follow(page, page.getByRole("button", { name: "Save", exact: true }));
  await page.getByText("A parameter has 1 to 32 letters").waitFor();
  complaints.get(page).length = 0;
  await page.getByLabel("Link parameter").fill("via");
  await page.getByLabel("Further hosts").fill("app.acme.example\n*.acme.example");
  await page.getByLabel("Time zone").fill("UTC");
  await page.getByLabel("Attribution window").fill("60");
  await follow(page, page.getByRole("button", { name: "Save", exact: true }));
  await page.getByText("Saved.").waitFor();
  assert.equal(await page.getByLabel("Link parameter").inputValue(), "via");
  assert.equal(await page.getByLabel("Attribution window").inputValue(), "60");
  await made.close();
});

test("a new password ends every other session", async () => {
  const made = await context(browser, { storageState });
  const page = await made.newPage();
  const elsewhere = await context(browser);
  const other = await elsewhere.newPage();
  await other.goto(`${house.url}/login`);
  await other.getByLabel("E-mail").fill(account.email);
  await other.getByLabel("Password").fill(account.password);
  await follow(other, other.getByRole("button", { name: "Log in" }));
  await page.goto(at("settings/sessions"));
  assert.equal(await page.locator("tbody tr").count(), 2);
  await shot(page, "sessions");
  await page.goto(at("settings/profile"));
  await page.getByLabel("Current password").fill("not it at all");
  await page.getByLabel("New password").fill("five blue mountains 2");
  await follow(page, page.getByRole("button", { name: "Change the password" }));
  await page.getByText("This is not your current password").waitFor();
  await page.getByLabel("Current password").fill(account.password);
  await page.getByLabel("New password").fill("five blue mountains 2");
  await follow(page, page.getByRole("button", { name: "Change the password" }));
  await page.getByText("every other session was ended").waitFor();
  await other.goto(at("settings"));
  assert.equal(new URL(other.url()).pathname, "/login");
  await elsewhere.close();
  await made.close();
});
