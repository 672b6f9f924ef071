//! Explain: what happened, the sum, why this partner, and what was posted. What is printed is what was
//! computed: the same functions run again on the same rows.

mod origins;
mod steps;
mod text;

use super::context::api_connection;
use super::settle::Scene;
use crate::App;
use serde::Serialize;
use tributary_domain::attribution::Attribution;
use tributary_domain::merge::ObjectState;
use tributary_domain::money::{Currency, format_major};
use tributary_domain::sale::SaleState;
use tributary_domain::settlement::{self, Outcome, Prefix, Target};
use tributary_store::pipeline::commissions::{self, Commission};
use tributary_store::pipeline::evidence::{self, EvidenceRow};
use tributary_store::pipeline::{objects, sales, sales::Sale};
use tributary_store::{P, Row, StoreError, Tx, Unit, connections, workspaces};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// ms UTC.
    pub at: i64,
    /// In a few words: “Paid 72.00 USD”.
    pub title: String,
    /// More words, or empty.
    pub detail: String,
    /// The Stripe object or key behind it.
    pub object_id: String,
    /// `plus`, `minus` or `calm`.
    pub tone: &'static str,
}

/// One ledger entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Posted {
    /// ms UTC.
    pub at: i64,
    /// The journal.
    pub journal_id: String,
    /// `settled` or `matured`.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// The account that gives: `expense`, `pending` or `payable`.
    pub debit: String,
    /// The account that takes.
    pub credit: String,
    /// Minor units.
    pub amount: i64,
    /// Lower case.
    pub currency: String,
    /// Who earns, by key.
    pub partner_key: String,
}

/// A partner, as pages and the API name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartnerName {
    /// Our id.
    pub partner_id: String,
    /// The public key.
    pub key: String,
    /// First and last name, else the e-mail address.
    pub name: String,
}

/// A customer, as pages and the API name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerName {
    /// Our id.
    pub customer_id: String,
    /// The merchant's key.
    pub key: String,
    /// First and last name, or empty.
    pub name: String,
    /// E-mail address, or empty.
    pub email: String,
}

/// Everything about one sale.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The root: the economic key.
    pub root_id: String,
    /// The sale.
    pub sale_id: String,
    /// The connection it came through.
    pub connection_id: String,
    /// `test` or `live`.
    pub mode: String,
    /// Where the sale stands.
    pub state: String,
    /// The same in words.
    pub state_words: String,
    /// ms UTC.
    pub occurred_at: i64,
    /// Lower case, or empty.
    pub currency: String,
    /// Minor units, as all amounts here.
    pub total: i64,
    /// Discount already taken off.
    pub discount: i64,
    /// Paid of the total.
    pub paid: i64,
    /// Given back of what was captured.
    pub refunded: i64,
    /// Captured.
    pub captured: i64,
    /// Lost in disputes that are over.
    pub lost: i64,
    /// Asked back by disputes that are open: the commission stays in its hold, or is at risk.
    pub disputed: i64,
    /// A bare charge does not say what tax it holds.
    pub tax_unknown: bool,
    /// The program's public id, if the sale belongs to one.
    pub program_public_id: Option<String>,
    /// The program's name.
    pub program_name: Option<String>,
    /// Why it has (no) customer.
    pub place_reason: String,
    /// Our customer.
    pub customer: Option<CustomerName>,
    /// Who earns.
    pub partner: Option<PartnerName>,
    /// What happened, in order.
    pub story: Vec<Step>,
    /// Who brought it and why, with all evidence.
    pub attribution: Option<Attribution>,
    /// The sum.
    pub target: Option<Target>,
    /// The outcome in words.
    pub outcome_words: String,
    /// Stands the ledger where the sum says? If not, settlement is still to come.
    pub settled: bool,
    /// When the commission left its hold, ms UTC.
    pub matured_at: Option<i64>,
    /// The ledger, in order.
    pub postings: Vec<Posted>,
}

/// Explains the sale that an id belongs to: any Stripe id of it, an API key, a sale or commission id.
///
/// # Errors
/// The database's.
pub async fn run(app: &App, id: &str) -> Result<Option<Explanation>, StoreError> {
    app.db.read(Explain { id: id.to_owned(), program: None }).await
}

/// The same, within one program.
///
/// # Errors
/// The database's.
pub async fn in_program(
    app: &App,
    workspace_id: &str,
    program_id: &str,
    id: &str,
) -> Result<Option<Explanation>, StoreError> {
    let program = Some((workspace_id.to_owned(), program_id.to_owned()));
    app.db.read(Explain { id: id.to_owned(), program }).await
}

struct Explain {
    id: String,
    program: Option<(String, String)>,
}

impl Unit for Explain {
    type Out = Option<Explanation>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let of_workspaces: Vec<String> = match &self.program {
            Some((workspace_id, _)) => vec![workspace_id.clone()],
            None => workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect(),
        };
        for ws in of_workspaces {
            let Some(sale) = find(tx, &ws, &self.id).await? else { continue };
            let fits = self
                .program
                .as_ref()
                .is_none_or(|(_, program)| sale.program_id.as_ref().is_none_or(|of_sale| of_sale == program));
            if fits {
                return explain(tx, &ws, sale).await.map(Some);
            }
        }
        Ok(None)
    }
}

