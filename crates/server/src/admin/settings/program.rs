//! Settings → Program: name, site, tracking, attribution.

use super::{Around, Asked, Load, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::audit::{self, Note, note};
use crate::pipeline::policy_added;
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
use tributary_domain::attribution::PolicyVersion;
use tributary_store::pages::frame as stored;
use tributary_store::pipeline::{objects, policies};
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
    order: Select,
    follow: Select,
    policy: String,
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
    #[serde(default)]
    order: String,
    #[serde(default)]
    follow: String,
}

/// What the choices of the policy are called in the form.
const LINK_FIRST: &str = "link";
const CODE_FIRST: &str = "code";
const BY_CUSTOMER: &str = "customer";
const BY_SALE: &str = "sale";

impl Sent {
    fn of(program: &Program, policy: &PolicyVersion) -> Self {
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
            match_email: policy.match_email.then(|| "true".to_owned()),
            window_days: policy.window_days.to_string(),
            order: if policy.code_first { CODE_FIRST } else { LINK_FIRST }.to_owned(),
            follow: if policy.per_sale { BY_SALE } else { BY_CUSTOMER }.to_owned(),
        }
    }

    fn read(
        &self,
        before: &Program,
        policy: &PolicyVersion,
    ) -> Result<(Program, PolicyVersion), (&'static str, String)> {
        let at = |field| move |words| (field, words);
        let currency = reward::known(&self.currency)
            .map_err(|words| ("currency", crate::ui::text::sentence_case(&format!("{words}."))))?;
        let window = self.window_days.trim().parse::<i64>().ok().filter(|days| (1..=3_650).contains(days));
        let window =
            window.ok_or(("window_days", "Type a whole number of days from 1 to 3650.".to_owned()))?;
        let code_first = match self.order.as_str() {
            // A form that does not ask leaves it as it is.
            "" => policy.code_first,
            LINK_FIRST => false,
            CODE_FIRST => true,
            _ => return Err(("order", "Choose whether a link or a promotion code goes first.".to_owned())),
        };
        let per_sale = match self.follow.as_str() {
            "" => policy.per_sale,
            BY_CUSTOMER => false,
            BY_SALE => true,
            _ => return Err(("follow", "Choose what a commission follows.".to_owned())),
        };
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
            ..before.clone()
        };
        let match_email = self.match_email.is_some();
        Ok((program, PolicyVersion { window_days: window, code_first, per_sale, match_email, ..*policy }))
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
        let (loaded, policy) = app.db.read(LoadAll(Load::new(&visit, &public_id), visit.now)).await?;
        let sent = Sent::of(&loaded.shown.program, &policy);
        Ok(render(&visit, (&loaded, &policy), &sent, None, &asked.notice, StatusCode::OK))
    };
    visit.answer(shown.await)
}

fn render(
    visit: &Visit,
    (loaded, policy): (&stored::Frame, &PolicyVersion),
    sent: &Sent,
    wrong: Option<&(&'static str, String)>,
    notice: &str,
    status: StatusCode,
) -> Response {
    let mut around = Around::new(visit, loaded, "settings", notice);
    // A list to choose from has no line of its own for what is wrong; no page of ours sends such a value.
    if let Some((_, words)) =
        wrong.filter(|(field, _)| matches!(*field, "currency" | "visits" | "order" | "follow"))
    {
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
        order: Select {
            name: "order",
            label: "Where a link and a promotion code disagree",
            options: vec![
                (LINK_FIRST.to_owned(), "The link goes first".to_owned()),
                (CODE_FIRST.to_owned(), "The code goes first".to_owned()),
            ],
            value: sent.order.clone(),
            help: "Of two partners in one purchase. What the payment's metadata names goes before both.",
        },
        follow: Select {
            name: "follow",
            label: "Commissions follow",
            options: vec![
                (BY_CUSTOMER.to_owned(), "The customer: renewals stay with its partner".to_owned()),
                (BY_SALE.to_owned(), "The sale: each needs a link, code or key of its own".to_owned()),
            ],
            value: sent.follow.clone(),
            help: "A renewal by itself carries no link; by sale it earns only where metadata or a code names a partner.",
        },
        policy: policy.sentence(),
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
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let refuse = |wrong| Ok(render(visit, (&loaded, &before), sent, Some(&wrong), "", status));
    let (program, policy) = match sent.read(&loaded.shown.program, &before) {
        Ok(read) => read,
        Err(wrong) => return refuse(wrong),
    };
    if program == loaded.shown.program && policy == before {
        return Ok(back(public_id, "settings", "same"));
    }
    let policy = (policy != before).then_some(policy);
    let actor = audit::user(&visit.session.email);
    match app
        .db
        .write(Save { before: loaded.shown.program.clone(), program, actor, policy, now: app.now() })
        .await
    {
        Ok(()) => {
            app.wake.notify_one();
            Ok(back(public_id, "settings", "saved"))
        }
        Err(StoreError::Conflict(words)) => {
            refuse(("name", crate::ui::text::sentence_case(&format!("{words}."))))
        }
        Err(error) => Err(error.into()),
    }
}

struct LoadAll(Load, i64);

impl Unit for LoadAll {
    type Out = (stored::Frame, PolicyVersion);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = self.0.run(tx).await?;
        let program = &loaded.shown.program;
        let policy = policies::at(tx, &program.workspace_id, &program.program_id, self.1).await?;
        Ok((loaded, policy))
    }
}

struct Save {
    before: Program,
    program: Program,
    actor: String,
    policy: Option<PolicyVersion>,
    now: i64,
}

impl Unit for Save {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, program_id) = (&self.program.workspace_id, &self.program.program_id);
        let line = |action, was: String, became: String| Note {
            workspace_id: ws.clone(),
            program_id: program_id.clone(),
            actor: self.actor.clone(),
            action,
            subject: self.program.public_id.clone(),
            was,
            became,
            ..Note::default()
        };
        objects::lock_program(tx, ws, program_id).await?;
        let (was, became) = differences(&self.before, &self.program);
        if !became.is_empty() {
            note(tx, line("program", was, became), self.now).await?;
        }
        workspaces::update_program(tx, &self.program, self.now).await?;
        let Some(policy) = &self.policy else { return Ok(()) };
        let before = policies::at(tx, ws, program_id, self.now).await?;
        let next = PolicyVersion { version: before.version + 1, ..*policy };
        note(tx, line("policy", before.sentence(), next.sentence()), self.now).await?;
        let known = policies::list(tx, ws, program_id).await?;
        policies::add(tx, ws, program_id, policy, self.now).await?;
        policy_added(tx, (ws, program_id), (&known, policy), self.now).await
    }
}

/// What of a program's settings changed, as it was and as it is.
fn differences(before: &Program, after: &Program) -> (String, String) {
    let texts = |one: &Program| {
        [
            ("name", one.name.clone()),
            ("website", one.website.clone()),
            ("currency", one.currency.clone()),
            ("time zone", one.zone.clone()),
            ("parameter", one.parameter.clone()),
            ("hosts", one.hosts.join(" ")),
            ("payment hosts", one.payment_hosts.join(" ")),
            ("visits", if one.visits_queued { "queued" } else { "kept first" }.to_owned()),
        ]
    };
    let (mut was, mut became) = (Vec::new(), Vec::new());
    for ((name, old), (_, new)) in texts(before).into_iter().zip(texts(after)) {
        if old != new {
            was.push(format!("{name}: {old}"));
            became.push(format!("{name}: {new}"));
        }
    }
    (was.join("; "), became.join("; "))
}
