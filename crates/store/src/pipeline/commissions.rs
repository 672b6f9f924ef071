//! Commissions, journals and entries.

use crate::{P, Row, StoreError, Tx};

/// A commission as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commission {
    /// `com_…`
    pub commission_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// The program.
    pub program_id: String,
    /// Who earns.
    pub partner_id: String,
    /// The customer, at the last settlement.
    pub customer_id: String,
    /// The sale.
    pub sale_id: String,
    /// The sale's root.
    pub root_id: String,
    /// The rule.
    pub rule: String,
    /// Lower case.
    pub currency: String,
    /// What journals add up to, minor units.
    pub target: i64,
    /// Before refunds, minor units.
    pub gross: i64,
    /// The sale's paid amount while the commission earns, minor units; 0 where the sale is in another currency.
    pub revenue: i64,
    /// ms UTC.
    pub occurred_at: i64,
    /// ms UTC.
    pub payable_at: i64,
    /// When it left its hold, ms UTC.
    pub matured_at: Option<i64>,
    /// [`tributary_domain::settlement::Outcome`] as text, or `merged`, `moved`.
    pub outcome: String,
    /// The number of its last journal.
    pub last_seq: i64,
    /// The seal of its last journal.
    pub last_seal: String,
    /// Is a dispute open? Then it does not leave its hold.
    pub held: bool,
}

macro_rules! columns {
    () => {
        "commission_id, mode, program_id, partner_id, customer_id, sale_id, root_id, rule, currency, target, gross, \
         revenue, occurred_at, payable_at, matured_at, outcome, last_seq, last_seal, held"
    };
}

fn commission(row: &Row) -> Result<Commission, StoreError> {
    Ok(Commission {
        commission_id: row.text(0)?,
        mode: row.text(1)?,
        program_id: row.text(2)?,
        partner_id: row.text(3)?,
        customer_id: row.text(4)?,
        sale_id: row.text(5)?,
        root_id: row.text(6)?,
        rule: row.text(7)?,
        currency: row.text(8)?,
        target: row.int(9)?,
        gross: row.int(10)?,
        revenue: row.int(11)?,
        occurred_at: row.int(12)?,
        payable_at: row.int(13)?,
        matured_at: row.opt_int(14)?,
        outcome: row.text(15)?,
        last_seq: row.int(16)?,
        last_seal: row.text(17)?,
        held: row.flag(18)?,
    })
}

/// The commissions of each of the given sales.
///
/// # Errors
/// The database's.
pub async fn of_sales(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    sale_ids: &[String],
) -> Result<Vec<Vec<Commission>>, StoreError> {
    // The order is an expression: SQLite would else read all commissions of the workspace in order of their key
    // rather than sort the one or two that the index gives.
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM commission WHERE workspace_id = $1 AND sale_id = $2 ORDER BY commission_id || ''"
    );
    let sets: Vec<_> = sale_ids.iter().map(|id| vec![P::T(workspace_id), P::T(id)]).collect();
    tx.rows_each(sql, &sets).await?.iter().map(|rows| rows.iter().map(commission).collect()).collect()
}

/// Commissions whose hold is over, in order of `payable_at`.
///
/// # Errors
/// The database's.
pub async fn due(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    now: i64,
    limit: i64,
) -> Result<Vec<Commission>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM commission WHERE workspace_id = $1 AND matured_at IS NULL AND target > 0 AND payable_at <= $2 \
         AND NOT held ORDER BY payable_at LIMIT $3"
    );
    tx.rows(sql, &[P::T(workspace_id), P::I(now), P::I(limit)]).await?.iter().map(commission).collect()
}

/// Locks one commission and reads it.
///
/// # Errors
/// The database's.
pub async fn lock(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    commission_id: &str,
) -> Result<Option<Commission>, StoreError> {
    let sql = if tx.is_postgres() {
        concat!(
            "SELECT ",
            columns!(),
            " FROM commission WHERE workspace_id = $1 AND commission_id = $2 FOR UPDATE"
        )
    } else {
        concat!("SELECT ", columns!(), " FROM commission WHERE workspace_id = $1 AND commission_id = $2")
    };
    tx.opt(sql, &[P::T(workspace_id), P::T(commission_id)]).await?.map(|row| commission(&row)).transpose()
}

