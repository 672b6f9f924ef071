// Screenshots of every page in both themes and two widths, on a program that is empty, has three rows, has ten
// thousand, and has names of sixty letters: for looking at. `tests/browser/shots FOLDER` runs it.
import { mkdirSync } from "node:fs";
import { base, context, launch, overflow, program, signedIn } from "./support.mjs";

const folder = process.env.TRIBUTARY_TEST_SHOTS;
const filling = process.env.TRIBUTARY_SHOTS_FILLING;
if (!folder || !filling) throw new Error("run tests/browser/shots");

const at = (path) => `${base}/p/${program}${path}`;
const pages = {
  overview: "", "overview-visits": "?range=90d&chart=visits", "overview-12m": "?range=12m",
  partners: "/partners", "partner-new": "/partners/new", customers: "/customers", links: "/links",
  transactions: "/transactions", search: "/search?q=a", events: "/events",
  integration: "/integration", "integration-api": "/integration/api",
  "integration-links": "/integration/guides/payment-links", "integration-signup": "/integration/guides/user-sign-up",
  settings: "/settings", "settings-terms": "/settings/terms", "settings-keys": "/settings/keys",
  "settings-stripe": "/settings/stripe", "settings-profile": "/settings/profile", "settings-sessions": "/settings/sessions", "settings-audit": "/settings/audit",
};
if (filling !== "empty") Object.assign(pages, {
  partner: "/partners/ptr_fill0", "partner-commissions": "/partners/ptr_fill0?tab=commissions", "partner-links": "/partners/ptr_fill0?tab=links", "partner-codes": "/partners/ptr_fill0?tab=codes",
  "partner-terms": "/partners/ptr_fill0?tab=terms", "partner-timeline": "/partners/ptr_fill0?tab=timeline",
  customer: "/customers/ctm_fill000000", "partners-revenue": "/partners?sort=revenue",
});
mkdirSync(folder, { recursive: true });
const browser = await launch();
const storageState = await signedIn(browser);
if (filling !== "empty") {
  const made = await context(browser, { storageState });
  const page = await made.newPage();
  await page.goto(at("/transactions"));
  const first = await page.locator("a.cover").first().getAttribute("href");
  pages.transaction = first.slice(first.indexOf("/transactions"));
  await made.close();
}
let wide = 0;
for (const colorScheme of ["light", "dark"]) {
  for (const width of [1440, 390]) {
    const made = await context(browser, { storageState, colorScheme, viewport: { width, height: width === 390 ? 844 : 900 }, hasTouch: width === 390 });
    const page = await made.newPage();
    for (const [name, path] of Object.entries(pages)) {
      const answer = await page.goto(at(path));
      if (answer.status() !== 200) throw new Error(`${path} answered ${answer.status()}`);
      await page.evaluate(() => document.fonts.ready);
      const over = await overflow(page);
      if (over > 0) console.log(`${filling} ${name} ${width}: ${over} px too wide`, (wide += 1));
      await page.screenshot({ path: `${folder}/${filling}-${name}-${colorScheme}-${width}.png`, fullPage: true });
    }
    await made.close();
  }
}
await browser.close();
if (wide) process.exitCode = 1;
