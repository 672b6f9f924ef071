// The tracking script on a merchant's pages, in a real browser, on hosts that really differ.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { complaints, context, launch } from "./tools.mjs";

const binary = process.env.TRIBUTARY_TEST_BIN;
if (!binary) throw new Error("TRIBUTARY_TEST_BIN is not set: this test starts a server of its own (see README.md beside it)");
// The headless browser says that it is one, and would not be counted as a person.
const person = { userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36" };
const VISIT = /^vis_[0-9a-f]{32}$/;

let folder, server, pages, browser, program, key, api, database;
const paths = new Map();

const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
const freePort = async () => {
  const probe = createServer();
  const port = await listen(probe);
  await new Promise((done) => probe.close(done));
  return port;
};

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "tributary-tracker-"));
  database = join(folder, "tributary.db");
  const port = await freePort();
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TRIBUTARY_")));
  const env = {
    ...clean,
    TRIBUTARY_DATABASE_URL: `sqlite:${database}`,
    TRIBUTARY_LISTEN: `127.0.0.1:${port}`,
    TRIBUTARY_PUBLIC_URL: "http://tributary.test",
    TRIBUTARY_MASTER_KEY: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
  };
  const setup = ["setup", "--email", "o@example.com", "--password-stdin", "--program", "Shop", "--kind", "affiliate", "--currency", "usd",
    "--website", "http://www.shop.test/", "--commission", "30%", "--json"];
  const said = JSON.parse(execFileSync(binary, setup, { env, cwd: folder, input: "four green rivers run 1\n" }));
  [program, key] = [said.program_public_id, said.api_key];
  // Browsers ask Stripe's own hosts by https alone: a payment host of the test's is one that they can go to.
  execFileSync("python3", ["-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()", database,
    `UPDATE program SET payment_hosts = '["buy.stripe.com","pay.test"]'`]);
  server = spawn(binary, ["serve", "--json"], { env, cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  await new Promise((done) => createInterface({ input: server.stdout }).once("line", done));
  api = (method, path, body) =>
    fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body), headers: { authorization: `Bearer ${key}`, "content-type": "application/json" } });
  for (const name of ["ada", "bob"]) assert.equal((await api("POST", "/v1/partners", { key: name, email: `${name}@partners.example` })).status, 201);
  pages = createServer((request, answer) => {
    const page = paths.get(new URL(request.url, "http://x").pathname) ?? { body: "" };
    const script = page.script ?? `<script async src="http://tributary.test/t/${program}.js"></script>`;
    answer.writeHead(200, { "content-type": "text/html; charset=utf-8", ...page.headers });
    answer.end(`<!doctype html><title>Shop</title>${page.head ?? ""}${script}<body>${page.body}</body>`);
  });
  const site = `127.0.0.1:${await listen(pages)}`;
  const sites = ["www.shop.test", "shop.test", "app.shop.test", "a.b.shop.test", "elsewhere.test", "pay.test", "localhost"];
  // Browsers say what a request is for only to https: here, where there is none, this one host counts as such.
  const secure = ["--unsafely-treat-insecure-origin-as-secure=http://tributary.test"];
  browser = await launch({ "tributary.test": `127.0.0.1:${port}`, ...Object.fromEntries(sites.map((name) => [name, site])) }, secure);
});

