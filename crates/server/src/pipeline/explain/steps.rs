//! What happened, as each object of a purchase tells it.

use super::{Step, money};
use tributary_domain::fact::{Field, Kind};
use tributary_domain::merge::ObjectState;

/// The steps that one object tells; a dispute tells its beginning, its movements of money and its end.
pub(super) fn of(state: &ObjectState, all: &[ObjectState]) -> Vec<Step> {
    match state.kind {
        Kind::Dispute => dispute(state, all),
        _ => step(state).into_iter().collect(),
    }
}

fn dispute(state: &ObjectState, all: &[ObjectState]) -> Vec<Step> {
    let status = state.text(Field::DisputeStatus).unwrap_or("open");
    let asked = money(state.int(Field::Amount).unwrap_or(0), state.text(Field::Currency));
    let inquiry = status.starts_with("warning_");
    let of = |at, title: String, detail: String, object_id: &str, tone| Step {
        at,
        title,
        detail,
        object_id: object_id.to_owned(),
        tone,
    };
    let reason = state.text(Field::DisputeReason).unwrap_or_default().replace('_', " ");
    let begun = if inquiry { format!("Inquiry over {asked}") } else { format!("Disputed {asked}") };
    let mut steps = vec![of(state.created(), begun, reason, &state.id, "calm")];
    let moves = all.iter().filter(|moved| {
        moved.kind == Kind::BalanceTransaction && moved.text(Field::Dispute) == Some(&state.id)
    });
    steps.extend(moves.map(|moved| {
        let amount = moved.int(Field::Amount).unwrap_or(0);
        let text = money(amount.saturating_abs(), moved.text(Field::Currency));
        let (title, tone) = if amount < 0 {
            (format!("Withdrew {text}"), "minus")
        } else {
            (format!("Reinstated {text}"), "plus")
        };
        of(moved.created(), title, "for the dispute".to_owned(), &moved.id, tone)
    }));
    let ended = match status {
        "won" => Some(("Dispute won", "the hold is lifted, nothing is taken back", "plus")),
        "lost" => Some(("Dispute lost", "the commission follows what the shop kept", "minus")),
        "prevented" => Some(("Dispute prevented", "the hold is lifted, nothing is taken back", "calm")),
        "charge_refunded" => {
            Some(("Dispute ended by a refund", "the hold is lifted, the refund counts", "calm"))
        }
        "warning_closed" => Some(("Inquiry closed", "the hold is lifted, nothing is taken back", "calm")),
        _ => None,
    };
    if let Some((title, detail, tone)) = ended {
        let at =
            state.fields.get(&Field::DisputeStatus).map_or_else(|| state.created(), |reading| reading.at);
        steps.push(of(at, title.to_owned(), detail.to_owned(), &state.id, tone));
    }
    steps
}

/// What the buyer saw, where that was another currency.
fn presented(state: &ObjectState) -> String {
    match (state.int(Field::PresentmentAmount), state.text(Field::PresentmentCurrency)) {
        (Some(amount), currency @ Some(_)) => format!("the buyer saw {}", money(amount, currency)),
        _ => String::new(),
    }
}

fn step(state: &ObjectState) -> Option<Step> {
    let amount = |field| money(state.int(field).unwrap_or(0), state.text(Field::Currency));
    let of = |at: i64, title: String, detail: String, tone| Step {
        at,
        title,
        detail,
        object_id: state.id.clone(),
        tone,
    };
    let created = state.created();
    Some(match state.kind {
        Kind::Session => {
            let reference = state.text(Field::ClientReferenceId);
            let detail = reference.map(|value| format!("client_reference_id “{value}”")).unwrap_or_default();
            of(created, "Checked out".to_owned(), detail, "calm")
        }
        Kind::Invoice => {
            let reason = state.text(Field::BillingReason).unwrap_or_default().replace('_', " ");
            if state.text(Field::InvoiceStatus) == Some("paid") {
                let at = state.int(Field::PaidAt).unwrap_or(created);
                of(at, format!("Paid {}", amount(Field::AmountPaid)), reason, "plus")
            } else {
                let reason = match state.text(Field::InvoiceStatus) {
                    Some("void") => "voided".to_owned(),
                    Some("uncollectible") => "given up as uncollectible".to_owned(),
                    _ => reason,
                };
                let paid = state.int(Field::AmountPaid).unwrap_or(0);
                let came = (paid > 0).then(|| format!("{} of it were paid", amount(Field::AmountPaid)));
                let reason = [Some(reason).filter(|reason| !reason.is_empty()), came];
                let reason = reason.into_iter().flatten().collect::<Vec<_>>().join("; ");
                of(created, format!("Invoiced {}", amount(Field::Total)), reason, "calm")
            }
        }
        Kind::Charge if state.text(Field::ChargeStatus) == Some("failed") => {
            of(created, "A charge failed".to_owned(), String::new(), "calm")
        }
        Kind::Charge => {
            of(created, format!("Charged {}", amount(Field::AmountCaptured)), presented(state), "plus")
        }
        Kind::Refund => {
            let status = state.text(Field::RefundStatus).unwrap_or("pending").to_owned();
            let failed = matches!(status.as_str(), "failed" | "canceled");
            let tone = if failed { "calm" } else { "minus" };
            of(created, format!("Refunded {}", amount(Field::Amount)), status, tone)
        }
        Kind::CreditNote => {
            let void = state.text(Field::CreditStatus) == Some("void");
            let off = state.int(Field::OutOfBand).unwrap_or(0);
            let detail = match (void, off) {
                (true, _) => "taken back: it changes nothing".to_owned(),
                (false, 0) => "lowers what is paid, is refunded by itself, or goes to the balance".to_owned(),
                (false, _) => format!("{} of it given back outside of Stripe", amount(Field::OutOfBand)),
            };
            let tone = if void || off == 0 { "calm" } else { "minus" };
            of(created, format!("Credited {}", amount(Field::Amount)), detail, tone)
        }
        Kind::ApiTransaction => {
            let reward = state.int(Field::ApiReward).map(|_| amount(Field::ApiReward));
            let (title, detail) = match (state.int(Field::Amount).unwrap_or(0), reward) {
                (0, Some(reward)) => (format!("Written by API: a reward of {reward}"), String::new()),
                (_, Some(reward)) => (
                    format!("Written by API: {}", amount(Field::Amount)),
                    format!("with a reward of {reward}"),
                ),
                (_, None) => (format!("Written by API: {}", amount(Field::Amount)), String::new()),
            };
            of(created, title, detail, "plus")
        }
        Kind::PaymentIntent
        | Kind::InvoicePayment
        | Kind::Customer
        | Kind::Subscription
        | Kind::PromotionCode
        | Kind::Dispute
        | Kind::BalanceTransaction
        | Kind::Line => return None,
    })
}
