//! A customer's partner, decided by hand: for all its sales, or for those from a day on.

use super::error::PageError;
use super::ruling::{RulingPage, Typed, partner_of};
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::pipeline::Decision;
use crate::pipeline::decide::{decide_customer, on_customer};
use crate::ui::controls::{Field, Select};
use crate::ui::frame::Section;
use crate::ui::page::page;
use crate::ui::text::encode;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tributary_store::pages::customers::{self as stored, Line};
use tributary_store::pages::{Place, frame};
use tributary_store::pipeline::decisions::AS_EVIDENCE_SAYS;
use tributary_store::{StoreError, Tx, Unit};

/// `GET /p/{program}/customers/{customer}/partner`
pub async fn get(State(app): State<App>, visit: Visit, Path(path): Path<(String, String)>) -> Response {
    let result = async {
        let (loaded, line) = load(&app, &visit, &path).await?;
        if !visit.may_write() {
            return Err(PageError::NotAllowed);
        }
        Ok(form(&visit, &loaded, &line, &Typed::default(), None, StatusCode::OK))
    };
    visit.answer(result.await)
}

/// `POST /p/{program}/customers/{customer}/partner`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let result = async {
        visit.check_write(&typed.form_token)?;
        let (loaded, line) = load(&app, &visit, &path).await?;
        let refuse = |wrong| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(form(&visit, &loaded, &line, &typed, Some(&wrong), status))
        };
        let read = typed.why().and_then(|reason| {
            Ok((reason, start_of(&typed.from, &loaded.shown.program.zone)?, value_of(&typed.decision)?))
        });
        let (reason, from_ms, value) = match read {
            Ok(read) => read,
            Err(wrong) => return refuse(wrong),
        };
        let place = loaded.place();
        let blank = on_customer(&place.workspace_id, &place.mode, &place.program_id, &line.customer_id);
        let decision = Decision {
            value: value.clone().unwrap_or_default(),
            actor: crate::audit::user(&visit.session.email),
            reason,
            ..blank
        };
        let partner = value.is_none().then(|| typed.partner.clone());
        let unit = Decide { decision, place, partner, from_ms, now: app.now() };
        if let Err(wrong) = app.db.write(unit).await? {
            return refuse(wrong);
        }
        app.wake.notify_one();
        let frame = visit.frame(&loaded, Section::Customers, "");
        let to = frame.program.href(&format!("customers/{}", encode(&line.customer_id)));
        Ok(Redirect::to(&to).into_response())
    };
    visit.answer(result.await)
}

/// `None` = a partner that is typed.
fn value_of(decision: &str) -> Result<Option<String>, (&'static str, String)> {
    match decision {
        "give" => Ok(None),
        "nobody" => Ok(Some(String::new())),
        "evidence" => Ok(Some(AS_EVIDENCE_SAYS.to_owned())),
        _ => Err(("decision", "Choose what is decided.".to_owned())),
    }
}

/// The beginning of a day in the program's zone, ms UTC; none for all sales.
fn start_of(day: &str, zone: &str) -> Result<Option<i64>, (&'static str, String)> {
    let day = day.trim();
    if day.is_empty() {
        return Ok(None);
    }
    let wrong = || ("from", "Type a day such as 2026-03-01, or nothing for all sales.".to_owned());
    let date: jiff::civil::Date = day.parse().map_err(|_| wrong())?;
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let start = date.to_zoned(zone).map_err(|_| wrong())?;
    Ok(Some(start.timestamp().as_millisecond()))
}

fn form(
    visit: &Visit,
    loaded: &frame::Frame,
    line: &Line,
    typed: &Typed,
    wrong: Option<&(&'static str, String)>,
    status: StatusCode,
) -> Response {
    let name = words::buyer(&line.customer, "");
    let title = "Change partner".to_owned();
    let frame = visit.frame(loaded, Section::Customers, &title);
    let own = frame.program.href(&format!("customers/{}", encode(&line.customer_id)));
    let now =
        line.partner.as_ref().map_or_else(|| "nobody".to_owned(), |(_, partner)| words::partner(partner));
    let options = [
        ("give", "Give the sales to a partner"),
        ("nobody", "Give the sales to nobody"),
        ("evidence", "Take decisions back: as the evidence says"),
    ];
    let error = |name: &str| wrong.filter(|(field, _)| *field == name).map(|(_, words)| words.clone());
    let mut fields = typed.fields(wrong);
    fields.insert(
        1,
        Field {
            name: "from",
            label: "From",
            kind: "date",
            value: typed.from.clone(),
            help: "Sales from this day on, in the program's zone. Empty for all sales, also those of the past.",
            error: error("from").unwrap_or_default(),
            autocomplete: "off",
            ..Field::default()
        },
    );
    let shown = RulingPage {
        lead: format!("{name}. By the evidence it is {now}."),
        action: format!("{own}/partner"),
        back: (name, own),
        choice: Select {
            name: "decision",
            label: "Decision",
            options: options
                .iter()
                .map(|(value, words)| ((*value).to_owned(), (*words).to_owned()))
                .collect(),
            value: typed.decision.clone(),
            help: "It goes before all evidence; what is decided of a single sale goes before it.",
        },
        fields,
        problem: error("decision").unwrap_or_default(),
        effect: "The sales are computed anew at once; what was posted is corrected by new journals.",
        title,
        frame,
    };
    page(status, &shown)
}

async fn load(
    app: &App,
    visit: &Visit,
    (public_id, customer_id): &(String, String),
) -> Result<(frame::Frame, Line), PageError> {
    let workspace_id = visit.session.workspace_id.clone();
    let unit = Load { workspace_id, public_id: public_id.clone(), customer_id: customer_id.clone() };
    Ok(app.db.read(unit).await?)
}

struct Load {
    workspace_id: String,
    public_id: String,
    customer_id: String,
}

impl Unit for Load {
    type Out = (frame::Frame, Line);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let frame = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let line = stored::find(tx, &frame.place(), &self.customer_id).await?;
        let line = line.ok_or_else(|| StoreError::NotFound(format!("customer {}", self.customer_id)))?;
        Ok((frame, line))
    }
}

struct Decide {
    decision: Decision,
    place: Place,
    partner: Option<String>,
    from_ms: Option<i64>,
    now: i64,
}

impl Unit for Decide {
    type Out = Result<(), (&'static str, String)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let mut decision = self.decision.clone();
        if let Some(text) = &self.partner {
            match partner_of(tx, &self.place, text).await? {
                Ok(partner_id) => decision.value = partner_id,
                Err(wrong) => return Ok(Err(wrong)),
            }
        }
        decide_customer(tx, &decision, self.from_ms, self.now).await.map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_in_the_programs_zone_and_nothing_is_all_sales() {
        assert_eq!(start_of(" ", "UTC"), Ok(None));
        assert_eq!(start_of("2026-03-01", "UTC"), Ok(Some(1_772_323_200_000)));
        assert_eq!(start_of("2026-03-01", "Europe/Berlin"), Ok(Some(1_772_319_600_000)));
        for day in ["1.3.2026", "2026-02-30", "soon", "9999999-01-01"] {
            assert_eq!(start_of(day, "UTC").unwrap_err().0, "from", "{day}");
        }
    }
}
