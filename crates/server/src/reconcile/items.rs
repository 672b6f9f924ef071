//! What one page of a list says of money that moved in the period.

use serde::Deserialize;
use serde_json::value::RawValue;
use tributary_store::StoreError;
use tributary_store::imports::Run;
use tributary_store::reconcile::Item;
use tributary_stripe::lists::List;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Object {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    created: Option<i64>,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    amount_captured: Option<i64>,
    #[serde(default)]
    captured: Option<bool>,
    #[serde(default)]
    amount_paid: Option<i64>,
    #[serde(default)]
    out_of_band_amount: Option<i64>,
    #[serde(default)]
    customer: Option<IdOr>,
    #[serde(default)]
    payment_intent: Option<IdOr>,
    #[serde(default)]
    refunds: Option<Refunds>,
    #[serde(default)]
    status_transitions: Option<Transitions>,
}

/// An id, or what it names in whole.
#[derive(Deserialize)]
#[serde(untagged)]
enum IdOr {
    Id(String),
    Whole { id: String },
    Other(serde::de::IgnoredAny),
}

fn id_of(named: Option<IdOr>) -> String {
    match named {
        Some(IdOr::Id(id) | IdOr::Whole { id }) => id,
        Some(IdOr::Other(_)) | None => String::new(),
    }
}

/// The refunds of a credit note; of other objects a list that is not looked at.
#[derive(Deserialize)]
#[serde(untagged)]
enum Refunds {
    Credited(Vec<Credited>),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Credited {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    amount_refunded: Option<i64>,
}

#[derive(Deserialize)]
struct Transitions {
    #[serde(default)]
    paid_at: Option<i64>,
}

/// The objects of a page that moved money inside of the run's period.
///
/// # Errors
/// [`StoreError::Invalid`] for a page that is no list, or an object whose amounts cannot be read: leaving one out would
/// make the sums lie.
pub fn items(list: List, body: &[u8], run: &Run) -> Result<Vec<Item>, StoreError> {
    let page: Page<'_> = serde_json::from_slice(body)
        .map_err(|_| StoreError::Invalid(format!("Stripe's list of {} cannot be read.", list.words())))?;
    let mut items = Vec::with_capacity(page.data.len());
    for raw in page.data {
        let object: Object = serde_json::from_str(raw.get()).map_err(|e| {
            StoreError::Invalid(format!("One of the {} in Stripe's list cannot be read: {e}.", list.words()))
        })?;
        if let Some((amount, at_s)) = moved(list, &object) {
            let at = at_s.saturating_mul(1000);
            if at >= run.since_at && at < run.until_at {
                items.push(Item {
                    object_id: object.id,
                    list: list.as_str().to_owned(),
                    customer: id_of(object.customer),
                    payment_intent: id_of(object.payment_intent),
                    currency: object.currency.unwrap_or_default().to_ascii_lowercase(),
                    amount,
                    at,
                    state: match list {
                        List::Disputes => {
                            dispute_state(object.status.as_deref().unwrap_or_default()).to_owned()
                        }
                        _ => String::new(),
                    },
                });
            }
        }
    }
    Ok(items)
}

/// What a dispute came to, by its status.
pub(super) fn dispute_state(status: &str) -> &'static str {
    match status {
        "lost" => "lost",
        "won" | "warning_closed" | "prevented" | "charge_refunded" => "over",
        _ => "open",
    }
}

/// What went back past Stripe by a credit note: to a payment record there is no refund of its own.
fn past_stripe(object: &Object) -> i64 {
    let credited = match &object.refunds {
        Some(Refunds::Credited(all)) => all.as_slice(),
        _ => &[],
    };
    let to_records = credited.iter().filter(|one| one.kind.as_deref() == Some("payment_record_refund"));
    let to_records = to_records.filter_map(|one| one.amount_refunded);
    to_records.fold(object.out_of_band_amount.unwrap_or(0), i64::saturating_add)
}

/// What an object moved (minor units; 0 for what came to nothing and may be known here as money), and when (Unix
/// seconds).
fn moved(list: List, object: &Object) -> Option<(i64, i64)> {
    let created = object.created.unwrap_or(0);
    let status = object.status.as_deref().unwrap_or_default();
    let (amount, at) = match list {
        List::Invoices if status == "paid" => {
            let paid_at = object.status_transitions.as_ref().and_then(|known| known.paid_at);
            (object.amount_paid?, paid_at.unwrap_or(created))
        }
        List::Charges if status == "succeeded" => {
            let whole = || object.amount.filter(|_| object.captured != Some(false));
            (object.amount_captured.or_else(whole)?, created)
        }
        List::Refunds if matches!(status, "failed" | "canceled") => return Some((0, created)),
        List::Refunds => (object.amount?, created),
        List::Disputes => (object.amount?, created),
        // The rest of a credit note is a refund of its own, or no money that went back.
        List::CreditNotes if status == "issued" => (past_stripe(object), created),
        List::CreditNotes if status == "void" => return Some((0, created)),
        _ => return None,
    };
    (amount > 0).then_some((amount, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved_of(list: List, text: &str) -> Option<(i64, i64)> {
        moved(list, &serde_json::from_str(text).unwrap())
    }

    #[test]
    fn only_money_that_moved_counts() {
        let paid =
            r#"{"id":"in_1","status":"paid","amount_paid":7,"created":1,"status_transitions":{"paid_at":5}}"#;
        assert_eq!(moved_of(List::Invoices, paid), Some((7, 5)));
        assert_eq!(moved_of(List::Invoices, r#"{"id":"in_1","status":"open","amount_paid":0}"#), None);
        assert_eq!(moved_of(List::Invoices, r#"{"id":"in_1","status":"paid","amount_paid":0}"#), None);
        let charge = r#"{"id":"ch_1","status":"succeeded","amount":9,"amount_captured":4,"created":2}"#;
        assert_eq!(moved_of(List::Charges, charge), Some((4, 2)));
        let held = r#"{"id":"ch_1","status":"succeeded","amount":9,"captured":false,"created":2}"#;
        assert_eq!(moved_of(List::Charges, held), None);
        assert_eq!(moved_of(List::Charges, r#"{"id":"ch_1","status":"failed","amount":9}"#), None);
        let failed = r#"{"id":"re_1","status":"failed","amount":9,"created":3}"#;
        assert_eq!(moved_of(List::Refunds, failed), Some((0, 3)), "it may be known here as money");
        let listed = r#"{"id":"ch_1","status":"succeeded","amount":9,"created":2,"refunds":{"data":[],"object":"list"}}"#;
        assert_eq!(moved_of(List::Charges, listed), Some((9, 2)));
        assert_eq!(
            moved_of(List::Refunds, r#"{"id":"re_1","status":"pending","amount":9,"created":3}"#),
            Some((9, 3))
        );
        let note = r#"{"id":"cn_1","status":"issued","amount":9,"out_of_band_amount":4,"created":3}"#;
        assert_eq!(moved_of(List::CreditNotes, note), Some((4, 3)), "the part that went past Stripe");
        let record = r#"{"id":"cn_1","status":"issued","amount":9,"out_of_band_amount":null,"created":3,"refunds":[
            {"type":"payment_record_refund","amount_refunded":5,"refund":null},
            {"type":"refund","amount_refunded":4,"refund":"re_1"}]}"#;
        assert_eq!(moved_of(List::CreditNotes, record), Some((5, 3)), "no refund of its own tells of it");
        let void = r#"{"id":"cn_1","status":"void","amount":9,"out_of_band_amount":4,"created":3}"#;
        assert_eq!(moved_of(List::CreditNotes, void), Some((0, 3)));
    }
}
