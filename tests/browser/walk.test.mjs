// The whole way, as a newcomer walks it: set-up, script, link, purchases of every kind, half a refund. Once by mouse and
// once by keyboard alone, on hosts of their own, from an empty database.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hands } from "./hands.mjs";
import { complaints, context, launch, overflow, shot } from "./tools.mjs";
import { places, town } from "./town.mjs";

/** Longest that anybody may need, in milliseconds. */
const TEN_MINUTES = 600_000;

/** The headless browser says that it is one, and would not be counted as a person. */
const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/** Asks again until the answer is yes; says what was there last when time is up. */
async function eventually(what, ask, patience = 30_000) {
  const until = Date.now() + patience;
  let last;
  while (Date.now() < until) {
    last = await ask();
    if (last.yes) return last;
    await new Promise((done) => setTimeout(done, 300));
  }
  assert.fail(`${what}: ${JSON.stringify(last)}`);
}

class Walk {
  constructor(hand, place, browser) {
    Object.assign(this, { hand, place, browser, steps: 0, pages: [] });
  }

  /** A person with a browser of their own. */
  async person() {
    const made = await context(this.browser, { userAgent, viewport: { width: 1280, height: 900 } });
    made.on("page", (page) => this.pages.push(page));
    return made.newPage();
  }

  async step(page, name) {
    this.steps += 1;
    assert.ok((await overflow(page)) <= 0, `${name}: too wide`);
    await shot(page, `walk-${this.place.engine}-${this.hand.name}-${String(this.steps).padStart(2, "0")}-${name}`);
  }

  /** Opens a step of the set-up that is folded. */
  async unfold(page, step) {
    const details = page.locator(`#${step} > details`);
    if (!(await details.evaluate((one) => one.open))) await this.hand.press(page, details.locator("> summary"));
  }

  /** The owner's first quarter of an hour. */
  async setUp() {
    const { hand } = this;
    const page = (this.owner = await this.person());
    await page.goto(this.place.setupUrl);
    await this.step(page, "set-up");
    await hand.type(page, page.locator("#account #email"), "jo@acmeworks.example");
    await hand.type(page, page.locator("#account #password"), "four green rivers run 1");
    await hand.type(page, page.locator("#account #company"), "AcmeWorks");
    await hand.follow(page, page.getByRole("button", { name: "Create the account" }));
    await hand.type(page, page.locator("#program #name"), "AcmeWorks partners");
    await hand.type(page, page.locator("#program #website"), places.shop);
    await this.step(page, "program");
    await hand.follow(page, page.getByRole("button", { name: "Create the program" }));
    await hand.type(page, page.locator("#stripe #api_key"), "rk_test_walk0123456789");
    await hand.follow(page, page.getByRole("button", { name: "Connect Stripe" }));
    await page.locator("#stripe .badge.good").waitFor();
    await this.step(page, "stripe");
    await this.unfold(page, "script");
    const snippet = await page.locator("#script-tag").textContent();
    await this.step(page, "script");
    await this.paste(snippet);
    await this.unfold(page, "link");
    await hand.type(page, page.locator("#link #name"), "Maya Lindqvist");
    await hand.type(page, page.locator("#link #email"), "maya@partners.example");
    await hand.follow(page, page.getByRole("button", { name: "Add the partner" }));
    await this.unfold(page, "link");
    this.link = (await page.locator("#link .copy code").first().textContent()).trim();
    assert.match(this.link, /^http:\/\/shop\.test\/\?aff=[A-Za-z0-9_-]+$/);
    const opened = page.context().waitForEvent("page");
    await hand.press(page, page.getByRole("link", { name: "Open your link" }));
    const own = await opened;
    await own.waitForLoadState();
    await this.known(own);
    await this.step(own, "own-link");
    await own.close();
    // Both checks turn green by themselves.
    await page.locator("#visit-state .proof.ok").waitFor();
    await page.locator("#script-state .proof.ok").first().waitFor({ state: "attached" });
    await this.step(page, "seen");
    await hand.follow(page, page.getByRole("button", { name: "Go to the overview" }));
    this.program = new URL(page.url()).pathname.split("/")[2];
    await this.step(page, "overview-empty");
    await this.payHosts();
  }

