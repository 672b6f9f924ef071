//! Evidence as objects carry it, and the earliest of each kind and value a buyer.

use crate::{P, Row, StoreError, Tx};
use std::collections::BTreeSet;

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EvidenceRow {
    /// When it took effect, ms UTC.
    pub effective_at: i64,
    /// The object that carries it.
    pub object_id: String,
    /// [`tributary_domain::sale::EvidenceKind`] as text.
    pub kind: String,
    /// What it says.
    pub value: String,
}

fn evidence(row: &Row) -> Result<EvidenceRow, StoreError> {
    Ok(EvidenceRow {
        effective_at: row.int(0)?,
        object_id: row.text(1)?,
        kind: row.text(2)?,
        value: row.text(3)?,
    })
}

/// The evidence of each of the given sales, with the buyer it was filed under.
///
/// # Errors
/// The database's.
pub async fn of_sales(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    sale_ids: &[String],
) -> Result<Vec<Vec<(EvidenceRow, String)>>, StoreError> {
    let sql = "SELECT effective_at, object_id, kind, value, buyer_id FROM evidence \
         WHERE workspace_id = $1 AND sale_id = $2 ORDER BY effective_at, object_id, kind, value";
    let sets: Vec<_> = sale_ids.iter().map(|id| vec![P::T(workspace_id), P::T(id)]).collect();
    let answers = tx.rows_each(sql, &sets).await?;
    answers.iter().map(|rows| rows.iter().map(|row| Ok((evidence(row)?, row.text(4)?))).collect()).collect()
}

/// The evidence that each of the given Stripe customer objects itself carries.
///
/// # Errors
/// The database's.
pub async fn of_buyer_objects(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    object_ids: &[&str],
) -> Result<Vec<Vec<(EvidenceRow, String)>>, StoreError> {
    let sql = "SELECT effective_at, object_id, kind, value, buyer_id FROM evidence \
         WHERE workspace_id = $1 AND connection_id = $2 AND object_id = $3 ORDER BY kind, value";
    let sets: Vec<_> =
        object_ids.iter().map(|id| vec![P::T(workspace_id), P::T(connection_id), P::T(id)]).collect();
    let answers = tx.rows_each(sql, &sets).await?;
    answers.iter().map(|rows| rows.iter().map(|row| Ok((evidence(row)?, row.text(4)?))).collect()).collect()
}

/// Removes pieces of evidence.
///
/// # Errors
/// The database's.
pub async fn delete(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    pieces: &[&EvidenceRow],
) -> Result<(), StoreError> {
    let sql = "DELETE FROM evidence WHERE workspace_id = $1 AND connection_id = $2 AND object_id = $3 \
         AND kind = $4 AND value = $5";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    let sets: Vec<_> = pieces
        .iter()
        .map(|piece| vec![ws, con, P::T(&piece.object_id), P::T(&piece.kind), P::T(&piece.value)])
        .collect();
    if !sets.is_empty() {
        tx.exec_each(sql, &sets).await?;
    }
    Ok(())
}

/// A piece of evidence, and what it is filed under: a buyer and, if it is of one, a sale.
#[derive(Debug, Clone, Copy)]
pub struct Filed<'a> {
    /// The sale.
    pub sale_id: Option<&'a str>,
    /// The buyer.
    pub buyer_id: &'a str,
    /// The piece.
    pub piece: &'a EvidenceRow,
}