after(async () => {
  await browser?.close();
  pages?.closeAllConnections();
  pages?.close();
  if (server && server.exitCode === null) {
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGTERM");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

const rows = (sql) =>
  JSON.parse(execFileSync("python3", ["-c", "import json,sqlite3,sys; print(json.dumps(sqlite3.connect(sys.argv[1], timeout=10).execute(sys.argv[2]).fetchall()))", database, sql]));
const visits = () => rows("SELECT COUNT(*) FROM visit")[0][0];
const soon = async (what, ask) => {
  let last;
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((done) => setTimeout(done, 40))) {
    last = await ask();
    if (last) return last;
  }
  assert.fail(`waited in vain: ${what} (${JSON.stringify(last)})`);
};
const cookies = async (context) => Object.fromEntries((await context.cookies()).map((one) => [one.name, one]));
const visited = (context) => soon("a visit id in the cookie", async () => {
  const value = (await cookies(context)).tributary_visitor?.value;
  return VISIT.test(value ?? "") && value;
});

test("an arrival is remembered on the widest domain, and told once", async () => {
  const begin = visits();
  const made = await context(browser, person);
  const page = await made.newPage();
  await page.goto("http://www.shop.test/?aff=ada&x=1");
  const id = await visited(made);
  const { tributary_partner: partner, tributary_visitor: visitor, ...rest } = await cookies(made);
  assert.deepEqual(rest, {}, "nothing else is left behind");
  for (const cookie of [partner, visitor]) {
    assert.equal(cookie.domain, ".shop.test");
    assert.equal(cookie.sameSite, "Lax");
    assert.ok(Math.abs(cookie.expires - Date.now() / 1000 - 30 * 86_400) < 120);
  }
  assert.equal(partner.value, "ada");
  await page.reload();
  await page.goto("http://a.b.shop.test/?via=ada");
  await page.waitForLoadState("networkidle");
  assert.equal((await cookies(made)).tributary_visitor.value, id);
  assert.equal(visits(), begin + 1);
  // A newer partner takes the place of the older, an unknown one does not.
  await page.goto("http://shop.test/?ref=producthunt");
  await page.waitForLoadState("networkidle");
  assert.equal((await cookies(made)).tributary_partner.value, "ada");
  await page.goto("http://shop.test/?ref=bob");
  await soon("another visit", async () => (await cookies(made)).tributary_visitor?.value !== id && (await visited(made)));
  assert.equal((await cookies(made)).tributary_partner.value, "bob");
  assert.equal(visits(), begin + 2);
  assert.deepEqual(complaints.get(page), []);
  await made.close();
});

test("payment links and Stripe's elements get the reference, now and later, unless the site gave one", async () => {
  paths.set("/pay", {
    body: `<a id=plain href="http://buy.stripe.com/test_1">Buy</a>
      <a id=query href="http://buy.stripe.com/test_2?prefilled_email=a%2Bb%40c.example#x">Buy</a>
      <a id=own href="http://buy.stripe.com/test_3?client_reference_id=user_7">Buy</a>
      <a id=other href="http://elsewhere.test/test_4">Other</a>
      <a id=look href="http://buy.stripe.com.elsewhere.test/x">Look-alike</a>
      <a id=anchor href="#top">Anchor</a><svg><a id=drawn href="http://buy.stripe.com/x"></a></svg>
      <map name=m><area id=area href="http://buy.stripe.com/test_5"></map>
      <stripe-buy-button id=button></stripe-buy-button><stripe-buy-button id=ownbutton client-reference-id="user_7"></stripe-buy-button>
      <stripe-pricing-table id=table></stripe-pricing-table>`,
  });
  const made = await context(browser, person);
  const page = await made.newPage();
  await page.goto("http://app.shop.test/pay?aff=ada");
  const id = await visited(made);
  const reference = (selector) => page.evaluate((selector) => {
    const element = document.querySelector(selector);
    return element.localName.startsWith("stripe-") ? element.getAttribute("client-reference-id") : new URL(element.href).searchParams.get("client_reference_id");
  }, selector);
  for (const [selector, wanted] of [["#plain", id], ["#query", id], ["#own", "user_7"], ["#other", null], ["#look", null], ["#area", id], ["#button", id], ["#ownbutton", "user_7"], ["#table", id]])
    await soon(`${selector}: ${wanted}`, async () => (await reference(selector)) === wanted);
  const kept = new URL(await page.locator("#query").getAttribute("href"));
  assert.equal(kept.searchParams.get("prefilled_email"), "a+b@c.example");
  assert.equal(kept.hash, "#x");
  await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", `<p><a id=late href="http://buy.stripe.com/late">x</a></p><stripe-buy-button id=latebutton></stripe-buy-button>`);
    const table = document.createElement("stripe-pricing-table");
    table.id = "latetable";
    document.body.append(table);
    document.querySelector("#other").href = "http://buy.stripe.com/changed";
  });
  for (const selector of ["#late", "#latebutton", "#latetable", "#other"]) await soon(selector, async () => (await reference(selector)) === id);
  // Changed by the page in the very click, and inside a shadow tree: caught before the browser follows it.
  await page.evaluate(() => {
    const host = document.body.appendChild(document.createElement("div"));
    host.attachShadow({ mode: "open" }).innerHTML = `<a id=deep href="http://pay.test/deep">deep</a>`;
  });
  await page.locator("#deep").click();
  await page.waitForURL(/pay\.test\/deep/);
  assert.equal(new URL(page.url()).searchParams.get("client_reference_id"), id);
  // The next page of the site has it without an arrival; a returning visitor's reference is there at once.
  await page.goto("http://www.shop.test/pay");
  await soon("the reference on the next page", async () => (await reference("#button")) === id);
  assert.deepEqual(complaints.get(page), []);
  await made.close();
});

