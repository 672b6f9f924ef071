//! Random histories: buyers who do everything that Stripe lets them do, chosen by a seed. The operations are those
//! of the API and of the control routes; only the network is left out.

mod back;
mod codes;
mod invoices;
mod once;
mod subscriptions;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{ApiError, Res};
use crate::ids::Ids;
use crate::params;
use crate::routes::{self, Call};
use crate::world::World;

/// Most events of one call.
pub const MOST_EVENTS: usize = 150_000;
/// Time between two steps, at most, seconds.
const PAUSE: u64 = 20;
/// What is sold in: no decimals, two and three.
const CURRENCIES: [&str; 5] = ["usd", "eur", "gbp", "jpy", "kwd"];

/// What to play.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The same seed plays the same choices.
    pub seed: u64,
    /// Events to make, at least.
    pub events: usize,
    /// Keys of the partners who bring buyers; some buyers come by themselves.
    pub partners: Vec<String>,
    /// What to leave out: `disputes`, `credit_notes`, `codes` (promotion codes of partners, and what is told late).
    #[serde(default)]
    pub without: Vec<String>,
}

/// Plays until there are enough events; says how many were made, and how often each shape was played.
///
/// # Errors
/// 500 for a step that the sandbox itself refuses: that is its own fault.
pub fn play(world: &mut World, wanted: &Wanted) -> Res {
    let chance = Ids::new(wanted.seed, "random history");
    let start = world.made("event");
    let settings = world.settings.clone();
    let without = wanted.without.clone();
    let mut player = Player {
        world,
        chance,
        partner: None,
        partners: wanted.partners.clone(),
        currency: "usd",
        buyers: 0,
        seed: wanted.seed,
        without,
    };
    let mut shapes = std::collections::BTreeMap::<&str, u32>::new();
    let outcome = loop {
        if player.world.made("event") >= start + wanted.events {
            break Ok(());
        }
        player.next_buyer(&wanted.partners);
        match player.buyer() {
            Ok(shape) => *shapes.entry(shape).or_default() += 1,
            Err(error) => break Err(error),
        }
    };
    let made = player.world.made("event") - start;
    world.settings = settings;
    outcome.map_err(|error: ApiError| {
        ApiError::internal(format!("the history of seed {} cannot go on: {}", wanted.seed, error.message))
    })?;
    Ok(json!({ "seed": wanted.seed, "events": made, "shapes": shapes }))
}

/// One buyer after the other.
struct Player<'w> {
    world: &'w mut World,
    chance: Ids,
    /// Who brought the present buyer.
    partner: Option<String>,
    /// All of them.
    partners: Vec<String>,
    currency: &'static str,
    buyers: u64,
    seed: u64,
    without: Vec<String>,
}

impl Player<'_> {
    /// A number from 0 up to, but without, `limit`.
    fn roll(&mut self, limit: u64) -> u64 {
        self.chance.below(limit)
    }

    /// True in `percent` of 100 cases.
    fn often(&mut self, percent: u8) -> bool {
        self.chance.happens(percent)
    }

    /// Is a shape wanted?
    fn has(&self, shape: &str) -> bool {
        !self.without.iter().any(|left_out| left_out == shape)
    }

    /// An amount in minor units: small, odd and large ones.
    fn amount(&mut self) -> i64 {
        let limit = [100, 2_000, 10_000, 1_000_000][usize::try_from(self.roll(4)).unwrap_or(0)];
        i64::try_from(self.roll(limit)).unwrap_or(0) + 101
    }

    /// A part of an amount, at least 1.
    fn some_of(&mut self, amount: i64) -> i64 {
        let limit = u64::try_from(amount.max(1)).unwrap_or(1);
        1 + i64::try_from(self.roll(limit)).unwrap_or(0)
    }

    /// Another buyer, with a currency, a partner and the merchant's tax of the day.
    fn next_buyer(&mut self, partners: &[String]) {
        self.buyers += 1;
        self.currency = CURRENCIES[usize::try_from(self.roll(5)).unwrap_or(0)];
        let at =
            usize::try_from(self.roll(u64::try_from(partners.len()).unwrap_or(1) * 5 / 4 + 1)).unwrap_or(0);
        self.partner = partners.get(at).cloned();
        let tax = [0, 70_000, 190_000, 200_000][usize::try_from(self.roll(4)).unwrap_or(0)];
        self.world.settings.tax_ppm = tax;
        self.world.settings.tax_inclusive = self.often(50);
        self.world.settings.shipping =
            if self.often(25) { u32::try_from(self.roll(900)).unwrap_or(0) } else { 0 };
    }

    fn email(&self) -> String {
        format!("b{}-{}@buyer.example", self.seed, self.buyers)
    }

    /// Some seconds go by.
    fn pause(&mut self) {
        let seconds = i64::try_from(self.roll(PAUSE)).unwrap_or(0);
        self.world.clock.advance(seconds);
    }

    /// An operation of the API by Stripe's name of it.
    fn api(&mut self, operation: &str, id: &str, given: Value) -> Res {
        self.pause();
        let path = [id.to_owned()];
        let mut call = Call { world: &mut *self.world, path: &path, params: &given };
        routes::serve(operation, &mut call)
            .unwrap_or_else(|| Err(ApiError::internal(format!("no operation is called {operation}"))))
            .map_err(|e| ApiError::internal(format!("{operation} {id} {given}: {}", e.message)))
    }

    /// A Stripe customer, who knows the partner if `tells`.
    fn customer(&mut self, tells: bool) -> Res<String> {
        let mut given = json!({ "email": self.email(), "name": "Bo Buyer" });
        if tells && let Some(partner) = &self.partner {
            given["metadata"] = json!({ "partner_key": partner });
        }
        self.api("PostCustomers", "", given).map(|made| id(&made))
    }

    /// Metadata of a payment that names the partner.
    fn named(&self) -> Value {
        self.partner.as_ref().map_or_else(|| json!({}), |partner| json!({ "partner_key": partner }))
    }

    /// A life of one buyer.
    fn buyer(&mut self) -> Res<&'static str> {
        let shapes = if self.has("codes") { 24 } else { 20 };
        match self.roll(shapes) {
            0..=2 => self.guest().map(|()| "guest"),
            3 => self.payment_link().map(|()| "payment_link"),
            4 => self.held().map(|()| "manual_capture"),
            5 => self.bank_debit().map(|()| "bank_debit"),
            6 => self.bare_intent().map(|()| "bare_payment_intent"),
            7 => self.bare_charge().map(|()| "bare_charge"),
            8 => self.other_money().map(|()| "adaptive_pricing"),
            9..=11 => self.by_hand().map(|()| "manual_invoices"),
            12..=15 => self.subscribes_at_checkout().map(|()| "checkout_subscription"),
            20..=21 => self.coded().map(|()| "promotion_codes"),
            22 => self.coded_subscription().map(|()| "promotion_code_subscription"),
            23 => self.told_late().map(|()| "told_late"),
            _ => self.subscribes_by_server().map(|()| "server_subscription"),
        }
    }
}

/// The id of an answer.
fn id(answer: &Value) -> String {
    params::owned(answer, "id").unwrap_or_default()
}