/// Files pieces of evidence.
///
/// # Errors
/// The database's.
pub async fn upsert(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    filed: &[Filed<'_>],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO evidence (workspace_id, connection_id, object_id, kind, value, sale_id, buyer_id, \
         effective_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (workspace_id, connection_id, object_id, kind, value) DO UPDATE SET \
         sale_id = excluded.sale_id, buyer_id = excluded.buyer_id, effective_at = excluded.effective_at";
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    let sets: Vec<_> = filed
        .iter()
        .map(|Filed { sale_id, buyer_id, piece: p }| {
            let (id, kind, value) = (P::T(&p.object_id), P::T(&p.kind), P::T(&p.value));
            vec![ws, con, id, kind, value, P::opt_t(*sale_id), P::T(buyer_id), P::I(p.effective_at)]
        })
        .collect();
    if !sets.is_empty() {
        tx.exec_each(sql, &sets).await?;
    }
    Ok(())
}

/// Finds the earliest piece anew for each (buyer, kind, value). Answers the buyers whose hints changed.
///
/// # Errors
/// The database's.
pub async fn refresh_hints(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    hints: &BTreeSet<(String, String, String)>,
) -> Result<BTreeSet<String>, StoreError> {
    let (ws, con) = (P::T(workspace_id), P::T(connection_id));
    let keys: Vec<_> = hints
        .iter()
        .map(|(buyer, kind, value)| vec![ws, con, P::T(buyer), P::T(kind), P::T(value)])
        .collect();
    let sql = "SELECT effective_at, object_id FROM evidence WHERE workspace_id = $1 AND connection_id = $2 \
         AND buyer_id = $3 AND kind = $4 AND value = $5 ORDER BY effective_at, object_id LIMIT 1";
    let mut firsts = Vec::with_capacity(keys.len());
    for rows in tx.rows_each(sql, &keys).await? {
        firsts.push(rows.first().map(|row| Ok::<_, StoreError>((row.int(0)?, row.text(1)?))).transpose()?);
    }
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    for (mut key, first) in keys.into_iter().zip(&firsts) {
        match first {
            None => gone.push(key),
            Some((at, object_id)) => {
                key.extend([P::I(*at), P::T(object_id)]);
                kept.push(key);
            }
        }
    }
    let remove = "DELETE FROM buyer_hint WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3 \
         AND kind = $4 AND value = $5";
    let write = "INSERT INTO buyer_hint (workspace_id, connection_id, buyer_id, kind, value, effective_at, object_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (workspace_id, connection_id, buyer_id, kind, value) DO UPDATE SET \
         effective_at = excluded.effective_at, object_id = excluded.object_id \
         WHERE buyer_hint.effective_at <> excluded.effective_at OR buyer_hint.object_id <> excluded.object_id";
    let mut changed = BTreeSet::new();
    for (sql, sets) in [(remove, gone), (write, kept)] {
        for (set, rows) in sets.iter().zip(tx.exec_told(sql, &sets).await?) {
            if let (true, Some(P::T(buyer))) = (rows > 0, set.get(2)) {
                changed.insert((*buyer).to_owned());
            }
        }
    }
    Ok(changed)
}

/// The hints of a buyer, earliest first. At most 500.
///
/// # Errors
/// The database's.
pub async fn hints(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
) -> Result<Vec<EvidenceRow>, StoreError> {
    let sql = "SELECT effective_at, object_id, kind, value FROM buyer_hint WHERE workspace_id = $1 \
         AND connection_id = $2 AND buyer_id = $3 ORDER BY effective_at, object_id, kind, value LIMIT 500";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(connection_id), P::T(buyer_id)]).await?;
    rows.iter().map(evidence).collect()
}

/// All buyers of a connection that carry any hint.
///
/// # Errors
/// The database's.
pub async fn buyers_of_connection(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT buyer_id FROM buyer_hint WHERE workspace_id = $1 AND connection_id = $2 ORDER BY buyer_id";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(connection_id)]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Buyers of connections that ever fed a program (in one mode) that carry any of the values. At most 10,000 a value.
///
/// # Errors
/// The database's.
pub async fn buyers_with_value(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    value: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT DISTINCT h.connection_id, h.buyer_id FROM buyer_hint h JOIN feed_span cp \
         ON cp.workspace_id = h.workspace_id AND cp.connection_id = h.connection_id \
         WHERE h.workspace_id = $1 AND cp.program_id = $2 AND h.value = $3 \
         ORDER BY h.connection_id, h.buyer_id LIMIT 10000";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(program_id), P::T(value)]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// The instants (ms UTC) of the purchases that a buyer's evidence of one kind and value came with; of an object
/// that belongs to no purchase, its own time. At most 100, the earliest first.
///
/// # Errors
/// The database's.
pub async fn purchases_with(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    buyer_id: &str,
    kind: &str,
    value: &str,
) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT COALESCE(s.occurred_at, e.effective_at) FROM evidence e LEFT JOIN sale s \
         ON s.workspace_id = e.workspace_id AND s.sale_id = e.sale_id \
         WHERE e.workspace_id = $1 AND e.connection_id = $2 AND e.buyer_id = $3 AND e.kind = $4 AND e.value = $5 \
         ORDER BY e.effective_at, e.object_id LIMIT 100";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(buyer_id), P::T(kind), P::T(value)];
    tx.rows(sql, &params).await?.iter().map(|row| row.int(0)).collect()
}

/// The sale whose object carried a piece of a kind and value of a buyer first.
///
/// # Errors
/// The database's.
pub async fn first_sale_with(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    (connection_id, buyer_id): (&str, &str),
    kind: &str,
    value: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT sale_id FROM evidence WHERE workspace_id = $1 AND connection_id = $2 AND buyer_id = $3 \
         AND kind = $4 AND value = $5 AND sale_id IS NOT NULL ORDER BY effective_at, object_id LIMIT 1";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(buyer_id), P::T(kind), P::T(value)];
    tx.opt(sql, &params).await?.map(|row| row.text(0)).transpose()
}

/// Values of one kind on a sale, and when the sale happened (ms UTC). At most 100.
///
/// # Errors
/// The database's.
pub async fn values_on_sale(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    sale_id: &str,
    kind: &str,
) -> Result<(Vec<String>, Option<i64>), StoreError> {
    let sql = "SELECT e.value FROM evidence e WHERE e.workspace_id = $1 AND e.sale_id = $2 AND e.kind = $3 \
         ORDER BY e.value LIMIT 100";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(sale_id), P::T(kind)]).await?;
    let values = rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
    let sql = "SELECT occurred_at FROM sale WHERE workspace_id = $1 AND sale_id = $2";
    let row = tx.opt(sql, &[P::T(workspace_id), P::T(sale_id)]).await?;
    Ok((values, row.map(|row| row.int(0)).transpose()?))
}
