// Two ways to use a page: with a mouse, and with the keyboard alone.
import assert from "node:assert/strict";

/** Tabs that a page may need until something is reached. */
const FAR = 150;

const focused = (locator) => locator.evaluate((one) => one.matches(":focus")).catch(() => false);

/** Goes on with Tab until the focus is on what is asked for; a group of radio buttons is one stop. */
async function reach(page, locator) {
  await locator.waitFor();
  for (let presses = 0; presses < FAR; presses++) {
    if (await focused(locator)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not reach ${locator}`);
}

const mouse = {
  name: "mouse",
  press: (page, locator) => locator.click(),
  type: (page, locator, text) => locator.fill(text),
  pick: (page, locator) => locator.check(),
};

const keyboard = {
  name: "keyboard",
  async press(page, locator) {
    await reach(page, locator);
    await page.keyboard.press("Enter");
  },
  async type(page, locator, text) {
    await reach(page, locator);
    await page.keyboard.press("Control+a");
    // As a paste brings it: all at once.
    await page.keyboard.insertText(text);
  },
  /** Radio buttons: Tab reaches the chosen one, arrows move the choice. */
  async pick(page, locator) {
    const name = await locator.getAttribute("name");
    await reach(page, page.locator(`input[name="${name}"]:checked`));
    for (let presses = 0; presses < 10 && !(await locator.isChecked()); presses++) await page.keyboard.press("ArrowDown");
    assert.ok(await locator.isChecked(), `the arrows do not choose ${locator}`);
  },
};

/** Both, each also able to follow something to another page. */
export const hands = [mouse, keyboard].map((one) => ({
  ...one,
  async follow(page, locator) {
    const loaded = page.waitForEvent("load");
    await one.press(page, locator);
    await loaded;
  },
}));
