//! Scopes: what settles together, and whether it must.

use crate::{P, StoreError, Tx};
use std::collections::BTreeSet;

/// A scope that must be settled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// The program.
    pub program_id: String,
    /// The customer.
    pub customer_id: String,
    /// The generation that was read.
    pub generation: i64,
    /// Must every sale be computed again?
    pub whole: bool,
    /// What fixed the partner of the customer's sales at the last settlement
    /// ([`tributary_domain::attribution::fingerprint`]).
    pub fixed_by: Option<String>,
    /// The customer's first sale at the last settlement, ms UTC.
    pub first_at: Option<i64>,
}

const RAISE: &str = "INSERT INTO scope (workspace_id, program_id, customer_id, mode, generation, settled_generation, whole) \
     VALUES ($1, $2, $3, $4, 1, 0, $5) ON CONFLICT (workspace_id, program_id, customer_id) DO UPDATE SET \
     generation = scope.generation + 1, whole = (scope.whole OR excluded.whole)";

/// Raises a scope's generation: it must be settled. `whole` asks for every sale of it.
///
/// # Errors
/// The database's.
pub async fn raise(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    program_id: &str,
    customer_id: &str,
    whole: bool,
) -> Result<(), StoreError> {
    let (ws, prg) = (P::T(workspace_id), P::T(program_id));
    tx.exec(RAISE, &[ws, prg, P::T(customer_id), P::T(mode), P::F(whole)]).await?;
    Ok(())
}

/// Raises the generation of scopes (program, customer), each once, in the order given: sorted, so that two writers
/// never wait for each other crosswise.
///
/// # Errors
/// The database's.
pub async fn raise_each(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    mode: &str,
    scopes: &BTreeSet<(String, String)>,
) -> Result<(), StoreError> {
    let (ws, mode) = (P::T(workspace_id), P::T(mode));
    let sets: Vec<_> = scopes
        .iter()
        .map(|(program, customer)| vec![ws, P::T(program), P::T(customer), mode, P::F(false)])
        .collect();
    if !sets.is_empty() {
        tx.exec_each(RAISE, &sets).await?;
    }
    Ok(())
}

/// Asks for the settlement of every customer of a program that has a sale at or after an instant (ms UTC).
///
/// # Errors
/// The database's.
pub async fn raise_from(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    from: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE scope SET generation = generation + 1, whole = TRUE WHERE workspace_id = $1 AND program_id = $2 \
         AND customer_id IN (SELECT customer_id FROM sale WHERE workspace_id = $1 AND program_id = $2 \
         AND occurred_at >= $3 AND merged_into IS NULL)";
    tx.exec(sql, &[P::T(workspace_id), P::T(program_id), P::I(from)]).await?;
    Ok(())
}

/// Scopes that must be settled: (program, customer).
///
/// # Errors
/// The database's.
pub async fn dirty(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    limit: i64,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT program_id, customer_id FROM scope \
         WHERE workspace_id = $1 AND generation > settled_generation ORDER BY program_id, customer_id LIMIT $2";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::I(limit)]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// How many scopes must be settled.
///
/// # Errors
/// The database's.
pub async fn count_dirty(tx: &mut Tx<'_>, workspace_id: &str) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM scope WHERE workspace_id = $1 AND generation > settled_generation";
    tx.opt(sql, &[P::T(workspace_id)]).await?.map_or(Ok(0), |row| row.int(0))
}

/// Locks a scope and reads it; `None` if it does not exist.
///
/// # Errors
/// The database's.
pub async fn lock(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    customer_id: &str,
) -> Result<Option<Scope>, StoreError> {
    let sql = if tx.is_postgres() {
        "SELECT generation, whole, fixed_by, first_at FROM scope WHERE workspace_id = $1 AND program_id = $2 AND customer_id = $3 FOR UPDATE"
    } else {
        "SELECT generation, whole, fixed_by, first_at FROM scope WHERE workspace_id = $1 AND program_id = $2 AND customer_id = $3"
    };
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(program_id), P::T(customer_id)]).await?;
    row.map(|row| {
        let (program_id, customer_id) = (program_id.to_owned(), customer_id.to_owned());
        let (fixed_by, first_at) = (row.opt_text(2)?, row.opt_int(3)?);
        Ok(Scope {
            program_id,
            customer_id,
            generation: row.int(0)?,
            whole: row.flag(1)?,
            fixed_by,
            first_at,
        })
    })
    .transpose()
}

/// Notes that a scope was settled up to the generation that was read, or only that `whole` was spread.
///
/// # Errors
/// The database's.
pub async fn settled(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    scope: &Scope,
    finished: bool,
) -> Result<(), StoreError> {
    let sql = "UPDATE scope SET settled_generation = $4, whole = FALSE, fixed_by = $5, first_at = $6 \
         WHERE workspace_id = $1 AND program_id = $2 AND customer_id = $3";
    let generation = if finished { scope.generation } else { scope.generation - 1 };
    let (prg, ctm) = (P::T(&scope.program_id), P::T(&scope.customer_id));
    let (fixed_by, first) = (P::opt_t(scope.fixed_by.as_deref()), P::opt_i(scope.first_at));
    tx.exec(sql, &[P::T(workspace_id), prg, ctm, P::I(generation), fixed_by, first]).await?;
    Ok(())
}
