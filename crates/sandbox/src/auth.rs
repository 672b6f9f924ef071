//! Which world a key opens, and what it may do there.
//!
//! A key's text may carry two notes after its prefix, in this order, each ended by an underscore:
//! * `acct-NAME_` opens an account of its own (letters and digits): `sk_test_acct-second_abc`;
//! * `no-PERMISSION[.PERMISSION…]_` lacks these permissions: `rk_test_no-webhook_write.event_read_abc`.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{ApiKeys, Config};
use crate::error::ApiError;

/// Every permission that the sandbox asks for, by the name that Stripe uses in its list of permissions.
pub const PERMISSIONS: &[&str] = &[
    "balance_read",
    "balance_transaction_source_read",
    "charge_read",
    "charge_write",
    "checkout_session_read",
    "checkout_session_write",
    "connected_account_read",
    "coupon_read",
    "coupon_write",
    "customer_read",
    "customer_write",
    "dispute_read",
    "dispute_write",
    "event_read",
    "invoice_read",
    "invoice_write",
    "payment_intent_read",
    "payment_intent_write",
    "payment_links_read",
    "payment_links_write",
    "plan_read",
    "plan_write",
    "product_read",
    "product_write",
    "promotion_code_read",
    "promotion_code_write",
    "subscription_read",
    "subscription_write",
    "webhook_read",
    "webhook_write",
];

/// A key that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Name of the account, `default` unless the key's text names one.
    pub account: String,
    /// True for `_live_` keys.
    pub livemode: bool,
    /// Permissions that it lacks.
    pub missing: BTreeSet<String>,
    /// What error texts show of it.
    pub shown: String,
}

/// What was done to keys while the sandbox runs, each by its whole text.
#[derive(Debug, Default)]
pub struct Limits {
    /// Keys that are good no more.
    pub revoked: BTreeSet<String>,
    /// Permissions that keys have lost.
    pub lost: BTreeMap<String, BTreeSet<String>>,
}

/// Reads the `Authorization` header.
///
/// # Errors
/// 401 in Stripe's words for a key that is missing, malformed, revoked or not in the list.
pub fn key(config: &Config, limits: &Limits, authorization: Option<&str>) -> Result<Key, ApiError> {
    let text = match authorization {
        None => {
            return Err(unauthorised(
                "You did not provide an API key. You need to provide your API key in the Authorization header, using \
                 Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
                    .to_owned(),
            ));
        }
        Some(header) => secret_of(header).unwrap_or_default(),
    };
    let shown = shown(&text);
    let listed = match &config.api_keys {
        ApiKeys::AnyWellFormed => true,
        ApiKeys::Only(keys) => keys.contains(&text) || config.restricted.contains_key(&text),
    };
    let parsed = parse(&text).filter(|_| listed && !limits.revoked.contains(&text));
    let Some((account, livemode, mut missing)) = parsed else {
        return Err(unauthorised(format!("Invalid API Key provided: {shown}")));
    };
    let lost = [config.restricted.get(&text), limits.lost.get(&text)];
    missing.extend(lost.into_iter().flatten().flatten().cloned());
    Ok(Key { account, livemode, missing, shown })
}

/// `Bearer KEY`, or basic authorisation with the key as the user's name.
fn secret_of(header: &str) -> Option<String> {
    use base64::Engine as _;
    if let Some(key) = header.strip_prefix("Bearer ") {
        return Some(key.trim().to_owned());
    }
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(header.strip_prefix("Basic ")?.trim()).ok()?;
    String::from_utf8(bytes).ok()?.split(':').next().map(str::to_owned)
}

fn parse(text: &str) -> Option<(String, bool, BTreeSet<String>)> {
    const SHORTEST: usize = 4;
    let rest = text.strip_prefix("sk_").or_else(|| text.strip_prefix("rk_"))?;
    let (livemode, mut rest) = match rest.strip_prefix("live_") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix("test_")?),
    };
    if rest.len() < SHORTEST || !rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) {
        return None;
    }
    let mut account = "default".to_owned();
    if let Some(note) = rest.strip_prefix("acct-") {
        let (name, after) = note.split_once('_')?;
        account = name.to_owned();
        rest = after;
    }
    let mut missing = BTreeSet::new();
    for part in rest.strip_prefix("no-").into_iter().flat_map(|note| note.split('.')) {
        let permission = PERMISSIONS.iter().filter(|p| part.starts_with(**p)).max_by_key(|p| p.len())?;
        missing.insert((*permission).to_owned());
    }
    Some((account, livemode, missing))
}

