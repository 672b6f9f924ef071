//! Journals in their order: numbers without gaps, one entry each, seals that hold, accounts that exist, sums
//! that reach the commission's target.

use super::Problems;
use crate::pipeline::post::seal;
use tributary_domain::ledger::{AccountKind, account_id};
use tributary_domain::money::Currency;
use tributary_store::pipeline::commissions::Journal;
use tributary_store::{P, Row, StoreError, Tx};

/// Rows read at once.
const PAGE: i64 = 2_000;

/// What the rows of one commission add up to so far.
#[derive(Default)]
struct Run {
    commission_id: String,
    seq: i64,
    seal: String,
    settled: i64,
    pending: i64,
}

/// Checks all commissions of a workspace and their journals.
pub(super) async fn check(tx: &mut Tx<'_>, ws: &str, problems: &mut Problems) -> Result<(), StoreError> {
    orphans(tx, ws, problems).await?;
    let sql = "SELECT c.commission_id, c.mode, c.currency, c.program_id, c.partner_id, c.target, c.last_seq, c.last_seal, \
         c.matured_at FROM commission c WHERE c.workspace_id = $1 AND c.commission_id > $2 \
         ORDER BY c.commission_id LIMIT $3";
    let mut after = String::new();
    loop {
        let page = tx.rows(sql, &[P::T(ws), P::T(&after), P::I(PAGE)]).await?;
        let ids = page.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        let journals = journals_of(tx, ws, &ids).await?;
        for (row, journals) in page.iter().zip(&journals) {
            commission(ws, row, journals, problems)?;
        }
        match ids.last() {
            Some(last) if ids.len() == usize::try_from(PAGE).unwrap_or(0) => after.clone_from(last),
            _ => return Ok(()),
        }
    }
}

async fn journals_of(tx: &mut Tx<'_>, ws: &str, ids: &[String]) -> Result<Vec<Vec<Row>>, StoreError> {
    let sql = "SELECT j.journal_id, j.mode, j.currency, j.program_id, j.commission_id, j.seq, j.kind, j.reason, \
         j.created_at, j.seal, e.line, e.debit_account, e.credit_account, e.amount, e.mode, e.currency, \
         (SELECT COUNT(*) FROM account a WHERE a.workspace_id = e.workspace_id AND a.mode = e.mode \
         AND a.currency = e.currency AND a.account_id IN (e.debit_account, e.credit_account)) \
         FROM journal j LEFT JOIN entry e ON e.workspace_id = j.workspace_id AND e.journal_id = j.journal_id \
         WHERE j.workspace_id = $1 AND j.commission_id = $2 ORDER BY j.seq, e.line";
    let sets: Vec<_> = ids.iter().map(|id| vec![P::T(ws), P::T(id)]).collect();
    tx.rows_each(sql, &sets).await
}

fn commission(ws: &str, c: &Row, journals: &[Row], problems: &mut Problems) -> Result<(), StoreError> {
    let id = c.text(0)?;
    let mut run = Run { commission_id: id.clone(), ..Run::default() };
    let owner =
        Owner { program_id: c.text(3)?, partner_id: c.text(4)?, mode: c.text(1)?, currency: c.text(2)? };
    for row in journals {
        journal(ws, &owner, row, &mut run, problems)?;
    }
    let (target, last_seq, last_seal) = (c.int(5)?, c.int(6)?, c.text(7)?);
    if run.seq != last_seq || run.seal != last_seal {
        let what = format!("its last journal is number {}, the row says {last_seq} or another seal", run.seq);
        problems.add("commission", &id, what);
    }
    if run.settled != target {
        problems.add(
            "commission",
            &id,
            format!("its journals add up to {}, its target is {target}", run.settled),
        );
    }
    if c.opt_int(8)?.is_some() && run.pending != 0 {
        problems.add(
            "commission",
            &id,
            format!("it has left its hold, but {} are still pending", run.pending),
        );
    }
    Ok(())
}

struct Owner {
    program_id: String,
    partner_id: String,
    mode: String,
    currency: String,
}

