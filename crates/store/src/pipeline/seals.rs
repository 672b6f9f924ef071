//! The hash chain over committed journals, one a program and mode.

use crate::{P, Row, StoreError, Tx};

/// A chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    /// The program.
    pub program_id: String,
    /// `test` or `live`.
    pub mode: String,
}

/// What a seal covers: a journal and its entries, every field as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// The journal.
    pub journal_id: String,
    /// Its fields, then those of its entries in order of their lines.
    pub fields: Vec<String>,
}

/// A link of a chain as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Its number, from 1.
    pub n: i64,
    /// The journal.
    pub journal_id: String,
    /// Hex.
    pub hash: String,
}

fn chain(row: &Row) -> Result<Chain, StoreError> {
    Ok(Chain { program_id: row.text(0)?, mode: row.text(1)? })
}

/// A chain that has journals to be sealed; the first after `after` in order of program and mode.
///
/// # Errors
/// The database's.
pub async fn next_unsealed(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    after: &Chain,
) -> Result<Option<Chain>, StoreError> {
    let sql = "SELECT program_id, mode FROM unsealed WHERE workspace_id = $1 \
         AND (program_id > $2 OR (program_id = $2 AND mode > $3)) ORDER BY program_id, mode LIMIT 1";
    let params = [P::T(workspace_id), P::T(&after.program_id), P::T(&after.mode)];
    tx.opt(sql, &params).await?.map(|row| chain(&row)).transpose()
}

/// Journals of a chain that wait for their seal, oldest first: (created_at in ms UTC, journal).
///
/// # Errors
/// The database's.
pub async fn unsealed(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    of: &Chain,
    limit: i64,
) -> Result<Vec<(i64, String)>, StoreError> {
    let sql = "SELECT created_at, journal_id FROM unsealed WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 \
         ORDER BY created_at, journal_id LIMIT $4";
    let params = [P::T(workspace_id), P::T(&of.program_id), P::T(&of.mode), P::I(limit)];
    tx.rows(sql, &params).await?.iter().map(|row| Ok((row.int(0)?, row.text(1)?))).collect()
}

/// What the seals of the given journals cover, in their order; `None` for a journal that is gone.
///
/// # Errors
/// The database's.
pub async fn covered(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    journal_ids: &[&str],
) -> Result<Vec<Option<Covered>>, StoreError> {
    let sql = "SELECT j.mode, j.currency, j.program_id, j.commission_id, j.kind, j.reason, j.seal, j.seq, j.created_at, \
         e.mode, e.currency, e.debit_account, e.credit_account, e.line, e.amount FROM journal j \
         LEFT JOIN entry e ON e.workspace_id = j.workspace_id AND e.journal_id = j.journal_id \
         WHERE j.workspace_id = $1 AND j.journal_id = $2 ORDER BY e.line";
    let sets: Vec<_> = journal_ids.iter().map(|id| vec![P::T(workspace_id), P::T(id)]).collect();
    let mut all = Vec::with_capacity(journal_ids.len());
    for (id, rows) in journal_ids.iter().zip(tx.rows_each(sql, &sets).await?) {
        let Some(first) = rows.first() else {
            all.push(None);
            continue;
        };
        let mut fields = Vec::with_capacity(9 + 6 * rows.len());
        for at in 0..7 {
            fields.push(first.text(at)?);
        }
        fields.extend([first.int(7)?.to_string(), first.int(8)?.to_string()]);
        for row in &rows {
            // A journal without an entry has one row of NULLs.
            if row.opt_int(13)?.is_some() {
                for at in 9..13 {
                    fields.push(row.text(at)?);
                }
                fields.extend([row.int(13)?.to_string(), row.int(14)?.to_string()]);
            }
        }
        all.push(Some(Covered { journal_id: (*id).to_owned(), fields }));
    }
    Ok(all)
}

