//! A Stripe object as a person may see it: indented, coloured, and without what belongs to the buyer.
//!
//! Masked are e-mail addresses wherever they stand, names, phones, addresses, card and bank data, and links
//! that open without a log-in. Kept are ids, amounts, times, types, and the metadata keys that we use.

use super::text::escape_into;
use serde_json::Value;

/// More markup than this is cut off with a note: half a megabyte.
const LIMIT: usize = 512 * 1024;

/// Keys whose whole value is the buyer's own, at any depth.
const PRIVATE: [&str; 36] = [
    "address",
    "billing_details",
    "shipping",
    "shipping_details",
    "customer_details",
    "collected_information",
    "customer_address",
    "customer_shipping",
    "customer_name",
    "customer_phone",
    "customer_email",
    "customer_tax_ids",
    "tax_ids",
    "receipt_email",
    "email",
    "phone",
    "individual",
    "owner",
    "card",
    "card_present",
    "us_bank_account",
    "sepa_debit",
    "bank_account",
    "bacs_debit",
    "payment_method_details",
    "ip",
    "ip_address",
    "user_agent",
    "client_secret",
    "receipt_url",
    "hosted_invoice_url",
    "invoice_pdf",
    "hosted_verification_url",
    "custom_fields",
    "receipt_number",
    "name",
];
/// Metadata that we read ourselves; all other metadata is the merchant's and may hold anything.
const OUR_METADATA: [&str; 3] = ["partner_key", "customer_key", "tributary_key"];
/// Objects whose `name` is the merchant's own word, not a person's.
const NAMED_THINGS: [&str; 5] = ["product", "coupon", "tax_rate", "payment_link", "price"];

/// Writes a JSON text as coloured, masked markup. A text that is not JSON is not shown at all.
#[must_use]
pub fn masked_html(text: &[u8]) -> String {
    html(text, true)
}

/// The same with what belongs to the buyer, for an owner who asked; only what opens something stays masked.
#[must_use]
pub fn revealed_html(text: &[u8]) -> String {
    html(text, false)
}

fn html(text: &[u8], mask: bool) -> String {
    let Ok(mut value) = serde_json::from_slice::<Value>(text) else {
        return "The payload is not JSON, so it is not shown.".to_owned();
    };
    let mut out = String::with_capacity(text.len() * 2);
    if mask {
        write_value(&mut out, &value, 0);
    } else {
        hide_secrets(&mut value);
        write_plain(&mut out, &value, 0);
    }
    if out.len() >= LIMIT {
        out.push_str("\n… cut here: the rest is too long for a page.");
    }
    out
}

/// Keys that open something without a log-in.
const SECRET: [&str; 6] = [
    "client_secret",
    "receipt_url",
    "hosted_invoice_url",
    "invoice_pdf",
    "hosted_verification_url",
    "secret",
];

fn hide_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let session = fields.get("object").and_then(Value::as_str) == Some("checkout.session");
            for (key, inner) in fields.iter_mut() {
                let opens = SECRET.contains(&key.as_str()) || (session && key == "url");
                if opens && !empty(inner) {
                    *inner = Value::String("masked".to_owned());
                } else {
                    hide_secrets(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_secrets),
        _ => {}
    }
}

/// Writes everything; text is escaped.
fn write_plain(out: &mut String, value: &Value, depth: usize) {
    match value {
        _ if out.len() >= LIMIT => {}
        Value::Object(fields) if !fields.is_empty() => {
            out.push('{');
            for (index, (key, inner)) in fields.iter().enumerate() {
                begin(out, index, depth);
                write_key(out, key);
                write_plain(out, inner, depth + 1);
            }
            end(out, depth, '}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, inner) in items.iter().enumerate() {
                begin(out, index, depth);
                write_plain(out, inner, depth + 1);
            }
            end(out, depth, ']');
        }
        Value::String(text) => write_text(out, text),
        other => write_value(out, other, depth),
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push_str("<span class=\"s\">&#34;");
    escape_into(out, &escaped_json(text));
    out.push_str("&#34;</span>");
}

fn write_value(out: &mut String, value: &Value, depth: usize) {
    if out.len() >= LIMIT {
        return;
    }
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let thing = fields.get("object").and_then(Value::as_str).unwrap_or("");
            out.push('{');
            for (index, (key, inner)) in fields.iter().enumerate() {
                if out.len() >= LIMIT {
                    return;
                }
                begin(out, index, depth);
                write_key(out, key);
                match key.as_str() {
                    "metadata" => write_metadata(out, inner, depth + 1),
                    "name" if NAMED_THINGS.contains(&thing) => write_value(out, inner, depth + 1),
                    key if PRIVATE.contains(&key) && !empty(inner) => mask(out),
                    "url" if thing == "checkout.session" && !empty(inner) => mask(out),
                    _ => write_value(out, inner, depth + 1),
                }
            }
            end(out, depth, '}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, inner) in items.iter().enumerate() {
                if out.len() >= LIMIT {
                    return;
                }
                begin(out, index, depth);
                write_value(out, inner, depth + 1);
            }
            end(out, depth, ']');
        }
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        Value::String(text) if text.contains('@') => mask(out),
        Value::String(text) => write_text(out, text),
        Value::Number(number) => {
            out.push_str("<span class=\"n\">");
            escape_into(out, &number.to_string());
            out.push_str("</span>");
        }
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Null => out.push_str("null"),
    }
}