async fn find(tx: &mut Tx<'_>, ws: &str, id: &str) -> Result<Option<Sale>, StoreError> {
    let mut places: Vec<(String, String)> = connections::list(tx, ws)
        .await?
        .into_iter()
        .map(|connection| (connection.connection_id, id.to_owned()))
        .collect();
    for program in workspaces::list_programs(tx, ws).await? {
        let key = super::transactions::object_id(&program.program_id, id);
        for mode in ["live", "test"] {
            let connection = api_connection(&program.program_id, mode);
            places.push((connection.clone(), key.clone()));
            places.push((connection, id.to_owned()));
        }
    }
    for (connection, object) in places {
        if let Some(sale) = sales::find_by_object(tx, ws, &connection, &object).await? {
            return Ok(Some(sale));
        }
    }
    let sql = "SELECT sale_id FROM commission WHERE workspace_id = $1 AND commission_id = $2";
    let by_commission = tx.opt(sql, &[P::T(ws), P::T(id)]).await?;
    let sale_id = by_commission.map_or(Ok(id.to_owned()), |row| row.text(0))?;
    let mut sale = sales::load(tx, ws, &[sale_id]).await?.into_iter().next();
    // A merged sale is explained by the one that it is part of.
    for _ in 0..16 {
        let Some(next) = sale.as_ref().and_then(|sale| sale.merged_into.clone()) else { break };
        sale = sales::load(tx, ws, &[next]).await?.into_iter().next();
    }
    Ok(sale)
}

async fn explain(tx: &mut Tx<'_>, ws: &str, sale: Sale) -> Result<Explanation, StoreError> {
    let ids = [sale.sale_id.clone()];
    let members = objects::load_members(tx, ws, &ids).await?;
    let rows = evidence::of_sales(tx, ws, &ids).await?.into_iter().flatten();
    let rows: Vec<EvidenceRow> = rows.map(|(row, _)| row).collect();
    let existing: Vec<Commission> =
        commissions::of_sales(tx, ws, &ids).await?.into_iter().flatten().collect();
    let program = match &sale.program_id {
        Some(id) => workspaces::find_program(tx, ws, id).await?,
        None => None,
    };
    let (mut attribution, mut target, mut customer) = (None, None, None);
    if let (Some(program_id), Some(customer_id)) = (&sale.program_id, &sale.customer_id)
        && let Some(mut scene) = Scene::read(tx, ws, program_id, customer_id).await?
    {
        customer = customer_name(tx, ws, customer_id).await?;
        if sale.state == SaleState::Paid.as_str() {
            let (why, input) = scene.attribute(tx, &sale, &rows).await?;
            let places = scene.places(tx, 1).await?;
            let prefix = place_of(tx, ws, &sale, places.prefix(&sale)).await?;
            target = settlement::settle(&[input], &scene.versions, prefix).pop();
            attribution = Some(why);
        }
    }
    let partner = match attribution.as_ref().and_then(|why| why.partner_id.as_ref()) {
        Some(id) => partner_name(tx, ws, id).await?,
        None => None,
    };
    let states: Vec<ObjectState> = members.into_values().filter_map(|alias| alias.state).collect();
    let standing: i64 = existing.iter().map(|commission| commission.target).sum();
    let wanted = target.as_ref().map_or(0, |target| target.amount);
    let postings = postings(tx, ws, &existing).await?;
    let mut story: Vec<Step> = states.iter().flat_map(|state| steps::of(state, &states)).collect();
    if let (Some(program_id), Some(customer)) = (&sale.program_id, &customer) {
        let place = (ws, sale.mode.as_str(), program_id.as_str());
        story.extend(origins::steps(tx, place, &customer.customer_id, attribution.as_ref()).await?);
    }
    story.sort_by(|a, b| (a.at, &a.object_id).cmp(&(b.at, &b.object_id)));
    Ok(Explanation {
        state_words: state_words(&sale.state).to_owned(),
        outcome_words: outcome_words(&sale, target.as_ref()),
        settled: standing == wanted && !sale.unsettled && !sale.unplaced,
        matured_at: existing.iter().find(|c| c.target > 0).and_then(|c| c.matured_at),
        story,
        program_public_id: program.as_ref().map(|program| program.public_id.clone()),
        program_name: program.map(|program| program.name),
        root_id: sale.root_id,
        sale_id: sale.sale_id,
        connection_id: sale.connection_id,
        mode: sale.mode,
        state: sale.state,
        occurred_at: sale.occurred_at,
        currency: sale.currency,
        total: sale.total,
        discount: sale.discount,
        paid: sale.paid,
        refunded: sale.refunded,
        captured: sale.captured,
        lost: sale.lost,
        disputed: sale.disputed,
        tax_unknown: sale.tax_unknown,
        place_reason: sale.place_reason,
        customer,
        partner,
        attribution,
        target,
        postings,
    })
}

