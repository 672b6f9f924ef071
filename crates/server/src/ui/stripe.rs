//! Connecting Stripe on a page: the permissions, the key, how far the check has come, and what it found.

use super::Tone;
use super::badge::Badge;
use super::controls::Field;
use super::figures::Progress as Bar;
use super::text::encode;
use crate::connect::checks::Progress;
use crate::connect::{Permission, Stage};
use askama::Template;
use tributary_stripe::client::wanted_permissions;

/// A permission as a person finds it in Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionLine {
    /// "Charges".
    pub resource: &'static str,
    /// "Read" or "Write".
    pub level: &'static str,
    /// "to read payments and refunds".
    pub why: &'static str,
    /// Does following sales need it?
    pub needed: bool,
    /// Has the key got it? `None` before anybody looked.
    pub ok: Option<bool>,
}

/// Not asked of Stripe beforehand, because only doing it shows whether it may be done.
const UNASKED: [(&str, &str); 2] = [
    ("webhook_write", "to make the webhook endpoint for you"),
    ("connected_account_read", "to know the account again when you change the key"),
];

/// What Stripe's page of restricted keys calls a permission.
#[must_use]
pub fn resource(permission: &str) -> &'static str {
    match permission {
        "event_read" => "Events",
        "charge_read" => "Charges and Refunds",
        "payment_intent_read" => "PaymentIntents",
        "invoice_read" => "Invoices",
        "checkout_session_read" => "Checkout Sessions",
        "customer_read" => "Customers",
        "subscription_read" => "Subscriptions",
        "product_read" => "Products",
        "plan_read" => "Prices",
        "dispute_read" => "Disputes",
        "balance_transaction_source_read" => "Balance transaction sources",
        "coupon_read" => "Coupons",
        "promotion_code_read" => "Promotion codes",
        "webhook_read" | "webhook_write" => "Webhook endpoints",
        "connected_account_read" => "Account",
        _ => "Other",
    }
}

fn level(permission: &str) -> &'static str {
    if permission.ends_with("_write") { "Write" } else { "Read" }
}

/// The checklist: before a look without answers, after one with them.
#[must_use]
pub fn permission_lines(found: &[Permission]) -> Vec<PermissionLine> {
    let line = |permission: &str, why, needed, ok| PermissionLine {
        resource: resource(permission),
        level: level(permission),
        why,
        needed,
        ok,
    };
    if !found.is_empty() {
        return found.iter().map(|one| line(one.permission, one.why, one.needed, Some(one.ok))).collect();
    }
    let asked = wanted_permissions().map(|one| line(one.permission, one.why, one.needed, None));
    asked.chain(UNASKED.map(|(permission, why)| line(permission, why, false, None))).collect()
}

/// A sentence for each permission that the key has not got.
#[must_use]
pub fn missing_sentences(found: &[Permission]) -> Vec<(Tone, String)> {
    let missing = found.iter().filter(|one| !one.ok);
    missing
        .map(|one| {
            let (name, why) = (resource(one.permission), one.why);
            if one.needed {
                (
                    Tone::Bad,
                    format!("Give the key “{name}: Read” {why}. Without it sales cannot be followed."),
                )
            } else {
                (Tone::Warn, format!("“{name}: Read” is missing. Without it Tributary cannot work {why}."))
            }
        })
        .collect()
}

/// Stripe's page for a new restricted key. The form of its address is known from use, not from a document of Stripe's:
/// this is the one place to change it.
const NEW_KEY: &str = "https://dashboard.stripe.com/apikeys/create";

/// Stripe's page for a new restricted key with the permissions chosen already, as far as Stripe follows the link.
#[must_use]
pub fn new_key_link() -> String {
    let names =
        wanted_permissions().map(|one| one.permission).chain(UNASKED.map(|(permission, _)| permission));
    let chosen: String = names.map(|name| format!("&permissions%5B%5D=rak_{}", encode(name))).collect();
    format!("{NEW_KEY}?name=Tributary{chosen}")
}

