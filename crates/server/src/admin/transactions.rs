//! The list of transactions.

use crate::ui::badge::{Avatar, Badge, Id};
use crate::ui::frame::Frame;
use crate::ui::lists::{Chips, Empty, Pager, SortHead};
use crate::ui::money::Money;
use crate::ui::when::Ago;
use askama::Template;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/transactions.html")]
pub struct TransactionsPage {
    /// Around it.
    pub frame: Frame,
    /// The filters by state.
    pub filters: Chips,
    /// The head of the first column, which sorts by date.
    pub by_date: SortHead,
    /// The transactions, in the order asked for.
    pub rows: Vec<TransactionRow>,
    /// In place of rows, if there are none.
    pub empty: Option<Empty>,
    /// The pages around this one.
    pub pager: Pager,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionRow {
    /// The page that explains it.
    pub href: String,
    /// When the money came.
    pub at: Ago,
    /// The root object.
    pub root: Id,
    /// Who paid, as far as is known.
    pub customer: String,
    /// Where it stands.
    pub status: Badge,
    /// The partner's name, if somebody brought it.
    pub partner: Option<String>,
    /// What was paid.
    pub paid: Money,
    /// What was given back, if anything.
    pub refunded: Option<Money>,
    /// What it earns now, if it earns.
    pub earns: Option<Money>,
    /// Otherwise why not, in a word or two.
    pub nothing: String,
}

impl TransactionsPage {
    fn avatar(&self, name: &str) -> Avatar {
        Avatar::of(name)
    }
}
