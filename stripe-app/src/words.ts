// Amounts and times as a person reads them. Amounts stay texts: no number is made of them.

/** “1234.50” and “USD” as “1,234.50 USD”, with a true minus. What is no decimal is shown as it is. */
export function money(amount: string, currency: string): string {
  const parts = /^(-?)(\d+)(\.\d+)?$/.exec(amount);
  if (!parts) return `${amount} ${currency}`.trim();
  const [, sign = "", whole = "", rest = ""] = parts;
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign ? "−" : ""}${grouped}${rest} ${currency}`.trim();
}

/** Is it an amount other than zero? */
export const isSome = (amount: string): boolean => /[1-9]/.test(amount);

/** A day in the reader's own language; empty where the text is no time. */
export function day(iso: string, locale: string): string {
  const at = new Date(iso);
  if (iso === "" || Number.isNaN(at.getTime())) return "";
  try {
    return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(at);
  } catch {
    return new Intl.DateTimeFormat("en", { dateStyle: "medium" }).format(at);
  }
}
