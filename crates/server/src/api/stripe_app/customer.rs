//! `GET /v1/integrations/stripe/app/customers/{customer}`

use super::auth::AppCaller;
use super::report::{EarnedReport, EvidenceReport, PartnerReport, ProgramReport, Report, SaleReport};
use super::signed;
use crate::admin::{customer as page, words};
use crate::api::error::{ApiError, Refusal, json};
use crate::api::input::Id;
use crate::api::wire::{Data, stored_currency, time, units};
use crate::pipeline::{fixing, rulings};
use crate::tracking::link_url;
use crate::ui::text::encode;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use tributary_domain::attribution::Evidence;
use tributary_domain::money::format_major;
use tributary_store::api::{By, partners};
use tributary_store::pages::Place;
use tributary_store::pages::customers::{self, Line, Sale};
use tributary_store::pages::stripe_customer::{self as stored, Known, Totals};
use tributary_store::{StoreError, Tx, Unit};

/// Where it is.
pub const PATH: &str = "/v1/integrations/stripe/app/customers/{customer}";
/// Sales that are shown.
const SALES: usize = 10;

/// Whose page is open in the Dashboard.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    account: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    user: String,
}

/// Is it an id of Stripe with this prefix?
fn is_id(text: &str, prefix: &str) -> bool {
    text.len() <= 100
        && text.strip_prefix(prefix).is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        })
}

impl Asked {
    fn check(&self, customer: &str) -> Result<(), ApiError> {
        let wrong = |name, words: &str| Err(ApiError::field(name, words));
        match () {
            () if !is_id(customer, "cus_") => wrong("customer", "The customer is an id of Stripe: cus_…."),
            () if !is_id(&self.account, "acct_") => {
                wrong("account", "The account is an id of Stripe: acct_….")
            }
            () if !matches!(self.mode.as_str(), "test" | "live") => {
                wrong("mode", "The mode is “test” or “live”.")
            }
            () if !self.user.is_empty() && !is_id(&self.user, "usr_") => {
                wrong("user", "The user is an id of Stripe: usr_…, or absent.")
            }
            () => Ok(()),
        }
    }
}

/// What is known of the customer of Stripe whose page is open in the Dashboard.
///
/// Opened by an app token, for every program of its workspace. A customer that is not known is answered with 404 and a body
/// of the same form.
#[utoipa::path(get, path = "/v1/integrations/stripe/app/customers/{customer}", tag = "Stripe App",
    operation_id = "show_stripe_customer",
    params(("customer" = String, Path, description = "The customer's id at Stripe, `cus_…`"),
        ("account" = String, Query, description = "The account's id at Stripe, `acct_…`"),
        ("mode" = String, Query, description = "`test` or `live`"),
        ("user" = Option<String>, Query, description = "The Dashboard's user, `usr_…`; where calls must be signed")),
    responses((status = 200, body = Data<Report>),
        (status = 404, body = Data<Report>, description = "Not connected, or no such customer"),
        (status = 401, body = Refusal), (status = 422, body = Refusal), (status = 429, body = Refusal)),
    security(("app_token" = [])))]
pub async fn customer(
    caller: AppCaller,
    Id(customer): Id,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    State(app): State<crate::App>,
) -> Result<Response, ApiError> {
    asked.check(&customer)?;
    signed::check(&app.stripe_app, &headers, (&asked.user, &asked.account), caller.now)?;
    let (workspace_id, now) = (caller.workspace_id, caller.now);
    let look = Look { workspace_id, account: asked.account, mode: asked.mode, customer, now };
    let found = caller.app.db.read(look).await?;
    let base = app.settings.public_url.as_str().trim_end_matches('/');
    let report = found.report(base)?;
    let status = if found.known.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    Ok(json(status, &Data { data: report, status: 1 }))
}

struct Look {
    workspace_id: String,
    account: String,
    mode: String,
    customer: String,
    now: i64,
}

struct Found {
    connected: bool,
    known: Vec<One>,
}

struct One {
    known: Known,
    line: Line,
    fixing: Option<Evidence>,
    totals: Vec<Totals>,
    sales: Vec<Sale>,
}

impl Unit for Look {
    type Out = Found;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Found, StoreError> {
        let ws = &self.workspace_id;
        let connection = stored::connection_of(tx, ws, &self.account, &self.mode).await?;
        let mut found = Found { connected: connection.is_some(), known: Vec::new() };
        let Some(connection) = connection else { return Ok(found) };
        for known in stored::known(tx, ws, &connection, &self.customer).await? {
            let place = Place {
                workspace_id: ws.clone(),
                program_id: known.program_id.clone(),
                mode: self.mode.clone(),
            };
            let id = known.customer_id.clone();
            let Some(mut line) = customers::find(tx, &place, &id).await? else { continue };
            let ruled = rulings::partner_now(tx, ws, &id, self.now).await?;
            if let Some(partner_id) = &ruled {
                line.partner = named(tx, &place, partner_id.as_deref()).await?;
                "user".clone_into(&mut line.partner_by);
            }
            let fixing = match ruled {
                Some(_) => None,
                None => fixing::of_customer(tx, ws, &known.program_id, &id).await?,
            };
            found.known.push(One {
                line,
                fixing,
                totals: stored::totals(tx, &place, &id).await?,
                sales: customers::sales(tx, &place, &id).await?,
                known,
            });
        }
        Ok(found)
    }
}

