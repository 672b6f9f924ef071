//! Promotion codes of partners, and the texts that ids at Stripe stand for.

use crate::{P, Row, StoreError, Tx};

/// A code that a partner owns or owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerCode {
    /// Our id.
    pub code_id: String,
    /// The program.
    pub program_id: String,
    /// The partner.
    pub partner_id: String,
    /// Its text in capital letters; may be empty.
    pub code: String,
    /// Its id at Stripe (`promo_…`); may be empty.
    pub promo_id: String,
    /// Since when (ms UTC); the first owner has no start.
    pub from_ms: Option<i64>,
    /// Until when (ms UTC, exclusive); none while it is owned.
    pub until_ms: Option<i64>,
    /// When it was written, ms UTC.
    pub created_at: i64,
}

impl PartnerCode {
    /// Is it owned at an instant (ms UTC)?
    #[must_use]
    pub fn holds_at(&self, at_ms: i64) -> bool {
        self.from_ms.is_none_or(|from| from <= at_ms) && self.until_ms.is_none_or(|until| at_ms < until)
    }
}

macro_rules! columns {
    () => {
        "SELECT code_id, program_id, partner_id, code, promo_id, from_ms, until_ms, created_at FROM partner_code \
         WHERE workspace_id = $1 AND "
    };
}

fn read(row: &Row) -> Result<PartnerCode, StoreError> {
    Ok(PartnerCode {
        code_id: row.text(0)?,
        program_id: row.text(1)?,
        partner_id: row.text(2)?,
        code: row.text(3)?,
        promo_id: row.text(4)?,
        from_ms: row.opt_int(5)?,
        until_ms: row.opt_int(6)?,
        created_at: row.int(7)?,
    })
}

/// Has any partner of the program a code, or had one?
///
/// # Errors
/// The database's.
pub async fn any(tx: &mut Tx<'_>, workspace_id: &str, program_id: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM partner_code WHERE workspace_id = $1 AND program_id = $2 LIMIT 1";
    Ok(!tx.settings(sql, &[P::T(workspace_id), P::T(program_id)]).await?.is_empty())
}

/// Who has or had a code, by its id or its text, in one program. At most 200, the oldest first.
///
/// # Errors
/// The database's.
pub async fn owners(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    promo_id: &str,
    code: &str,
) -> Result<Vec<PartnerCode>, StoreError> {
    let sql = concat!(
        columns!(),
        "program_id = $2 AND ((promo_id = $3 AND promo_id <> '') OR (code = $4 AND code <> '')) \
         ORDER BY created_at, code_id LIMIT 200"
    );
    let params = [P::T(workspace_id), P::T(program_id), P::T(promo_id), P::T(code)];
    tx.settings(sql, &params).await?.iter().map(read).collect()
}

/// The codes of a partner, those that it has first, then the newest. At most 200.
///
/// # Errors
/// The database's.
pub async fn of_partner(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    partner_id: &str,
) -> Result<Vec<PartnerCode>, StoreError> {
    let sql = concat!(
        columns!(),
        "partner_id = $2 ORDER BY CASE WHEN until_ms IS NULL THEN 0 ELSE 1 END, created_at DESC, code_id LIMIT 200"
    );
    tx.rows(sql, &[P::T(workspace_id), P::T(partner_id)]).await?.iter().map(read).collect()
}

/// One code.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    code_id: &str,
) -> Result<Option<PartnerCode>, StoreError> {
    let sql = concat!(columns!(), "code_id = $2");
    tx.opt(sql, &[P::T(workspace_id), P::T(code_id)]).await?.map(|row| read(&row)).transpose()
}

/// Gives a code to a partner.
///
/// # Errors
/// [`StoreError::Conflict`] if another partner of the program has it.
pub async fn insert(tx: &mut Tx<'_>, workspace_id: &str, one: &PartnerCode) -> Result<(), StoreError> {
    let sql = "INSERT INTO partner_code (workspace_id, code_id, program_id, partner_id, code, promo_id, from_ms, \
         until_ms, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let params = [
        P::T(workspace_id),
        P::T(&one.code_id),
        P::T(&one.program_id),
        P::T(&one.partner_id),
        P::T(&one.code),
        P::T(&one.promo_id),
        P::opt_i(one.from_ms),
        P::opt_i(one.until_ms),
        P::I(one.created_at),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// Takes a code away from an instant (ms UTC) on. Answers whether it was owned.
///
/// # Errors
/// The database's.
pub async fn end(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    code_id: &str,
    until_ms: i64,
) -> Result<bool, StoreError> {
    let sql =
        "UPDATE partner_code SET until_ms = $3 WHERE workspace_id = $1 AND code_id = $2 AND until_ms IS NULL";
    Ok(tx.exec(sql, &[P::T(workspace_id), P::T(code_id), P::I(until_ms)]).await? > 0)
}

/// The text that an id stands for; empty if Stripe has no such code, `None` if nobody said.
///
/// # Errors
/// The database's.
pub async fn name_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    promo_id: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT code FROM code_name WHERE workspace_id = $1 AND connection_id = $2 AND promo_id = $3";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(promo_id)];
    tx.opt(sql, &params).await?.map(|row| row.text(0)).transpose()
}

/// Writes down which text an id stands for. Answers whether that is new.
///
/// # Errors
/// The database's.
pub async fn set_name(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    promo_id: &str,
    code: &str,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO code_name (workspace_id, connection_id, promo_id, code) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (workspace_id, connection_id, promo_id) DO UPDATE SET code = excluded.code \
         WHERE code_name.code <> excluded.code";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(promo_id), P::T(code)];
    Ok(tx.exec(sql, &params).await? > 0)
}

/// Ids of one connection that stand for a text. At most 1,000.
///
/// # Errors
/// The database's.
pub async fn ids_of(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
    code: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT promo_id FROM code_name WHERE workspace_id = $1 AND code = $3 AND connection_id = $2 \
         ORDER BY promo_id LIMIT 1000";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(connection_id), P::T(code)]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Ids that purchases of a connection named and whose text nobody said. At most 1,000.
///
/// # Errors
/// The database's.
pub async fn nameless(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT h.value FROM buyer_hint h WHERE h.workspace_id = $1 AND h.connection_id = $2 \
         AND h.kind IN ('promotion_code', 'standing_code') AND NOT EXISTS (SELECT 1 FROM code_name n \
         WHERE n.workspace_id = h.workspace_id AND n.connection_id = h.connection_id AND n.promo_id = h.value) \
         ORDER BY h.value LIMIT 1000";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(connection_id)]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// The newest sales of a connection that were reduced and name no code. At most 1,000.
///
/// # Errors
/// The database's.
pub async fn reduced_sales(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    connection_id: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT s.sale_id FROM sale s WHERE s.workspace_id = $1 AND s.connection_id = $2 AND s.discount > 0 \
         AND s.merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.workspace_id = s.workspace_id \
         AND e.sale_id = s.sale_id AND e.kind = 'promotion_code') ORDER BY s.occurred_at DESC, s.sale_id LIMIT 1000";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(connection_id)]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}
