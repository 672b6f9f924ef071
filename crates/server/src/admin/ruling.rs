//! Decisions by hand: who brought a sale, or that it does not count. A form of its own, so that nothing is decided by one
//! press; each decision leaves a line in the audit log.

use super::error::PageError;
use super::partner::api_place;
use super::visit::{self, Visit};
use super::words;
use crate::App;
use crate::api::partners::target::Target;
use crate::pipeline::explain;
use crate::pipeline::{Decision, decide};
use crate::ui::controls::{Field, Select};
use crate::ui::frame::{Frame, Section};
use crate::ui::page::page;
use crate::ui::text::encode;
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_store::pages::partners::{self as list, Filter, Sort};
use tributary_store::pages::{Place, frame as stored};
use tributary_store::pipeline::decisions::AS_EVIDENCE_SAYS;
use tributary_store::{StoreError, Tx, Unit};

/// Longest reason, characters.
const REASON_MAX: usize = 500;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/ruling.html")]
pub struct RulingPage {
    /// Around it.
    pub frame: Frame,
    /// What is decided about.
    pub title: String,
    /// How it stands now.
    pub lead: String,
    /// Where it is sent.
    pub action: String,
    /// Words and address of where leaving leads.
    pub back: (String, String),
    /// What can be decided.
    pub choice: Select,
    /// The partner, the reason, and what else is asked.
    pub fields: Vec<Field>,
    /// What is wrong beside the fields.
    pub problem: String,
    /// What deciding does.
    pub effect: &'static str,
}

/// What is typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    /// The form's token.
    #[serde(default)]
    pub form_token: String,
    /// What is decided.
    #[serde(default)]
    pub decision: String,
    /// Whom a partner's key, e-mail address, id or name means.
    #[serde(default)]
    pub partner: String,
    /// Since when, for a customer: a day, or nothing.
    #[serde(default)]
    pub from: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

impl Typed {
    /// The partner and the reason as fields.
    pub(super) fn fields(&self, wrong: Option<&(&'static str, String)>) -> Vec<Field> {
        let field = |name: &'static str, label, value: &str, help, required| Field {
            name,
            label,
            kind: "text",
            value: value.to_owned(),
            help,
            error: wrong
                .filter(|(field, _)| *field == name)
                .map(|(_, words)| words.clone())
                .unwrap_or_default(),
            autocomplete: "off",
            required,
            ..Field::default()
        };
        vec![
            field(
                "partner",
                "Partner",
                &self.partner,
                "Key, e-mail address or name. Only to give it to a partner.",
                false,
            ),
            field("reason", "Reason", &self.reason, "Stands in the audit log and beside the sale.", true),
        ]
    }

    /// The reason, trimmed.
    pub(super) fn why(&self) -> Result<String, (&'static str, String)> {
        let reason = self.reason.trim();
        let count = reason.chars().count();
        if count == 0 || count > REASON_MAX || reason.chars().any(char::is_control) {
            return Err(("reason", "Type a reason of 1 to 500 characters.".to_owned()));
        }
        Ok(reason.to_owned())
    }
}

/// The partner (our id) that a text means: by key, id or e-mail address, else by a part of the name that fits one alone.
pub(super) async fn partner_of(
    tx: &mut Tx<'_>,
    place: &Place,
    text: &str,
) -> Result<Result<String, (&'static str, String)>, StoreError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Err(("partner", "Type whom: a key, an e-mail address or a name.".to_owned())));
    }
    if text.chars().count() > 255 {
        return Ok(Err(("partner", "No partner has so long a name.".to_owned())));
    }
    if let Some(found) = Target::Path(text.to_owned()).find(tx, &api_place(place)).await? {
        return Ok(Ok(found.partner_id));
    }
    let filter = Filter { status: String::new(), search: text.to_owned() };
    let found = list::list(tx, place, "usd", &filter, Sort::Name, 0).await?;
    let names: Vec<String> = found
        .iter()
        .take(8)
        .map(|one| format!("{} ({})", words::partner(&one.partner), one.partner[2]))
        .collect();
    Ok(match found.as_slice() {
        [] => Err(("partner", format!("No partner fits “{text}”."))),
        [one] => Ok(one.partner_id.clone()),
        _ => Err(("partner", format!("Several partners fit. Type the key of one: {}.", names.join(", ")))),
    })
}

/// `GET /p/{program}/transactions/{any id of it}/decide`
pub async fn get(State(app): State<App>, visit: Visit, Path(path): Path<(String, String)>) -> Response {
    let result = async {
        let (loaded, sale) = load(&app, &visit, &path).await?;
        if !visit.may_write() {
            return Err(PageError::NotAllowed);
        }
        Ok(form(&visit, &loaded, &sale, &Typed::default(), None, StatusCode::OK))
    };
    visit.answer(result.await)
}

