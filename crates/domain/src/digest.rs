//! One short text that stands for the books: equal books, equal digest.

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// What was earned, taken back and paid, for one partner in one currency. Minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sum of all postings upward.
    pub earned: i64,
    /// Net of what was taken back.
    pub reversed: i64,
    /// Paid out.
    pub paid: i64,
}

/// What is in its hold and what is payable at one instant, for one partner in one currency. Minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// In its hold.
    pub pending: i64,
    /// Out of it.
    pub payable: i64,
}

/// The books, in the words that every installation shares: economic keys, never random ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// By (mode, program public id, partner key, currency).
    pub totals: BTreeMap<(String, String, String, String), Totals>,
    /// What was held at the instant that was asked for, by the same; empty where none was.
    pub held: BTreeMap<(String, String, String, String), Held>,
    /// Sales by (mode, account, root id): state, currency, base parts, captured, refunded.
    pub sales: BTreeMap<(String, String, String), String>,
}

impl Books {
    /// SHA-256 over the sorted books, hex.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for ((mode, program, partner, currency), totals) in &self.totals {
            let Totals { earned, reversed, paid } = totals;
            if (*earned, *reversed, *paid) != (0, 0, 0) {
                hash.update(
                    format!("T\t{mode}\t{program}\t{partner}\t{currency}\t{earned}\t{reversed}\t{paid}\n")
                        .as_bytes(),
                );
            }
        }
        for ((mode, program, partner, currency), Held { pending, payable }) in &self.held {
            if (*pending, *payable) != (0, 0) {
                let line = format!("H\t{mode}\t{program}\t{partner}\t{currency}\t{pending}\t{payable}\n");
                hash.update(line.as_bytes());
            }
        }
        for ((mode, account, root), sale) in &self.sales {
            hash.update(format!("S\t{mode}\t{account}\t{root}\t{sale}\n").as_bytes());
        }
        hex::encode(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_in_the_digest_and_empty_totals_are_not() {
        let key = |p: &str| ("live".to_owned(), "ABCDEFGH".to_owned(), p.to_owned(), "usd".to_owned());
        let mut books = Books::default();
        let empty = books.digest();
        books.totals.insert(key("maya"), Totals::default());
        assert_eq!(books.digest(), empty);
        books.totals.insert(key("maya"), Totals { earned: 1, reversed: 0, paid: 0 });
        let one = books.digest();
        books.totals.insert(key("maya"), Totals { earned: 2, reversed: 0, paid: 0 });
        assert_ne!(books.digest(), one);
        let two = books.digest();
        books.held.insert(key("maya"), Held { pending: 2, payable: 0 });
        let held = books.digest();
        assert_ne!(held, two);
        books.held.insert(key("maya"), Held { pending: 0, payable: 2 });
        assert_ne!(books.digest(), held);
    }
}
