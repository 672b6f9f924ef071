//! The books in words that every installation shares, and what the accounts hold.

use super::Balance;
use tributary_domain::digest;
use tributary_store::{P, StoreError, Tx};

/// The books of all workspaces, and the target of every commission by its economic key.
#[derive(Debug, Default)]
pub struct Books {
    /// For the digest.
    pub books: digest::Books,
    /// (mode, program, root, partner key, currency) → minor units; zeros are left out.
    pub targets: std::collections::BTreeMap<[String; 5], i64>,
}

/// A root without the random program id that an API transaction's object id holds.
fn shared_root(root: &str) -> String {
    match root.strip_prefix("api:").and_then(|rest| rest.split_once(':')) {
        Some((_, key)) => format!("api:{key}"),
        None => root.to_owned(),
    }
}

/// Adds the books of one workspace.
///
/// # Errors
/// The database's.
pub async fn read_books(tx: &mut Tx<'_>, ws: &str, books: &mut Books) -> Result<(), StoreError> {
    let sql = "SELECT c.mode, p.name, r.key, c.currency, c.root_id, c.gross, c.target FROM commission c \
         JOIN program p ON p.workspace_id = c.workspace_id AND p.program_id = c.program_id \
         JOIN partner r ON r.workspace_id = c.workspace_id AND r.partner_id = c.partner_id \
         WHERE c.workspace_id = $1 AND (c.gross <> 0 OR c.target <> 0)";
    for row in tx.rows(sql, &[P::T(ws)]).await? {
        let [mode, program, partner, currency, root] =
            [row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?, row.text(4)?];
        let (gross, target) = (row.int(5)?, row.int(6)?);
        let key = (mode.clone(), program.clone(), partner.clone(), currency.clone());
        let totals = books.books.totals.entry(key).or_default();
        totals.earned = totals.earned.saturating_add(gross);
        totals.reversed = totals.reversed.saturating_add(gross - target);
        if target != 0 {
            let key = [mode, program, shared_root(&root), partner, currency];
            *books.targets.entry(key).or_default() += target;
        }
    }
    let sql = "SELECT mode, root_id, currency, total, tax, shipping, paid, captured, refunded, lost FROM sale \
         WHERE workspace_id = $1 AND merged_into IS NULL AND state = 'paid'";
    for row in tx.rows(sql, &[P::T(ws)]).await? {
        let key = (row.text(0)?, String::new(), shared_root(&row.text(1)?));
        let mut figures = vec![row.text(2)?];
        for at in 3..10 {
            figures.push(row.int(at)?.to_string());
        }
        books.books.sales.insert(key, figures.join(" "));
    }
    Ok(())
}

/// What the accounts of a workspace hold: sums over entries.
pub(super) async fn balances(tx: &mut Tx<'_>, ws: &str) -> Result<Vec<Balance>, StoreError> {
    let sql = "SELECT a.mode, p.name, COALESCE(r.key, ''), a.currency, a.kind, \
         CAST(COALESCE((SELECT SUM(e.amount) FROM entry e WHERE e.workspace_id = a.workspace_id AND e.mode = a.mode \
         AND e.currency = a.currency AND e.credit_account = a.account_id), 0) AS BIGINT), \
         CAST(COALESCE((SELECT SUM(e.amount) FROM entry e WHERE e.workspace_id = a.workspace_id AND e.mode = a.mode \
         AND e.currency = a.currency AND e.debit_account = a.account_id), 0) AS BIGINT) \
         FROM account a JOIN program p ON p.workspace_id = a.workspace_id AND p.program_id = a.program_id \
         LEFT JOIN partner r ON r.workspace_id = a.workspace_id AND r.partner_id = a.partner_id \
         WHERE a.workspace_id = $1 ORDER BY a.mode, p.name, 3, a.currency, a.kind";
    let rows = tx.rows(sql, &[P::T(ws)]).await?;
    rows.iter()
        .map(|row| {
            let account = row.text(4)?;
            let (credit, debit) = (row.int(5)?, row.int(6)?);
            let amount = if account == "expense" { debit - credit } else { credit - debit };
            Ok(Balance {
                mode: row.text(0)?,
                program: row.text(1)?,
                partner: row.text(2)?,
                currency: row.text(3)?,
                account,
                amount,
            })
        })
        .collect()
}
