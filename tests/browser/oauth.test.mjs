// Authorising an account by OAuth, with the sandbox as Stripe: by mouse, by keyboard, and without script.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newcomer } from "./newcomer.mjs";
import { complaints, context, follow, launch, overflow, seriousFindings, shot } from "./tools.mjs";

let browser, house, storageState, at;

before(async () => {
  browser = await launch();
  ({ house, storageState, at } = await newcomer(browser));
});
after(async () => {
  await browser?.close();
  await house?.end();
});

/** `told`: what the browser's console says of an answer that is meant to be a refusal. */
async function sound(page, name, told = []) {
  await page.evaluate(() => document.fonts.ready);
  assert.deepEqual(await seriousFindings(page), [], `${name}: axe`);
  assert.ok((await overflow(page)) <= 0, `${name}: ${await overflow(page)} px too wide`);
  const heard = complaints.get(page).splice(0);
  assert.equal(heard.length, told.length, `${name}: ${heard}`);
  told.forEach((words, at) => assert.ok(heard[at].includes(words), `${name}: ${heard[at]}`));
  await shot(page, name);
}

async function enter(page, kind, id, secret) {
  await page.goto(at("settings/stripe"));
  await page.getByText("Enter an App or platform").click();
  await page.getByLabel("Kind").selectOption({ label: kind });
  await page.getByLabel("Client id").fill(id);
  await page.getByLabel("Secret key of the account that owns it").fill(secret);
  await follow(page, page.getByRole("button", { name: "Save" }));
  await page.getByText("Saved.").waitFor();
  await page.getByText(id).first().waitFor();
}

test("the operator's own App: entered, denied once, then authorised", async () => {
  const made = await context(browser, { storageState });
  const page = await made.newPage();
  await page.goto(at("settings/stripe"));
  await page.getByText("Enter an App or platform").click();
  await page.getByLabel("Client id").fill("nothing");
  await page.getByLabel("Secret key of the account that owns it").fill("sk_test_acct-owner_1234");
  await follow(page, page.getByRole("button", { name: "Save" }));
  await page.locator(".field .error").waitFor();
  await shot(page, "oauth-refused-entry");
  await enter(page, "Stripe App", "ca_browserapp1", "sk_test_acct-owner_1234");
  assert.ok(!(await page.content()).includes("acct-owner"), "the key goes in and never out");
  await sound(page, "oauth-settings");

  await page.goto(at("integration/stripe"));
  await sound(page, "oauth-choices");
  await page.getByRole("button", { name: "Authorise by your Stripe App in test mode" }).click();
  await page.getByRole("button", { name: "Deny" }).waitFor();
  assert.ok(page.url().startsWith(`${house.sandbox}/oauth/v2/authorize`), page.url());
  await shot(page, "oauth-sandbox");
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByText("was denied in Stripe").waitFor();
  await sound(page, "oauth-denied", ["status of 400"]);

  await page.goto(at("integration/stripe"));
  await page.getByRole("button", { name: "Authorise by your Stripe App in test mode" }).click();
  await page.getByRole("button", { name: "Authorise" }).click();
  await page.getByText("is connected. What it may read stands below.").waitFor();
  assert.ok(!page.url().includes("code=") && !page.url().includes("state="), "neither code nor state stays in the address");
  await sound(page, "oauth-connected");

  await page.goto(at("settings/stripe"));
  await page.getByRole("button", { name: "Authorise again" }).waitFor();
  await sound(page, "oauth-connection");
  await follow(page, page.getByRole("link", { name: "Signing secrets" }));
  await sound(page, "oauth-secrets");
  await page.goto(at("settings/test-data"));
  await sound(page, "wipe-test-data");
  await made.close();
});

test("the whole way by keyboard alone", async () => {
  const made = await context(browser, { storageState });
  const page = await made.newPage();
  await page.goto(at("settings/stripe"));
  await page.getByRole("button", { name: "Authorise again" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Account").waitFor();
  // Account, mode, then the two buttons.
  await page.getByLabel("Account").focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Authorise");
  await page.keyboard.press("Enter");
  await page.getByText("is connected. What it may read stands below.").waitFor();
  await made.close();
});

test("a Connect platform, without script: the page leads on by itself, and the check tells its end", async () => {
  const made = await context(browser, { storageState, javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const page = await made.newPage();
  await enter(page, "Connect platform", "ca_browserplatform", "sk_test_acct-platform_1234");
  await page.goto(at("integration/stripe"));
  await page.getByRole("button", { name: "Authorise by your Connect platform in test mode" }).click();
  await page.getByRole("button", { name: "Deny" }).waitFor();
  assert.ok(page.url().includes("/oauth/authorize"), page.url());
  await page.getByLabel("Account").fill("second");
  await page.getByRole("button", { name: "Authorise" }).click();
  await page.getByText("is connected. What it may read stands below.").waitFor();
  await shot(page, "oauth-connect-390");
  await page.goto(at("settings/stripe"));
  assert.equal(await page.locator("section.card .kv").count(), 2, "two accounts, two connections");
  await shot(page, "oauth-two-390");
  await made.close();
});
