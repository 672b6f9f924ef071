import "./before";
import assert from "node:assert/strict";
import { test } from "node:test";
import Customer from "../src/views/Customer";
import { ADDRESS, TOKEN, all, dashboard, json, shown, words } from "./dashboard";

const program = (change: object = {}) => ({
  id: "AAAAAAAA",
  name: "Partners",
  partner: { name: "Ada Lovelace", key: "ADA", link: "https://shop.example/?aff=ADA", url: `${ADDRESS}/p/AAAAAAAA/partners/ptr_1` },
  since: "2026-11-02T10:00:00.000000Z",
  because: "Ada Lovelace brought this customer: the purchase itself named the partner.",
  evidence: { kind: "client_reference", words: "client reference “ADA”", source: "cs_1" },
  url: `${ADDRESS}/p/AAAAAAAA/customers/ctm_1`,
  earned: [
    { currency: "USD", pending: "1234.50", payable: "10.00", paid: "0.00", reversed: "3.30" },
    { currency: "JPY", pending: "500", payable: "0", paid: "0", reversed: "0" },
  ],
  sales: [
    {
      id: "in_1", at: "2026-11-02T10:00:00.000000Z", currency: "USD", paid: "72.00", refunded: "12.00", state: "paid",
      earned: "18.00", earned_currency: "USD", nothing_because: "", url: `${ADDRESS}/p/AAAAAAAA/transactions/in_1`,
    },
    {
      id: "in_2", at: "2026-11-03T10:00:00.000000Z", currency: "USD", paid: "5.00", refunded: "0.00", state: "paid",
      earned: null, earned_currency: null, nothing_because: "the sale is below the minimum", url: `${ADDRESS}/p/AAAAAAAA/transactions/in_2`,
    },
  ],
  more_sales: true,
  ...change,
});
const report = (...programs: object[]) =>
  json(200, { status: 1, data: { referred: true, reason: null, message: "Somebody referred this customer.", programs } });

test("a referred customer: partner, link, since, evidence, money by currency, sales with their pages", async () => {
  const there = dashboard(report(program()));
  const { wrapper, settle } = await shown(Customer);
  assert.equal(all(wrapper, "Spinner").length, 1, "it says that it loads");
  await settle();
  assert.equal(all(wrapper, "Spinner").length, 0);
  const text = words(wrapper);
  for (const part of [
    "Ada Lovelace brought this customer", "https://shop.example/?aff=ADA", "Nov 2, 2026", "client reference “ADA”",
    "1,234.50 USD", "10.00 USD", "0.00 USD", "3.30 USD", "Earned in JPY", "500 JPY",
    "72.00 USD", "Earns 18.00 USD · 12.00 USD refunded", "Earns nothing: the sale is below the minimum", "All sales in Tributary",
  ]) {
    assert.ok(text.includes(part), `${part} is missing in ${text}`);
  }
  const links: unknown[] = all(wrapper, "Link").map((link) => link.props["href"]);
  for (const page of ["transactions/in_1", "transactions/in_2", "customers/ctm_1", "partners/ptr_1"]) {
    assert.ok(links.includes(`${ADDRESS}/p/AAAAAAAA/${page}`), `${page} in ${links}`);
  }
  assert.ok(!text.includes("Partners"), "one program needs no heading");
  const [call] = there.calls;
  assert.equal(call?.url, `${ADDRESS}/v1/integrations/stripe/app/customers/cus_ada?account=acct_1234&mode=test&user=usr_1234`);
  assert.equal(call?.headers["Authorization"], `Bearer ${TOKEN}`);
  assert.equal(call?.headers["Stripe-Signature"], "t=1,v1=00");
  assert.equal(call?.credentials, "omit");
  assert.equal(call?.redirect, "error");
});

test("several programs are told apart by their names", async () => {
  dashboard(report(program(), program({ id: "BBBBBBBB", name: "Friends", partner: null, because: "Nobody brought this customer.", earned: [], sales: [] })));
  const { wrapper, settle } = await shown(Customer);
  await settle();
  const text = words(wrapper);
  for (const part of ["Partners", "Friends", "Nobody brought this customer.", "No sale yet."]) assert.ok(text.includes(part), part);
});

const refusals: [string, Parameters<typeof dashboard>[0], RegExp][] = [
  ["not referred", json(404, { status: 1, data: { referred: false, reason: "unknown_customer", message: "Nobody referred it.", programs: [] } }), /Nobody referred it\./],
  ["not connected", json(404, { status: 1, data: { referred: false, reason: "not_connected", message: "x", programs: [] } }), /This account is not connected/],
  ["a wrong token", json(401, { message: "Unauthenticated. The app token is unknown or was revoked." }), /does not accept the app token · Unauthenticated\. The app token is unknown/],
  ["too many calls", json(429, { message: "x" }), /Too many calls at once/],
  ["a server that is away", "away", /Tributary did not answer · https:\/\/partners\.acme\.com could not be reached/],
  ["a server that fails", json(503, { message: "x" }), /Tributary did not answer/],
  ["a page in place of JSON", { status: 200, body: "<html>hello</html>" }, /This is not Tributary/],
  ["another JSON", json(200, { data: [] }), /This is not Tributary/],
  ["a 404 of somebody else", json(404, { message: "There is no such path in this API." }), /This is not Tributary/],
  ["an endless answer", { status: 200, body: `[${"0,".repeat(300_000)}0]` }, /This is not Tributary/],
];
for (const [name, answer, wanted] of refusals) {
  test(`it says what is the matter: ${name}`, async () => {
    dashboard(answer);
    const { wrapper, settle } = await shown(Customer);
    await settle();
    assert.match(words(wrapper), wanted);
    assert.equal(all(wrapper, "Spinner").length, 0);
  });
}

test("nothing was entered, or the Secret Store is closed: it says so and asks nobody", async () => {
  const empty = dashboard(report(program()));
  empty.secrets?.clear();
  const unset = await shown(Customer);
  await unset.settle();
  assert.match(words(unset.wrapper), /not set up here yet/);
  const closed = dashboard(report(program()));
  closed.secrets = null;
  const locked = await shown(Customer);
  await locked.settle();
  assert.match(words(locked.wrapper), /could not be read/);
  assert.equal(empty.calls.length + closed.calls.length, 0);
});

test("try again asks again, and what was wrong is gone", async () => {
  const there = dashboard("away", report(program()));
  const { wrapper, settle } = await shown(Customer);
  await settle();
  assert.equal(all(wrapper, "Banner").length, 1);
  const [button] = all(wrapper, "Button");
  (button?.props["onPress"] as (() => void) | undefined ?? assert.fail("no button"))();
  await settle();
  assert.equal(all(wrapper, "Banner").length, 0);
  assert.match(words(wrapper), /Ada Lovelace/);
  assert.equal(there.calls.length, 2);
});

test("without a signature of the Dashboard the call is made without one", async () => {
  const there = dashboard(report(program()));
  there.signature = "";
  const { wrapper, settle } = await shown(Customer);
  await settle();
  assert.match(words(wrapper), /Ada Lovelace/);
  assert.ok(!("Stripe-Signature" in (there.calls[0]?.headers ?? {})));
});