test("a short link brings its visit along, and the script tells of no second one", async () => {
  const begin = visits();
  const made = await context(browser, person);
  const page = await made.newPage();
  const told = [];
  page.on("request", (request) => request.method() === "POST" && told.push(request.url()));
  await page.goto("http://tributary.test/r/ada?utm_source=mail");
  const url = new URL(page.url());
  assert.equal(url.host, "www.shop.test");
  assert.equal(url.searchParams.get("utm_source"), "mail");
  assert.match(url.searchParams.get("tributary_visit"), VISIT);
  assert.equal(await visited(made), url.searchParams.get("tributary_visit"));
  await page.waitForLoadState("networkidle");
  assert.deepEqual(told, []);
  assert.equal(visits(), begin + 1);
  assert.deepEqual(rows("SELECT landing FROM visit ORDER BY at DESC LIMIT 1"), [["http://www.shop.test/"]]);
  await made.close();
});

test("what nobody sees is no visit", async () => {
  const begin = visits();
  paths.set("/stuffed", {
    script: "",
    body: `<img src="http://tributary.test/r/bob"><iframe src="http://tributary.test/r/bob"></iframe><iframe style="display:none" src="http://www.shop.test/?aff=bob"></iframe>
      <object data="http://tributary.test/r/bob"></object><embed src="http://tributary.test/r/bob"><video src="http://tributary.test/r/bob"></video>
      <link rel=prefetch href="http://tributary.test/r/bob"><link rel=stylesheet href="http://tributary.test/r/bob"><script src="http://tributary.test/r/bob"></script>
      <script type=speculationrules>{"prefetch":[{"urls":["http://tributary.test/r/bob"],"eagerness":"immediate"}]}</script>
      <script>fetch("http://tributary.test/r/bob", { mode: "no-cors" }).catch(() => {})</script>`,
  });
  const made = await browser.newContext(person);
  const page = await made.newPage();
  await page.goto("http://elsewhere.test/stuffed", { waitUntil: "commit" });
  await soon("six ways turned away", async () => rows("SELECT SUM(prefetches) FROM link_day")[0][0] >= 6);
  await new Promise((done) => setTimeout(done, 1500));
  assert.equal(visits(), begin);
  await made.close();
});

test("a sign-up by call, by queue, by chain and by form makes a customer of the partner", async () => {
  paths.set("/join", {
    head: `<script>window.po=window.po||function(){var e={a:arguments,q:[]};(po.q=po.q||[]).push(e);return function(){e.q.push({a:arguments,q:[]})}};
      window.tributary=window.tributary||function(){(tributary.q=tributary.q||[]).push(arguments)};
      po("settings","assets_host","x")("program","${program}","load");
      tributary("signup",{key:"queued",email:"queued@customers.example",name:"Q"});
      po("program","${program}","load")("customers","signup",{data:{key:"chained",email:"chained@customers.example"}});
      po("integration","universal",null)</script>`,
    body: `<form id=join onsubmit="return false"><input name=fullname value="Form Person"><input type=email name=mail value="Form@customers.example"><button>Join</button></form>
      <form id=login onsubmit="return false"><input type=email value="login@customers.example"><input type=password autocomplete=current-password><button>In</button></form>`,
  });
  const made = await context(browser, person);
  const page = await made.newPage();
  await page.goto("http://www.shop.test/join?aff=ada");
  await visited(made);
  await page.evaluate(() => {
    window.tributary("signup", { key: "called", email: "called@customers.example", name: "C" });
    window.po("customers", "signup", { data: { key: "po", email: "po@customers.example" } });
  });
  await page.locator("#join button").click();
  await page.locator("#login button").click();
  const wanted = ["called", "chained", "form@customers.example", "po", "queued"];
  await soon("customers", async () => rows("SELECT key FROM customer WHERE partner_by = 'browser' ORDER BY key").flat().join() === wanted.join());
  assert.deepEqual(rows("SELECT DISTINCT p.key FROM customer c JOIN partner p ON p.partner_id = c.partner_id"), [["ada"]]);
  assert.deepEqual(complaints.get(page), []);
  await made.close();
});

