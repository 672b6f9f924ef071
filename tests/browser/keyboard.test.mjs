// What a person does by keyboard, by script and without it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { address, base, complaints, context, email, follow, launch, login, password, signedIn } from "./support.mjs";

let browser, storageState;
before(async () => {
  browser = await launch();
  storageState = await signedIn(browser);
});
after(() => browser?.close());

const open = async (path, options = {}) => {
  const made = await context(browser, { storageState, ...options });
  const page = await made.newPage();
  await page.goto(address(path));
  return { made, page };
};
const focused = (page) => page.evaluate(() => {
  const here = document.activeElement;
  const box = here.getBoundingClientRect();
  const style = getComputedStyle(here);
  const after = getComputedStyle(here, "::after");
  const ring = [style, after].some((one) => one.outlineStyle !== "none" && parseFloat(one.outlineWidth) >= 1);
  return { tag: here.tagName, text: here.textContent.trim().slice(0, 60), name: here.getAttribute("name") ?? "", ring, seen: box.width > 0 && box.height > 0 };
});

test("the first Tab reaches the skip link, and it leads past the navigation", async () => {
  const { made, page } = await open("transactions");
  await page.keyboard.press("Tab");
  assert.equal((await focused(page)).text, "Skip to content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await made.close();
});

test("Tab reaches everything that can be pressed, each with a visible ring", async () => {
  for (const path of ["transactions", "events"]) {
    const { made, page } = await open(path);
    const wanted = await page.evaluate(() =>
      [...document.querySelectorAll("a[href], button, input:not([type=hidden]), summary")].filter((one) => one.checkVisibility() && one.tabIndex >= 0).length);
    let reached = 0;
    for (let presses = 0; presses < wanted + 5; presses++) {
      await page.keyboard.press("Tab");
      const here = await focused(page);
      if (here.tag === "BODY" || here.tag === "HTML") break;
      assert.ok(here.seen && here.ring, `${path}: ${JSON.stringify(here)}`);
      reached++;
    }
    assert.ok(reached >= wanted, `${path}: reached ${reached} of ${wanted}`);
    await made.close();
  }
});

test("from the list to the explanation and its event by keyboard alone", async () => {
  const { made, page } = await open("transactions");
  await page.locator("a.cover").first().focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/transactions\/.+/);
  for (const title of ["What happened", "Ledger"]) assert.ok(await page.getByRole("heading", { name: title }).isVisible(), title);
  await made.close();
});

test("/ goes to the search, a Stripe id leads to its transaction, Escape leaves", async () => {
  const { made, page } = await open("transactions");
  const id = await page.locator("td code").first().getAttribute("title");
  await page.keyboard.press("/");
  assert.equal((await focused(page)).name, "q");
  await page.keyboard.press("Escape");
  assert.notEqual((await focused(page)).name, "q");
  await page.keyboard.press("/");
  await page.keyboard.type(id);
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(`/transactions/${id}$`));
  await made.close();
});

test("the exact instant of a row shows when the row has the focus", async () => {
  const { made, page } = await open("events");
  const tip = page.locator("tbody tr").first().locator("[role=tooltip]");
  assert.equal(await tip.isVisible(), false);
  await page.keyboard.press("Tab");
  for (let presses = 0; presses < 60 && !(await page.evaluate(() => document.activeElement.classList.contains("cover"))); presses++)
    await page.keyboard.press("Tab");
  assert.equal(await tip.isVisible(), true);
  assert.match(await tip.textContent(), /UTC$/);
  await made.close();
});

test("the theme switch changes at once, survives a reload, and works without script", async () => {
  const { made, page } = await open("events");
  await page.getByRole("button", { name: "Theme: dark" }).click();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await page.reload();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  assert.equal(await page.getByRole("button", { name: "Theme: dark" }).getAttribute("aria-pressed"), "true");
  await made.close();

  const plain = await open("events", { javaScriptEnabled: false });
  await follow(plain.page, plain.page.getByRole("button", { name: "Theme: dark" }));
  assert.equal(await plain.page.locator("html").getAttribute("data-theme"), "dark");
  assert.match(plain.page.url(), /\/events$/);
  await plain.made.close();
});

