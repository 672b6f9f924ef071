//! Decisions about who brought a sale or a customer: sources, never derived.

use crate::{P, Row, StoreError, Tx};

/// The value of a decision that takes the ones before it back.
pub const AS_EVIDENCE_SAYS: &str = "*";

/// The partner (our id) of a customer `c` as it is now: whom a person decided on, else whom the evidence names; null for
/// nobody. The argument is the parameter that holds the time, ms UTC.
macro_rules! partner_now {
    ($now:literal) => {
        concat!(
            "NULLIF(COALESCE(NULLIF((SELECT d.value FROM decision d WHERE d.workspace_id = c.workspace_id \
             AND d.connection_id = 'customer:' || c.program_id AND d.subject = c.key AND d.kind = 'attribute' \
             AND d.mode = c.mode AND (d.from_ms IS NULL OR d.from_ms <= ",
            $now,
            ") ORDER BY d.created_at DESC, d.decision_id DESC LIMIT 1), '*'), c.partner_id), '')"
        )
    };
}
pub(crate) use partner_now;

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The partner (our id), empty for nobody, [`AS_EVIDENCE_SAYS`] for whatever the evidence says.
    pub value: String,
    /// `user:E-MAIL` or `api:KEY-ID`.
    pub actor: String,
    /// Why; may be empty.
    pub reason: String,
    /// Of a customer: for sales since when (ms UTC); none for all.
    pub from_ms: Option<i64>,
    /// When it was made, ms UTC.
    pub created_at: i64,
}

fn decided(row: &Row) -> Result<Decided, StoreError> {
    Ok(Decided {
        value: row.text(0)?,
        actor: row.text(1)?,
        reason: row.text(2)?,
        from_ms: row.opt_int(3)?,
        created_at: row.int(4)?,
    })
}

/// The pseudo connection of decisions on a program's customers.
#[must_use]
pub fn customer_connection(program_id: &str) -> String {
    format!("customer:{program_id}")
}

/// The last attribution of a sale in a program, by any of its object ids.
///
/// # Errors
/// The database's.
pub async fn of_sale(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    sale_id: &str,
) -> Result<Option<Decided>, StoreError> {
    let sql = "SELECT d.value, d.actor, d.reason, d.from_ms, d.created_at FROM alias a JOIN decision d \
         ON d.workspace_id = a.workspace_id AND d.connection_id = a.connection_id AND d.subject = a.object_id \
         WHERE a.workspace_id = $1 AND a.sale_id = $2 AND d.kind = 'attribute' AND d.program_id = $3 \
         ORDER BY d.created_at DESC, d.decision_id DESC LIMIT 1";
    let params = [P::T(workspace_id), P::T(sale_id), P::T(program_id)];
    tx.opt(sql, &params).await?.map(|row| decided(&row)).transpose()
}

/// The attributions of a customer, by any of the keys that it has or had, the newest first. At most 200 of each key.
///
/// # Errors
/// The database's.
pub async fn of_customer(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    (program_id, mode): (&str, &str),
    keys: &[String],
) -> Result<Vec<Decided>, StoreError> {
    let sql = "SELECT value, actor, reason, from_ms, created_at FROM decision WHERE workspace_id = $1 \
         AND connection_id = $2 AND subject = $3 AND kind = 'attribute' AND mode = $4 \
         ORDER BY created_at DESC, decision_id DESC LIMIT 200";
    let connection = customer_connection(program_id);
    let (ws, con, mode) = (P::T(workspace_id), P::T(&connection), P::T(mode));
    let sets: Vec<_> = keys.iter().map(|key| vec![ws, con, P::T(key), mode]).collect();
    let found = tx.rows_each(sql, &sets).await?;
    let mut all = found.iter().flatten().map(decided).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|one| std::cmp::Reverse(one.created_at));
    Ok(all)
}

/// Lets what was decided of a customer follow it to another key.
///
/// # Errors
/// The database's.
pub async fn follow_key(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    (program_id, mode): (&str, &str),
    before: &str,
    after: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE decision SET subject = $4 WHERE workspace_id = $1 AND connection_id = $2 AND subject = $3 \
         AND mode = $5";
    let connection = customer_connection(program_id);
    let params = [P::T(workspace_id), P::T(&connection), P::T(before), P::T(after), P::T(mode)];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// A sale of a buyer that a decision gave to a partner of a program: its root and time, the earliest first.
///
/// # Errors
/// The database's.
pub async fn given_of_buyer(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    program_id: &str,
    (connection_id, buyer_id): (&str, &str),
) -> Result<Option<(String, i64)>, StoreError> {
    let sql = "SELECT s.sale_id, s.root_id, s.occurred_at FROM sale s WHERE s.workspace_id = $1 \
         AND s.connection_id = $2 AND s.buyer_id = $3 AND s.merged_into IS NULL AND EXISTS (SELECT 1 FROM alias a \
         JOIN decision d ON d.workspace_id = a.workspace_id AND d.connection_id = a.connection_id \
         AND d.subject = a.object_id WHERE a.workspace_id = s.workspace_id AND a.sale_id = s.sale_id \
         AND d.kind = 'attribute' AND d.program_id = $4) ORDER BY s.occurred_at, s.root_id LIMIT 100";
    let params = [P::T(workspace_id), P::T(connection_id), P::T(buyer_id), P::T(program_id)];
    for row in tx.rows(sql, &params).await? {
        let last = of_sale(tx, workspace_id, program_id, &row.text(0)?).await?;
        if last.is_some_and(|last| !last.value.is_empty() && last.value != AS_EVIDENCE_SAYS) {
            return Ok(Some((row.text(1)?, row.int(2)?)));
        }
    }
    Ok(None)
}
