import "./before";
import assert from "node:assert/strict";
import { test } from "node:test";
import { SettingsView, TextField } from "@stripe/ui-extension-sdk/ui";
import Settings, { mayTalk } from "../src/views/Settings";
import { ADDRESS, TOKEN, dashboard, json, shown, words } from "./dashboard";

const unknown = (reason: string) => json(404, { status: 1, data: { referred: false, reason, message: "", programs: [] } });
const other = `tra_${"y".repeat(49)}`;

async function saved(values: Record<string, string>, ...answers: Parameters<typeof dashboard>) {
  const there = dashboard(...answers);
  const view = await shown(Settings);
  await view.settle();
  const before = words(view.wrapper);
  (view.wrapper.find(SettingsView) ?? assert.fail("no view")).trigger("onSave", values);
  await view.settle();
  return { there, before, text: words(view.wrapper), fields: view.wrapper.findAll(TextField) };
}

test("what is entered is tried and kept, and the token is never shown", async () => {
  const { there, before, text, fields } = await saved({ address: ` ${ADDRESS}/ `, token: other }, unknown("unknown_customer"));
  assert.match(text, /Saved\. Tributary answers and knows this account\./);
  assert.deepEqual(JSON.parse(there.secrets?.get("tributary_access") ?? ""), { address: ADDRESS, token: other });
  assert.equal(there.calls[0]?.headers["Authorization"], `Bearer ${other}`);
  for (const shown of [before, text]) assert.ok(!shown.includes(TOKEN) && !shown.includes(other));
  assert.equal(fields.find((field) => field.prop("name") === "token")?.prop("type"), "password");
});

test("an empty token means the one that is kept", async () => {
  const { there, text } = await saved({ address: "https://other.acme.com", token: "" }, unknown("unknown_customer"));
  assert.deepEqual(JSON.parse(there.secrets?.get("tributary_access") ?? ""), { address: "https://other.acme.com", token: TOKEN });
  assert.match(text, /may not talk to that address/, "the manifest names another one");
  assert.equal(there.calls.length, 0);
});

const wrongs: [Record<string, string>, RegExp][] = [
  [{ address: "", token: other }, /Enter the address/],
  [{ address: "http://partners.acme.com", token: other }, /begins with https/],
  [{ address: "javascript:alert(1)", token: other }, /begins with https/],
  [{ address: "https://a:b@acme.com", token: other }, /no user, no query/],
  [{ address: "https://acme.com/?x=1", token: other }, /no user, no query/],
  [{ address: ADDRESS, token: "trb_x" }, /This is an API key/],
  [{ address: ADDRESS, token: "sk_live_x" }, /begins with tra_/],
  [{ address: ADDRESS, token: "tra_short" }, /53 letters/],
];
for (const [values, wanted] of wrongs) {
  test(`refused with a reason: ${JSON.stringify(values)}`, async () => {
    const { there, text } = await saved(values, unknown("unknown_customer"));
    assert.match(text, wanted);
    assert.match(text, /Not saved\./);
    assert.deepEqual(JSON.parse(there.secrets?.get("tributary_access") ?? ""), { address: ADDRESS, token: TOKEN });
    assert.equal(there.calls.length, 0);
  });
}

const trials: [string, Parameters<typeof dashboard>[0], RegExp][] = [
  ["not connected", unknown("not_connected"), /does not know this account in test mode/],
  ["refused", json(401, { message: "The app token is unknown." }), /does not accept the app token\. The app token is unknown\./],
  ["away", "away", /did not answer at this address/],
  ["busy", json(429, {}), /asked too much at once/],
  ["foreign", json(200, {}), /is not Tributary/],
];
for (const [name, answer, wanted] of trials) {
  test(`the trial call says what it found: ${name}`, async () => {
    assert.match((await saved({ address: ADDRESS, token: other }, answer)).text, wanted);
  });
}

test("a closed Secret Store is said, at reading and at saving", async () => {
  const there = dashboard(unknown("unknown_customer"));
  there.secrets = null;
  const view = await shown(Settings);
  await view.settle();
  assert.match(words(view.wrapper), /could not be read/);
  (view.wrapper.find(SettingsView) ?? assert.fail("no view")).trigger("onSave", { address: ADDRESS, token: other });
  await view.settle();
  assert.match(words(view.wrapper), /Not saved: Stripe's Secret Store did not take it/);
});

test("an address is compared with the manifest as the Dashboard does", () => {
  const sources = [`${ADDRESS}/v1/integrations/stripe/app/`];
  assert.ok(mayTalk(sources, `${ADDRESS}/v1/integrations/stripe/app/customers/cus_1?x=1`));
  for (const foreign of [`${ADDRESS}.evil.test/v1/integrations/stripe/app/x`, `${ADDRESS}/v1/partners`, "https://evil.test/"]) {
    assert.ok(!mayTalk(sources, foreign), foreign);
  }
  assert.ok(mayTalk(null, "https://x.test/") && mayTalk(undefined, "https://x.test/"));
});