fn write_metadata(out: &mut String, value: &Value, depth: usize) {
    let Value::Object(fields) = value else { return mask(out) };
    if fields.is_empty() {
        return out.push_str("{}");
    }
    out.push('{');
    for (index, (key, inner)) in fields.iter().enumerate() {
        begin(out, index, depth);
        write_key(out, if key.contains('@') { "…" } else { key });
        if OUR_METADATA.contains(&key.as_str()) { write_value(out, inner, depth + 1) } else { mask(out) }
    }
    end(out, depth, '}');
}

fn write_key(out: &mut String, key: &str) {
    out.push_str("<span class=\"k\">&#34;");
    escape_into(out, &escaped_json(key));
    out.push_str("&#34;</span>: ");
}

fn begin(out: &mut String, index: usize, depth: usize) {
    out.push_str(if index == 0 { "\n" } else { ",\n" });
    out.extend(std::iter::repeat_n("  ", depth + 1));
}

fn end(out: &mut String, depth: usize, bracket: char) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
    out.push(bracket);
}

fn mask(out: &mut String) {
    out.push_str("<span class=\"m\">masked</span>");
}

/// Nothing to hide: null, empty text, empty list, or a thing without fields.
fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn escaped_json(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"id":"evt_1","object":"event","data":{"object":{"object":"charge","amount":7200,
        "billing_details":{"email":"dana@wolfe.test","name":"Dana Wolfe","address":{"line1":"1 High St"}},
        "description":"for dana@wolfe.test","receipt_email":"dana@wolfe.test","receipt_url":"https://pay.test/r",
        "payment_method_details":{"card":{"last4":"4242","fingerprint":"Fp"}},
        "metadata":{"partner_key":"maya","plan_owner":"Dana W.","customer_key":"dana@wolfe.test"},
        "customer":"cus_1","note":"<b>x</b>","nothing":null,"shipping":null}}}"#;

    #[test]
    fn what_belongs_to_the_buyer_is_masked_and_the_rest_is_kept() {
        let html = masked_html(EVENT.as_bytes());
        for secret in [
            "dana",
            "Dana",
            "Wolfe",
            "High",
            "4242",
            "Fp",
            "pay.test",
            "plan_owner&#34;</span>: <span class=\"s\">",
        ] {
            assert!(!html.contains(secret), "{secret} in {html}");
        }
        for kept in ["evt_1", "7200", "maya", "cus_1", "null"] {
            assert!(html.contains(kept), "{kept} in {html}");
        }
        assert!(!html.contains("<b>"));
    }

    #[test]
    fn an_owner_who_asked_sees_the_buyer_but_no_link_that_opens_something() {
        let html = revealed_html(EVENT.as_bytes());
        for shown in ["dana@wolfe.test", "Dana Wolfe", "High", "4242", "Dana W."] {
            assert!(html.contains(shown), "{shown} in {html}");
        }
        assert!(!html.contains("pay.test") && !html.contains("<b>x"), "{html}");
    }

    #[test]
    fn names_of_things_stay() {
        assert!(masked_html(br#"{"object":"product","name":"Pro"}"#).contains("Pro"));
        assert!(!masked_html(br#"{"object":"customer","name":"Dana"}"#).contains("Dana"));
    }

    #[test]
    fn no_input_breaks_it() {
        assert!(masked_html(b"{").contains("not JSON"));
        assert!(masked_html(&[0xff, 0xfe]).contains("not JSON"));
        assert!(masked_html("[".repeat(10_000).as_bytes()).contains("not JSON"));
        let wide = format!("[{}1]", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",".repeat(40_000));
        assert!(masked_html(wide.as_bytes()).len() < LIMIT + 1000);
    }
}