/// The whole matter as one component.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/stripe.html")]
pub struct StripeConnect {
    /// Where the form goes.
    pub action: String,
    /// The session's form token.
    pub form_token: String,
    /// Hidden fields: name and value.
    pub hidden: Vec<(&'static str, String)>,
    /// How a running check stands: label and progress; with it the form is not shown.
    pub running: Option<(String, Bar)>,
    /// What went wrong with the last try; empty for nothing.
    pub error: String,
    /// The key's field.
    pub key: Field,
    /// The checklist.
    pub permissions: Vec<PermissionLine>,
    /// The verb on the button.
    pub verb: &'static str,
    /// Stripe's page for a new key.
    pub new_key: String,
}
impl askama::filters::HtmlSafe for StripeConnect {}

impl StripeConnect {
    /// The form, or how far the check has come.
    #[must_use]
    pub fn new(action: String, form_token: &str, progress: Option<&Progress>) -> Self {
        let error = match progress {
            Some(Progress::Failed(words)) => words.clone(),
            _ => String::new(),
        };
        let running = match progress {
            Some(Progress::Running(stage)) => Some(running(*stage)),
            _ => None,
        };
        Self {
            action,
            form_token: form_token.to_owned(),
            hidden: Vec::new(),
            running,
            key: Field {
                name: "api_key",
                label: "Restricted API key",
                kind: "password",
                help: "It begins with rk_test_ or rk_live_. It is kept encrypted and shown to nobody.",
                error: error.clone(),
                autocomplete: "off",
                required: true,
                ..Field::default()
            },
            error,
            permissions: permission_lines(&[]),
            verb: "Connect Stripe",
            new_key: new_key_link(),
        }
    }
}

fn running(stage: Stage) -> (String, Bar) {
    let bar = |label: &str, done: usize, total: usize| Bar {
        label: label.to_owned(),
        done: i64::try_from(done).unwrap_or(i64::MAX),
        total: i64::try_from(total).ok(),
    };
    let all = wanted_permissions().len() + 2;
    match stage {
        Stage::Account => ("Asking Stripe whose key this is.".to_owned(), bar("Checking the key", 0, all)),
        Stage::Permissions { done, .. } => (
            "Trying each permission with one small question.".to_owned(),
            bar("Checking the key", done + 1, all),
        ),
        Stage::Endpoint => {
            ("Seeing to the webhook endpoint.".to_owned(), bar("Checking the key", all - 1, all))
        }
    }
}

/// The badge of a connection: its mode and how it stands.
#[must_use]
pub fn connection_badge(status: &str) -> Badge {
    match status {
        "connected" => Badge::new(Tone::Good, "Connected"),
        "broken" => Badge::new(Tone::Bad, "Not answering"),
        _ => Badge::new(Tone::Plain, "Disconnected"),
    }
}

/// The permissions of a checked key: a list with marks, and a sentence for each one missing.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/permissions.html")]
pub struct Permissions {
    lines: Vec<PermissionLine>,
    missing: Vec<(Tone, String)>,
    open: bool,
}
impl askama::filters::HtmlSafe for Permissions {}

impl Permissions {
    /// The result of a look.
    #[must_use]
    pub fn new(found: &[Permission], open: bool) -> Self {
        let lines = if found.is_empty() { Vec::new() } else { permission_lines(found) };
        Self { lines, missing: missing_sentences(found), open }
    }

    /// "12 of 14 permissions".
    #[must_use]
    pub fn words(&self) -> String {
        let has = self.lines.iter().filter(|line| line.ok == Some(true)).count();
        format!("{has} of {} permissions", self.lines.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_a_name_in_stripe_and_a_reason() {
        let lines = permission_lines(&[]);
        assert_eq!(lines.len(), wanted_permissions().len() + 2);
        assert!(
            lines.iter().all(|line| line.resource != "Other" && line.why.starts_with("to ")),
            "{lines:?}"
        );
        let link = new_key_link();
        assert!(link.contains("rak_charge_read") && link.contains("rak_webhook_write"), "{link}");
    }

    #[test]
    fn a_missing_permission_gets_a_sentence_of_its_own() {
        let found = |permission, needed, ok| Permission { permission, why: "to see disputes", needed, ok };
        let words = missing_sentences(&[
            found("charge_read", true, false),
            found("dispute_read", false, false),
            found("event_read", true, true),
        ]);
        assert_eq!(words.len(), 2);
        assert!(words[0].1.contains("Charges and Refunds: Read") && words[0].0 == Tone::Bad);
        assert!(words[1].1.contains("Disputes: Read") && words[1].0 == Tone::Warn);
    }
}
