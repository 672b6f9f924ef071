//! Counters that pages read: kept in the transaction that changes the rows they count, so that they are never off.
//!
//! Days are UTC days since 1970. Changes are summed up first and written in order of their keys: fewer
//! statements, and two writers never wait for each other crosswise.

use crate::{P, StoreError, Tx};
use std::collections::BTreeMap;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// The UTC day of an instant (ms), as days since 1970.
#[must_use]
pub const fn day_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(DAY_MS)
}

/// A customer as it is counted: under its partner, on the day when it was made. One that is deleted or has no
/// partner is not counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// `test` or `live`.
    pub mode: &'a str,
    /// The program.
    pub program_id: &'a str,
    /// Its partner (our id).
    pub partner_id: Option<&'a str>,
    /// When it was made, ms UTC.
    pub created_at: i64,
    /// Is it deleted?
    pub deleted: bool,
}

/// Counts a customer that changed from `before` to `after`; `None` stands for no customer.
///
/// # Errors
/// The database's.
pub async fn customer_changed(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    before: Option<Counted<'_>>,
    after: Option<Counted<'_>>,
) -> Result<(), StoreError> {
    let mut programs: BTreeMap<(&str, &str, i64), i64> = BTreeMap::new();
    let mut partners: BTreeMap<(&str, &str, &str, i64), i64> = BTreeMap::new();
    for (customer, by) in before.iter().map(|c| (c, -1)).chain(after.iter().map(|c| (c, 1))) {
        let Some(partner) = customer.partner_id.filter(|_| !customer.deleted) else { continue };
        let day = day_of(customer.created_at);
        *programs.entry((customer.mode, customer.program_id, day)).or_default() += by;
        *partners.entry((customer.mode, customer.program_id, partner, day)).or_default() += by;
    }
    let ws = P::T(workspace_id);
    let sql = "INSERT INTO program_day (workspace_id, mode, program_id, day, visits, rejected, customers) \
         VALUES ($1, $2, $3, $4, 0, 0, $5) ON CONFLICT (workspace_id, mode, program_id, day) \
         DO UPDATE SET customers = program_day.customers + excluded.customers";
    let sets: Vec<_> = programs
        .iter()
        .filter(|(_, by)| **by != 0)
        .map(|((mode, program, day), by)| vec![ws, P::T(mode), P::T(program), P::I(*day), P::I(*by)])
        .collect();
    if !sets.is_empty() {
        tx.exec_each(sql, &sets).await?;
    }
    let sql = "INSERT INTO partner_day (workspace_id, mode, program_id, partner_id, day, visits, customers) \
         VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT (workspace_id, mode, program_id, partner_id, day) \
         DO UPDATE SET customers = partner_day.customers + excluded.customers";
    let sets: Vec<_> = partners
        .iter()
        .filter(|(_, by)| **by != 0)
        .map(|((mode, program, partner, day), by)| {
            vec![ws, P::T(mode), P::T(program), P::T(partner), P::I(*day), P::I(*by)]
        })
        .collect();
    if !sets.is_empty() {
        tx.exec_each(sql, &sets).await?;
    }
    Ok(())
}
