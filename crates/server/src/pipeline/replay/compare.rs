//! What the ledger holds against what the sources give, commission by commission.

use super::super::verify::{Books, read_books, shared_root};
use super::Report;
use std::collections::{BTreeMap, BTreeSet};
use tributary_store::{Db, P, StoreError, Tx, Unit, workspaces};

/// Differences told at most.
const TOLD: usize = 100;

/// (mode, program, root, partner key, currency) → minor units.
type Amounts = BTreeMap<[String; 5], i64>;

struct ReadBooks;
impl Unit for ReadBooks {
    type Out = Books;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Books, StoreError> {
        let mut books = Books::default();
        for (workspace_id, ..) in workspaces::list_workspaces(tx).await? {
            read_books(tx, &workspace_id, None, &mut books).await?;
        }
        Ok(books)
    }
}

/// What was posted, by the entries alone.
struct Posted;
impl Unit for Posted {
    type Out = Amounts;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Amounts, StoreError> {
        let sql = "SELECT c.mode, p.name, c.root_id, r.key, c.currency, CAST(SUM(CASE WHEN d.kind = 'expense' \
             THEN e.amount WHEN k.kind = 'expense' THEN -e.amount ELSE 0 END) AS BIGINT) FROM commission c \
             JOIN program p ON p.workspace_id = c.workspace_id AND p.program_id = c.program_id \
             JOIN partner r ON r.workspace_id = c.workspace_id AND r.partner_id = c.partner_id \
             JOIN journal j ON j.workspace_id = c.workspace_id AND j.commission_id = c.commission_id \
             JOIN entry e ON e.workspace_id = j.workspace_id AND e.journal_id = j.journal_id \
             JOIN account d ON d.workspace_id = e.workspace_id AND d.mode = e.mode AND d.currency = e.currency \
             AND d.account_id = e.debit_account \
             JOIN account k ON k.workspace_id = e.workspace_id AND k.mode = e.mode AND k.currency = e.currency \
             AND k.account_id = e.credit_account \
             WHERE c.workspace_id = $1 GROUP BY c.mode, p.name, c.root_id, r.key, c.currency";
        let mut amounts = Amounts::new();
        for (workspace_id, ..) in workspaces::list_workspaces(tx).await? {
            for row in tx.rows(sql, &[P::T(&workspace_id)]).await? {
                let root = shared_root(&row.text(2)?);
                let key = [row.text(0)?, row.text(1)?, root, row.text(3)?, row.text(4)?];
                let sum = amounts.entry(key).or_default();
                *sum = i64::saturating_add(*sum, row.int(5)?);
            }
        }
        Ok(amounts)
    }
}

/// Compares, and tells in the report what differs. Answers whether the books differ in any way.
pub(super) async fn compare(real: &Db, replayed: &Db, report: &mut Report) -> Result<bool, StoreError> {
    let (is, books, should) =
        (real.read(Posted).await?, real.read(ReadBooks).await?, replayed.read(ReadBooks).await?);
    let keys: BTreeSet<_> = is.keys().chain(should.targets.keys()).collect();
    for key in keys {
        let (is, should) = (is.get(key).unwrap_or(&0), should.targets.get(key).unwrap_or(&0));
        if is != should {
            report.posted += 1;
            if report.differences.len() < TOLD {
                let what = format!("{}: the ledger has {is}, the sources give {should}", key.join(" "));
                report.differences.push(what);
            }
        }
    }
    report.digest = should.books.digest();
    Ok(report.posted > 0 || books.books.digest() != report.digest)
}
