// What Tributary answers, read with care: another version of the server may answer more or less than this app knows.

/** A partner. */
export type Partner = { name: string; key: string; link: string; url: string };
/** What was earned in one currency: decimals as texts, which are never made numbers of. */
export type Earned = { currency: string; pending: string; payable: string; paid: string; reversed: string };
/** A sale. */
export type Sale = {
  id: string;
  at: string;
  currency: string;
  paid: string;
  refunded: string;
  earned: string | null;
  earnedCurrency: string | null;
  nothingBecause: string;
  url: string;
};
/** What one program knows of the customer. */
export type Program = {
  id: string;
  name: string;
  partner: Partner | null;
  since: string | null;
  because: string;
  evidence: { words: string; source: string } | null;
  url: string;
  earned: Earned[];
  sales: Sale[];
  moreSales: boolean;
};
/** What is known of a customer of Stripe. */
export type Report = { referred: boolean; reason: string | null; message: string; programs: Program[] };

type Fields = Record<string, unknown>;

/** Most entries of a list that are looked at. */
const MOST = 50;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const object = (value: unknown): Fields => (isObject(value) ? value : {});
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const maybe = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isObject).slice(0, MOST) : []);

/** A link is followed only where it leads to a web page. */
const web = (value: unknown): string => (/^https?:\/\//.test(text(value)) ? text(value) : "");

const partner = (value: unknown): Partner | null => {
  if (!isObject(value)) return null;
  return { name: text(value["name"]), key: text(value["key"]), link: web(value["link"]), url: web(value["url"]) };
};

const earned = (value: Fields): Earned => ({
  currency: text(value["currency"]),
  pending: text(value["pending"]),
  payable: text(value["payable"]),
  paid: text(value["paid"]),
  reversed: text(value["reversed"]),
});

const sale = (value: Fields): Sale => ({
  id: text(value["id"]),
  at: text(value["at"]),
  currency: text(value["currency"]),
  paid: text(value["paid"]),
  refunded: text(value["refunded"]),
  earned: maybe(value["earned"]),
  earnedCurrency: maybe(value["earned_currency"]),
  nothingBecause: text(value["nothing_because"]),
  url: web(value["url"]),
});

const program = (value: Fields): Program => ({
  id: text(value["id"]),
  name: text(value["name"]),
  partner: partner(value["partner"]),
  since: maybe(value["since"]),
  because: text(value["because"]),
  evidence: isObject(value["evidence"])
    ? { words: text(value["evidence"]["words"]), source: text(value["evidence"]["source"]) }
    : null,
  url: web(value["url"]),
  earned: list(value["earned"]).map(earned),
  sales: list(value["sales"]).map(sale),
  moreSales: value["more_sales"] === true,
});

/** Reads an answer's body; null where it is none of Tributary's. */
export function readReport(body: unknown): Report | null {
  const data = object(body)["data"];
  if (!isObject(data) || typeof data["referred"] !== "boolean" || !Array.isArray(data["programs"])) return null;
  return {
    referred: data["referred"],
    reason: maybe(data["reason"]),
    message: text(data["message"]),
    programs: list(data["programs"]).map(program),
  };
}