  /** Payment links of this shop lie on a host of its own. */
  async payHosts() {
    const { hand, owner: page } = this;
    await page.goto(`${places.tributary}/p/${this.program}/settings`);
    await hand.type(page, page.locator("#payment_hosts"), "buy.stripe.com\npay.test");
    await hand.follow(page, page.locator("form:has(#payment_hosts)").getByRole("button").last());
    await this.step(page, "payment-hosts");
    // The script is kept in memory for a moment; a browser that has it already keeps it for five minutes.
    await eventually("the script with the new host", async () => {
      const script = await (await fetch(`http://${this.place.hosts["tributary.test"]}/t/${this.program}.js`)).text();
      return { yes: script.includes("pay\\.test"), script: script.slice(0, 300) };
    });
  }

  /** The shop's owner pastes the snippet. */
  async paste(snippet) {
    const { hand } = this;
    const page = await this.person();
    await page.goto(`${places.shop}/settings`);
    await hand.type(page, page.getByLabel("Paste a snippet here"), snippet.trim());
    await hand.follow(page, page.getByRole("button", { name: "Save" }));
    await page.getByText("Every page of the shop has it now").waitFor();
    await this.step(page, "shop-settings");
    await page.close();
  }

  /** Types what a buyer types, and pays; the id of the session. */
  async pay(page, buyer) {
    const { hand } = this;
    await page.waitForURL(`${places.pay}/checkout/**`);
    const session = new URL(page.url()).pathname.split("/").pop();
    if (!(await page.locator("#email").getAttribute("readonly")) && buyer) {
      if (!(await page.locator("#email").inputValue())) await hand.type(page, page.locator("#email"), buyer.email);
      await hand.type(page, page.locator("#name"), buyer.name);
    }
    await this.step(page, "pay");
    await hand.follow(page, page.getByRole("button", { name: /^Pay/ }));
    await page.waitForURL("**/thanks?order=*");
    await this.step(page, "thanks");
    return session;
  }

  /** A visitor who came by the link; the script has told of the visit before it goes on. */
  async visitor(address) {
    const page = await this.person();
    await page.goto(address);
    await this.known(page);
    return page;
  }

  /** Waits until the cookies name a visit. */
  async known(page) {
    await eventually("the cookies of a visit", async () => {
      const cookies = Object.fromEntries((await page.context().cookies(places.shop)).map((one) => [one.name, one]));
      const visit = cookies.tributary_visitor?.value ?? "";
      return { yes: /^vis_[0-9a-f]{32}$/.test(visit) && cookies.tributary_partner?.domain === ".shop.test", cookies };
    });
  }

  /** The page of the sale of a session, once it shows everything that is expected. */
  async explained(session, words, name) {
    const page = this.owner;
    // The root of a sale is its invoice, or its payment.
    const found = (await (await fetch(`http://${this.place.hosts["pay.test"]}/v1/checkout/sessions/${session}`, { headers: { authorization: "Bearer sk_test_walk0123456789" } })).json());
    const root = found.invoice ?? found.payment_intent;
    return this.explain(root, words, name);
  }

  async explain(root, words, name) {
    const page = this.owner;
    await eventually(`the page of ${root}`, async () => {
      const answer = await page.goto(`${places.tributary}/p/${this.program}/transactions/${root}`);
      if (answer.status() === 404) {
        complaints.get(page).length = 0;
        return { yes: false, status: 404 };
      }
      const text = await page.locator("main").innerText();
      const missing = words.filter((word) => !(word instanceof RegExp ? word.test(text) : text.includes(word)));
      return { yes: missing.length === 0, missing: missing.map(String), text };
    });
    await this.step(page, name);
    return root;
  }
}