fn journal(
    ws: &str,
    owner: &Owner,
    row: &Row,
    run: &mut Run,
    problems: &mut Problems,
) -> Result<(), StoreError> {
    let journal_id = row.text(0)?;
    let line = row.opt_int(10)?;
    let Some(line) = line else {
        problems.add("entry", &journal_id, "the journal has no entry: it was deleted");
        run.seq = row.int(5)?;
        run.seal = row.text(9)?;
        return Ok(());
    };
    if line != 1 {
        problems.add(
            "entry",
            format!("{journal_id}, line {line}"),
            "the journal has more than its one entry: it was doubled",
        );
    }
    let j = Journal {
        journal_id: journal_id.clone(),
        mode: row.text(1)?,
        currency: row.text(2)?,
        program_id: row.text(3)?,
        commission_id: row.text(4)?,
        seq: row.int(5)?,
        kind: row.text(6)?,
        reason: row.text(7)?,
        created_at: row.int(8)?,
        seal: row.text(9)?,
        debit_account: row.text(11)?,
        credit_account: row.text(12)?,
        amount: row.int(13)?,
    };
    if line == 1 {
        if j.seq != run.seq + 1 {
            let what = format!("number {} follows number {} of {}", j.seq, run.seq, run.commission_id);
            problems.add("journal", &journal_id, what);
        }
        if seal(ws, &run.seal, &j) != j.seal {
            problems.add(
                "journal",
                &journal_id,
                "its seal does not fit: the journal, its entry or the one before was changed",
            );
        }
        (run.seq, run.seal) = (j.seq, j.seal.clone());
    }
    if (&j.mode, &j.currency, &j.program_id) != (&owner.mode, &owner.currency, &owner.program_id)
        || (row.text(14)?, row.text(15)?) != (j.mode.clone(), j.currency.clone())
    {
        problems.add("journal", &journal_id, "its mode, currency or program is not its commission's");
    }
    if row.int(16)? != 2 {
        problems.add(
            "entry",
            &journal_id,
            "an account of it does not exist in this workspace, mode and currency",
        );
    }
    sum(owner, &j, run, problems);
    Ok(())
}

/// Adds an entry to the run; accounts must be the partner's and the program's own.
fn sum(owner: &Owner, j: &Journal, run: &mut Run, problems: &mut Problems) {
    let Ok(currency) = Currency::parse(&j.currency) else {
        problems.add("journal", &j.journal_id, format!("“{}” is no currency", j.currency));
        return;
    };
    let own = |kind| account_id(kind, &owner.program_id, &owner.partner_id, currency);
    let (expense, pending, payable) =
        (own(AccountKind::Expense), own(AccountKind::Pending), own(AccountKind::Payable));
    for (account, sign) in [(&j.credit_account, 1), (&j.debit_account, -1)] {
        let amount = j.amount.saturating_mul(sign);
        if *account == pending {
            run.pending = run.pending.saturating_add(amount);
            run.settled = run.settled.saturating_add(amount);
        } else if *account == payable {
            run.settled = run.settled.saturating_add(amount);
        } else if *account != expense {
            let what = format!("the account {account} belongs to neither its program nor its partner");
            problems.add("entry", &j.journal_id, what);
        }
    }
}

/// Entries without a journal and journals without a commission.
async fn orphans(tx: &mut Tx<'_>, ws: &str, problems: &mut Problems) -> Result<(), StoreError> {
    let sql = "SELECT e.journal_id, e.line FROM entry e LEFT JOIN journal j ON j.workspace_id = e.workspace_id \
         AND j.journal_id = e.journal_id WHERE e.workspace_id = $1 AND j.journal_id IS NULL LIMIT 100";
    for row in tx.rows(sql, &[P::T(ws)]).await? {
        let id = format!("{}, line {}", row.text(0)?, row.int(1)?);
        problems.add("entry", id, "it belongs to no journal of this workspace");
    }
    let sql = "SELECT j.journal_id FROM journal j LEFT JOIN commission c ON c.workspace_id = j.workspace_id \
         AND c.commission_id = j.commission_id WHERE j.workspace_id = $1 AND c.commission_id IS NULL LIMIT 100";
    for row in tx.rows(sql, &[P::T(ws)]).await? {
        problems.add("journal", row.text(0)?, "it belongs to no commission of this workspace");
    }
    Ok(())
}
