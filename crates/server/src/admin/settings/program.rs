//! Settings → Program: name, site, tracking, attribution window.

use super::{Around, Asked, Load, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::setup::{checks, reward};
use crate::ui::Tone;
use crate::ui::controls::{Checkbox, Field, Select};
use crate::ui::frame::Frame;
use crate::ui::lists::Bar;
use crate::ui::page::page;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tributary_domain::attribution::window_days;
use tributary_store::pages::frame as stored;
use tributary_store::pipeline::policies;
use tributary_store::workspaces::{self, Program};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/program.html")]
pub struct ProgramPage {
    frame: Frame,
    around: Around,
    general: Vec<Field>,
    currency: Select,
    zone: Field,
    tracking: Vec<Field>,
    hosts: Area,
    payment_hosts: Area,
    visits: Select,
    match_email: Checkbox,
    window: Field,
    public_id: String,
}

/// Several lines of text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "components/area.html")]
pub struct Area {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) help: &'static str,
    pub(super) error: String,
}
impl askama::filters::HtmlSafe for Area {}

/// What the form sends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    name: String,
    website: String,
    currency: String,
    zone: String,
    parameter: String,
    hosts: String,
    payment_hosts: String,
    visits: String,
    #[serde(default)]
    match_email: Option<String>,
    window_days: String,
}

impl Sent {
    fn of(program: &Program, window: i64) -> Self {
        Self {
            form_token: String::new(),
            name: program.name.clone(),
            website: program.website.clone(),
            currency: program.currency.clone(),
            zone: program.zone.clone(),
            parameter: program.parameter.clone(),
            hosts: program.hosts.join("\n"),
            payment_hosts: program.payment_hosts.join("\n"),
            visits: if program.visits_queued { "queued" } else { "committed" }.to_owned(),
            match_email: program.match_email.then(|| "true".to_owned()),
            window_days: window.to_string(),
        }
    }

    fn read(&self, before: &Program) -> Result<(Program, i64), (&'static str, String)> {
        let at = |field| move |words| (field, words);
        let currency = reward::known(&self.currency)
            .map_err(|words| ("currency", crate::ui::text::sentence_case(&format!("{words}."))))?;
        let window = self.window_days.trim().parse::<i64>().ok().filter(|days| (1..=3_650).contains(days));
        let window =
            window.ok_or(("window_days", "Type a whole number of days from 1 to 3650.".to_owned()))?;
        let queued = match self.visits.as_str() {
            "committed" => false,
            "queued" => true,
            _ => return Err(("visits", "Choose how visits are written.".to_owned())),
        };
        let program = Program {
            name: checks::name(&self.name).map_err(at("name"))?,
            website: checks::website(&self.website).map_err(at("website"))?.to_string(),
            currency: currency.as_str().to_owned(),
            zone: checks::zone(&self.zone).map_err(at("zone"))?,
            parameter: checks::parameter(&self.parameter).map_err(at("parameter"))?,
            hosts: checks::hosts(&self.hosts, true).map_err(at("hosts"))?,
            payment_hosts: checks::hosts(&self.payment_hosts, false).map_err(at("payment_hosts"))?,
            visits_queued: queued,
            match_email: self.match_email.is_some(),
            ..before.clone()
        };
        Ok((program, window))
    }
}

/// `GET /p/{program}/settings`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = async {
        let (loaded, window) = app.db.read(LoadAll(Load::new(&visit, &public_id), visit.now)).await?;
        let sent = Sent::of(&loaded.shown.program, window);
        Ok(render(&visit, &loaded, &sent, None, &asked.notice, StatusCode::OK))
    };
    visit.answer(shown.await)
}

