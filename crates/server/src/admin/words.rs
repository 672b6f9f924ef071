//! What the pages call things: sales, buyers, partners, events.

use crate::ui::Tone;
use crate::ui::badge::Badge;
use crate::ui::money::Money;
use tributary_domain::money::Currency;
use tributary_domain::settlement::Outcome;

/// Who bought: e-mail, else name, else key, else what Stripe says. `customer` is e-mail, name, surname, key.
#[must_use]
pub fn buyer(customer: &[String; 4], buyer_id: &str) -> String {
    let [email, name, surname, key] = customer;
    let full = format!("{name} {surname}").trim().to_owned();
    match [email.as_str(), &full, key].into_iter().find(|text| !text.is_empty()) {
        Some(text) => text.to_owned(),
        None if buyer_id.starts_with("cus_") => buyer_id.to_owned(),
        None if buyer_id.starts_with("guest:") => "a guest".to_owned(),
        None => "an unknown buyer".to_owned(),
    }
}

/// A partner's name, else key. `partner` is name, surname, key.
#[must_use]
pub fn partner(partner: &[String; 3]) -> String {
    let [name, surname, key] = partner;
    let full = format!("{name} {surname}").trim().to_owned();
    if full.is_empty() { key.clone() } else { full }
}

/// An amount of a currency that may not be known yet.
#[must_use]
pub fn money(minor: i64, currency: &str) -> Money {
    Money::new(minor, Currency::parse(currency).unwrap_or_else(|_| none()))
}

/// ISO 4217's code for "no currency".
fn none() -> Currency {
    #[expect(clippy::unwrap_used, reason = "three letters that are written here")]
    Currency::parse("xxx").unwrap()
}

/// What went back of a sale, or may yet. Minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gone {
    /// Refunded.
    pub refunded: i64,
    /// Lost in disputes that are over.
    pub lost: i64,
    /// Asked back by open disputes.
    pub disputed: i64,
}

impl Gone {
    /// What is gone for good.
    #[must_use]
    pub const fn back(self) -> i64 {
        self.refunded.saturating_add(self.lost)
    }
}

/// Where a sale stands.
#[must_use]
pub fn sale_badge(state: &str, unfinished: bool, paid: i64, gone: Gone) -> Badge {
    let refunded = gone.back();
    match state {
        "awaiting_link" => Badge::with(Tone::Accent, "hourglass", "Awaiting link"),
        "awaiting_parent" => Badge::with(Tone::Accent, "hourglass", "Awaiting Stripe"),
        "unpaid" => Badge::with(Tone::Plain, "clock", "Not paid"),
        "unknown" => Badge::with(Tone::Warn, "circle-minus", "Unknown at Stripe"),
        "uncaptured" => Badge::with(Tone::Plain, "lock", "Authorised only"),
        "nothing_to_pay" => Badge::with(Tone::Plain, "circle-minus", "Nothing to pay"),
        _ if unfinished => Badge::with(Tone::Accent, "hourglass", "Being computed"),
        _ if gone.disputed > 0 => Badge::with(Tone::Warn, "circle-alert", "Disputed"),
        _ if gone.lost > 0 && refunded >= paid => Badge::with(Tone::Bad, "undo-2", "Dispute lost"),
        _ if gone.lost > 0 => Badge::with(Tone::Warn, "undo-2", "Partly lost"),
        _ if refunded > 0 && refunded >= paid => Badge::with(Tone::Bad, "undo-2", "Refunded"),
        _ if refunded > 0 => Badge::with(Tone::Warn, "undo-2", "Partly refunded"),
        _ => Badge::new(Tone::Good, "Paid"),
    }
}

/// Why a sale earns nothing, in two or three words for a column.
#[must_use]
pub fn nothing(outcome: &str) -> &'static str {
    match outcome {
        "earns" => "",
        "" => "Not yet",
        "no_partner" => "No partner",
        "partner_suspended" => "Suspended",
        "customer_archived" => "Archived",
        "no_terms" => "No terms",
        "beyond_first_sales" | "beyond_months" => "Beyond terms",
        "below_minimum" => "Below minimum",
        "fully_refunded" => "Refunded",
        "lost_in_dispute" => "Dispute lost",
        "awaiting_fee" => "Awaiting fee",
        "awaiting_lines" => "Awaiting lines",
        "awaiting_off_stripe" => "Awaiting Stripe",
        "paid_off_stripe" => "Off Stripe",
        "no_base" => "No base",
        "voided" => "Voided",
        "not_rewardable" => "Not rewardable",
        _ => "Nothing",
    }
}