/// A partner as pages show it: our id, and name, surname and key.
async fn named(
    tx: &mut Tx<'_>,
    place: &Place,
    partner_id: Option<&str>,
) -> Result<Option<(String, [String; 3])>, StoreError> {
    let Some(partner_id) = partner_id else { return Ok(None) };
    let place = tributary_store::api::Place {
        workspace_id: place.workspace_id.clone(),
        program_id: place.program_id.clone(),
        mode: place.mode.clone(),
    };
    let found = partners::find(tx, &place, By::Id, partner_id).await?;
    Ok(found.map(|one| (one.partner_id, [one.name, one.surname, one.key])))
}

impl Found {
    fn report(&self, base: &str) -> Result<Report, StoreError> {
        let programs = self.known.iter().map(|one| one.report(base)).collect::<Result<Vec<_>, _>>()?;
        let referred = programs.iter().any(|program| program.partner.is_some());
        let (reason, message) = match (self.connected, programs.is_empty(), referred) {
            (_, _, true) => (None, "Somebody referred this customer."),
            (false, ..) => {
                (Some("not_connected"), "This Stripe account is not connected to Tributary in this mode.")
            }
            (true, true, false) => {
                (Some("unknown_customer"), "Tributary has seen nothing of this customer: nobody referred it.")
            }
            (true, false, false) => (Some("nobody"), "Nobody referred this customer."),
        };
        let reason = reason.map(str::to_owned);
        Ok(Report { referred, reason, message: message.to_owned(), programs })
    }
}

impl One {
    fn report(&self, base: &str) -> Result<ProgramReport, StoreError> {
        let page = |path: &str| format!("{base}/p/{}/{path}", encode(&self.known.public_id));
        let partner = self.line.partner.as_ref().map(|(id, names)| PartnerReport {
            name: words::partner(names),
            link: link_url(&self.known.website, &self.known.parameter, &names[2]),
            url: page(&format!("partners/{}", encode(id))),
            key: names[2].clone(),
        });
        let fixing = self.fixing.as_ref().filter(|_| partner.is_some());
        Ok(ProgramReport {
            id: self.known.public_id.clone(),
            name: self.known.name.clone(),
            because: page::because(&self.line, partner.as_ref().map(|partner| partner.name.as_str())),
            since: fixing.map(|piece| time(piece.effective_at)),
            evidence: fixing.map(|piece| EvidenceReport {
                kind: piece.kind.as_str().to_owned(),
                words: piece.words(),
                source: piece.source_id.clone(),
            }),
            url: page(&format!("customers/{}", encode(&self.line.customer_id))),
            earned: self.totals.iter().map(earned).collect::<Result<_, _>>()?,
            sales: self.sales.iter().take(SALES).map(|sale| sold(sale, &page)).collect::<Result<_, _>>()?,
            more_sales: self.sales.len() > SALES,
            partner,
        })
    }
}

fn earned(totals: &Totals) -> Result<EarnedReport, StoreError> {
    let currency = stored_currency(&totals.currency)?;
    let text = |minor| format_major(minor, currency);
    Ok(EarnedReport {
        currency: units(&totals.currency),
        pending: text(totals.pending),
        payable: text(totals.payable),
        // Nothing leaves the ledger's payable accounts yet.
        paid: text(0),
        reversed: text(totals.reversed),
    })
}

fn sold(sale: &Sale, page: &impl Fn(&str) -> String) -> Result<SaleReport, StoreError> {
    // A sale that Stripe has not described yet has no currency and no amounts.
    let code = if sale.currency.is_empty() { "xxx" } else { &sale.currency };
    let currency = stored_currency(code)?;
    let reward = sale.earned.as_ref().filter(|(_, target, _)| *target > 0);
    let earned =
        reward.map(|(_, target, code)| Ok::<_, StoreError>(format_major(*target, stored_currency(code)?)));
    Ok(SaleReport {
        id: sale.root_id.clone(),
        at: time(sale.occurred_at),
        currency: units(&sale.currency),
        paid: format_major(sale.paid, currency),
        refunded: format_major(sale.refunded, currency),
        state: sale.state.clone(),
        earned: earned.transpose()?,
        earned_currency: reward.map(|(_, _, code)| units(code)),
        nothing_because: if reward.is_some() {
            String::new()
        } else {
            words::because(&sale.outcome).to_owned()
        },
        url: page(&format!("transactions/{}", encode(&sale.root_id))),
    })
}