test("nothing is stored before consent, and nothing stays after it is taken back", async () => {
  paths.set("/consent", { script: `<script async data-consent src="http://tributary.test/t/${program}.js"></script>`, body: `<a id=a href="http://buy.stripe.com/x">x</a>` });
  const made = await context(browser, person);
  const page = await made.newPage();
  await page.goto("http://www.shop.test/consent?aff=ada");
  await page.waitForFunction(() => typeof window.tributary === "function");
  assert.deepEqual(await made.cookies(), []);
  await page.evaluate(() => window.tributary("consent", true));
  const id = await visited(made);
  await soon("the reference", () => page.evaluate((id) => document.querySelector("#a").search.includes(id), id));
  await page.evaluate(() => window.tributary("consent", false));
  await soon("no cookie", async () => (await made.cookies()).length === 0);
  await made.close();
});

test("a strict policy and a hostile page: the script works or is silent", async () => {
  const policy = "default-src 'none'; script-src http://tributary.test; connect-src http://tributary.test";
  paths.set("/strict", { headers: { "content-security-policy": policy }, body: `<a id=a href="http://buy.stripe.com/x">x</a>` });
  const made = await context(browser, person);
  const page = await made.newPage();
  await page.goto("http://www.shop.test/strict?aff=ada");
  await visited(made);
  await soon("the reference", () => page.locator("#a").evaluate((a) => a.search.includes("vis_")));
  assert.deepEqual(complaints.get(page), []);
  paths.set("/hostile", {
    head: `<script>Object.defineProperty(window,"po",{value:Object.freeze(function(){throw Error("po")}),writable:false});window.tributary=7;
      window.fetch=()=>{throw Error("fetch")};URLSearchParams.prototype.get=()=>{throw Error("get")};
      Object.defineProperty(document,"cookie",{get(){throw Error("cookie")},set(){throw Error("cookie")}})</script>`,
    body: `<a href="http://[">x</a><a href="javascript:0">x</a><stripe-buy-button></stripe-buy-button><div id=tributary></div>`,
  });
  const hostile = await made.newPage();
  await hostile.goto("http://www.shop.test/hostile?aff=ada");
  await hostile.waitForLoadState("networkidle");
  await hostile.locator("a").first().dispatchEvent("click");
  assert.deepEqual(complaints.get(hostile), []);
  await made.close();
});

test("a host without a domain keeps cookies for itself, and a strange host changes nothing", async () => {
  const begin = visits();
  const made = await context(browser, person);
  const page = await made.newPage();
  await page.goto("http://localhost/?aff=ada");
  await page.waitForLoadState("networkidle");
  assert.equal((await cookies(made)).tributary_partner?.domain, "localhost");
  await page.goto("http://elsewhere.test/?aff=ada");
  await page.waitForLoadState("networkidle");
  assert.equal(visits(), begin);
  assert.deepEqual(complaints.get(page), []);
  await made.close();
});

test("the browser reads the answer to every hostile target as the website's own", async () => {
  const targets = JSON.parse(readFileSync(new URL("../data/hostile.json", import.meta.url))).targets;
  const locations = [];
  for (const target of targets) {
    const answer = await fetch(`http://127.0.0.1:${new URL((await api("GET", "/v1/partners")).url).port}/r/ada?to=${encodeURIComponent(target)}`, { redirect: "manual", headers: { "user-agent": person.userAgent } });
    assert.equal(answer.status, 302, target);
    locations.push(answer.headers.get("location"));
  }
  const made = await browser.newContext();
  const page = await made.newPage();
  const hosts = await page.evaluate((all) => all.map((one) => new URL(one)).map((url) => `${url.protocol}//${url.host}`), locations);
  assert.ok(targets.length >= 250);
  for (const [at, host] of hosts.entries()) assert.ok(/^https?:\/\/([a-z0-9-]+\.)*shop\.test$/.test(host), `${targets[at]} → ${locations[at]}`);
  await made.close();
});
