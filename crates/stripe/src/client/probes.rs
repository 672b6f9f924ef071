//! One cheap question for each reading permission, so that a missing one is named before it is missed.

use super::calls::pair;
use super::{ApiError, Reply, StripeClient, items_of};
use tokio::task::JoinSet;

/// A permission of a restricted key, and whether the key has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Stripe's name: `charge_read`.
    pub permission: &'static str,
    /// What Tributary needs it for.
    pub why: &'static str,
    /// Does following sales need it? The others only make things easier.
    pub needed: bool,
    /// Has the key got it? Else Stripe's words.
    pub ok: Result<(), String>,
    /// Was the call refused for want of this permission (not for another reason)?
    pub missing: bool,
    /// The mode that the first object of the answer says.
    pub livemode: Option<bool>,
}

struct Row {
    permission: &'static str,
    path: &'static str,
    why: &'static str,
    needed: bool,
}

const fn row(permission: &'static str, path: &'static str, needed: bool, why: &'static str) -> Row {
    Row { permission, path, why, needed }
}

const ROWS: &[Row] = &[
    row("event_read", "/v1/events", true, "to catch up on events that were missed"),
    row("charge_read", "/v1/charges", true, "to read payments and refunds"),
    row("payment_intent_read", "/v1/payment_intents", true, "to join payments with their sale"),
    row("invoice_read", "/v1/invoices", true, "to read what subscriptions bring, and credit notes"),
    row("checkout_session_read", "/v1/checkout/sessions", true, "to read who referred a purchase"),
    row("customer_read", "/v1/customers", true, "to recognise a buyer again"),
    row("subscription_read", "/v1/subscriptions", false, "to read the metadata of subscriptions"),
    row("product_read", "/v1/products", false, "to reward by product"),
    row("plan_read", "/v1/prices", false, "to reward by price"),
    row("dispute_read", "/v1/disputes", false, "to hold and take back what is disputed"),
    row(
        "balance_transaction_source_read",
        "/v1/balance_transactions",
        false,
        "to reconcile with the balance",
    ),
    row("coupon_read", "/v1/coupons", false, "to show coupons"),
    row("promotion_code_read", "/v1/promotion_codes", false, "to credit and watch promotion codes"),
    row("webhook_read", "/v1/webhook_endpoints", false, "to find and check the webhook endpoint"),
];

/// A permission that is asked for, before anybody looks whether the key has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Stripe's name: `charge_read`.
    pub permission: &'static str,
    /// What Tributary needs it for.
    pub why: &'static str,
    /// Does following sales need it?
    pub needed: bool,
}

/// The reading permissions in the order in which they are checked.
pub fn wanted_permissions() -> impl ExactSizeIterator<Item = Wanted> {
    ROWS.iter().map(|row| Wanted { permission: row.permission, why: row.why, needed: row.needed })
}

/// Is told how many permissions are checked, and of how many.
pub type Tell<'t> = &'t (dyn Fn(usize, usize) + Send + Sync);

/// Asks one question (`limit=1`) for each reading permission.
///
/// # Errors
/// [`ApiError::Unauthorised`] if the key is refused altogether; every other failure is told in its probe.
pub async fn probe_permissions(client: &StripeClient, tell: Tell<'_>) -> Result<Vec<Probe>, ApiError> {
    ask(client, ROWS.iter().collect(), tell).await
}

/// The same for the permissions without which sales cannot be followed: a small look, for often.
///
/// # Errors
/// As [`probe_permissions`].
pub async fn probe_needed(client: &StripeClient) -> Result<Vec<Probe>, ApiError> {
    ask(client, ROWS.iter().filter(|row| row.needed).collect(), &|_, _| {}).await
}

async fn ask(client: &StripeClient, rows: Vec<&'static Row>, tell: Tell<'_>) -> Result<Vec<Probe>, ApiError> {
    let mut running = JoinSet::new();
    for (at, row) in rows.iter().copied().enumerate() {
        let client = client.clone();
        running.spawn(async move { (at, row, client.get(row.path, vec![pair("limit", "1")]).await) });
    }
    let mut answers = Vec::with_capacity(rows.len());
    while let Some(answer) = running.join_next().await {
        answers.push(answer.map_err(|e| ApiError::Unavailable { reason: e.to_string() })?);
        tell(answers.len(), rows.len());
    }
    answers.sort_by_key(|(at, ..)| *at);
    answers.into_iter().map(|(_, row, answer)| probe(row, answer)).collect()
}

fn probe(row: &Row, answer: Result<Reply, ApiError>) -> Result<Probe, ApiError> {
    if let Err(error @ ApiError::Unauthorised { .. }) = answer {
        return Err(error);
    }
    Ok(Probe {
        permission: row.permission,
        why: row.why,
        needed: row.needed,
        missing: matches!(answer, Err(ApiError::Forbidden { .. })),
        livemode: answer.as_ref().ok().and_then(|reply| livemode_of(row.path, reply)),
        ok: answer.map(|_| ()).map_err(|error| error.to_string()),
    })
}

fn livemode_of(path: &str, reply: &Reply) -> Option<bool> {
    #[derive(serde::Deserialize)]
    struct Item {
        livemode: bool,
    }
    let (items, _) = items_of(path, reply).ok()?;
    serde_json::from_slice::<Item>(items.first()?).ok().map(|item| item.livemode)
}
