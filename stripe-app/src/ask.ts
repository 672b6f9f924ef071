// The one call to Tributary.

import fetchStripeSignature from "@stripe/ui-extension-sdk/signature";
import type { Access } from "./access";
import { type Report, readReport } from "./report";

/** Whose page is open. */
export type Subject = { customer: string; account: string; mode: "live" | "test"; user: string };

/** What came of it. */
export type Outcome =
  | { kind: "report"; report: Report }
  /** The token opens nothing, or the call was not signed as the installation asks. */
  | { kind: "refused"; message: string }
  | { kind: "busy" }
  | { kind: "away" }
  /** Somebody answered, but not Tributary. */
  | { kind: "foreign" };

/** So long is waited for an answer, ms. */
const PATIENCE = 10_000;
/** No answer of Tributary is longer, characters. */
const LONGEST = 500_000;

/** The address that is asked. */
export function endpoint(access: Access, subject: Subject): string {
  const query = new URLSearchParams({ account: subject.account, mode: subject.mode });
  if (subject.user) query.set("user", subject.user);
  return `${access.address}/v1/integrations/stripe/app/customers/${encodeURIComponent(subject.customer)}?${query}`;
}

/** Stripe's word for who looks. Most installations do not ask for it, so that nothing depends on getting one. */
async function signature(): Promise<string> {
  try {
    return await fetchStripeSignature();
  } catch {
    return "";
  }
}

/** Asks for a customer. Never throws. */
export async function ask(access: Access, subject: Subject, stop: AbortSignal): Promise<Outcome> {
  const headers: Record<string, string> = { Authorization: `Bearer ${access.token}` };
  const signed = await signature();
  if (signed) headers["Stripe-Signature"] = signed;
  let answer: Response;
  let body: string;
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(PATIENCE)]);
    answer = await fetch(endpoint(access, subject), { headers, credentials: "omit", redirect: "error", signal });
    body = await answer.text();
  } catch {
    return { kind: "away" };
  }
  if (answer.status >= 500) return { kind: "away" };
  if (answer.status === 429) return { kind: "busy" };
  let json: unknown = null;
  try {
    json = body.length <= LONGEST ? JSON.parse(body) : null;
  } catch {
    return { kind: "foreign" };
  }
  const message = (json as Record<string, unknown> | null)?.["message"];
  if (answer.status === 401) {
    return { kind: "refused", message: typeof message === "string" ? message : "" };
  }
  const report = answer.status === 200 || answer.status === 404 ? readReport(json) : null;
  return report ? { kind: "report", report } : { kind: "foreign" };
}