/// Where no rule looks back, the place is still counted, for the reader.
async fn place_of(tx: &mut Tx<'_>, ws: &str, sale: &Sale, prefix: Prefix) -> Result<Prefix, StoreError> {
    if prefix.count > 0 {
        return Ok(prefix);
    }
    let sql = "SELECT COUNT(*) FROM sale WHERE workspace_id = $1 AND program_id = $2 AND customer_id = $3 \
         AND state = 'paid' AND (occurred_at < $4 OR (occurred_at = $4 AND root_id < $5))";
    let (program, customer) = (sale.program_id.as_deref(), sale.customer_id.as_deref());
    let params =
        [P::T(ws), P::opt_t(program), P::opt_t(customer), P::I(sale.occurred_at), P::T(&sale.root_id)];
    let count = tx.opt(sql, &params).await?.map_or(Ok(0), |row| row.int(0))?;
    Ok(Prefix { count: u32::try_from(count).unwrap_or(u32::MAX), ..prefix })
}

async fn customer_name(tx: &mut Tx<'_>, ws: &str, id: &str) -> Result<Option<CustomerName>, StoreError> {
    let sql = "SELECT key, name, surname, email FROM customer WHERE workspace_id = $1 AND customer_id = $2";
    let row = tx.opt(sql, &[P::T(ws), P::T(id)]).await?;
    row.map(|row| {
        Ok(CustomerName {
            customer_id: id.to_owned(),
            key: row.text(0)?,
            name: full_name(&row, 1)?,
            email: row.text(3)?,
        })
    })
    .transpose()
}

async fn partner_name(tx: &mut Tx<'_>, ws: &str, id: &str) -> Result<Option<PartnerName>, StoreError> {
    let sql = "SELECT key, name, surname, email FROM partner WHERE workspace_id = $1 AND partner_id = $2";
    let row = tx.opt(sql, &[P::T(ws), P::T(id)]).await?;
    row.map(|row| {
        let name = full_name(&row, 1)?;
        let name = if name.is_empty() { row.text(3)? } else { name };
        Ok(PartnerName { partner_id: id.to_owned(), key: row.text(0)?, name })
    })
    .transpose()
}

fn full_name(row: &Row, at: usize) -> Result<String, StoreError> {
    Ok(format!("{} {}", row.text(at)?, row.text(at + 1)?).trim().to_owned())
}

async fn postings(tx: &mut Tx<'_>, ws: &str, of: &[Commission]) -> Result<Vec<Posted>, StoreError> {
    let sql = "SELECT j.created_at, j.journal_id, j.kind, j.reason, e.debit_account, e.credit_account, e.amount, \
         j.currency, p.key FROM journal j JOIN entry e ON e.workspace_id = j.workspace_id \
         AND e.journal_id = j.journal_id JOIN commission c ON c.workspace_id = j.workspace_id \
         AND c.commission_id = j.commission_id JOIN partner p ON p.workspace_id = c.workspace_id \
         AND p.partner_id = c.partner_id WHERE j.workspace_id = $1 AND j.commission_id = $2 ORDER BY j.seq, e.line";
    let sets: Vec<_> = of.iter().map(|c| vec![P::T(ws), P::T(&c.commission_id)]).collect();
    let kind = |account: String| account.split(':').next().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for row in tx.rows_each(sql, &sets).await?.into_iter().flatten() {
        all.push(Posted {
            at: row.int(0)?,
            journal_id: row.text(1)?,
            kind: row.text(2)?,
            reason: row.text(3)?,
            debit: kind(row.text(4)?),
            credit: kind(row.text(5)?),
            amount: row.int(6)?,
            currency: row.text(7)?,
            partner_key: row.text(8)?,
        });
    }
    all.sort_by_key(|posted| posted.at);
    Ok(all)
}

/// A sale's state in words.
#[must_use]
pub fn state_words(state: &str) -> &'static str {
    match SaleState::parse(state) {
        Some(SaleState::Paid) => "Paid",
        Some(SaleState::AwaitingLink) => "Waiting for Stripe to say what this charge belongs to",
        Some(SaleState::AwaitingParent) => "Waiting for its invoice",
        Some(SaleState::Unpaid) => "Not paid",
        Some(SaleState::NothingToPay) => "Nothing was to pay",
        Some(SaleState::Uncaptured) => "Authorised, not captured",
        Some(SaleState::Unknown) => "Stripe has no such purchase, and too little is known of it to count it",
        None => "Part of another sale",
    }
}

fn outcome_words(sale: &Sale, target: Option<&Target>) -> String {
    match target {
        Some(target) if target.outcome == Outcome::Earns => "It earns.".to_owned(),
        Some(target) => format!("It earns nothing: {}.", target.outcome.words()),
        None if sale.state == SaleState::Paid.as_str() => format!("It earns nothing: {}.", sale.place_reason),
        None => format!("It earns nothing: {}.", state_words(&sale.state).to_lowercase()),
    }
}

fn money(minor: i64, currency: Option<&str>) -> String {
    match currency.and_then(|code| Currency::parse(code).ok()) {
        Some(currency) => format!("{} {}", format_major(minor, currency), currency.as_str().to_uppercase()),
        None => minor.to_string(),
    }
}

fn iso(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| at.to_string())
}
