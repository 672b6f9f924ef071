//! Entries = target − what was posted before, as new journals of the commission.

use std::collections::{BTreeMap, BTreeSet};
use tributary_domain::ids;
use tributary_domain::ledger::{self, AccountKind, Posting};
use tributary_domain::money::Currency;
use tributary_store::pipeline::commissions::{self, Account, Commission, Journal};
use tributary_store::pipeline::counters::{self, MoneyDelta, MoneyKey};
use tributary_store::{StoreError, Tx};

/// Collects what is to be posted in one transaction.
pub struct Poster {
    workspace_id: String,
    now: i64,
    accounts: BTreeSet<(String, String, AccountKind, String, String)>,
    journals: Vec<Journal>,
    commissions: Vec<Commission>,
    money: BTreeMap<MoneyKey, MoneyDelta>,
}

/// What a commission adds to the counters of pages, and under what.
fn money_of(c: &Commission) -> (MoneyKey, MoneyDelta) {
    let key = MoneyKey {
        mode: c.mode.clone(),
        program_id: c.program_id.clone(),
        currency: c.currency.clone(),
        partner_id: c.partner_id.clone(),
        day: counters::day_of(c.occurred_at),
    };
    let delta = MoneyDelta {
        sales: i64::from(c.gross > 0),
        refunded: i64::from(c.target < c.gross),
        revenue: c.revenue,
        gross: c.gross,
        target: c.target,
    };
    (key, delta)
}

impl Poster {
    /// Nothing to post yet.
    #[must_use]
    pub fn new(workspace_id: &str, now: i64) -> Self {
        Self {
            workspace_id: workspace_id.to_owned(),
            now,
            accounts: BTreeSet::new(),
            journals: Vec::new(),
            commissions: Vec::new(),
            money: BTreeMap::new(),
        }
    }

    /// Takes over what another has collected.
    pub fn join(&mut self, other: Self) {
        self.accounts.extend(other.accounts);
        self.journals.extend(other.journals);
        self.commissions.extend(other.commissions);
        for (key, delta) in &other.money {
            self.money.entry(key.clone()).or_default().add(delta, 1);
        }
    }

    /// Brings a commission from what it was to what it must be. `new` carries the old journal number and seal.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for a currency that is none.
    pub fn change(
        &mut self,
        old: Option<&Commission>,
        mut new: Commission,
        reason: &str,
    ) -> Result<(), StoreError> {
        if old == Some(&new) {
            return Ok(());
        }
        let posted = old.map_or(0, |old| old.target);
        let matured = new.matured_at.is_some();
        if let Some(posting) = ledger::correction(new.target, posted, matured) {
            self.journal(&mut new, posting, "settled", reason)?;
        }
        self.count(old, &new);
        self.commissions.push(new);
        Ok(())
    }

    /// Brings a commission to 0.
    pub fn withdraw(&mut self, old: &Commission, outcome: &str, reason: &str) {
        let mut new = old.clone();
        (new.target, new.gross, new.revenue) = (0, 0, 0);
        outcome.clone_into(&mut new.outcome);
        // Only a currency that is none can fail, and the old row has a good one.
        if let Err(error) = self.change(Some(old), new, reason) {
            tracing::error!(%error, commission = old.commission_id, "a commission could not be withdrawn");
        }
    }

    /// Moves a commission out of its hold.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] for a currency that is none.
    pub fn mature(&mut self, old: &Commission, reason: &str) -> Result<(), StoreError> {
        let mut new = old.clone();
        new.matured_at = Some(self.now);
        if let Some(posting) = ledger::maturing(old.target) {
            self.journal(&mut new, posting, "matured", reason)?;
        }
        self.commissions.push(new);
        Ok(())
    }

    fn journal(
        &mut self,
        commission: &mut Commission,
        posting: Posting,
        kind: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        let c = commission;
        let currency = Currency::parse(&c.currency)
            .map_err(|e| StoreError::Inconsistent(format!("{}: {e}", c.commission_id)))?;
        let account = |kind| ledger::account_id(kind, &c.program_id, &c.partner_id, currency);
        let (debit, credit) = (account(posting.debit), account(posting.credit));
        for side in [posting.debit, posting.credit] {
            let place =
                (c.mode.clone(), c.currency.clone(), side, c.program_id.clone(), c.partner_id.clone());
            self.accounts.insert(place);
        }
        c.last_seq += 1;
        let journal_id =
            ids::derived("jrn", &[&self.workspace_id, &c.commission_id, &c.last_seq.to_string()]);
        let mut journal = Journal {
            journal_id,
            mode: c.mode.clone(),
            currency: c.currency.clone(),
            program_id: c.program_id.clone(),
            commission_id: c.commission_id.clone(),
            seq: c.last_seq,
            kind: kind.to_owned(),
            reason: reason.to_owned(),
            created_at: self.now,
            seal: String::new(),
            debit_account: debit,
            credit_account: credit,
            amount: posting.amount,
        };
        journal.seal = seal(&self.workspace_id, &c.last_seal, &journal);
        c.last_seal.clone_from(&journal.seal);
        self.journals.push(journal);
        Ok(())
    }

    fn count(&mut self, old: Option<&Commission>, new: &Commission) {
        for (commission, sign) in old.map(|old| (old, -1)).into_iter().chain([(new, 1)]) {
            let (key, delta) = money_of(commission);
            self.money.entry(key).or_default().add(&delta, sign);
        }
    }

    /// Writes everything.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another poster was faster: the transaction is run again.
    pub async fn flush(self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let ws = &self.workspace_id;
        for (mode, currency, kind, program_id, partner_id) in &self.accounts {
            let parsed = Currency::parse(currency).map_err(|e| StoreError::Inconsistent(e.to_string()))?;
            let account_id = ledger::account_id(*kind, program_id, partner_id, parsed);
            let account = Account {
                mode,
                currency,
                account_id: &account_id,
                kind: kind.as_str(),
                program_id,
                partner_id: (*kind != AccountKind::Expense).then_some(partner_id.as_str()),
            };
            commissions::ensure_account(tx, ws, &account).await?;
        }
        commissions::upsert(tx, ws, &self.commissions, self.now).await?;
        commissions::post(tx, ws, &self.journals).await?;
        counters::add_money(tx, ws, &self.money).await?;
        Ok(self.journals.len())
    }
}

/// The seal of a journal over the one before it, its fields and its entry.
#[must_use]
pub fn seal(workspace_id: &str, previous: &str, j: &Journal) -> String {
    let (seq, at, amount) = (j.seq.to_string(), j.created_at.to_string(), j.amount.to_string());
    let fields = [
        workspace_id,
        &j.mode,
        &j.currency,
        &j.journal_id,
        &j.program_id,
        &j.commission_id,
        &seq,
        &j.kind,
        &j.reason,
        &at,
        &j.debit_account,
        &j.credit_account,
        &amount,
    ];
    ledger::seal(previous, &fields)
}