/// The last link of a chain.
///
/// # Errors
/// The database's.
pub async fn last(tx: &mut Tx<'_>, workspace_id: &str, of: &Chain) -> Result<Option<Seal>, StoreError> {
    let sql = "SELECT n, journal_id, hash FROM seal WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 \
         ORDER BY n DESC LIMIT 1";
    let params = [P::T(workspace_id), P::T(&of.program_id), P::T(&of.mode)];
    tx.opt(sql, &params).await?.map(|row| seal(&row)).transpose()
}

fn seal(row: &Row) -> Result<Seal, StoreError> {
    Ok(Seal { n: row.int(0)?, journal_id: row.text(1)?, hash: row.text(2)? })
}

/// Adds links to a chain and takes their journals off the list of those that wait (`sealed`, as [`unsealed`] gave
/// them).
///
/// # Errors
/// [`StoreError::Conflict`] if another node added the same numbers: nothing was kept.
pub async fn add(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    of: &Chain,
    seals: &[Seal],
    sealed: &[(i64, String)],
    now: i64,
) -> Result<(), StoreError> {
    let (ws, program, mode) = (P::T(workspace_id), P::T(&of.program_id), P::T(&of.mode));
    let sql = "INSERT INTO seal (workspace_id, program_id, mode, n, journal_id, hash, sealed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let sets: Vec<_> = seals
        .iter()
        .map(|s| vec![ws, program, mode, P::I(s.n), P::T(&s.journal_id), P::T(&s.hash), P::I(now)])
        .collect();
    tx.exec_each(sql, &sets).await?;
    let sql = "DELETE FROM unsealed WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 AND created_at = $4 \
         AND journal_id = $5";
    let sets: Vec<_> = sealed.iter().map(|(at, id)| vec![ws, program, mode, P::I(*at), P::T(id)]).collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}

/// All chains of a workspace that have a link, in order. At most 10,000.
///
/// # Errors
/// The database's.
pub async fn chains(tx: &mut Tx<'_>, workspace_id: &str) -> Result<Vec<Chain>, StoreError> {
    let sql = "SELECT DISTINCT program_id, mode FROM seal WHERE workspace_id = $1 ORDER BY program_id, mode LIMIT 10000";
    tx.rows(sql, &[P::T(workspace_id)]).await?.iter().map(chain).collect()
}

/// The links of a chain after a number, in order.
///
/// # Errors
/// The database's.
pub async fn after(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    of: &Chain,
    n: i64,
    limit: i64,
) -> Result<Vec<Seal>, StoreError> {
    let sql = "SELECT n, journal_id, hash FROM seal WHERE workspace_id = $1 AND program_id = $2 AND mode = $3 AND n > $4 \
         ORDER BY n LIMIT $5";
    let params = [P::T(workspace_id), P::T(&of.program_id), P::T(&of.mode), P::I(n), P::I(limit)];
    tx.rows(sql, &params).await?.iter().map(seal).collect()
}

/// Journals that are neither sealed nor wait for it, and those that wait but are gone. At most 100 of each.
///
/// # Errors
/// The database's.
pub async fn stray(tx: &mut Tx<'_>, workspace_id: &str) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let ids = |rows: Vec<Row>| rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>();
    let sql = "SELECT j.journal_id FROM journal j LEFT JOIN seal s ON s.workspace_id = j.workspace_id \
         AND s.journal_id = j.journal_id LEFT JOIN unsealed u ON u.workspace_id = j.workspace_id \
         AND u.program_id = j.program_id AND u.mode = j.mode AND u.created_at = j.created_at \
         AND u.journal_id = j.journal_id \
         WHERE j.workspace_id = $1 AND s.journal_id IS NULL AND u.journal_id IS NULL LIMIT 100";
    let forgotten = ids(tx.rows(sql, &[P::T(workspace_id)]).await?)?;
    let sql = "SELECT u.journal_id FROM unsealed u LEFT JOIN journal j ON j.workspace_id = u.workspace_id \
         AND j.journal_id = u.journal_id WHERE u.workspace_id = $1 AND j.journal_id IS NULL LIMIT 100";
    let gone = ids(tx.rows(sql, &[P::T(workspace_id)]).await?)?;
    Ok((forgotten, gone))
}
