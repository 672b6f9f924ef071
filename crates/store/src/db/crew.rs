//! Works of one transaction that go side by side on PostgreSQL, each written as if it were alone.
//!
//! A work runs until it asks the database for something. When all of them wait, what they ask for is sent together:
//! the same statement of many works becomes one. So a hundred works of ten steps cost ten statements.

use super::Row;
use super::flight;
use super::params::{P, Ty};
use super::tx::{Settings, Tx};
use crate::error::StoreError;
use deadpool_postgres::Transaction;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Works that go side by side.
pub struct Crew<'t> {
    transaction: &'t Transaction<'t>,
    settings: Option<Settings>,
    asked: Mutex<Vec<Asked>>,
}

/// What one work waits for.
struct Asked {
    sql: &'static str,
    how: How,
    sets: Vec<Vec<Own>>,
    answer: Arc<Mutex<Option<Answer>>>,
}

/// What is to be done with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// Its rows, set by set.
    Rows,
    /// The same over what a workspace has set: many works ask the same.
    Settings,
    /// How many rows it changes for each set.
    Exec,
    /// The same; sets that agree in so many parameters are one, the others being added up.
    Add(usize),
}

pub(super) enum Answer {
    Rows(Vec<Vec<Row>>),
    Settings(Arc<Vec<Row>>),
    Changed(Vec<u64>),
}

/// A parameter that outlives the work that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Own {
    I(i64),
    T(String),
    B(Vec<u8>),
    F(bool),
    Null(Ty),
}

impl Own {
    fn of(param: &P<'_>) -> Self {
        match param {
            P::I(value) => Self::I(*value),
            P::T(text) => Self::T((*text).to_owned()),
            P::B(bytes) => Self::B((*bytes).to_owned()),
            P::F(flag) => Self::F(*flag),
            P::Null(ty) => Self::Null(*ty),
        }
    }

