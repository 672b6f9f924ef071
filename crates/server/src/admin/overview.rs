//! The Overview: is it working, what is owed, and how is it going.

mod feed;
mod kpis;
mod tasks;

pub use feed::{FeedItem, Part};
pub use tasks::Task;

use super::error::PageError;
use super::period::{self, Period};
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::ui::Tone;
use crate::ui::badge::Avatar;
use crate::ui::chart::{Chart, Series};
use crate::ui::controls::{DateRange, Segmented};
use crate::ui::figures::Kpi;
use crate::ui::frame::{Frame, ProgramCard, Section};
use crate::ui::lists::Bar;
use crate::ui::money::{Money, grouped, short, thousands};
use crate::ui::page::page;
use crate::ui::text::{encode, query};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_domain::money::Currency;
use tributary_store::pages::frame as stored_frame;
use tributary_store::pages::overview::{self as stored, Balance, Day, Joined, MoneyDay, Sold, Top, Waits};
use tributary_store::{StoreError, Tx, Unit};

/// Sentences in the list of what was last.
const LATEST: usize = 8;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/overview.html")]
pub struct OverviewPage {
    /// Around it.
    pub frame: Frame,
    /// The presets of the range.
    pub ranges: Segmented,
    /// Any other range.
    pub dates: DateRange,
    /// Is it another range than a preset?
    pub custom: bool,
    /// The days in words.
    pub days: String,
    /// What the figures are compared with.
    pub before: String,
    /// The currencies, if there are several.
    pub currencies: Option<Segmented>,
    /// The figures in money.
    pub money: Vec<Kpi>,
    /// The other figures.
    pub counts: Vec<Kpi>,
    /// Title of the chart.
    pub chart_title: &'static str,
    /// What the chart shows: money, or visits and customers.
    pub views: Segmented,
    /// The chart.
    pub chart: Chart,
    /// What is to be done.
    pub tasks: Vec<Task>,
    /// Who brought most.
    pub top: Vec<TopRow>,
    /// What was last.
    pub latest: Vec<FeedItem>,
}

/// A partner among those who brought most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopRow {
    /// The partner's page.
    pub href: String,
    /// The partner's name.
    pub name: String,
    /// Visits.
    pub visits: String,
    /// New customers.
    pub customers: String,
    /// What was sold.
    pub revenue: Money,
    /// What is earned.
    pub earned: Money,
}

impl OverviewPage {
    fn avatar(&self, name: &str) -> Avatar {
        Avatar::of(name)
    }
}

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    range: Option<String>,
    from: Option<String>,
    to: Option<String>,
    currency: Option<String>,
    chart: Option<String>,
}

/// `GET /p/{program}`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(program): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let result = show(&app, &visit, program, asked).await;
    visit.answer(result)
}

async fn show(app: &App, visit: &Visit, public_id: String, asked: Asked) -> Result<Response, PageError> {
    let today = period::day_of(visit.now);
    let period = Period::read(asked.range.as_deref(), asked.from.as_deref(), asked.to.as_deref(), today);
    let load = Load {
        workspace_id: visit.session.workspace_id.clone(),
        public_id,
        currency: asked.currency.unwrap_or_default().to_lowercase(),
        from: period.from,
        before: period.before(),
        to: period.to,
    };
    let loaded = app.db.read(load).await?;
    let by_visits = asked.chart.as_deref() == Some("visits");
    Ok(page(StatusCode::OK, &compose(visit, &loaded, &period, by_visits)))
}

fn compose(visit: &Visit, loaded: &Loaded, period: &Period, by_visits: bool) -> OverviewPage {
    let mut frame = visit.frame(&loaded.frame, Section::Overview, "Overview");
    let card = frame.program.clone();
    let path = card.home();
    let range = match period.chosen {
        "custom" => {
            format!("from={}&to={}", period::date(period.from), period::date(period.to.saturating_sub(1)))
        }
        preset => format!("range={preset}"),
    };
    let view = if by_visits { "visits" } else { "" };
    let several = loaded.balances.len() > 1;
    let currency = if several { loaded.currency.as_str() } else { "" };
    let to = |range: &str, currency: &str, view: &str| {
        let rest = query(&[("currency", currency), ("chart", view)]);
        format!("{path}?{range}{}{rest}", if rest.is_empty() { "" } else { "&" })
    };
    // The list of tasks says what the bars would say.
    frame.bars.retain(|bar| bar.tone == Tone::Bad);
    if !period.problem.is_empty() {
        frame.bars.push(Bar { tone: Tone::Warn, text: period.problem.clone(), action: None });
    }
    let choice = |(value, words, _): &(&str, &str, i64)| {
        ((*words).to_owned(), to(&format!("range={value}"), currency, view), period.chosen == *value)
    };
    let code = |balance: &Balance| {
        let code = balance.currency.to_ascii_uppercase();
        (code, to(&range, &balance.currency, view), balance.currency == loaded.currency)
    };
    OverviewPage {
        ranges: Segmented { label: "Range", choices: period::PRESETS.iter().map(choice).collect() },
        dates: DateRange {
            action: path.clone(),
            from: period::date(period.from).to_string(),
            to: period::date(period.to.saturating_sub(1)).to_string(),
        },
        custom: period.chosen == "custom",
        days: period.words(),
        before: period.before_words(),
        currencies: several
            .then(|| Segmented { label: "Currency", choices: loaded.balances.iter().map(code).collect() }),
        money: kpis::money(loaded, period),
        counts: kpis::counts(loaded, period),
        chart_title: if by_visits { "Visits and customers" } else { "Revenue and commissions" },
        views: Segmented {
            label: "What the chart shows",
            choices: vec![
                ("Money".to_owned(), to(&range, currency, ""), !by_visits),
                ("Visits".to_owned(), to(&range, currency, "visits"), by_visits),
            ],
        },
        chart: if by_visits { chart_of_visits(loaded, period) } else { chart_of_money(loaded, period) },
        tasks: tasks::list(&loaded.frame, &loaded.waits, &card),
        top: loaded.tops.iter().map(|top| top_row(top, &loaded.currency, &card)).collect(),
        latest: feed::list(&loaded.sold, &loaded.joined, &card, visit.now, LATEST),
        frame,
    }
}

