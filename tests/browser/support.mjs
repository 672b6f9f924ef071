// A logged-in browser against a running server, which has played the demo's story.
import { context, follow } from "./tools.mjs";

export * from "./tools.mjs";

const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests need a running server (see README.md beside them)`);
  return value;
};

export const base = need("TRIBUTARY_TEST_URL").replace(/\/$/, "");
export const email = need("TRIBUTARY_TEST_EMAIL");
export const password = need("TRIBUTARY_TEST_PASSWORD");
export const program = need("TRIBUTARY_TEST_PROGRAM");

export async function login(page) {
  await page.goto(`${base}/login`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await follow(page, page.getByRole("button", { name: "Log in" }));
  await page.waitForURL(/\/p\/[^/]+$/);
}

/** The log-in once, as a state that other contexts start from: log-ins are limited. */
export async function signedIn(browser) {
  const first = await context(browser);
  await login(await first.newPage());
  const storageState = await first.storageState();
  await first.close();
  return storageState;
}

export const address = (path) => `${base}/p/${program}/${path}`;

/** The addresses of a page of each kind that has something on it. */
export async function somePages(page) {
  await page.goto(address("transactions"));
  const transaction = await page.locator("a.cover").first().getAttribute("href");
  await page.goto(address("events"));
  const event = await page.locator("a.cover").first().getAttribute("href");
  await page.goto(address("partners"));
  const partner = base + (await page.locator("a.cover").first().getAttribute("href"));
  await page.goto(address("customers"));
  const customer = base + (await page.locator("a.cover").first().getAttribute("href"));
  return {
    overview: `${base}/p/${program}`,
    "overview-visits": `${base}/p/${program}?range=90d&chart=visits`,
    "overview-12m": `${base}/p/${program}?range=12m`,
    "overview-dates": `${base}/p/${program}?from=2026-01-01&to=2026-02-01`,
    partners: address("partners"),
    "partners-nothing": address("partners?q=nobody%20has%20this%20name"),
    "partner-new": address("partners/new"),
    partner,
    "partner-edit": `${partner}/edit`,
    "partner-commissions": `${partner}?tab=commissions`,
    "partner-links": `${partner}?tab=links`,
    "partner-codes": `${partner}?tab=codes`,
    "partner-terms": `${partner}?tab=terms`,
    "partner-timeline": `${partner}?tab=timeline`,
    customers: address("customers"),
    customer,
    "customer-partner": `${customer}/partner`,
    links: address("links"),
    "links-archived": address("links?state=archived"),
    "link-new": address("links/new"),
    search: address("search?q=example"),
    "search-nothing": address("search?q=nobody%20has%20this%20name"),
    "transactions-filtered": address("transactions?partner=ada&currency=usd&from=2020-01-01"),
    transactions: address("transactions"),
    "transactions-refunded": address("transactions?state=refunded"),
    "transactions-nothing": address("transactions?q=nobody%20has%20this%20name"),
    transaction: base + transaction,
    "transaction-decide": `${base}${transaction.split("?")[0]}/decide`,
    events: address("events"),
    "events-ignored": address("events?outcome=ignored"),
    event: base + event,
    integration: address("integration"),
    "integration-api": address("integration/api"),
    "integration-guide": address("integration/guides/user-sign-up"),
    settings: address("settings"),
    "settings-terms": address("settings/terms"),
    "settings-stripe": address("settings/stripe"),
    "settings-audit": address("settings/audit"),
    "settings-audit-nothing": address("settings/audit?q=nothing%20like%20this"),
    "not-found": address("nothing"),
  };
}