/// The same as a clause: "no partner brought this customer".
#[must_use]
pub fn because(outcome: &str) -> &'static str {
    serde_json::from_value::<Outcome>(serde_json::Value::String(outcome.to_owned()))
        .map_or("it has not been settled yet", Outcome::words)
}

/// Where a partner or a customer stands.
#[must_use]
pub fn person_badge(status: &str) -> Badge {
    match status {
        "active" => Badge::new(Tone::Good, "Active"),
        "pending" => Badge::with(Tone::Accent, "hourglass", "Pending"),
        "suspended" => Badge::with(Tone::Warn, "pause", "Suspended"),
        "archived" => Badge::with(Tone::Plain, "archive", "Archived"),
        _ => Badge::with(Tone::Plain, "circle-x", "Deleted"),
    }
}

/// Where a commission stands.
#[must_use]
pub fn commission_badge(
    outcome: &str,
    target: i64,
    matured: bool,
    payable_at: i64,
    disputed: bool,
) -> (Badge, String) {
    match (outcome, target) {
        (_, 1..) if disputed && matured => {
            (Badge::with(Tone::Warn, "circle-alert", "At risk"), "a dispute is open".to_owned())
        }
        (_, 1..) if disputed => {
            (Badge::with(Tone::Warn, "hourglass", "In hold"), "a dispute is open".to_owned())
        }
        (_, 1..) if matured => (Badge::new(Tone::Good, "Payable"), String::new()),
        (_, 1..) => {
            let until = format!("until {}", crate::ui::when::day(payable_at));
            (Badge::with(Tone::Accent, "hourglass", "In hold"), until)
        }
        ("fully_refunded", _) => (Badge::with(Tone::Bad, "undo-2", "Refunded"), String::new()),
        ("lost_in_dispute", _) => (Badge::with(Tone::Bad, "undo-2", "Dispute lost"), String::new()),
        _ => (Badge::with(Tone::Plain, "circle-minus", "Nothing"), nothing(outcome).to_lowercase()),
    }
}

/// The outcome of an event.
#[must_use]
pub fn event_badge(outcome: &str) -> Badge {
    match outcome {
        "processed" => Badge::new(Tone::Good, "Processed"),
        "ignored" => Badge::new(Tone::Plain, "Ignored"),
        "parked" => Badge::with(Tone::Bad, "circle-alert", "Parked"),
        _ => Badge::with(Tone::Accent, "hourglass", "Waiting"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<const N: usize>(texts: [&str; N]) -> [String; N] {
        texts.map(ToOwned::to_owned)
    }

    #[test]
    fn people_are_called_by_the_best_that_is_known() {
        assert_eq!(buyer(&texts(["d@w.test", "Dana", "W", "k"]), "cus_1"), "d@w.test");
        assert_eq!(buyer(&texts(["", "Dana", "", "k"]), "cus_1"), "Dana");
        assert_eq!(buyer(&texts(["", "", "", ""]), "cus_1"), "cus_1");
        assert_eq!(buyer(&texts(["", "", "", ""]), "guest:ab"), "a guest");
        assert_eq!(partner(&texts(["", "", "maya"])), "maya");
        assert_eq!(partner(&texts(["Maya", "Lind", "maya"])), "Maya Lind");
    }

    #[test]
    fn every_outcome_of_settlement_has_words() {
        for outcome in [
            "no_partner",
            "partner_suspended",
            "customer_archived",
            "no_terms",
            "beyond_first_sales",
            "below_minimum",
            "too_large",
        ] {
            assert_ne!(because(outcome), because("?"), "{outcome}");
            assert!(!nothing(outcome).is_empty());
        }
        assert_eq!(because(""), "it has not been settled yet");
    }
}
