// A house of its own for a test: its first account and program, set up by hand through the pages, nothing connected.
import { fresh } from "./fresh.mjs";
import { context, follow } from "./tools.mjs";

export const account = { email: "jo@acme.example", password: "four green rivers run 1", company: "Acme Works" };

/** `env` adds settings of `serve`. Answers the house, the log-in as a state that contexts start from, and addresses. */
export async function newcomer(browser, env = {}) {
  const house = await fresh(env);
  const made = await context(browser);
  const page = await made.newPage();
  await page.goto(house.setupUrl);
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByLabel("Company").fill(account.company);
  await follow(page, page.getByRole("button", { name: "Create the account" }));
  await page.getByLabel("Name").fill("Acme partners");
  await page.getByLabel("Website").fill("acme.example");
  await follow(page, page.getByRole("button", { name: "Create the program" }));
  const program = new URL(page.url()).searchParams.get("program");
  await follow(page, page.getByRole("button", { name: "Go to the overview" }));
  const storageState = await made.storageState();
  await made.close();
  return { house, storageState, program, at: (path) => `${house.url}/p/${program}/${path}` };
}