    fn lent(&self) -> P<'_> {
        match self {
            Self::I(value) => P::I(*value),
            Self::T(text) => P::T(text),
            Self::B(bytes) => P::B(bytes),
            Self::F(flag) => P::F(*flag),
            Self::Null(ty) => P::Null(*ty),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'t> Crew<'t> {
    pub(super) const fn new(transaction: &'t Transaction<'t>, settings: Option<Settings>) -> Self {
        Self { transaction, settings, asked: Mutex::new(Vec::new()) }
    }

    /// The transaction for one work of the crew. What it is asked is done when all works of [`Crew::run`] wait.
    #[must_use]
    pub fn member(&self) -> Tx<'_> {
        Tx::member(self, self.settings.clone())
    }

    /// Asks, and waits until the crew's turn has come.
    pub(super) async fn ask(&self, sql: &'static str, how: How, sets: &[Vec<P<'_>>]) -> Answer {
        let answer = Arc::new(Mutex::new(None));
        let sets = sets.iter().map(|set| set.iter().map(Own::of).collect()).collect();
        lock(&self.asked).push(Asked { sql, how, sets, answer: Arc::clone(&answer) });
        poll_fn(move |_| lock(&answer).take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Runs works to their ends. They wait for nothing but what they ask their transaction.
    ///
    /// # Errors
    /// The first failure, of a work or of the database: the transaction is lost then.
    pub async fn run<T: Send, W>(&self, works: impl IntoIterator<Item = W>) -> Result<Vec<T>, StoreError>
    where
        W: Future<Output = Result<T, StoreError>> + Send,
    {
        let mut works: Vec<Pin<Box<W>>> = works.into_iter().map(Box::pin).collect();
        let mut ends: Vec<Option<T>> = Vec::new();
        ends.resize_with(works.len(), || None);
        loop {
            let mut waiting = false;
            for (work, end) in works.iter_mut().zip(&mut ends).filter(|(_, end)| end.is_none()) {
                match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(result) => *end = Some(result?),
                    Poll::Pending => waiting = true,
                }
            }
            let asked = std::mem::take(&mut *lock(&self.asked));
            if !waiting {
                return Ok(ends.into_iter().flatten().collect());
            }
            if asked.is_empty() {
                return Err(StoreError::AwaitedOutside);
            }
            self.answer(asked).await?;
        }
    }

    /// Does what all works have asked for, statement by statement.
    async fn answer(&self, asked: Vec<Asked>) -> Result<(), StoreError> {
        let mut groups: BTreeMap<(usize, usize, How), Vec<Asked>> = BTreeMap::new();
        for one in asked {
            groups.entry((one.sql.as_ptr().addr(), one.sql.len(), one.how)).or_default().push(one);
        }
        for group in groups.into_values() {
            let Some((sql, how)) = group.first().map(|one| (one.sql, one.how)) else { continue };
            let sets: Vec<Vec<P<'_>>> = group
                .iter()
                .flat_map(|one| &one.sets)
                .map(|set| set.iter().map(Own::lent).collect())
                .collect();
            match how {
                How::Rows => {
                    let mut rows = flight::rows_each(self.transaction, sql, &sets).await?.into_iter();
                    for one in &group {
                        let own = rows.by_ref().take(one.sets.len()).collect();
                        *lock(&one.answer) = Some(Answer::Rows(own));
                    }
                }
                How::Settings => {
                    let mut once = sets.clone();
                    once.sort();
                    once.dedup();
                    let rows = flight::rows_each(self.transaction, sql, &once).await?;
                    let rows: Vec<Arc<Vec<Row>>> = rows.into_iter().map(Arc::new).collect();
                    for (one, set) in group.iter().zip(&sets) {
                        let own = once.binary_search(set).ok().and_then(|at| rows.get(at)).map(Arc::clone);
                        *lock(&one.answer) = Some(Answer::Settings(own.unwrap_or_default()));
                    }
                }
                How::Exec => {
                    let mut told = flight::exec_told(self.transaction, sql, &sets).await?.into_iter();
                    for one in &group {
                        let own = told.by_ref().take(one.sets.len()).collect();
                        *lock(&one.answer) = Some(Answer::Changed(own));
                    }
                }
                How::Add(keys) => {
                    let sums = added_up(&sets, keys);
                    flight::exec_each(self.transaction, sql, &sums).await?;
                    for one in &group {
                        *lock(&one.answer) = Some(Answer::Changed(vec![1; one.sets.len()]));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Sets that agree in their first `keys` parameters as one, the numbers after them added up; in order of the keys,
/// so that two writers never wait for each other crosswise.
pub(super) fn added_up<'p>(sets: &[Vec<P<'p>>], keys: usize) -> Vec<Vec<P<'p>>> {
    let mut sums: Vec<Vec<P<'p>>> = sets.to_vec();
    sums.sort_by(|a, b| a.iter().take(keys).cmp(b.iter().take(keys)));
    sums.dedup_by(|later, kept| {
        let same = later.len() == kept.len() && later.iter().take(keys).eq(kept.iter().take(keys));
        if same {
            for (sum, more) in kept.iter_mut().zip(later.iter()).skip(keys) {
                if let (P::I(sum), P::I(more)) = (sum, more) {
                    *sum = sum.saturating_add(*more);
                }
            }
        }
        same
    });
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_one_name_are_added_up_and_come_in_order() {
        let set = |name: &'static str, by: i64, more: i64| vec![P::T("w"), P::T(name), P::I(by), P::I(more)];
        let sets = [set("b", 1, 0), set("a", 2, 5), set("b", 3, -1), set("a", -2, 0)];
        assert_eq!(added_up(&sets, 2), [set("a", 0, 5), set("b", 4, -1)]);
    }

    #[test]
    fn what_a_member_gives_is_what_is_asked() {
        for param in [P::I(-7), P::T("text"), P::B(b"bytes"), P::F(true), P::Null(Ty::Int)] {
            assert_eq!(Own::of(&param).lent(), param);
        }
    }
}
