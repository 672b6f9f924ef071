//! Decisions: what a person or the API decided, on an economic key.

use crate::state::new_id;
use tributary_domain::ids::IdKind;
use tributary_store::pipeline::{sales, scopes};
use tributary_store::{P, StoreError, Tx};

/// A decision on one sale.
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
    /// For `attribute` the partner (our id), empty for nobody; else empty.
    pub value: String,
    /// Who decided, for the record.
    pub actor: String,
}

/// Keeps a decision and asks for the sale's settlement.
///
/// # Errors
/// [`StoreError::NotFound`] if the subject is no sale.
pub async fn decide(tx: &mut Tx<'_>, d: &Decision, now: i64) -> Result<(), StoreError> {
    let ws = &d.workspace_id;
    let Some(mut sale) = sales::find_by_object(tx, ws, &d.connection_id, &d.subject).await? else {
        return Err(StoreError::NotFound(format!("no sale {}", d.subject)));
    };
    keep(tx, d, now).await?;
    sale.unsettled = true;
    sales::upsert(tx, ws, &[&sale], now).await?;
    if let (Some(program_id), Some(customer_id)) = (&sale.program_id, &sale.customer_id) {
        // A void takes the sale out of the customer's count, so later sales may move up.
        scopes::raise(tx, ws, &sale.mode, program_id, customer_id, true).await?;
    }
    Ok(())
}

/// Keeps a decision, and asks for nothing.
///
/// # Errors
/// The database's.
pub async fn keep(tx: &mut Tx<'_>, d: &Decision, now: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO decision (workspace_id, decision_id, mode, program_id, kind, connection_id, subject, value, \
         actor, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
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
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}
