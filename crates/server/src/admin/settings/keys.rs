//! Settings → API keys: made with a name and shown once, listed by their last letters, revoked. App tokens too: they
//! open what the app in Stripe's Dashboard shows, and nothing else.

use super::{Around, Asked, Load, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::api;
use crate::audit::{Note, note};
use crate::auth::login::Signed;
use crate::setup::checks;
use crate::state::new_id;
use crate::ui::controls::{CopyField, Field, Select};
use crate::ui::frame::Frame;
use crate::ui::page::page;
use crate::ui::text::encode;
use crate::ui::when::Ago;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tributary_domain::ids::IdKind;
use tributary_store::api::keys::{self, KeyLine};
use tributary_store::pages::frame as stored;
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// Live keys of one program at most.
const KEYS_MAX: usize = 50;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/keys.html")]
pub struct KeysPage {
    frame: Frame,
    around: Around,
    keys: KeysCard,
}

/// The keys as one component: the Integration page shows it, too.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/keys.html")]
pub struct KeysCard {
    form_token: String,
    /// Where the forms go.
    action: String,
    /// The tab to come back to.
    tab: &'static str,
    name: Field,
    opens: Select,
    fresh: Option<CopyField>,
    rows: Vec<KeyRow>,
}
impl askama::filters::HtmlSafe for KeysCard {}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    id: String,
    name: String,
    hint: String,
    app: bool,
    created: Ago,
    revoked: Option<Ago>,
}

impl KeysCard {
    /// The card on a tab; `wrong` is what was wrong with a new key's name.
    pub(crate) fn new(
        app: &App,
        visit: &Visit,
        frame: &Frame,
        tab: &'static str,
        (rows, shown): (&[KeyLine], &str),
        wrong: &str,
    ) -> Self {
        let now = visit.now;
        let fresh = app.reveals.take(&visit.session.user_id, shown, now);
        Self {
            form_token: visit.form_token.clone(),
            action: frame.program.href("settings/keys"),
            tab,
            name: Field {
                name: "name",
                label: "Name",
                kind: "text",
                help: "What uses it, such as “Shop server”.",
                error: wrong.to_owned(),
                autocomplete: "off",
                required: true,
                ..Field::default()
            },
            opens: Select {
                name: "opens",
                label: "Opens",
                options: vec![
                    ("program".to_owned(), "The REST API of this program".to_owned()),
                    ("stripe_app".to_owned(), "The app in Stripe's Dashboard, to read".to_owned()),
                ],
                value: "program".to_owned(),
                help: "An app token begins with tra_, an API key with trb_.",
            },
            fresh: fresh.map(|key| CopyField { what: "the API key", value: key.expose_secret().to_owned() }),
            rows: rows
                .iter()
                .map(|key| KeyRow {
                    id: encode(&key.key_id),
                    name: key.name.clone(),
                    hint: format!("{}_…{}", if key.app { "tra" } else { "trb" }, key.hint),
                    app: key.app,
                    created: Ago { at: key.created_at, now },
                    revoked: key.revoked_at.map(|at| Ago { at, now }),
                })
                .collect(),
        }
    }

    /// Is a key shown that will not be shown again?
    pub(crate) const fn shows_a_key(&self) -> bool {
        self.fresh.is_some()
    }
}

/// `GET /p/{program}/settings/keys`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = render(&app, &visit, &public_id, &asked, "", StatusCode::OK).await;
    visit.answer(shown)
}

async fn render(
    app: &App,
    visit: &Visit,
    public_id: &str,
    asked: &Asked,
    wrong: &str,
    status: StatusCode,
) -> Result<Response, PageError> {
    let (loaded, rows) = app.db.read(LoadKeys(Load::new(visit, public_id))).await?;
    let around = Around::new(visit, &loaded, "settings/keys", "");
    let frame = around.frame.clone();
    let keys = KeysCard::new(app, visit, &frame, "settings/keys", (&rows, &asked.shown), wrong);
    let around = Around { notice: super::notice(word(asked, &keys)), ..around };
    Ok(page(status, &KeysPage { frame, around, keys }))
}

/// The notice of a page with keys: a key that was to be shown and is not there any more is said.
pub(crate) fn word<'a>(asked: &'a Asked, keys: &KeysCard) -> &'a str {
    if asked.shown.is_empty() || keys.shows_a_key() { &asked.notice } else { "key-gone" }
}

/// What the form for a new key sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    name: String,
    tab: String,
    /// `program`, as without it, or `stripe_app`.
    #[serde(default)]
    opens: String,
}

