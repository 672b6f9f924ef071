//! Decisions: what a person or the API decided, on an economic key. Each leaves a line in the audit log.

use super::context::Context;
use super::project::People;
use super::{link, rulings};
use crate::audit::{Note, note};
use crate::state::new_id;
use std::collections::BTreeSet;
use tributary_domain::ids::IdKind;
use tributary_store::pages::audit;
use tributary_store::pipeline::decisions::{self, AS_EVIDENCE_SAYS, customer_connection};
use tributary_store::pipeline::{objects, people, sales, scopes};
use tributary_store::{P, StoreError, Tx};

/// A decision on one sale, or on a customer.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The workspace.
    pub workspace_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// The program.
    pub program_id: String,
    /// `void`, `unvoid` or `attribute`.
    pub kind: &'static str,
    /// The connection that the subject belongs to.
    pub connection_id: String,
    /// The sale's root id, or any object id of it.
    pub subject: String,
    /// For `attribute` the partner (our id), empty for nobody, `*` for what the evidence says; for `void` a word or
    /// nothing.
    pub value: String,
    /// Who decided: `user:E-MAIL` or `api:KEY-ID`.
    pub actor: String,
    /// Why; may be empty.
    pub reason: String,
}

/// Keeps a decision on a sale and asks for its settlement.
///
/// # Errors
/// [`StoreError::NotFound`] if the subject is no sale.
pub async fn decide(tx: &mut Tx<'_>, d: &Decision, now: i64) -> Result<(), StoreError> {
    let ws = &d.workspace_id;
    // Before it is read: what the worker learns of the sale meanwhile would be written over.
    let (connection, program) = (BTreeSet::from([&*d.connection_id]), BTreeSet::from([&*d.program_id]));
    objects::lock_each(tx, ws, &connection, &program).await?;
    let Some(mut sale) = sales::find_by_object(tx, ws, &d.connection_id, &d.subject).await? else {
        return Err(StoreError::NotFound(format!("no sale {}", d.subject)));
    };
    let last = decisions::of_sale(tx, ws, &d.program_id, &sale.sale_id).await?;
    let was = match (&last, d.kind) {
        (Some(last), "attribute") => value_words(tx, ws, &last.value).await?,
        _ => String::new(),
    };
    // The last decision holds, so it must be later than the one before.
    let now = last.map_or(now, |last| now.max(last.created_at.saturating_add(1)));
    keep(tx, d, None, now).await?;
    log(tx, d, was, now).await?;
    sale.unsettled = true;
    sale.unplaced |= d.kind == "attribute" && sale.merged_into.is_none();
    sales::upsert(tx, ws, &[&sale], now).await?;
    if let (Some(program_id), Some(customer_id)) = (&sale.program_id, &sale.customer_id) {
        // A void takes the sale out of the customer's count, so later sales may move up.
        scopes::raise(tx, ws, &sale.mode, program_id, customer_id, true).await?;
    }
    if d.kind == "attribute" {
        let ctx = Context::load(tx, ws, &sale.connection_id, &sale.mode, now, 0).await?;
        link::resolve(tx, &ctx, &sale.buyer_id, &People::new()).await?;
    }
    Ok(())
}

/// Keeps a decision about a customer's partner, for its sales from an instant (ms UTC) on or for all, and asks for
/// their settlement. `subject` is the customer (our id), and is kept as its key; `value` as in [`Decision`].
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such customer.
pub async fn decide_customer(
    tx: &mut Tx<'_>,
    d: &Decision,
    from_ms: Option<i64>,
    now: i64,
) -> Result<(), StoreError> {
    let ws = &d.workspace_id;
    objects::lock_program(tx, ws, &d.program_id).await?;
    let customer = people::find_customer(tx, ws, &d.subject).await?;
    let customer = customer.filter(|one| one.program_id == d.program_id && one.mode == d.mode);
    let Some(customer) = customer else {
        return Err(StoreError::NotFound(format!("customer {}", d.subject)));
    };
    let last = rulings::on_customer(tx, ws, &customer).await?.into_iter().next();
    let was = match &last {
        Some(last) => value_words(tx, ws, &last.value).await?,
        None => value_words(tx, ws, AS_EVIDENCE_SAYS).await?,
    };
    let now = last.map_or(now, |last| now.max(last.created_at.saturating_add(1)));
    keep(tx, &Decision { subject: customer.key.clone(), ..d.clone() }, from_ms, now).await?;
    let named = Decision { subject: audit::customer_subject(&customer.key), ..d.clone() };
    log(tx, &named, was, now).await?;
    scopes::raise(tx, ws, &d.mode, &d.program_id, &d.subject, true).await
}

/// A decision on a customer, ready to be filled in.
#[must_use]
pub fn on_customer(workspace_id: &str, mode: &str, program_id: &str, customer_id: &str) -> Decision {
    Decision {
        workspace_id: workspace_id.to_owned(),
        mode: mode.to_owned(),
        program_id: program_id.to_owned(),
        kind: "attribute",
        connection_id: customer_connection(program_id),
        subject: customer_id.to_owned(),
        value: String::new(),
        actor: String::new(),
        reason: String::new(),
    }
}

/// Keeps a decision, for sales from an instant (ms UTC) on or for all, and asks for nothing.
///
/// # Errors
/// The database's.
pub async fn keep(tx: &mut Tx<'_>, d: &Decision, from_ms: Option<i64>, now: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO decision (workspace_id, decision_id, mode, program_id, kind, connection_id, subject, value, \
         actor, created_at, reason, from_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let id = new_id(IdKind::Decision)?;
    let params = [
        P::T(&d.workspace_id),
        P::T(&id),
        P::T(&d.mode),
        P::T(&d.program_id),
        P::T(d.kind),
        P::T(&d.connection_id),
        P::T(&d.subject),
        P::T(&d.value),
        P::T(&d.actor),
        P::I(now),
        P::T(&d.reason),
        P::opt_i(from_ms),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// An attribution's value in words.
async fn value_words(tx: &mut Tx<'_>, ws: &str, value: &str) -> Result<String, StoreError> {
    Ok(match value {
        "" => "nobody".to_owned(),
        AS_EVIDENCE_SAYS => "as the evidence says".to_owned(),
        partner => people::partner_key(tx, ws, partner).await?.unwrap_or_else(|| partner.to_owned()),
    })
}

async fn log(tx: &mut Tx<'_>, d: &Decision, was: String, now: i64) -> Result<(), StoreError> {
    let became = match d.kind {
        "attribute" => value_words(tx, &d.workspace_id, &d.value).await?,
        "void" if d.value == "deleted" => "deleted".to_owned(),
        "void" => "void".to_owned(),
        _ => "counts".to_owned(),
    };
    let words = Note {
        workspace_id: d.workspace_id.clone(),
        program_id: d.program_id.clone(),
        mode: d.mode.clone(),
        actor: d.actor.clone(),
        action: d.kind,
        subject: d.subject.clone(),
        was,
        became,
        reason: d.reason.clone(),
    };
    note(tx, words, now).await
}