/// Writes commissions, whole.
///
/// # Errors
/// The database's.
pub async fn upsert(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    commissions: &[Commission],
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO commission (workspace_id, commission_id, mode, program_id, partner_id, customer_id, sale_id, \
         root_id, rule, currency, target, gross, revenue, occurred_at, payable_at, matured_at, outcome, last_seq, \
         last_seal, created_at, updated_at, held) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20, $21) \
         ON CONFLICT (workspace_id, commission_id) DO UPDATE SET customer_id = excluded.customer_id, \
         root_id = excluded.root_id, target = excluded.target, gross = excluded.gross, revenue = excluded.revenue, \
         occurred_at = excluded.occurred_at, payable_at = excluded.payable_at, matured_at = excluded.matured_at, \
         outcome = excluded.outcome, last_seq = excluded.last_seq, last_seal = excluded.last_seal, \
         updated_at = excluded.updated_at, held = excluded.held";
    let sets: Vec<_> = commissions
        .iter()
        .map(|c| {
            vec![
                P::T(workspace_id),
                P::T(&c.commission_id),
                P::T(&c.mode),
                P::T(&c.program_id),
                P::T(&c.partner_id),
                P::T(&c.customer_id),
                P::T(&c.sale_id),
                P::T(&c.root_id),
                P::T(&c.rule),
                P::T(&c.currency),
                P::I(c.target),
                P::I(c.gross),
                P::I(c.revenue),
                P::I(c.occurred_at),
                P::I(c.payable_at),
                P::opt_i(c.matured_at),
                P::T(&c.outcome),
                P::I(c.last_seq),
                P::T(&c.last_seal),
                P::I(now),
                P::F(c.held),
            ]
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}

/// A journal with its one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// `jrn_…`
    pub journal_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// Lower case.
    pub currency: String,
    /// The program.
    pub program_id: String,
    /// The commission.
    pub commission_id: String,
    /// Its number within the commission, from 1.
    pub seq: i64,
    /// `settled` or `matured`.
    pub kind: String,
    /// Why, in words.
    pub reason: String,
    /// ms UTC.
    pub created_at: i64,
    /// The seal over the one before it, its own fields and its entry.
    pub seal: String,
    /// The account that gives.
    pub debit_account: String,
    /// The account that takes.
    pub credit_account: String,
    /// Minor units, above 0.
    pub amount: i64,
}

/// Posts journals. A number that is taken fails: a second poster cannot slip in.
///
/// # Errors
/// [`StoreError::Conflict`] for a number that is taken.
pub async fn post(tx: &mut Tx<'_>, workspace_id: &str, journals: &[Journal]) -> Result<(), StoreError> {
    let sql = "INSERT INTO journal (workspace_id, mode, currency, journal_id, program_id, commission_id, seq, kind, \
         reason, created_at, seal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let sets: Vec<_> = journals
        .iter()
        .map(|j| {
            vec![
                P::T(workspace_id),
                P::T(&j.mode),
                P::T(&j.currency),
                P::T(&j.journal_id),
                P::T(&j.program_id),
                P::T(&j.commission_id),
                P::I(j.seq),
                P::T(&j.kind),
                P::T(&j.reason),
                P::I(j.created_at),
                P::T(&j.seal),
            ]
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    let sql = "INSERT INTO entry (workspace_id, mode, currency, journal_id, line, debit_account, credit_account, amount) \
         VALUES ($1, $2, $3, $4, 1, $5, $6, $7)";
    let sets: Vec<_> = journals
        .iter()
        .map(|j| {
            let (mode, currency, id) = (P::T(&j.mode), P::T(&j.currency), P::T(&j.journal_id));
            let (debit, credit) = (P::T(&j.debit_account), P::T(&j.credit_account));
            vec![P::T(workspace_id), mode, currency, id, debit, credit, P::I(j.amount)]
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}

/// An account of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// `test` or `live`.
    pub mode: &'a str,
    /// Lower case.
    pub currency: &'a str,
    /// Its name.
    pub account_id: &'a str,
    /// `expense`, `pending` or `payable`.
    pub kind: &'a str,
    /// The program.
    pub program_id: &'a str,
    /// The partner; none for the program's expense.
    pub partner_id: Option<&'a str>,
}

/// Makes sure that an account exists.
///
/// # Errors
/// The database's.
pub async fn ensure_account(tx: &mut Tx<'_>, workspace_id: &str, a: &Account<'_>) -> Result<(), StoreError> {
    let sql = "INSERT INTO account (workspace_id, mode, currency, account_id, kind, program_id, partner_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (workspace_id, mode, currency, account_id) DO NOTHING";
    let params = [
        P::T(workspace_id),
        P::T(a.mode),
        P::T(a.currency),
        P::T(a.account_id),
        P::T(a.kind),
        P::T(a.program_id),
        P::opt_t(a.partner_id),
    ];
    tx.exec(sql, &params).await?;
    Ok(())
}

/// Has anything ever been decided in a program?
///
/// # Errors
/// The database's.
pub async fn any_decision(tx: &mut Tx<'_>, workspace_id: &str, program_id: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM decision WHERE workspace_id = $1 AND program_id = $2 LIMIT 1";
    Ok(!tx.settings(sql, &[P::T(workspace_id), P::T(program_id)]).await?.is_empty())
}

/// The decisions on a sale by any of its object ids, oldest first: (kind, value).
///
/// # Errors
/// The database's.
pub async fn decisions_on(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    sale_id: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT d.kind, d.value FROM alias a JOIN decision d ON d.workspace_id = a.workspace_id \
         AND d.connection_id = a.connection_id AND d.subject = a.object_id \
         WHERE a.workspace_id = $1 AND a.sale_id = $2 ORDER BY d.created_at, d.decision_id";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(sale_id)]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}