/// The prefix and the last four characters.
fn shown(text: &str) -> String {
    let tail: String = text.chars().skip(text.chars().count().saturating_sub(4)).collect();
    let head: String = text.chars().take(8).collect();
    if text.len() <= 12 { "***".to_owned() } else { format!("{head}***{tail}") }
}

fn unauthorised(message: String) -> ApiError {
    ApiError { status: 401, kind: "invalid_request_error", code: None, message, param: None }
}

/// The permission that a method on a path (after `/v1/`) needs.
pub fn permission(method: &str, path: &str) -> Option<String> {
    let first = path.trim_start_matches("/v1/").split('/').next().unwrap_or_default();
    let name = match first {
        "account" => return Some("connected_account_read".to_owned()),
        "balance" => return Some("balance_read".to_owned()),
        "balance_transactions" => return Some("balance_transaction_source_read".to_owned()),
        "events" => return Some("event_read".to_owned()),
        "checkout" => "checkout_session",
        "payment_links" => "payment_links",
        "prices" => "plan",
        "invoice_payments" | "invoiceitems" => "invoice",
        // Stripe's permission for invoices takes in their credit notes.
        "credit_notes" => "invoice",
        "refunds" => "charge",
        "webhook_endpoints" => "webhook",
        other => other.strip_suffix('s')?,
    };
    Some(format!("{name}_{}", if method == "GET" { "read" } else { "write" }))
}

/// The permission that reading an object of a kind needs.
pub fn permission_of_kind(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "customer" => "customer_read",
        "charge" | "refund" => "charge_read",
        "payment_intent" => "payment_intent_read",
        "invoice" | "invoice_payment" | "invoiceitem" | "credit_note" => "invoice_read",
        "customer_balance_transaction" => "customer_read",
        "subscription" => "subscription_read",
        "product" => "product_read",
        "price" => "plan_read",
        "balance_transaction" => "balance_transaction_source_read",
        "coupon" => "coupon_read",
        "promotion_code" => "promotion_code_read",
        "dispute" => "dispute_read",
        "payment_link" => "payment_links_read",
        _ => return None,
    })
}

/// Refuses what the key may not do.
///
/// # Errors
/// 403 with a sentence that names the missing permission.
pub fn allow(key: &Key, account_id: &str, permission: Option<&str>) -> Result<(), ApiError> {
    match permission {
        Some(name) if key.missing.contains(name) => Err(ApiError {
            status: 403,
            kind: "invalid_request_error",
            code: None,
            message: format!(
                "The provided key '{}' does not have the required permissions for this endpoint on account \
                 '{account_id}'. Having the '{name}' permission would allow this request to continue.",
                key.shown
            ),
            param: None,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_in_a_key_are_read() {
        let key = key(
            &Config::default(),
            &Limits::default(),
            Some("Bearer rk_test_acct-b_no-webhook_write.event_read_x"),
        )
        .unwrap();
        assert_eq!(key.account, "b");
        assert!(!key.livemode);
        assert_eq!(key.missing.into_iter().collect::<Vec<_>>(), ["event_read", "webhook_write"]);
    }

    #[test]
    fn permissions_follow_the_path() {
        assert_eq!(permission("POST", "/v1/webhook_endpoints").as_deref(), Some("webhook_write"));
        assert_eq!(permission("GET", "/v1/checkout/sessions/cs_1").as_deref(), Some("checkout_session_read"));
        for path in
            ["customers", "coupons", "promotion_codes", "disputes", "charges", "products", "subscriptions"]
        {
            let name = permission("GET", &format!("/v1/{path}")).unwrap();
            assert!(PERMISSIONS.contains(&name.as_str()), "{name}");
        }
    }
}
