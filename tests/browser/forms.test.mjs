// The forms of the pages by hand, without script: adding a partner and a link, filters, the range, the export.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { address, base, context, follow, launch, program, signedIn } from "./support.mjs";

let browser, storageState;
before(async () => {
  browser = await launch();
  storageState = await signedIn(browser);
});
after(() => browser?.close());

for (const javaScriptEnabled of [true, false]) {
  const key = javaScriptEnabled ? "grace" : "grace-2";
  test(`a partner and a further link are added by form, ${javaScriptEnabled ? "with" : "without"} script`, async () => {
    const made = await context(browser, { storageState, javaScriptEnabled });
    const page = await made.newPage();
    await page.goto(`${base}/p/${program}`);
    await follow(page, page.getByRole("link", { name: "Add partner" }));
    await page.getByLabel("First name", { exact: true }).fill("Grace");
    await page.getByLabel("Last name", { exact: true }).fill("Hopper");
    await page.getByLabel("E-mail", { exact: true }).fill(`${key}@partners.example`);
    await page.getByLabel("Key", { exact: true }).fill("not a key");
    await follow(page, page.getByRole("button", { name: "Add partner" }));
    assert.equal(await page.getByLabel("First name", { exact: true }).inputValue(), "Grace", "what was typed is kept");
    assert.equal(await page.getByLabel("Key", { exact: true }).getAttribute("aria-invalid"), "true");
    await page.getByLabel("Key", { exact: true }).fill(key);
    await follow(page, page.getByRole("button", { name: "Add partner" }));
    assert.equal(await page.locator("h1").textContent(), "Grace Hopper");
    assert.ok((await page.locator(".copy code").first().textContent()).endsWith(`=${key}`));

    await follow(page, page.getByRole("link", { name: "Links" }).last());
    await follow(page, page.getByRole("link", { name: "Add link" }));
    assert.equal(await page.getByLabel("Partner", { exact: true }).inputValue(), key);
    await page.getByLabel("Destination", { exact: true }).fill("https://shop.example/pricing");
    await follow(page, page.getByRole("button", { name: "Add link" }));
    assert.equal(await page.locator(".link-list > li").count(), 2);

    await follow(page, page.getByRole("button", { name: "Suspend" }));
    assert.ok(await page.locator(".head .badge").getByText("Suspended").isVisible());
    await follow(page, page.getByRole("button", { name: "Activate" }));
    assert.ok(await page.locator(".head .badge").getByText("Active").isVisible());
    await made.close();
  });
}

test("a range and filters by plain forms, and the export of what is seen", async () => {
  const made = await context(browser, { storageState, javaScriptEnabled: false });
  const page = await made.newPage();
  await page.goto(`${base}/p/${program}`);
  await page.locator("summary").filter({ hasText: "Dates" }).click();
  await page.getByLabel("From", { exact: true }).fill("2026-01-01");
  await page.getByLabel("To", { exact: true }).fill("2026-01-31");
  await follow(page, page.getByRole("button", { name: "Show" }));
  assert.match(page.url(), /from=2026-01-01&to=2026-01-31/);
  await page.goto(address("transactions"));
  await page.locator("summary").filter({ hasText: "Filter" }).click();
  await page.getByLabel("Partner", { exact: true }).fill("ada");
  await follow(page, page.getByRole("button", { name: "Show" }));
  assert.ok(await page.getByRole("link", { name: /Take off: Partner/ }).isVisible());
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export CSV" }).click()]);
  assert.match(download.suggestedFilename(), /^transactions-.*\.csv$/);
  await made.close();
});