/// `POST /p/{program}/settings/keys`: makes a key and shows it on the page that follows, once.
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = make(&app, &visit, &public_id, &sent).await;
    visit.answer(result)
}

async fn make(app: &App, visit: &Visit, public_id: &str, sent: &Sent) -> Result<Response, PageError> {
    may_change(visit, &sent.form_token)?;
    let refuse = async |words: &str| {
        render(app, visit, public_id, &Asked::default(), words, StatusCode::UNPROCESSABLE_ENTITY).await
    };
    let name = match checks::name(&sent.name) {
        Ok(name) => name,
        Err(words) => return refuse(&words).await,
    };
    let for_app = match sent.opens.as_str() {
        "" | "program" => false,
        "stripe_app" => true,
        _ => return refuse("A key opens the REST API (program) or the app (stripe_app).").await,
    };
    let token = if for_app { api::new_app_token() } else { api::new_api_token() }?;
    let load = Load::new(visit, public_id);
    let key_id = new_id(IdKind::ApiKey)?;
    let opens = if for_app { "the app in Stripe's Dashboard" } else { "the REST API" };
    let line = visit.note("", "key", format!("{name} ({key_id})"), format!("made, opens {opens}"));
    let make = Make { load, key_id, name, for_app, token: token.clone(), line, now: app.now() };
    if !app.db.write(make).await? {
        return refuse("There are 50 keys already. Revoke one that is not used any more.").await;
    }
    let shown = app.reveals.keep(&visit.session.user_id, SecretString::from(token), app.now())?;
    let tab = if sent.tab == "integration/api" { "integration/api" } else { "settings/keys" };
    let address = format!("/p/{}/{tab}?notice=key-made&shown={shown}", encode(public_id));
    Ok(Redirect::to(&address).into_response())
}

/// `POST /p/{program}/settings/keys/{key}/revoke`
pub async fn revoke(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, key_id)): Path<(String, String)>,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = async {
        may_change(&visit, form.token())?;
        let line = visit.note("", "key", String::new(), "revoked");
        let revoke = Revoke { load: Load::new(&visit, &public_id), key_id, line, now: app.now() };
        app.db.write(revoke).await?;
        Ok(back(&public_id, "settings/keys", "key-revoked"))
    };
    visit.answer(result.await)
}

/// The frame with the program's keys.
pub(crate) struct LoadKeys(pub(super) Load);

impl LoadKeys {
    /// For a page outside of the settings.
    pub(crate) fn of(visit: &Visit, public_id: &str) -> Self {
        Self(Load::new(visit, public_id))
    }
}

impl Unit for LoadKeys {
    type Out = (stored::Frame, Vec<KeyLine>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = self.0.run(tx).await?;
        let program = &loaded.shown.program;
        let rows = keys::list(tx, &program.workspace_id, &program.program_id).await?;
        Ok((loaded, rows))
    }
}

struct Make {
    load: Load,
    key_id: String,
    name: String,
    for_app: bool,
    token: String,
    line: Note,
    now: i64,
}

impl Unit for Make {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let program = self.load.run(tx).await?.shown.program;
        let all = keys::list(tx, &program.workspace_id, &program.program_id).await?;
        if all.iter().filter(|key| key.revoked_at.is_none()).count() >= KEYS_MAX {
            return Ok(false);
        }
        let (id, name, token) = (&self.key_id, &self.name, &self.token);
        if self.for_app {
            keys::insert_app(tx, &program, id, name, token, self.now).await?;
        } else {
            workspaces::insert_api_key(tx, &program, id, name, token, self.now).await?;
        }
        note(tx, Note { program_id: program.program_id, ..self.line.clone() }, self.now).await?;
        Ok(true)
    }
}

struct Revoke {
    load: Load,
    key_id: String,
    line: Note,
    now: i64,
}

impl Unit for Revoke {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let program = self.load.run(tx).await?.shown.program;
        let all = keys::list(tx, &program.workspace_id, &program.program_id).await?;
        let key = all.iter().find(|key| key.key_id == self.key_id);
        let key = key.ok_or_else(|| StoreError::NotFound(format!("key {}", self.key_id)))?;
        if keys::revoke(tx, &program.workspace_id, &self.key_id, self.now).await? {
            let subject = format!("{} ({})", key.name, key.key_id);
            note(tx, Note { program_id: program.program_id, subject, ..self.line.clone() }, self.now).await?;
        }
        Ok(())
    }
}
