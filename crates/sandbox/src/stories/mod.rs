//! Stories: what a merchant and its buyers do, played over HTTP against this sandbox and a running Tributary.

mod async_payment;
mod demo;
mod dispute;
mod failed_refund;
mod guest_one_time;
mod half_refund;
mod invoices;
mod ledger;
mod manual_capture;
mod once;
mod payment_link;
mod renewals;
mod signup;
mod subscriptions;
mod teller;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::TributaryTarget;
use crate::control::flush_world;
use crate::deliver::queue::Faults;
use crate::error::{ApiError, Res};
use crate::shared::{Shared, WorldKey};
pub use teller::Teller;

/// A story that can be played.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// Its name in addresses.
    pub name: &'static str,
    /// What it tells, in one sentence.
    pub about: &'static str,
    /// Does it need a key of Tributary's REST API to tell of a referral?
    pub needs_api: bool,
}

const fn story(name: &'static str, about: &'static str) -> Story {
    Story { name, about, needs_api: false }
}

const fn signed_up(name: &'static str, about: &'static str) -> Story {
    Story { name, about, needs_api: true }
}

/// Every story and what it tells.
pub const STORIES: &[Story] = &[
    signed_up(
        "signup",
        "A referred customer is created by the merchant's server, then subscribes through checkout.",
    ),
    story("payment_link", "A purchase through a payment link with the partner's key as client reference."),
    signed_up("renewals", "A sign-up whose subscription renews three times."),
    signed_up("half_refund", "A sign-up whose first invoice is half refunded."),
    story("guest_one_time", "A guest buys once, with tax and shipping in the price."),
    story("trial_to_paid", "A free week, then the first paid month."),
    story("upgrade", "From 20.00 to 50.00 in the middle of a month: the rest is asked for."),
    story("downgrade", "From 50.00 to 20.00 in the middle of a month: credit, which pays the next one."),
    story("quantity", "One seat becomes three in the middle of a month."),
    story("annual", "A plan that is paid by the year, and renewed once."),
    story("coupon_100", "A first month for nothing, then the full price."),
    story("promo_code", "A promotion code takes a quarter off."),
    story("partial_refund", "40.00 of 100.00 go back."),
    story("repeated_refunds", "Three refunds of one payment, until nothing is left."),
    story("pending_refund", "A refund that the bank confirms later."),
    story("failed_refund", "A refund that comes back from the bank."),
    story("dispute_won", "A dispute that the merchant wins."),
    story("dispute_lost", "A dispute that the merchant loses."),
    story("inquiry", "A bank asks about a payment and is content with the answer."),
    story("inquiry_escalated", "A bank asks about a payment, then takes the money and keeps it."),
    story("credit_note", "60.00 of a paid invoice are credited: by refund, as credit, and past Stripe."),
    story("credit_note_first", "An invoice is lowered by a credit note before it is paid."),
    story("out_of_band", "An invoice that is paid by bank transfer, past Stripe."),
    story("never_paid", "Two invoices that nobody pays: voided, and given up."),
    story("async_paid", "A bank debit that arrives later."),
    story("async_failed", "A bank debit that is refused later."),
    story("sepa_delay", "A subscription whose first month is paid by a bank debit, days later."),
    story("manual_capture", "An authorisation of which a part is captured."),
    story("shipping_tax", "Tax on top and shipping: the commission is of the goods alone."),
    story("two_currencies", "Two buyers, one in dollars and one in euros: never added up."),
    story("jpy", "A purchase in yen, which has no decimals."),
    story("kwd", "A purchase in Kuwaiti dinars, which have three decimals."),
    story(
        "adaptive_pricing",
        "The page showed Canadian dollars; the merchant's price and refund stay in their own.",
    ),
    signed_up(
        "demo",
        "Sign-up, payment link, three renewals, half a refund; shuffled, every event sent twice.",
    ),
];

/// What a story may be told.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Base address of Tributary; without it, steps that need Tributary are left out and say so.
    pub tributary_url: Option<String>,
    /// Key of the program's REST API.
    pub api_key: Option<String>,
    /// The partner who referred the buyer.
    pub partner_key: Option<String>,
    /// Currency of the prices, `usd` by default.
    pub currency: Option<String>,
    /// The program's rate in parts per million, for what must be earned; 300,000 (30 %) by default.
    pub percent_ppm: Option<i64>,
    /// Deliver in another order, at the end of the story.
    pub shuffle: bool,
    /// Deliver every event twice.
    pub duplicate: bool,
}

