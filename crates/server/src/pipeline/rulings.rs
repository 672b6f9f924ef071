//! What was decided about who brought a sale: of the sale itself, else of its customer for sales of that time.

use super::clicks::at_words;
use super::link::born_by;
use crate::audit::who;
use tributary_domain::attribution::Ruling;
use tributary_store::pipeline::decisions::{self, AS_EVIDENCE_SAYS, Decided};
use tributary_store::pipeline::people::{self, Customer};
use tributary_store::{StoreError, Tx};

/// How the actor of a decision begins that an erasure made.
pub const ERASURE: &str = "erasure by ";

/// What was decided of a customer, the newest first: under its key, and under those that its purchases gave it.
///
/// # Errors
/// The database's.
pub async fn on_customer(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    customer: &Customer,
) -> Result<Vec<Decided>, StoreError> {
    let buyers = people::buyers_of(tx, workspace_id, &customer.customer_id).await?;
    let mut keys: Vec<String> = buyers.iter().map(|(_, buyer)| born_by(buyer)).collect();
    keys.push(customer.key.clone());
    keys.sort();
    keys.dedup();
    decisions::of_customer(tx, workspace_id, (&customer.program_id, &customer.mode), &keys).await
}

/// Whom a decision on a customer gives its sales of now (ms UTC): a partner (our id) or nobody; `None` where the evidence
/// decides.
///
/// # Errors
/// The database's.
pub async fn partner_now(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    customer_id: &str,
    now: i64,
) -> Result<Option<Option<String>>, StoreError> {
    let Some(customer) = people::find_customer(tx, workspace_id, customer_id).await? else { return Ok(None) };
    let decided = on_customer(tx, workspace_id, &customer).await?;
    let last = decided.iter().find(|one| one.from_ms.is_none_or(|from| from <= now));
    Ok(last.and_then(|one| ruling(one, "the customer")).map(|ruling| ruling.partner_id))
}

/// The ruling that holds for a sale at an instant (ms UTC), in (workspace, program), where so much was decided of its
/// customer.
///
/// # Errors
/// The database's.
pub async fn of_sale(
    tx: &mut Tx<'_>,
    (ws, program_id): (&str, &str),
    sale_id: &str,
    on_customer: &[Decided],
    occurred_at: i64,
) -> Result<Option<Ruling>, StoreError> {
    let on_sale = decisions::of_sale(tx, ws, program_id, sale_id).await?;
    if let Some(ruling) = on_sale.as_ref().and_then(|one| ruling(one, "this sale")) {
        return Ok(Some(ruling));
    }
    let holds = on_customer.iter().find(|one| one.from_ms.is_none_or(|from| from <= occurred_at));
    Ok(holds.and_then(|one| ruling(one, "the customer")))
}

/// One decision as a ruling about “this sale” or “the customer”; `None` for one that takes the others back.
pub(crate) fn ruling(one: &Decided, what: &str) -> Option<Ruling> {
    if one.value == AS_EVIDENCE_SAYS {
        return None;
    }
    let partner_id = (!one.value.is_empty()).then(|| one.value.clone());
    let on = at_words(one.created_at);
    if one.actor.starts_with(ERASURE) {
        let words = format!("Fixed as it stood when the person was erased on {on}.");
        return Some(Ruling { partner_id, words });
    }
    let to = if partner_id.is_some() { "gave" } else { "took" };
    let whom = if partner_id.is_some() { "to this partner" } else { "from everybody" };
    let why = if one.reason.is_empty() {
        String::new()
    } else {
        format!(": “{}”", one.reason.trim_end_matches('.'))
    };
    let words = format!("{} {to} {what} {whom} on {on}{why}.", who(&one.actor));
    Some(Ruling { partner_id, words })
}
