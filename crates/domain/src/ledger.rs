//! The ledger: balanced by construction, append-only, corrected by new linked journals.

use crate::money::Currency;
use serde::{Deserialize, Serialize};

/// The accounts that settlement owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// What the program has cost.
    Expense,
    /// Earned, in its hold.
    Pending,
    /// Earned, out of its hold, not yet in a payout.
    Payable,
}

impl AccountKind {
    /// The text kept in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expense => "expense",
            Self::Pending => "pending",
            Self::Payable => "payable",
        }
    }
}

/// One entry to post: `amount` (minor units, above 0) from `debit` to `credit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The account that gives.
    pub debit: AccountKind,
    /// The account that takes.
    pub credit: AccountKind,
    /// Minor units, above 0.
    pub amount: i64,
}

/// What must be posted so that a commission stands at `target`, given what settlement posted before and
/// whether the commission has left its hold. `None` when nothing is to be posted.
#[must_use]
pub fn correction(target: i64, posted: i64, matured: bool) -> Option<Posting> {
    let side = if matured { AccountKind::Payable } else { AccountKind::Pending };
    let difference = target.checked_sub(posted)?;
    match difference {
        0 => None,
        up if up > 0 => Some(Posting { debit: AccountKind::Expense, credit: side, amount: up }),
        down => Some(Posting { debit: side, credit: AccountKind::Expense, amount: down.checked_neg()? }),
    }
}

/// What matures: everything that a commission has in its hold.
#[must_use]
pub const fn maturing(pending: i64) -> Option<Posting> {
    if pending > 0 {
        Some(Posting { debit: AccountKind::Pending, credit: AccountKind::Payable, amount: pending })
    } else {
        None
    }
}

/// An account's name: one a program for expense, one a partner for the rest, each in one currency.
#[must_use]
pub fn account_id(kind: AccountKind, program_id: &str, partner_id: &str, currency: Currency) -> String {
    match kind {
        AccountKind::Expense => format!("expense:{program_id}:{currency}"),
        AccountKind::Pending | AccountKind::Payable => {
            format!("{}:{program_id}:{partner_id}:{currency}", kind.as_str())
        }
    }
}

/// The seal of one journal over its own fields and entries, hex. Changing any of them changes it.
#[must_use]
pub fn seal(previous: &str, fields: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    hash.update(previous.as_bytes());
    for field in fields {
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field.as_bytes());
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn corrections_go_where_the_commission_stands() {
        assert_eq!(correction(0, 0, false), None);
        assert_eq!(correction(900, 1200, false).unwrap().debit, AccountKind::Pending);
        assert_eq!(correction(900, 1200, true).unwrap().debit, AccountKind::Payable);
        assert_eq!(correction(i64::MIN, 1, true), None);
    }

    proptest! {
        #[test]
        fn posting_the_correction_reaches_the_target(target in 0..1_000_000_i64, posted in 0..1_000_000_i64) {
            let after = match correction(target, posted, false) {
                None => posted,
                Some(p) if p.debit == AccountKind::Expense => posted + p.amount,
                Some(p) => posted - p.amount,
            };
            prop_assert_eq!(after, target);
        }
    }
}
