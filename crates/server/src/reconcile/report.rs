//! The whole comparison: sums per currency that tie, counts, and the lines.

use super::compare::{Line, Status, amount, compare};
use serde::Serialize;
use std::collections::BTreeMap;
use tributary_domain::fact::Kind;
use tributary_store::imports::Run;
use tributary_store::pipeline::objects;
use tributary_store::reconcile;
use tributary_store::{StoreError, Tx, Unit};

/// Objects compared in one read.
const PIECE: i64 = 500;

/// One currency of one list. Minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Lower case.
    pub currency: String,
    /// `invoices`, `charges`, `refunds`, `disputes` or `credit_notes`.
    pub list: String,
    /// Objects that Stripe lists.
    pub objects: i64,
    /// Their sum by Stripe.
    pub stripe: i64,
    /// The sum by Tributary.
    pub tributary: i64,
    /// Stripe minus Tributary.
    pub difference: i64,
}

/// How many lines stand in a way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The way.
    pub status: Status,
    /// Lines.
    pub lines: i64,
}

/// A comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Do all sums tie, with nothing missing and nothing different?
    pub ties: bool,
    /// Per list and currency.
    pub sums: Vec<Sum>,
    /// Per way to stand, what needs a person first; ways without lines are left out.
    pub counts: Vec<Count>,
    /// The lines that were asked for, at most as many as asked for; what needs a person first.
    pub lines: Vec<Line>,
    /// Were there more?
    pub more: bool,
}

/// What of a comparison is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The run that listed.
    pub run: Run,
    /// The program whose commissions count.
    pub program_id: String,
    /// Only lines of this way, or all.
    pub status: Option<Status>,
    /// Only lines of this list, or all.
    pub list: Option<String>,
    /// Lines at most.
    pub limit: usize,
}

/// Compares what a run listed with what is known now.
///
/// # Errors
/// The database's.
pub async fn report(app: &crate::App, ask: Ask) -> Result<Report, StoreError> {
    app.db.read(Compute(ask)).await
}

struct Compute(Ask);

impl Unit for Compute {
    type Out = Report;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Report, StoreError> {
        let ask = &self.0;
        let (ws, con, run) = (&ask.run.workspace_id, &ask.run.connection_id, &ask.run.run_id);
        let mut totals = Totals::default();
        let mut after = String::new();
        loop {
            let items = reconcile::after(tx, ws, con, run, &after, PIECE).await?;
            let Some(last) = items.last() else { break };
            after = last.object_id.clone();
            for line in compare(tx, ws, con, &ask.program_id, &items).await? {
                totals.add(line, ask);
            }
        }
        only_here(tx, ask, &mut totals).await?;
        Ok(totals.report(ask.limit))
    }
}

#[derive(Default)]
struct Totals {
    sums: BTreeMap<(String, String), Sum>,
    counts: BTreeMap<Status, i64>,
    lines: BTreeMap<(Status, i64, String), Line>,
    more: bool,
}

impl Totals {
    fn add(&mut self, line: Line, ask: &Ask) {
        let key = (line.currency.clone(), line.list.clone());
        let sum = self.sums.entry(key).or_insert_with(|| Sum {
            currency: line.currency.clone(),
            list: line.list.clone(),
            ..Sum::default()
        });
        sum.objects = sum.objects.saturating_add(i64::from(line.status != Status::OnlyHere));
        sum.stripe = sum.stripe.saturating_add(line.stripe);
        sum.tributary = sum.tributary.saturating_add(line.tributary);
        sum.difference = sum.stripe.saturating_sub(sum.tributary);
        *self.counts.entry(line.status).or_default() += 1;
        let wanted = ask.status.is_none_or(|status| status == line.status)
            && ask.list.as_ref().is_none_or(|list| *list == line.list);
        if wanted {
            self.lines.insert((line.status, -line.at, line.object_id.clone()), line);
            if self.lines.len() > ask.limit {
                self.lines.pop_last();
                self.more = true;
            }
        }
    }

    fn report(self, limit: usize) -> Report {
        let ties = self.sums.values().all(|sum| sum.difference == 0)
            && self.counts.keys().all(|status| !status.is_problem());
        Report {
            ties,
            sums: self.sums.into_values().collect(),
            counts: self.counts.into_iter().map(|(status, lines)| Count { status, lines }).collect(),
            lines: self.lines.into_values().take(limit).collect(),
            more: self.more,
        }
    }
}

/// Charges of known sales of the period that Stripe did not list.
async fn only_here(tx: &mut Tx<'_>, ask: &Ask, totals: &mut Totals) -> Result<(), StoreError> {
    let (ws, con, run) = (&ask.run.workspace_id, &ask.run.connection_id, &ask.run.run_id);
    let (from, until) = (ask.run.since_at, ask.run.until_at.min(ask.run.started_at));
    let mut after = String::new();
    loop {
        let ids = reconcile::sales_between(tx, ws, con, from, until, &after, PIECE).await?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = last.clone();
        let members = objects::load_members(tx, ws, &ids).await?;
        let charges: Vec<_> = members
            .into_iter()
            .filter_map(|(id, alias)| {
                let state = alias.state.filter(|state| state.kind == Kind::Charge)?;
                let known = amount("charges", &state).filter(|amount| *amount > 0)?;
                let at = state.created();
                (at >= from && at < until).then_some((id, state, known, at))
            })
            .collect();
        let names: Vec<String> = charges.iter().map(|(id, ..)| id.clone()).collect();
        let listed = reconcile::listed(tx, ws, con, run, &names).await?;
        for ((id, state, known, at), listed) in charges.into_iter().zip(listed) {
            if !listed {
                let currency = state.text(tributary_domain::fact::Field::Currency).unwrap_or_default();
                let line = Line {
                    object_id: id,
                    list: "charges".to_owned(),
                    currency: currency.to_owned(),
                    stripe: 0,
                    tributary: known,
                    at,
                    status: Status::OnlyHere,
                    reason: "Stripe does not list it any more.".to_owned(),
                    root: None,
                    customer: String::new(),
                    payment_intent: String::new(),
                };
                totals.add(line, ask);
            }
        }
    }
}
