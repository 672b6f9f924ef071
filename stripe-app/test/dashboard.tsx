// A Dashboard and a Tributary for the tests: what the SDK calls is answered from memory, what the app shows is read as text.

import "./before";
import { getMockContextProps, render } from "@stripe/ui-extension-sdk/testing";
import type { ExtensionContextValue } from "@stripe/ui-extension-sdk/context";
import type { ComponentType } from "react";

type Answer = { status: number; body: string } | "away";
type Call = { url: string; headers: Record<string, string>; credentials: string | undefined; redirect: string | undefined };

/** What is there. */
export type Dashboard = {
  /** The Secret Store; `null`: it answers 500. */
  secrets: Map<string, string> | null;
  /** What the Dashboard signs with; empty: it does not. */
  signature: string;
  /** What Tributary answers, in order; the last one again and again. */
  answers: Answer[];
  /** The calls that Tributary got. */
  calls: Call[];
};

export const TOKEN = `tra_${"x".repeat(49)}`;
export const ADDRESS = "https://partners.acme.com";

/** A Dashboard in which address and token were entered. */
export function dashboard(...answers: Answer[]): Dashboard {
  const secrets = new Map([["tributary_access", JSON.stringify({ address: ADDRESS, token: TOKEN })]]);
  const made: Dashboard = { secrets, signature: "t=1,v1=00", answers, calls: [] };
  const respond = (status: number, json: object) =>
    ({ status, ok: status < 300, json, headers: {}, redirected: false, statusText: "", type: "basic", url: "" });
  const stripeApiFetch = async (path: string, init: { method?: string; headers?: object; body?: string } = {}) => {
    if (!made.secrets) return respond(500, {});
    const authorized = (init.headers as Record<string, string>)["Authorization"];
    if (authorized !== "Bearer DO_NOT_PASS_A_REAL_API_KEY") return respond(401, {});
    const url = new URL(path, "https://api.stripe.com");
    if (init.method === "POST") {
      const form = new URLSearchParams(init.body);
      if (form.get("scope[type]") !== "account") return respond(400, {});
      made.secrets.set(form.get("name") ?? "", form.get("payload") ?? "");
      return respond(200, {});
    }
    const payload = made.secrets.get(url.searchParams.get("name") ?? "");
    if (payload === undefined) return respond(404, {});
    return respond(200, url.searchParams.get("expand[]") === "payload" ? { payload } : {});
  };
  const fetchStripeSignature = async () => {
    if (!made.signature) throw new Error("no signature");
    return made.signature;
  };
  const call = { supportsFetchAppEmbeddedKey: async () => false, stripeApiFetch, fetchStripeSignature };
  Object.assign(globalThis, { __StripeExtExports: { endpoint: { call } } });
  globalThis.fetch = (async (url: string, init: RequestInit) => {
    made.calls.push({
      url,
      headers: init.headers as Record<string, string>,
      credentials: init.credentials,
      redirect: init.redirect,
    });
    const answer = made.answers.length > 1 ? made.answers.shift() : made.answers[0];
    if (!answer || answer === "away") throw new TypeError("Failed to fetch");
    return new Response(answer.body, { status: answer.status });
  }) as typeof fetch;
  return made;
}

/** An answer in JSON. */
export const json = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });

/** Shows a view until it stands still. */
export async function shown(View: ComponentType<ExtensionContextValue>, change: Partial<ExtensionContextValue> = {}) {
  const context = getMockContextProps({
    environment: { mode: "test", objectContext: { id: "cus_ada", object: "customer" }, constants: { address: ADDRESS } },
    appContext: { authorizedContentSecurityPolicy: { connectSrc: [`${ADDRESS}/v1/integrations/stripe/app/`] } },
  });
  const view = render(<View {...{ ...context, ...change }} />);
  const settle = async () => {
    for (let n = 0; n < 12; n += 1) await view.update();
  };
  return { ...view, settle };
}

/** A part of what is shown: of the tree, or of a tree that lies in a property. */
export type Part = { type: unknown; props: Record<string, unknown>; children: (Part | string)[] };

const isPart = (value: unknown): value is Part =>
  typeof value === "object" && value !== null && Array.isArray((value as Part).children);

/** A part and everything in it: its children, and what its properties show. */
export function parts(node: unknown): (Part | string)[] {
  if (typeof node === "string") return [node];
  if (!isPart(node)) return [];
  const inner = Object.values(node.props ?? {}).filter(isPart);
  return [node, ...[...inner, ...node.children].flatMap(parts)];
}

/** Everything of one component of the toolkit. */
export function all(node: unknown, component: string): Part[] {
  return parts(node).filter((part): part is Part => typeof part !== "string" && part.type === component);
}

/** All text that a person reads. */
export function words(node: unknown): string {
  const shown = ["title", "description", "label", "value", "secondaryTitle", "statusMessage", "error", "href"];
  const of = (part: Part | string) =>
    typeof part === "string" ? [part] : shown.map((name) => part.props?.[name]).filter((value) => typeof value === "string");
  return parts(node).flatMap(of).join(" · ");
}
