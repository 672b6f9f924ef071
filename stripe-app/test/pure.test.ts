import assert from "node:assert/strict";
import { test } from "node:test";
import { readReport } from "../src/report";
import { day, isSome, money } from "../src/words";
// @ts-expect-error a script without types
import { configured } from "../configure.mjs";
import manifest from "../stripe-app.json";
import openapi from "../../docs/openapi.json";

test("amounts are grouped as texts, whatever their length", () => {
  assert.equal(money("1234567890123456.78", "USD"), "1,234,567,890,123,456.78 USD");
  assert.equal(money("-0.50", "EUR"), "−0.50 EUR");
  assert.equal(money("500", "JPY"), "500 JPY");
  assert.equal(money("1.005", "KWD"), "1.005 KWD");
  assert.equal(money("", "USD"), "USD");
  assert.deepEqual(["0.00", "0", "", "0.01", "100"].map(isSome), [false, false, false, true, true]);
});

test("days are written in the reader's language, and nonsense is no day", () => {
  assert.equal(day("2026-11-02T10:00:00.000000Z", "en-US"), "Nov 2, 2026");
  assert.equal(day("2026-11-02T10:00:00.000000Z", "not a locale!"), "Nov 2, 2026");
  assert.equal(day("yesterday", "en"), "");
  assert.equal(day("", "en"), "");
});

test("an answer of another version is read as far as it goes, and links lead to web pages alone", () => {
  const odd = { data: { referred: true, programs: [{ partner: { name: 7, url: "javascript:alert(1)", link: "data:x" }, earned: "x", sales: [null, {}] }, 3] } };
  const read = readReport(odd) ?? assert.fail("it is a report");
  assert.equal(read.programs.length, 1);
  assert.deepEqual(read.programs[0]?.partner, { name: "", key: "", link: "", url: "" });
  assert.equal(read.programs[0]?.sales.length, 1);
  for (const none of [null, 3, "x", [], {}, { data: null }, { data: {} }, { data: { referred: "yes", programs: [] } }]) {
    assert.equal(readReport(none), null);
  }
  const many = { data: { referred: true, programs: Array.from({ length: 1000 }, () => ({})) } };
  assert.equal(readReport(many)?.programs.length, 50);
});

test("the app reads what Tributary's interface says, field by field", () => {
  const { schemas } = openapi.components as unknown as { schemas: Record<string, { properties?: Record<string, unknown> }> };
  const fields = (name: string) => Object.keys(schemas[name]?.properties ?? assert.fail(`no ${name}`)).sort();
  // What the interface says and the app does not show is named here.
  const unread: Record<string, string[]> = { EvidenceReport: ["kind"], SaleReport: ["state"] };
  const sample = (name: string) => Object.fromEntries(fields(name).map((field) => [field, "x"]));
  const program = {
    ...sample("ProgramReport"), partner: sample("PartnerReport"), evidence: sample("EvidenceReport"),
    earned: [sample("EarnedReport")], sales: [sample("SaleReport")], more_sales: true,
  };
  const read = readReport({ data: { ...sample("Report"), referred: true, programs: [program] } }) ?? assert.fail("a report");
  const [one] = read.programs;
  const got: Record<string, object | null | undefined> = {
    Report: read, ProgramReport: one, PartnerReport: one?.partner, EvidenceReport: one?.evidence,
    EarnedReport: one?.earned[0], SaleReport: one?.sales[0],
  };
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  for (const [name, part] of Object.entries(got)) {
    const names = [...Object.keys(part ?? {}).map(snake), ...(unread[name] ?? [])].sort();
    assert.deepEqual(names, fields(name), name);
  }
  const path = "/v1/integrations/stripe/app/customers/{customer}";
  assert.ok(path in openapi.paths, path);
});

test("the manifest asks for what is used, says why, and reads only", () => {
  const permissions = manifest.permissions.map(({ permission }) => permission);
  assert.equal(new Set(permissions).size, permissions.length);
  for (const { permission, purpose } of manifest.permissions) {
    assert.ok(permission.endsWith("_read") || permission === "secret_write", permission);
    assert.match(purpose, /^To .{20,}\.$/);
  }
  assert.equal(manifest.stripe_api_access_type, "oauth");
  const [source] = manifest.ui_extension.content_security_policy["connect-src"];
  assert.ok(source?.startsWith(manifest.constants.address) && source.endsWith("/"));
  for (const viewport of ["stripe.dashboard.customer.detail", "settings"]) {
    assert.ok(manifest.ui_extension.views.some((view) => view.viewport === viewport), viewport);
  }
});

test("the operator's address goes into the manifest, and no other kind of address", () => {
  const made = configured(manifest, { address: "https://partners.acme.com/", id: "com.acme.tributary" });
  assert.equal(made.id, "com.acme.tributary");
  assert.equal(made.constants.address, "https://partners.acme.com");
  assert.deepEqual(made.ui_extension.content_security_policy["connect-src"], ["https://partners.acme.com/v1/integrations/stripe/app/"]);
  assert.ok(made.allowed_redirect_uris[0].startsWith("https://partners.acme.com/"));
  assert.ok(!JSON.stringify(made).includes("example.com"));
  for (const address of ["", "partners.acme.com", "http://partners.acme.com", "https://a:b@c.d", "https://a.b/?x", "https://a.b/#x"]) {
    assert.throws(() => configured(manifest, { address, id: "com.acme.tributary" }), /address/, address);
  }
  assert.throws(() => configured(manifest, { address: "https://a.b", id: "acme app" }), /id/);
});
