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
#[must_use]
pub fn shared_root(root: &str) -> String {
    match root.strip_prefix("api:").and_then(|rest| rest.split_once(':')) {
        Some((_, key)) => format!("api:{key}"),
        None => root.to_owned(),
    }
}

/// Adds the books of one workspace. With `as_of` (ms UTC) only what was sold until then, and what of it was in its
/// hold at that instant: by the sales' and the holds' own times, so that two installations that were told of the same
/// sales say the same, whenever either was told.
///
/// # Errors
/// The database's.
pub async fn read_books(
    tx: &mut Tx<'_>,
    ws: &str,
    as_of: Option<i64>,
    books: &mut Books,
) -> Result<(), StoreError> {
    let until = P::I(as_of.unwrap_or(i64::MAX));
    let sql = "SELECT c.mode, p.name, r.key, c.currency, c.root_id, c.gross, c.target, c.payable_at FROM commission c \
         JOIN program p ON p.workspace_id = c.workspace_id AND p.program_id = c.program_id \
         JOIN partner r ON r.workspace_id = c.workspace_id AND r.partner_id = c.partner_id \
         WHERE c.workspace_id = $1 AND c.occurred_at <= $2 AND (c.gross <> 0 OR c.target <> 0)";
    for row in tx.rows(sql, &[P::T(ws), until]).await? {
        let [mode, program, partner, currency, root] =
            [row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?, row.text(4)?];
        let (gross, target) = (row.int(5)?, row.int(6)?);
        let key = (mode.clone(), program.clone(), partner.clone(), currency.clone());
        if let Some(as_of) = as_of {
            let held = books.books.held.entry(key.clone()).or_default();
            let side = if row.int(7)? <= as_of { &mut held.payable } else { &mut held.pending };
            *side = side.saturating_add(target);
        }
        let totals = books.books.totals.entry(key).or_default();
        totals.earned = totals.earned.saturating_add(gross);
        totals.reversed = totals.reversed.saturating_add(gross - target);
        if target != 0 {
            let key = [mode, program, shared_root(&root), partner, currency];
            *books.targets.entry(key).or_default() += target;
        }
    }
    let sql = "SELECT mode, root_id, currency, total, tax, shipping, paid, captured, refunded, lost FROM sale \
         WHERE workspace_id = $1 AND merged_into IS NULL AND state = 'paid' AND occurred_at <= $2";
    for row in tx.rows(sql, &[P::T(ws), until]).await? {
        let key = (row.text(0)?, String::new(), shared_root(&row.text(1)?));
        let mut figures = vec![row.text(2)?];
        for at in 3..10 {
            figures.push(row.int(at)?.to_string());
        }
        books.books.sales.insert(key, figures.join(" "));
    }
    Ok(())
}

/// What the accounts of a workspace held at an instant, by the journals written until then.
const BALANCES_THEN: &str = "SELECT a.mode, p.name, COALESCE(r.key, ''), a.currency, a.kind, \
     CAST(COALESCE((SELECT SUM(e.amount) FROM entry e JOIN journal j ON j.workspace_id = e.workspace_id \
     AND j.journal_id = e.journal_id WHERE e.workspace_id = a.workspace_id AND e.mode = a.mode \
     AND e.currency = a.currency AND e.credit_account = a.account_id AND j.created_at <= $2), 0) AS BIGINT), \
     CAST(COALESCE((SELECT SUM(e.amount) FROM entry e JOIN journal j ON j.workspace_id = e.workspace_id \
     AND j.journal_id = e.journal_id WHERE e.workspace_id = a.workspace_id AND e.mode = a.mode \
     AND e.currency = a.currency AND e.debit_account = a.account_id AND j.created_at <= $2), 0) AS BIGINT) \
     FROM account a JOIN program p ON p.workspace_id = a.workspace_id AND p.program_id = a.program_id \
     LEFT JOIN partner r ON r.workspace_id = a.workspace_id AND r.partner_id = a.partner_id \
     WHERE a.workspace_id = $1 ORDER BY a.mode, p.name, 3, a.currency, a.kind";

/// What the accounts of a workspace hold: sums over entries, of those until an instant (ms UTC) if there is one.
pub(super) async fn balances(
    tx: &mut Tx<'_>,
    ws: &str,
    as_of: Option<i64>,
) -> Result<Vec<Balance>, StoreError> {
    let now = "SELECT a.mode, p.name, COALESCE(r.key, ''), a.currency, a.kind, \
         CAST(COALESCE((SELECT SUM(e.amount) FROM entry e WHERE e.workspace_id = a.workspace_id AND e.mode = a.mode \
         AND e.currency = a.currency AND e.credit_account = a.account_id), 0) AS BIGINT), \
         CAST(COALESCE((SELECT SUM(e.amount) FROM entry e WHERE e.workspace_id = a.workspace_id AND e.mode = a.mode \
         AND e.currency = a.currency AND e.debit_account = a.account_id), 0) AS BIGINT) \
         FROM account a JOIN program p ON p.workspace_id = a.workspace_id AND p.program_id = a.program_id \
         LEFT JOIN partner r ON r.workspace_id = a.workspace_id AND r.partner_id = a.partner_id \
         WHERE a.workspace_id = $1 ORDER BY a.mode, p.name, 3, a.currency, a.kind";
    let rows = match as_of {
        Some(as_of) => tx.rows(BALANCES_THEN, &[P::T(ws), P::I(as_of)]).await?,
        None => tx.rows(now, &[P::T(ws)]).await?,
    };
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
