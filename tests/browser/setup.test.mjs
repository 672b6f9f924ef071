// The first run on an empty database: by mouse, by keyboard alone, and without script; left and taken up again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fresh } from "./fresh.mjs";
import { complaints, context, follow, launch, overflow, seriousFindings, shot } from "./tools.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const account = { email: "jo@acme.example", password: "four green rivers run 1", company: "Acme Works" };

/** The page in both themes and two widths: nothing serious, nothing too wide, nothing said. */
async function sound(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      assert.equal(await page.locator("h1").count(), 1, `${name}: one title`);
      assert.deepEqual(await seriousFindings(page), [], `${name}, ${colorScheme}, ${width}: axe`);
      assert.ok((await overflow(page)) <= 0, `${name}, ${colorScheme}, ${width}: ${await overflow(page)} px too wide`);
      await shot(page, `${name}-${colorScheme}-${width}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
}

const open = async (page, step) => {
  const details = page.locator(`#${step} > details`);
  if (!(await details.evaluate((one) => one.open))) await page.locator(`#${step} > details > summary`).click();
};

/** Fills the account's form and goes on. */
async function makeAccount(page) {
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByLabel("Company").fill(account.company);
  await follow(page, page.getByRole("button", { name: "Create the account" }));
}

test("set-up by mouse, left half-way and taken up again", async () => {
  const house = await fresh();
  try {
    const made = await context(browser);
    const page = await made.newPage();

    // Without the link nothing opens, and every page leads to where that is said.
    const closed = await page.goto(`${house.url}/p/ABCD2345/transactions`);
    assert.equal(closed.status(), 403);
    assert.equal(new URL(page.url()).pathname, "/setup");
    await sound(page, "setup-closed");
    complaints.get(page).length = 0;
    assert.equal((await page.goto(`${house.url}/setup?token=${"0".repeat(64)}`)).status(), 403);
    complaints.get(page).length = 0;

    await page.goto(house.setupUrl);
    assert.equal(page.url(), `${house.url}/setup`, "the token is out of the address");
    await sound(page, "setup-account");
    await page.getByLabel("E-mail").fill(account.email);
    await page.getByLabel("Password").fill("password1");
    await page.getByLabel("Company").fill(account.company);
    await follow(page, page.getByRole("button", { name: "Create the account" }));
    await page.getByText("among the first that anybody would try").waitFor();
    assert.equal(await page.getByLabel("E-mail").inputValue(), account.email, "what was typed stays");
    complaints.get(page).length = 0;
    await makeAccount(page);
    assert.equal(new URL(page.url()).pathname, "/setup");

    // The link is used up.
    const other = await context(browser);
    const stranger = await other.newPage();
    await stranger.goto(house.setupUrl);
    assert.equal(new URL(stranger.url()).pathname, "/login");
    await other.close();

    // The sentence follows what is typed.
    await page.getByText("20 % of every sale in a customer's first 12 months").waitFor();
    await page.getByLabel("How much").fill("35");
    await page.getByText("35 % of every sale in a customer's first 12 months").waitFor();
    await page.getByLabel("For", { exact: true }).selectOption("once");
    await page.getByText("35 % of a customer's first sale").waitFor();
    await page.getByLabel("How much").fill("350");
    await page.getByText("Type a share from 0 to 100").waitFor();
    complaints.get(page).length = 0;
    await page.getByLabel("How much").fill("20");
    await page.getByLabel("For", { exact: true }).selectOption("months");
    await page.getByLabel("Name").fill("Acme partners");
    await page.getByLabel("Website").fill("acme.example");
    await sound(page, "setup-program");
    await follow(page, page.getByRole("button", { name: "Create the program" }));

    // Log out, start anew, come back: it goes on where it was.
    await follow(page, page.getByRole("button", { name: "Log out" }));
    await house.restart();
    assert.equal(house.setupUrl, undefined, "no new link once there is an account");
    await page.goto(house.url);
    await page.getByLabel("E-mail").fill(account.email);
    await page.getByLabel("Password").fill(account.password);
    await follow(page, page.getByRole("button", { name: "Log in" }));
    assert.equal(new URL(page.url()).pathname, "/setup");
    await page.getByText("2 of 5 done.").waitFor();

    // Any order: the partner before Stripe and script.
    await open(page, "link");
    await page.locator("#link").getByLabel("Name").fill("Maya Lindqvist");
    await page.locator("#link").getByLabel("E-mail").fill("maya@partners.example");
    await follow(page, page.getByRole("button", { name: "Add the partner" }));
    await open(page, "link");
    const link = await page.locator("#link .copy code").textContent();
    assert.match(link, /^https:\/\/acme\.example\/\?aff=[A-Z0-9]{8}$/);
    assert.equal(await page.getByRole("link", { name: "Open your link" }).getAttribute("target"), "_blank");

    await open(page, "stripe");
    await page.getByLabel("Restricted API key").fill("sk_nonsense");
    await follow(page, page.getByRole("button", { name: "Connect Stripe" }));
    await page.locator("#stripe .field .error").waitFor();
    await sound(page, "setup-stripe-refused");
    await page.getByLabel("Restricted API key").fill("rk_test_browser0123456789");
    await follow(page, page.getByRole("button", { name: "Connect Stripe" }));
    await page.locator("#stripe").getByText("Connected").waitFor();
    await page.locator("#stripe").getByText("14 of 14 permissions").waitFor();

    await open(page, "script");
    assert.match(await page.locator("#script-tag").textContent(), /<script async src="http:\/\/127\.0\.0\.1:\d+\/t\/[A-Z0-9]{8}\.js"><\/script>/);
    await page.locator("#script").getByText("Not seen yet").waitFor();
    for (const step of ["account", "program", "stripe", "script", "link"]) await open(page, step);
    await sound(page, "setup-all-open");
    assert.deepEqual(complaints.get(page), [], "complaints");

    await follow(page, page.getByRole("button", { name: "Go to the overview" }));
    assert.match(new URL(page.url()).pathname, /^\/p\/[A-Z0-9]{8}(\/|$)/);
    await page.goto(house.url);
    assert.match(new URL(page.url()).pathname, /^\/p\/[A-Z0-9]{8}(\/|$)/, "the set-up is left");
    await made.close();
  } finally {
    await house.end();
  }
});

test("set-up by keyboard alone", async () => {
  const house = await fresh();
  try {
    const made = await context(browser);
    const page = await made.newPage();
    await page.goto(house.setupUrl);
    /** Goes on with Tab until the focus is on what is asked for. */
    const reach = async (what) => {
      for (let presses = 0; presses < 60; presses++) {
        if (await page.locator(what).first().evaluate((one) => one === document.activeElement).catch(() => false)) return;
        await page.keyboard.press("Tab");
      }
      assert.fail(`Tab does not reach ${what}`);
    };
    const type = async (what, text) => {
      await reach(what);
      await page.keyboard.press("Control+a");
      await page.keyboard.type(text);
    };
    const enter = async () => {
      const loaded = page.waitForEvent("load");
      await page.keyboard.press("Enter");
      await loaded;
    };
    await type("#email", account.email);
    await type("#password", account.password);
    await type("#company", account.company);
    await enter();
    await type("#name", "Keyboard partners");
    await type("#website", "keys.example");
    await enter();
    await type("#api_key", "rk_test_browser0123456789");
    await enter();
    await page.locator("#stripe .badge.good").waitFor();
    // A step that is closed opens by Enter on its line.
    await reach("#link summary");
    await page.keyboard.press("Enter");
    await type("#link #name", "Key Board");
    await type("#link #email", "key@partners.example");
    await enter();
    await reach(".leave button");
    await enter();
    assert.match(new URL(page.url()).pathname, /^\/p\/[A-Z0-9]{8}(\/|$)/);
    assert.deepEqual(complaints.get(page), []);
    await made.close();
  } finally {
    await house.end();
  }
});

test("set-up without script", async () => {
  const house = await fresh();
  try {
    const made = await context(browser, { javaScriptEnabled: false });
    const page = await made.newPage();
    await page.goto(house.setupUrl);
    await makeAccount(page);
    await page.getByLabel("How much").fill("12.5");
    await page.getByLabel("Website").fill("plain.example");
    await follow(page, page.getByRole("button", { name: "Show the sentence" }));
    await page.getByText("12.5 % of every sale in a customer's first 12 months").waitFor();
    assert.equal(await page.getByLabel("Website").inputValue(), "plain.example", "what was typed stays");
    await page.getByLabel("Name").fill("Plain partners");
    await follow(page, page.getByRole("button", { name: "Create the program" }));
    await page.getByLabel("Restricted API key").fill("rk_test_browser0123456789");
    await follow(page, page.getByRole("button", { name: "Connect Stripe" }));
    // The page loads itself again until the check is done.
    await page.locator("#stripe .badge.good").first().waitFor({ state: "attached", timeout: 20_000 });
    await page.locator("#link > details > summary").click();
    await page.locator("#link").getByLabel("E-mail").fill("plain@partners.example");
    await follow(page, page.getByRole("button", { name: "Add the partner" }));
    await follow(page, page.getByRole("button", { name: "Go to the overview" }));
    assert.match(new URL(page.url()).pathname, /^\/p\/[A-Z0-9]{8}(\/|$)/);
    await made.close();
  } finally {
    await house.end();
  }
});

test("another host gets a page that names both, and leads to the right one", async () => {
  const house = await fresh();
  try {
    const made = await context(browser);
    const page = await made.newPage();
    const port = new URL(house.url).port;
    const answer = await page.goto(`http://localhost:${port}/login?next=%2F`);
    assert.equal(answer.status(), 421);
    await page.getByText(`localhost:${port}`).first().waitFor();
    await page.getByText(house.url).first().waitFor();
    await sound(page, "other-host");
    assert.equal(await page.getByRole("link", { name: "Go to the right address" }).getAttribute("href"), `${house.url}/login?next=%2F`);
    assert.equal((await fetch(`http://localhost:${port}/healthz`)).status, 200);
    await made.close();
  } finally {
    await house.end();
  }
});
