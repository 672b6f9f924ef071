//! Counters that pages read: kept in the transaction that changes the rows they count, so that they are never off.
//!
//! Days are UTC days since 1970. Changes are summed up first and written in order of their keys: fewer
//! statements, and two writers never wait for each other crosswise.

use super::months::month_of;
use crate::{P, StoreError, Tx};
use std::collections::BTreeMap;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// The UTC day of an instant (ms), as days since 1970.
#[must_use]
pub const fn day_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(DAY_MS)
}

/// A customer as it is counted: under its partner, on the day when it was made. One that is deleted or has no
/// partner is not counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// `test` or `live`.
    pub mode: &'a str,
    /// The program.
    pub program_id: &'a str,
    /// Its partner (our id).
    pub partner_id: Option<&'a str>,
    /// When it was made, ms UTC.
    pub created_at: i64,
    /// Is it deleted?
    pub deleted: bool,
}

/// Counts a customer that changed from `before` to `after`; `None` stands for no customer.
///
/// # Errors
/// The database's.
pub async fn customer_changed(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    before: Option<Counted<'_>>,
    after: Option<Counted<'_>>,
) -> Result<(), StoreError> {
    let mut programs: BTreeMap<(&str, &str, i64), i64> = BTreeMap::new();
    let mut partners: BTreeMap<(&str, &str, &str, i64), i64> = BTreeMap::new();
    for (customer, by) in before.iter().map(|c| (c, -1)).chain(after.iter().map(|c| (c, 1))) {
        let Some(partner) = customer.partner_id.filter(|_| !customer.deleted) else { continue };
        let day = day_of(customer.created_at);
        *programs.entry((customer.mode, customer.program_id, day)).or_default() += by;
        *partners.entry((customer.mode, customer.program_id, partner, day)).or_default() += by;
    }
    let ws = P::T(workspace_id);
    let sql = "INSERT INTO program_day (workspace_id, mode, program_id, day, visits, rejected, customers) \
         VALUES ($1, $2, $3, $4, 0, 0, $5) ON CONFLICT (workspace_id, mode, program_id, day) \
         DO UPDATE SET customers = program_day.customers + excluded.customers";
    let sets: Vec<_> = programs
        .iter()
        .filter(|(_, by)| **by != 0)
        .map(|((mode, program, day), by)| vec![ws, P::T(mode), P::T(program), P::I(*day), P::I(*by)])
        .collect();
    tx.add_each(sql, &sets, 4).await?;
    let sql = "INSERT INTO partner_day (workspace_id, mode, program_id, partner_id, day, visits, customers) \
         VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT (workspace_id, mode, program_id, partner_id, day) \
         DO UPDATE SET customers = partner_day.customers + excluded.customers";
    let sets: Vec<_> = partners
        .iter()
        .filter(|(_, by)| **by != 0)
        .map(|((mode, program, partner, day), by)| {
            vec![ws, P::T(mode), P::T(program), P::T(partner), P::I(*day), P::I(*by)]
        })
        .collect();
    tx.add_each(sql, &sets, 5).await?;
    Ok(())
}

/// What money is counted under, in the order in which it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MoneyKey {
    /// `test` or `live`.
    pub mode: String,
    /// The program.
    pub program_id: String,
    /// Lower case.
    pub currency: String,
    /// Who earns (our id).
    pub partner_id: String,
    /// The UTC day of the sale.
    pub day: i64,
}

/// A change of money counters. Amounts are minor units of the key's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MoneyDelta {
    /// Sales that earn.
    pub sales: i64,
    /// How many of them were given back in part or whole.
    pub refunded: i64,
    /// Their paid amounts.
    pub revenue: i64,
    /// What they earned before refunds.
    pub gross: i64,
    /// What is left of it.
    pub target: i64,
}

impl MoneyDelta {
    /// Adds another change, or takes it away (`sign` −1).
    pub const fn add(&mut self, other: &Self, sign: i64) {
        self.sales += sign * other.sales;
        self.refunded += sign * other.refunded;
        self.revenue += sign * other.revenue;
        self.gross += sign * other.gross;
        self.target += sign * other.target;
    }
}

