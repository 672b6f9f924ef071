// Every page, light and dark, wide and narrow: nothing serious by axe, no complaint, no sideways scroll.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, complaints, context, follow, launch, overflow, seriousFindings, shot, signedIn, somePages } from "./support.mjs";

let browser, storageState, pages;
before(async () => {
  browser = await launch();
  storageState = await signedIn(browser);
  const made = await context(browser, { storageState });
  pages = await somePages(await made.newPage());
  await made.close();
});
after(() => browser?.close());

const themes = ["light", "dark"];
const widths = [1440, 390];

for (const colorScheme of themes) {
  for (const width of widths) {
    test(`pages are sound: ${colorScheme}, ${width} px`, async () => {
      const viewport = { width, height: width === 390 ? 844 : 900 };
      const made = await context(browser, { storageState, colorScheme, viewport, hasTouch: width === 390 });
      for (const [name, address] of Object.entries({ ...pages, login: `${base}/login?fresh` })) {
        const here = name === "login" ? await context(browser, { colorScheme, viewport }) : made;
        const page = await here.newPage();
        const answer = await page.goto(address);
        assert.equal(answer.status(), name === "not-found" ? 404 : 200, `${name}: status`);
        assert.equal(await page.locator("h1").count(), 1, `${name}: one title`);
        await page.evaluate(() => document.fonts.ready);
        assert.deepEqual(await seriousFindings(page), [], `${name}: axe`);
        assert.ok((await overflow(page)) <= 0, `${name}: ${await overflow(page)} px too wide`);
        // The browser itself notes the 404 that this page is.
        const said = complaints.get(page).filter((line) => name !== "not-found" || !line.includes("404"));
        assert.deepEqual(said, [], `${name}: complaints`);
        await shot(page, `${name}-${colorScheme}-${width}`);
        await page.close();
        if (here !== made) await here.close();
      }
      await made.close();
    });
  }
}

test("the menu of a narrow window opens without sideways scroll and names the pages", async () => {
  const made = await context(browser, { storageState, viewport: { width: 390, height: 844 }, javaScriptEnabled: false });
  const page = await made.newPage();
  await page.goto(pages.transactions);
  await page.locator(".topbar summary").click();
  await follow(page, page.locator(".topbar").getByRole("link", { name: "Events" }));
  assert.match(page.url(), /\/events$/);
  await made.close();
});

test("a first visit transfers at most 100 KB", async () => {
  const made = await context(browser, { storageState });
  const page = await made.newPage();
  const session = await made.newCDPSession(page);
  await session.send("Network.enable");
  let bytes = 0;
  session.on("Network.loadingFinished", (done) => (bytes += done.encodedDataLength));
  await page.goto(pages.events, { waitUntil: "networkidle" }).catch(() => {});
  await page.evaluate(() => document.fonts.ready);
  assert.ok(bytes > 20_000 && bytes <= 100 * 1024, `${bytes} bytes`);
  await made.close();
});

test("every page keeps the belts that a browser is told of", async () => {
  const made = await context(browser, { storageState });
  const page = await made.newPage();
  for (const address of [...Object.values(pages), `${base}/login`]) {
    const headers = (await page.goto(address)).headers();
    const policy = headers["content-security-policy"] ?? "";
    assert.ok(policy.includes("default-src 'none'") && policy.includes("frame-ancestors 'none'") && !policy.includes("unsafe"), `${address}: ${policy}`);
    assert.equal(headers["x-content-type-options"], "nosniff", address);
    assert.equal(headers["cache-control"], "no-store", address);
    assert.equal(headers["cross-origin-opener-policy"], "same-origin", address);
  }
  await made.close();
});