for (const hand of hands) {
  test(`from nothing to a commission and half of it back, by ${hand.name}`, { timeout: TEN_MINUTES }, async () => {
    const place = await town();
    const browser = await launch(place.hosts);
    const walk = new Walk(hand, place, browser);
    const began = Date.now();
    try {
      await walk.setUp();
      const key = new URL(walk.link).searchParams.get("aff");

      // A stranger comes by the link and buys by a payment link, without any account.
      const first = await walk.visitor(walk.link);
      await hand.follow(first, first.getByRole("link", { name: "Subscribe to Team, monthly" }));
      const byLink = await walk.pay(first, { email: "lin@buyer.example", name: "Lin Buyer" });
      await walk.explained(byLink, ["Maya Lindqvist", "$8.00", "$40.00", /click/i, `…${byLink.slice(-4)}`], "explain-link");
      await walk.owner.goto(`${places.tributary}/p/${walk.program}/transactions`);
      await walk.owner.getByText("Maya Lindqvist").first().waitFor();
      await walk.step(walk.owner, "transactions");

      // Another one comes by the short link, signs up on the sub-domain, and pays there.
      const second = await walk.visitor(`${places.tributary}/r/${key}`);
      assert.match(second.url(), /^http:\/\/shop\.test\/\?aff=[A-Za-z0-9_-]+&tributary_visit=vis_[0-9a-f]{32}$/);
      await hand.follow(second, second.getByRole("link", { name: "Sign up", exact: true }));
      assert.equal(new URL(second.url()).origin, places.app);
      await hand.type(second, second.getByLabel("Your name"), "Grace Hopper");
      await hand.type(second, second.getByLabel("Work e-mail"), "grace@buyer.example");
      const told = second.waitForResponse((answer) => answer.url().endsWith("/signup") && answer.url().startsWith(places.tributary));
      await hand.follow(second, second.getByRole("button", { name: "Create account" }));
      assert.equal((await told).status(), 204);
      await walk.step(second, "signed-up");
      await hand.pick(second, second.getByRole("radio", { name: /Team, annual/ }));
      await hand.follow(second, second.getByRole("button", { name: "Continue to payment" }));
      const bySignUp = await walk.pay(second);
      const annual = await walk.explained(bySignUp, ["Maya Lindqvist", "$80.00", "$400.00", /sign/i, `…${bySignUp.slice(-4)}`], "explain-sign-up");

      // Bills the next year, and gives half of the first one back.
      await hand.follow(second, second.getByRole("button", { name: "Renew now" }));
      await walk.step(second, "renewed");
      const before = await walk.place.look("books");
      const renewal = before.sales.find((sale) => sale.root !== annual && sale.captured === 40_000);
      await hand.follow(second, second.getByRole("button", { name: "Refund half ($200.00)" }).last());
      await second.getByText("$200.00 given back").waitFor();
      await walk.step(second, "half-back");
      await walk.explain(annual, ["$40.00", "$200.00", /refund/i], "explain-half");
      if (renewal?.root) await walk.explain(renewal.root, ["$80.00", "Maya Lindqvist"], "explain-renewal");

      // The look-alikes of Stripe's elements carry the reference, too.
      const third = await walk.visitor(`${places.shop}/handbook?aff=${key}`);
      await hand.follow(third, third.getByRole("link", { name: "Buy: Workshop handbook" }));
      const byButton = await walk.pay(third, { email: "bo@buyer.example", name: "Bo Buyer" });
      await walk.explained(byButton, ["Maya Lindqvist", "$12.00", "$60.00", /click/i], "explain-button");
      const fourth = await walk.visitor(`http://www.shop.test/pricing?aff=${key}`);
      await hand.follow(fourth, fourth.getByRole("link", { name: "Subscribe: Team, monthly" }));
      const byTable = await walk.pay(fourth, { email: "ty@buyer.example", name: "Ty Buyer" });
      await walk.explained(byTable, ["Maya Lindqvist", "$8.00", /click/i], "explain-table");

      // Nobody sent this one, so nobody earns.
      const alone = await walk.person();
      await alone.goto(places.shop);
      await hand.follow(alone, alone.getByRole("link", { name: "Buy to Workshop handbook" }));
      const unsent = await walk.pay(alone, { email: "solo@buyer.example", name: "Solo Buyer" });
      await walk.explained(unsent, ["$60.00", /nobody/i], "explain-nobody");

      const seconds = Math.round((Date.now() - began) / 1000);
      console.log(`# The walk by ${hand.name} on ${place.engine}: ${seconds} s, ${walk.steps} pictures`);
      assert.ok(seconds < TEN_MINUTES / 1000 / 2, `${seconds} s`);

      // The books agree, nothing is to be posted anew, and Stripe's document was kept to.
      const verified = place.command("verify");
      assert.equal(verified.code, 0, verified.log);
      assert.equal(verified.said.ok, true);
      assert.equal(place.command("replay").code, 0);
      const state = await place.look("state");
      assert.deepEqual(state.violations, []);
      assert.equal(state.undelivered_count, 0);
      // The browser notes of plain http, beside loopback, that it leaves this header out; the pages warn of it, too.
      const noted = (line) => line.includes("Cross-Origin-Opener-Policy header has been ignored");
      for (const page of walk.pages) assert.deepEqual(complaints.get(page).filter((line) => !noted(line)), [], page.url());
    } catch (error) {
      for (const page of walk.pages) {
        if (!page.isClosed()) await shot(page, `walk-failed-${place.engine}-${hand.name}-${walk.pages.indexOf(page)}`).catch(() => {});
      }
      console.error(place.log());
      throw error;
    } finally {
      await browser.close();
      await place.end();
    }
  });
}