/// `POST /p/{program}/transactions/{any id of it}/decide`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    let result = async {
        visit.check_write(&typed.form_token)?;
        let (loaded, sale) = load(&app, &visit, &path).await?;
        let refuse = |wrong| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(form(&visit, &loaded, &sale, &typed, Some(&wrong), status))
        };
        let reason = match typed.why() {
            Ok(reason) => reason,
            Err(wrong) => return refuse(wrong),
        };
        let (kind, give) = match typed.decision.as_str() {
            "give" => ("attribute", None),
            "nobody" => ("attribute", Some(String::new())),
            "evidence" => ("attribute", Some(AS_EVIDENCE_SAYS.to_owned())),
            "void" => ("void", Some(String::new())),
            "unvoid" => ("unvoid", Some(String::new())),
            _ => return refuse(("decision", "Choose what is decided.".to_owned())),
        };
        let place = Place { mode: sale.mode.clone(), ..loaded.place() };
        let decision = Decision {
            workspace_id: place.workspace_id.clone(),
            mode: sale.mode.clone(),
            program_id: place.program_id.clone(),
            kind,
            connection_id: sale.connection_id.clone(),
            subject: sale.root_id.clone(),
            value: give.clone().unwrap_or_default(),
            actor: crate::audit::user(&visit.session.email),
            reason,
        };
        let partner = give.is_none().then(|| typed.partner.clone());
        let unit = Decide { decision, place, partner, now: app.now() };
        if let Err(wrong) = app.db.write(unit).await? {
            return refuse(wrong);
        }
        app.wake.notify_one();
        let frame = visit.frame(&loaded, Section::Transactions, "");
        let to = frame.program.href(&format!("transactions/{}", encode(&sale.root_id)));
        Ok(Redirect::to(&to).into_response())
    };
    visit.answer(result.await)
}

async fn load(
    app: &App,
    visit: &Visit,
    (public_id, key): &(String, String),
) -> Result<(stored::Frame, explain::Explanation), PageError> {
    let workspace_id = visit.session.workspace_id.clone();
    let unit = Load { workspace_id: workspace_id.clone(), public_id: public_id.clone() };
    let loaded = app.db.read(unit).await?;
    let program_id = &loaded.shown.program.program_id;
    let sale = explain::in_program(app, &workspace_id, program_id, key).await?.ok_or(PageError::NotFound)?;
    Ok((loaded, sale))
}

fn form(
    visit: &Visit,
    loaded: &stored::Frame,
    sale: &explain::Explanation,
    typed: &Typed,
    wrong: Option<&(&'static str, String)>,
    status: StatusCode,
) -> Response {
    let title = "Decide on this sale".to_owned();
    let frame = visit.frame(loaded, Section::Transactions, &title);
    let own = frame.program.href(&format!("transactions/{}", encode(&sale.root_id)));
    let paid = words::money(sale.paid, &sale.currency).text();
    let who = sale.partner.as_ref().map_or("nobody", |partner| &partner.name);
    let options = [
        ("give", "Give it to a partner"),
        ("nobody", "Give it to nobody"),
        ("evidence", "Take decisions back: as the evidence says"),
        ("void", "Void it: it earns nothing"),
        ("unvoid", "Take the void back"),
    ];
    let shown = RulingPage {
        lead: format!("{paid}, {}. Now for {who}. {}", sale.root_id, sale.outcome_words),
        action: format!("{own}/decide"),
        back: (paid, own),
        choice: Select {
            name: "decision",
            label: "Decision",
            options: options
                .iter()
                .map(|(value, words)| ((*value).to_owned(), (*words).to_owned()))
                .collect(),
            value: typed.decision.clone(),
            help: "It holds for this sale alone, and outlasts whatever Stripe says later.",
        },
        fields: typed.fields(wrong),
        problem: wrong
            .filter(|(field, _)| *field == "decision")
            .map(|(_, words)| words.clone())
            .unwrap_or_default(),
        effect: "The commission is computed anew at once; what was posted is corrected by new journals.",
        title,
        frame,
    };
    page(status, &shown)
}

struct Load {
    workspace_id: String,
    public_id: String,
}

impl Unit for Load {
    type Out = stored::Frame;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<stored::Frame, StoreError> {
        visit::load(tx, &self.workspace_id, &self.public_id).await
    }
}

struct Decide {
    decision: Decision,
    place: Place,
    partner: Option<String>,
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
        decide(tx, &decision, self.now).await.map(Ok)
    }
}
