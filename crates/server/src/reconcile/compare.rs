//! One object of Stripe's lists against what is known of it.

use super::items::dispute_state;
use crate::admin::words;
use crate::pipeline::explain::state_words;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::fact::Field;
use tributary_domain::merge::ObjectState;
use tributary_store::pipeline::{objects, sales};
use tributary_store::reconcile::{self, Item};
use tributary_store::{StoreError, Tx};

/// How an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Stripe has it, Tributary never saw it.
    Missing,
    /// Both have it, with other amounts, or with another end.
    Different,
    /// Tributary has it, Stripe does not list it.
    OnlyHere,
    /// Known, and waiting for a look-up or for settlement.
    Waiting,
    /// Known, and its sale earned somebody something.
    Commissioned,
    /// Known, and its sale earned nothing; the reason says why.
    NotCommissioned,
}

impl Status {
    /// All of them, what needs a person first.
    pub const ALL: [Self; 6] = [
        Self::Missing,
        Self::Different,
        Self::OnlyHere,
        Self::Waiting,
        Self::Commissioned,
        Self::NotCommissioned,
    ];

    /// The word in addresses and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
            Self::OnlyHere => "only_here",
            Self::Waiting => "waiting",
            Self::Commissioned => "commissioned",
            Self::NotCommissioned => "not_commissioned",
        }
    }

    /// Words for a person.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "Missing here",
            Self::Different => "Different",
            Self::OnlyHere => "Only here",
            Self::Waiting => "Waiting",
            Self::Commissioned => "Commissioned",
            Self::NotCommissioned => "Not commissioned",
        }
    }

    /// Does a person have to look?
    #[must_use]
    pub const fn is_problem(self) -> bool {
        matches!(self, Self::Missing | Self::Different | Self::OnlyHere)
    }
}

/// One line of a comparison. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The object.
    pub object_id: String,
    /// `invoices`, `charges`, `refunds`, `disputes` or `credit_notes`.
    pub list: String,
    /// Lower case.
    pub currency: String,
    /// What Stripe says; 0 for an object that it does not list.
    pub stripe: i64,
    /// What Tributary knows; 0 for an object that it never saw.
    pub tributary: i64,
    /// When it was. ms UTC.
    pub at: i64,
    /// How it stands.
    pub status: Status,
    /// Why, in a sentence.
    pub reason: String,
    /// The purchase that it belongs to, by its Stripe id.
    pub root: Option<String>,
    /// The Stripe customer of an object that Stripe lists, or nothing.
    #[serde(skip)]
    pub customer: String,
    /// Its PaymentIntent, or nothing.
    #[serde(skip)]
    pub payment_intent: String,
}

/// Compares a page of items.
///
/// # Errors
/// The database's.
pub(super) async fn compare(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    program_id: &str,
    items: &[Item],
) -> Result<Vec<Line>, StoreError> {
    let ids: Vec<String> = items.iter().map(|item| item.object_id.clone()).collect();
    let aliases = objects::load_aliases(tx, workspace_id, connection_id, &ids).await?;
    let sale_ids: BTreeSet<String> = aliases.values().filter_map(|alias| alias.sale_id.clone()).collect();
    let sale_ids: Vec<String> = sale_ids.into_iter().collect();
    let known = sales::load(tx, workspace_id, &sale_ids).await?;
    let known: BTreeMap<_, _> = known.into_iter().map(|sale| (sale.sale_id.clone(), sale)).collect();
    let earned = reconcile::commissions(tx, workspace_id, &sale_ids).await?;
    let mut lines = Vec::with_capacity(items.len());
    for item in items {
        let alias = aliases.get(&item.object_id);
        let state = alias.and_then(|alias| alias.state.as_ref());
        let sale = alias.and_then(|alias| alias.sale_id.as_ref()).and_then(|id| known.get(id));
        let ours = state.and_then(|state| amount(&item.list, state));
        if item.amount == 0 && ours.unwrap_or(0) == 0 {
            continue; // It came to nothing there, and is nothing here.
        }
        let (status, reason) = match (sale, ours) {
            (None, _) | (_, None) => (Status::Missing, "Tributary never saw it.".to_owned()),
            (_, Some(ours)) if ours != item.amount => {
                (Status::Different, "Stripe and Tributary know other amounts.".to_owned())
            }
            _ if state.is_some_and(|state| !same_end(item, state)) => {
                let words = format!("At Stripe the dispute is {}, here it is not.", item.state);
                (Status::Different, words)
            }
            (Some(sale), _) => standing(sale, program_id, &earned),
        };
        lines.push(Line {
            object_id: item.object_id.clone(),
            list: item.list.clone(),
            currency: item.currency.clone(),
            stripe: item.amount,
            tributary: if status == Status::Missing { 0 } else { ours.unwrap_or(0) },
            at: item.at,
            status,
            reason,
            root: sale.map(|sale| sale.root_id.clone()),
            customer: item.customer.clone(),
            payment_intent: item.payment_intent.clone(),
        });
    }
    Ok(lines)
}

/// Did it come to the same here? A comparison of before did not keep what it came to.
fn same_end(item: &Item, state: &ObjectState) -> bool {
    let known = dispute_state(state.text(Field::DisputeStatus).unwrap_or_default());
    item.list != "disputes" || item.state.is_empty() || item.state == known
}

fn standing(sale: &sales::Sale, program_id: &str, earned: &[reconcile::Earned]) -> (Status, String) {
    let mine = |(id, ..): &&reconcile::Earned| *id == sale.sale_id;
    if earned.iter().filter(mine).any(|(_, program, ..)| program == program_id) {
        return (Status::Commissioned, "Its sale earned a commission.".to_owned());
    }
    if sale.awaiting_since.is_some() {
        return (Status::Waiting, format!("{}.", state_words(&sale.state)));
    }
    if sale.unplaced || sale.unsettled {
        return (Status::Waiting, "It is being computed.".to_owned());
    }
    if earned.iter().any(|one| mine(&one)) || sale.program_id.as_deref().is_some_and(|of| of != program_id) {
        return (Status::NotCommissioned, "It belongs to another program of this account.".to_owned());
    }
    let reason = match (sale.state.as_str(), sale.outcome.as_str(), sale.place_reason.as_str()) {
        ("paid", "", "") => "nobody brought this customer".to_owned(),
        ("paid", "" | "paid", reason) if !reason.is_empty() => reason.to_owned(),
        ("paid", outcome, _) => words::because(outcome).to_owned(),
        (state, ..) => state_words(state).to_lowercase(),
    };
    (Status::NotCommissioned, format!("It earns nothing: {}.", reason.trim_end_matches('.')))
}

/// What is known of an object, by the same measure as Stripe's lists; `None` if it was only named.
pub(super) fn amount(list: &str, state: &ObjectState) -> Option<i64> {
    let text = |field| state.text(field).unwrap_or_default();
    match list {
        "invoices" if text(Field::InvoiceStatus) == "paid" => state.int(Field::AmountPaid),
        "charges" if text(Field::ChargeStatus) == "succeeded" => state.int(Field::AmountCaptured),
        "refunds" if !matches!(text(Field::RefundStatus), "failed" | "canceled") => state.int(Field::Amount),
        "disputes" => state.int(Field::Amount),
        "credit_notes" if text(Field::CreditStatus) != "void" => state.int(Field::OutOfBand),
        _ => None,
    }
}