/// Adds money to the counters of each partner, of each partner's day and month, and of each program's day.
///
/// # Errors
/// The database's.
pub async fn add_money(
    tx: &mut Tx<'_>,
    workspace_id: &str,
    changes: &BTreeMap<MoneyKey, MoneyDelta>,
) -> Result<(), StoreError> {
    let mut partners: BTreeMap<(&str, &str, &str, &str), MoneyDelta> = BTreeMap::new();
    let mut programs: BTreeMap<(&str, &str, &str, i64), MoneyDelta> = BTreeMap::new();
    let mut months: BTreeMap<(&str, &str, &str, i64, &str), MoneyDelta> = BTreeMap::new();
    let mut days = Vec::new();
    let nothing = MoneyDelta::default();
    for (key, delta) in changes.iter().filter(|(_, delta)| **delta != nothing) {
        let (mode, program, currency) = (key.mode.as_str(), key.program_id.as_str(), key.currency.as_str());
        partners.entry((mode, program, &key.partner_id, currency)).or_default().add(delta, 1);
        programs.entry((mode, program, currency, key.day)).or_default().add(delta, 1);
        let month = (mode, program, currency, month_of(key.day), key.partner_id.as_str());
        months.entry(month).or_default().add(delta, 1);
        days.push((key, delta));
    }
    let ws = P::T(workspace_id);
    let sql = "INSERT INTO partner_total (workspace_id, mode, program_id, partner_id, currency, sales, revenue, gross, \
         target) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (workspace_id, mode, program_id, partner_id, currency) DO UPDATE SET \
         sales = partner_total.sales + excluded.sales, revenue = partner_total.revenue + excluded.revenue, \
         gross = partner_total.gross + excluded.gross, target = partner_total.target + excluded.target";
    let sets: Vec<_> = partners
        .iter()
        .filter(|(_, delta)| MoneyDelta { refunded: 0, ..**delta } != nothing)
        .map(|((mode, program, partner, currency), d)| {
            let key = [ws, P::T(mode), P::T(program), P::T(partner), P::T(currency)];
            let figures = [P::I(d.sales), P::I(d.revenue), P::I(d.gross), P::I(d.target)];
            [&key[..], &figures[..]].concat()
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    let figures =
        |d: &MoneyDelta| [P::I(d.sales), P::I(d.refunded), P::I(d.revenue), P::I(d.gross), P::I(d.target)];
    let sql = "INSERT INTO partner_day_money (workspace_id, mode, program_id, day, partner_id, currency, sales, \
         refunded, revenue, gross, target) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (workspace_id, mode, program_id, currency, day, partner_id) DO UPDATE SET \
         sales = partner_day_money.sales + excluded.sales, refunded = partner_day_money.refunded + excluded.refunded, \
         revenue = partner_day_money.revenue + excluded.revenue, gross = partner_day_money.gross + excluded.gross, \
         target = partner_day_money.target + excluded.target";
    let sets: Vec<_> = days
        .into_iter()
        .map(|(k, d)| {
            let key =
                [ws, P::T(&k.mode), P::T(&k.program_id), P::I(k.day), P::T(&k.partner_id), P::T(&k.currency)];
            [&key[..], &figures(d)[..]].concat()
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    let sql = "INSERT INTO partner_month_money (workspace_id, mode, program_id, month, partner_id, currency, sales, \
         refunded, revenue, gross, target) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (workspace_id, mode, program_id, currency, month, partner_id) DO UPDATE SET \
         sales = partner_month_money.sales + excluded.sales, \
         refunded = partner_month_money.refunded + excluded.refunded, \
         revenue = partner_month_money.revenue + excluded.revenue, gross = partner_month_money.gross + excluded.gross, \
         target = partner_month_money.target + excluded.target";
    let sets: Vec<_> = months
        .iter()
        .filter(|(_, delta)| **delta != nothing)
        .map(|((mode, program, currency, month, partner), d)| {
            let key = [ws, P::T(mode), P::T(program), P::I(*month), P::T(partner), P::T(currency)];
            [&key[..], &figures(d)[..]].concat()
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    let sql = "INSERT INTO program_day_money (workspace_id, mode, program_id, day, currency, sales, refunded, revenue, \
         gross, target) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (workspace_id, mode, program_id, currency, day) DO UPDATE SET \
         sales = program_day_money.sales + excluded.sales, refunded = program_day_money.refunded + excluded.refunded, \
         revenue = program_day_money.revenue + excluded.revenue, gross = program_day_money.gross + excluded.gross, \
         target = program_day_money.target + excluded.target";
    let sets: Vec<_> = programs
        .iter()
        .filter(|(_, delta)| **delta != nothing)
        .map(|((mode, program, currency, day), d)| {
            let key = [ws, P::T(mode), P::T(program), P::I(*day), P::T(currency)];
            [&key[..], &figures(d)[..]].concat()
        })
        .collect();
    tx.exec_each(sql, &sets).await?;
    Ok(())
}