fn top_row(top: &Top, currency: &str, card: &ProgramCard) -> TopRow {
    TopRow {
        href: card.href(&format!("partners/{}", encode(&top.partner_id))),
        name: words::partner(&top.partner),
        visits: grouped(&top.visits.to_string()),
        customers: grouped(&top.customers.to_string()),
        revenue: words::money(top.revenue, currency),
        earned: words::money(top.earned, currency),
    }
}

const fn step_word(step: &str) -> &'static str {
    match step.as_bytes() {
        b"week" => "Week",
        b"month" => "Month",
        _ => "Day",
    }
}

fn chart(names: [&str; 3], period: &Period, unit: i64, figures: [(Vec<i64>, Vec<i64>); 2]) -> Series {
    let [(whole, before), (part, _)] = figures;
    let rows = period.buckets.iter().enumerate().map(|(at, (_, _, name))| {
        let of = |list: &[i64]| list.get(at).copied().unwrap_or(0);
        (name.clone(), period.mark(at), [of(&whole), of(&part), of(&before)])
    });
    Series { rows: rows.collect(), names: names.map(str::to_owned), unit }
}

fn chart_of_money(loaded: &Loaded, period: &Period) -> Chart {
    let unit = Currency::parse(&loaded.currency).map_or(1, |currency| 10_i64.pow(currency.exponent()));
    let revenue = period.sums(&loaded.money, |day| (day.day, day.revenue));
    let earned = period.sums(&loaded.money, |day| (day.day, day.target));
    let names = ["Revenue referred", "Commissions", "Revenue in the days before"];
    let series = chart(names, period, unit, [revenue, earned]);
    let title = format!("Revenue and commissions by {}, {}", period.step(), period.words());
    let full = |minor| words::money(minor, &loaded.currency).text();
    Chart::draw(title, step_word(period.step()), &series, full, |minor| {
        short(words::money(minor, &loaded.currency))
    })
}

fn chart_of_visits(loaded: &Loaded, period: &Period) -> Chart {
    let visits = period.sums(&loaded.days, |day| (day.day, day.visits));
    let customers = period.sums(&loaded.days, |day| (day.day, day.customers));
    let series =
        chart(["Visits", "New customers", "Visits in the days before"], period, 1, [visits, customers]);
    let title = format!("Visits and new customers by {}, {}", period.step(), period.words());
    let full = |count: i64| grouped(&count.to_string());
    Chart::draw(title, step_word(period.step()), &series, full, thousands)
}

/// All that the page needs, read in one go.
#[derive(Debug)]
struct Loaded {
    frame: stored_frame::Frame,
    balances: Vec<Balance>,
    currency: String,
    days: Vec<Day>,
    money: Vec<MoneyDay>,
    tops: Vec<Top>,
    sold: Vec<Sold>,
    joined: Vec<Joined>,
    waits: Waits,
}

struct Load {
    workspace_id: String,
    public_id: String,
    currency: String,
    before: i64,
    from: i64,
    to: i64,
}

impl Unit for Load {
    type Out = Loaded;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Loaded, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let place = frame.place();
        let balances = stored::balances(tx, &place).await?;
        let own = frame.shown.program.currency.clone();
        let known = |code: &str| balances.iter().any(|balance| balance.currency == code);
        let currency = match balances.first() {
            _ if known(&self.currency) => self.currency.clone(),
            Some(first) if !known(&own) => first.currency.clone(),
            _ => own,
        };
        let count = i64::try_from(LATEST).unwrap_or(8);
        Ok(Loaded {
            days: stored::days(tx, &place, self.before, self.to).await?,
            money: stored::money(tx, &place, &currency, self.before, self.to).await?,
            tops: stored::top(tx, &place, &currency, self.from, self.to).await?,
            sold: stored::latest_sales(tx, &place, count).await?,
            joined: stored::latest_customers(tx, &place, count).await?,
            waits: stored::waits(tx, &place).await?,
            frame,
            balances,
            currency,
        })
    }
}
