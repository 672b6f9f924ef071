// Where Tributary is and how it is opened: entered on the app's settings page and kept in Stripe's Secret Store, one secret for
// each mode, which only this app can read.

import stripeApiFetch from "@stripe/ui-extension-sdk/api_fetch";
import { AUTHORIZATION_HEADER, AUTHORIZATION_VALUE } from "@stripe/ui-extension-sdk/http_client";

/** Tributary's address without a slash at its end, and an app token. */
export type Access = { address: string; token: string };

const NAME = "tributary_access";
const SECRETS = "https://api.stripe.com/v1/apps/secrets";
const HEADERS = {
  [AUTHORIZATION_HEADER]: AUTHORIZATION_VALUE,
  "Content-Type": "application/x-www-form-urlencoded",
  "Stripe-Version": "2026-03-25.dahlia",
};

/** The address as it is kept, or a sentence that says what is wrong with it. */
export function checkedAddress(text: string): { address: string } | { wrong: string } {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return { wrong: "Enter the address of your Tributary, such as https://partners.acme.com." };
  }
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && local)) {
    return { wrong: "The address begins with https://." };
  }
  if (url.username || url.password || url.search || url.hash) {
    return { wrong: "The address has no user, no query and no fragment." };
  }
  return { address: url.href.replace(/\/+$/, "") };
}

/** What is wrong with an app token by its looks; empty where nothing is. */
export function tokenProblem(token: string): string {
  if (token.startsWith("trb_")) return "This is an API key. The app needs an app token, which begins with tra_.";
  if (!token.startsWith("tra_")) return "An app token begins with tra_. Make one in Tributary under Settings, API keys.";
  return token.length === 53 ? "" : "The app token is incomplete: it has 53 letters.";
}

function read(payload: unknown): Access | null {
  if (typeof payload !== "string") return null;
  try {
    const value: unknown = JSON.parse(payload);
    if (typeof value !== "object" || value === null) return null;
    const { address, token } = value as Record<string, unknown>;
    return typeof address === "string" && typeof token === "string" ? { address, token } : null;
  } catch {
    return null;
  }
}

/** What was entered; null where nothing was. Throws where Stripe could not be asked. */
export async function findAccess(): Promise<Access | null> {
  const query = new URLSearchParams({ name: NAME, "scope[type]": "account", "expand[]": "payload" });
  const answer = await stripeApiFetch(`${SECRETS}/find?${query}`, { method: "GET", headers: HEADERS });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`Stripe's Secret Store answered ${answer.status}.`);
  return read((answer.json as Record<string, unknown> | undefined)?.["payload"]);
}

/** Keeps it. Throws where Stripe did not take it. */
export async function keepAccess(access: Access): Promise<void> {
  const body = new URLSearchParams({ name: NAME, "scope[type]": "account", payload: JSON.stringify(access) });
  const answer = await stripeApiFetch(SECRETS, { method: "POST", headers: HEADERS, body: body.toString() });
  if (!answer.ok) throw new Error(`Stripe's Secret Store answered ${answer.status}.`);
}