fn render(
    visit: &Visit,
    loaded: &stored::Frame,
    sent: &Sent,
    wrong: Option<&(&'static str, String)>,
    notice: &str,
    status: StatusCode,
) -> Response {
    let mut around = Around::new(visit, loaded, "settings", notice);
    // A list to choose from has no line of its own for what is wrong; no page of ours sends such a value.
    if let Some((_, words)) = wrong.filter(|(field, _)| matches!(*field, "currency" | "visits")) {
        let text = format!("Nothing was changed. {words}");
        around.notice = Some(Bar { tone: Tone::Bad, text, action: None });
    }
    let error =
        |name: &str| wrong.filter(|(field, _)| *field == name).map_or_else(String::new, |(_, w)| w.clone());
    let field = |name: &'static str, label, value: &str, help| Field {
        name,
        label,
        kind: "text",
        value: value.to_owned(),
        help,
        error: error(name),
        autocomplete: "off",
        required: true,
        ..Field::default()
    };
    let area = |name: &'static str, label, value: &str, help| Area {
        name,
        label,
        value: value.to_owned(),
        help,
        error: error(name),
    };
    let shown = ProgramPage {
        general: vec![
            field("name", "Name", &sent.name, "Partners see it."),
            field("website", "Website", &sent.website, "Where new referral links lead."),
        ],
        currency: Select {
            name: "currency",
            label: "Currency shown",
            options: crate::api::currencies::all()
                .map(|code| (code.to_owned(), code.to_uppercase()))
                .collect(),
            value: sent.currency.clone(),
            help: "For fixed rewards and reports. Sales keep their own.",
        },
        zone: field(
            "zone",
            "Time zone",
            &sent.zone,
            "An IANA name, such as Europe/Berlin. Days begin by it.",
        ),
        tracking: vec![field(
            "parameter",
            "Link parameter",
            &sent.parameter,
            "The name in ?aff=KEY. Links with aff, via and ref are understood, too.",
        )],
        hosts: area(
            "hosts",
            "Further hosts of your site",
            &sent.hosts,
            "One a line, such as app.example.com or *.example.com. The website's own host and its sub-domains need no entry.",
        ),
        payment_hosts: area(
            "payment_hosts",
            "Hosts of payment pages",
            &sent.payment_hosts,
            "Links to these get the referral's reference, such as buy.stripe.com or your own checkout domain.",
        ),
        visits: Select {
            name: "visits",
            label: "Visits by short link",
            options: vec![
                ("committed".to_owned(), "Written before the redirect".to_owned()),
                ("queued".to_owned(), "Written in groups after it".to_owned()),
            ],
            value: sent.visits.clone(),
            help: "In groups is faster under load; a power cut may lose the last moments.",
        },
        match_email: Checkbox {
            name: "match_email",
            label: "Recognise customers by e-mail address too",
            checked: sent.match_email.is_some(),
        },
        window: field(
            "window_days",
            "Attribution window, days",
            &sent.window_days,
            "A click counts for so long. A change is a new version and holds for sales from now on.",
        ),
        public_id: loaded.shown.program.public_id.clone(),
        frame: around.frame.clone(),
        around,
    };
    page(status, &shown)
}

/// `POST /p/{program}/settings`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = save(&app, &visit, &public_id, &sent).await;
    visit.answer(result)
}

async fn save(app: &App, visit: &Visit, public_id: &str, sent: &Sent) -> Result<Response, PageError> {
    may_change(visit, &sent.form_token)?;
    let (loaded, before) = app.db.read(LoadAll(Load::new(visit, public_id), visit.now)).await?;
    let refuse = |wrong| Ok(render(visit, &loaded, sent, Some(&wrong), "", StatusCode::UNPROCESSABLE_ENTITY));
    let (program, window) = match sent.read(&loaded.shown.program) {
        Ok(read) => read,
        Err(wrong) => return refuse(wrong),
    };
    if program == loaded.shown.program && window == before {
        return Ok(back(public_id, "settings", "same"));
    }
    let window = (window != before).then_some(window);
    match app.db.write(Save { program, window, now: app.now() }).await {
        Ok(()) => Ok(back(public_id, "settings", "saved")),
        Err(StoreError::Conflict(words)) => {
            refuse(("name", crate::ui::text::sentence_case(&format!("{words}."))))
        }
        Err(error) => Err(error.into()),
    }
}

struct LoadAll(Load, i64);

impl Unit for LoadAll {
    type Out = (stored::Frame, i64);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = self.0.run(tx).await?;
        let program = &loaded.shown.program;
        let versions = policies::list(tx, &program.workspace_id, &program.program_id).await?;
        Ok((loaded, window_days(&versions, self.1)))
    }
}

struct Save {
    program: Program,
    window: Option<i64>,
    now: i64,
}

impl Unit for Save {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        workspaces::update_program(tx, &self.program, self.now).await?;
        let Some(days) = self.window else { return Ok(()) };
        policies::add(tx, &self.program.workspace_id, &self.program.program_id, days, self.now).await
    }
}