/// Plays a story and returns its transcript: steps, ids by role, deliveries; `failed` says which step did not work.
///
/// # Errors
/// 400 for a Tributary address that is not on this machine, or without its key.
pub async fn play(shared: Arc<Shared>, key: WorldKey, name: &str, mut options: Options) -> Res {
    if name == "demo" {
        options.shuffle = true;
        options.duplicate = true;
    }
    let target = target(&shared, &options)?;
    let disturbed = options.shuffle || options.duplicate;
    let before = shared.world(&key, |world| {
        let before = world.queue.faults.clone();
        if disturbed {
            world.queue.faults = Faults {
                shuffle: options.shuffle,
                duplicate_percent: if options.duplicate { 100 } else { 0 },
                hold: true,
                drop_percent: before.drop_percent,
            };
        }
        before
    })?;
    let mut teller = Teller::new(Arc::clone(&shared), key.clone(), target, options);
    let known = ledger::roots(&shared, &key)?;
    let real = teller.real().await;
    let failed = tell(name, &mut teller).await.err();
    let delivery = flush_world(&shared, &key).await?;
    shared.world(&key, |world| world.queue.faults = before)?;
    let expected = ledger::expected(&shared, &key, &teller, &known)?;
    let real = match real {
        Some(before) if failed.is_none() => ledger::real(&teller, before, &expected).await,
        _ => Value::Null,
    };
    Ok(json!({
        "story": name,
        "expected": expected,
        "real": real,
        "steps": teller.steps,
        "ids": teller.ids,
        "delivery": delivery,
        "failed": failed,
    }))
}

fn target(shared: &Shared, options: &Options) -> Result<Option<TributaryTarget>, ApiError> {
    let target = match (&options.tributary_url, &options.api_key) {
        (Some(base_url), Some(api_key)) => {
            Some(TributaryTarget { base_url: base_url.clone(), api_key: api_key.clone() })
        }
        (Some(_), None) => return Err(ApiError::bad("tributary_url needs api_key beside it.")),
        (None, _) => shared.config.tributary.clone(),
    };
    if target.as_ref().is_some_and(|t| !shared.reaches(&t.base_url)) {
        return Err(ApiError::bad(
            "tributary_url must be on this machine: the sandbox talks to loopback only.",
        ));
    }
    Ok(target)
}

async fn tell(name: &str, teller: &mut Teller) -> Result<(), Value> {
    match name {
        "signup" => signup::tell(teller).await,
        "payment_link" => payment_link::tell(teller).await,
        "renewals" => renewals::tell(teller).await,
        "half_refund" => half_refund::tell(teller).await,
        "guest_one_time" => guest_one_time::tell(teller).await,
        "async_paid" => async_payment::tell(teller, true).await,
        "async_failed" => async_payment::tell(teller, false).await,
        "manual_capture" => manual_capture::tell(teller).await,
        "failed_refund" => failed_refund::tell(teller).await,
        "dispute_won" => dispute::tell(teller, "won").await,
        "dispute_lost" => dispute::tell(teller, "lost").await,
        "trial_to_paid" => subscriptions::trial_to_paid(teller).await,
        "upgrade" => subscriptions::upgrade(teller).await,
        "downgrade" => subscriptions::downgrade(teller).await,
        "quantity" => subscriptions::quantity(teller).await,
        "annual" => subscriptions::annual(teller).await,
        "coupon_100" => subscriptions::coupon_100(teller).await,
        "sepa_delay" => subscriptions::sepa_delay(teller).await,
        "promo_code" => once::promo_code(teller).await,
        "partial_refund" => once::partial_refund(teller).await,
        "repeated_refunds" => once::repeated_refunds(teller).await,
        "pending_refund" => once::pending_refund(teller).await,
        "inquiry" => once::inquiry(teller).await,
        "inquiry_escalated" => once::inquiry_escalated(teller).await,
        "shipping_tax" => once::shipping_tax(teller).await,
        "two_currencies" => once::two_currencies(teller).await,
        "jpy" => once::in_currency(teller, "jpy", "7770").await,
        "kwd" => once::in_currency(teller, "kwd", "12345").await,
        "adaptive_pricing" => once::adaptive_pricing(teller).await,
        "credit_note" => invoices::credit_note(teller).await,
        "credit_note_first" => invoices::credit_note_first(teller).await,
        "out_of_band" => invoices::out_of_band(teller).await,
        "never_paid" => invoices::never_paid(teller).await,
        "demo" => demo::tell(teller).await,
        other => Err(json!({ "step": "find the story", "message": format!("no story is called {other}") })),
    }
}
