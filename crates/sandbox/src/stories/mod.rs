//! Stories: what a merchant and its buyers do, played over HTTP against this sandbox and a running Tributary.

mod async_payment;
mod demo;
mod dispute;
mod failed_refund;
mod guest_one_time;
mod half_refund;
mod manual_capture;
mod payment_link;
mod renewals;
mod signup;
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

/// Every story and what it tells.
pub const STORIES: &[(&str, &str)] = &[
    ("signup", "A referred customer is created by the merchant's server, then subscribes through checkout."),
    ("payment_link", "A purchase through a payment link with the partner's key as client reference."),
    ("renewals", "A sign-up whose subscription renews three times."),
    ("half_refund", "A sign-up whose first invoice is half refunded."),
    ("guest_one_time", "A guest buys once, with tax and shipping in the price."),
    ("async_paid", "A bank debit that arrives later."),
    ("async_failed", "A bank debit that is refused later."),
    ("manual_capture", "An authorisation of which a part is captured."),
    ("failed_refund", "A refund that comes back from the bank."),
    ("dispute_won", "A dispute that the merchant wins."),
    ("dispute_lost", "A dispute that the merchant loses."),
    ("demo", "Sign-up, payment link, three renewals, half a refund; shuffled, every event sent twice."),
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
    let failed = tell(name, &mut teller).await.err();
    let delivery = flush_world(&shared, &key).await?;
    shared.world(&key, |world| world.queue.faults = before)?;
    Ok(json!({
        "story": name,
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
        "demo" => demo::tell(teller).await,
        other => Err(json!({ "step": "find the story", "message": format!("no story is called {other}") })),
    }
}