test("the live list renews itself, and Pause holds it", async () => {
  const { made, page } = await open("events");
  const polls = [];
  page.on("request", (request) => request.headers()["hx-request"] && polls.push(request.url()));
  await page.waitForRequest((request) => Boolean(request.headers()["hx-request"]), { timeout: 15_000 });
  await page.waitForResponse((answer) => Boolean(answer.request().headers()["hx-request"]));
  const rows = await page.locator("[data-key]").count();
  assert.ok(rows > 0);
  const pause = page.locator("[data-live-pause]");
  await pause.click();
  assert.equal((await pause.textContent()).trim(), "Resume");
  await page.waitForTimeout(300);
  const before = polls.length;
  await page.waitForTimeout(9_000);
  assert.equal(polls.length, before, "no poll while paused");
  assert.equal(await page.locator("[data-key]").count(), rows);
  assert.equal(await page.locator("h1").count(), 1, "only the list was renewed");
  assert.deepEqual(complaints.get(page), []);
  await made.close();
});

test("an event is run again by its button, without script too", async () => {
  const { made, page } = await open("events?outcome=processed", { javaScriptEnabled: false });
  await follow(page, page.locator("a.cover").first());
  const event = page.url();
  await follow(page, page.getByRole("button", { name: "Run again" }));
  assert.equal(page.url(), event);
  for (let tries = 0; ; tries++) {
    await page.reload();
    if ((await page.locator(".lead .badge").textContent()).trim() === "Processed") break;
    assert.ok(tries < 40, "the event is processed again");
    await page.waitForTimeout(250);
  }
  await made.close();
});

test("nothing of the buyer is in the payload that the page shows", async () => {
  const { made, page } = await open("events");
  for (const link of (await page.locator("a.cover").evaluateAll((all) => all.map((one) => one.href))).slice(0, 12)) {
    await page.goto(link);
    const payload = await page.locator("pre").textContent();
    assert.ok(payload.includes('"object"'), link);
    assert.ok(!/[a-z0-9._-]+@[a-z0-9-]+\.[a-z]/i.test(payload), `${link} shows an address`);
    assert.ok(!/"(last4|line1|phone|fingerprint)": "/.test(payload), `${link} shows card or address data`);
  }
  await made.close();
});

test("logging in, wrongly and rightly, and out again; the old session is gone", async () => {
  const made = await context(browser, { javaScriptEnabled: false });
  const page = await made.newPage();
  await page.goto(address("events?outcome=parked"));
  assert.match(page.url(), /\/login\?next=/);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(`${password}x`);
  await follow(page, page.getByRole("button", { name: "Log in" }));
  assert.ok(await page.getByRole("alert").isVisible());
  const wrong = await page.getByRole("alert").textContent();
  await page.getByLabel("E-mail").fill("nobody@nowhere.example");
  await page.getByLabel("Password").fill(`${password}x`);
  await follow(page, page.getByRole("button", { name: "Log in" }));
  assert.equal(await page.getByRole("alert").textContent(), wrong, "the same words for an unknown account");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await follow(page, page.getByRole("button", { name: "Log in" }));
  assert.match(page.url(), /\/events\?outcome=parked$/, "back to where it began");
  const cookies = await made.cookies();
  const session = cookies.find((cookie) => /^(__Host-tributary|tributary_session)$/.test(cookie.name));
  assert.ok(session.httpOnly && session.sameSite === "Lax" && session.secure === base.startsWith("https:"));
  await follow(page, page.getByRole("button", { name: "Log out" }));
  assert.match(page.url(), /\/login$/);
  await made.addCookies([session]);
  await page.goto(address("transactions"));
  assert.match(page.url(), /\/login/, "the session has ended on the server, not only in the browser");
  await made.close();
});

test("a form from elsewhere changes nothing", async () => {
  const made = await context(browser);
  const page = await made.newPage();
  await login(page);
  const send = (headers) => made.request.post(`${base}/logout`, { headers, form: { form_token: "x" }, maxRedirects: 0 });
  for (const headers of [{}, { origin: "null" }, { origin: "https://evil.example" }, { origin: base, "sec-fetch-site": "cross-site" }])
    assert.equal((await send(headers)).status(), 403, JSON.stringify(headers));
  assert.equal((await send({ origin: base })).status(), 403, "a wrong form token");
  await page.goto(address("transactions"));
  assert.match(page.url(), /\/transactions$/, "still logged in");
  await made.close();
});
