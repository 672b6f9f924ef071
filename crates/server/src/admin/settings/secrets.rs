//! The signing secrets of one connection: which verified lately, a second one by hand, and rolling our endpoint.

use super::connection::line;
use super::stripe::LoadConnections;
use super::{Around, Asked, Load, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::audit::record;
use crate::auth::login::Signed;
use crate::connect::ConnectFailure;
use crate::connect::rotate::{Rolled, paste, roll};
use crate::ui::badge::Id;
use crate::ui::controls::{Checkbox, Field};
use crate::ui::frame::Frame;
use crate::ui::page::page;
use crate::ui::text::encode;
use crate::ui::when::Ago;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::SecretString;
use serde::Deserialize;
use tributary_store::connections::Connection;
use tributary_store::connections::secrets::{self, SecretLine};
use tributary_store::workspaces::Program;
use tributary_store::{StoreError, Tx, Unit};

/// One secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// "Our endpoint" or "Pasted".
    pub origin: &'static str,
    /// The endpoint, if it is ours.
    pub endpoint: Option<Id>,
    /// When it came.
    pub since: Ago,
    /// When it last verified an event.
    pub verified: Option<Ago>,
    /// When it ends.
    pub ends: Option<Ago>,
}

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/secrets.html")]
pub struct SecretsPage {
    frame: Frame,
    around: Around,
    account: String,
    base: String,
    lines: Vec<Line>,
    ours: bool,
    rolling: bool,
    secret: Field,
    end: Checkbox,
}

type Named = Path<(String, String)>;

async fn load(
    app: &App,
    visit: &Visit,
    public_id: &str,
    id: &str,
    word: &str,
) -> Result<(Around, Connection, Program), PageError> {
    let (loaded, all) = app.db.read(LoadConnections(Load::new(visit, public_id))).await?;
    let found = all.into_iter().map(|(one, _)| one).find(|one| one.connection_id == id);
    let one = found.filter(|one| one.status != "disconnected").ok_or(PageError::NotFound)?;
    let program = loaded.shown.program.clone();
    Ok((Around::new(visit, &loaded, "settings/stripe", word), one, program))
}

struct Lines(Connection, i64);
impl Unit for Lines {
    type Out = Vec<SecretLine>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        secrets::list(tx, &self.0.workspace_id, &self.0.connection_id, self.1).await
    }
}

/// `GET …/settings/stripe/{connection}/secrets`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, id)): Named,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = async {
        let (around, one, _) = load(&app, &visit, &public_id, &id, &asked.notice).await?;
        let now = visit.now;
        let all = app.db.read(Lines(one.clone(), now)).await?;
        let current = one.endpoint_id.as_deref();
        let other = |line: &SecretLine| line.endpoint_id.as_deref().is_some_and(|id| Some(id) != current);
        let rolling = all.iter().any(|line| other(line) && line.expires_at.is_none());
        let line = |line: &SecretLine| Line {
            origin: if line.endpoint_id.is_some() { "Of the endpoint that Tributary made" } else { "Pasted" },
            endpoint: line.endpoint_id.as_ref().map(|id| Id::new("endpoint", id)),
            since: Ago { at: line.created_at, now },
            verified: line.verified_at.map(|at| Ago { at, now }),
            ends: line.expires_at.map(|at| Ago { at, now }),
        };
        let frame = around.frame.clone();
        let error = if asked.notice == "bad-signing" { BAD } else { "" };
        let shown = SecretsPage {
            account: if one.account_name.is_empty() {
                one.account_id.clone()
            } else {
                one.account_name.clone()
            },
            base: frame.program.href(&format!("settings/stripe/{}", encode(&id))),
            lines: all.iter().map(line).collect(),
            ours: current.is_some(),
            rolling,
            secret: Field {
                name: "secret",
                label: "Another signing secret",
                kind: "password",
                help: "It begins with whsec_. It is kept encrypted and shown to nobody.",
                error: error.to_owned(),
                autocomplete: "off",
                required: true,
                ..Field::default()
            },
            end: Checkbox { name: "end", label: "The secrets above end in 24 hours", checked: true },
            frame,
            around,
        };
        Ok(page(StatusCode::OK, &shown))
    };
    visit.answer(shown.await)
}

const BAD: &str = "This is not a webhook signing secret. Copy it from the endpoint's page in Stripe; it begins with whsec_.";

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    secret: SecretString,
    #[serde(default)]
    end: Option<String>,
}

fn tab(id: &str) -> String {
    format!("settings/stripe/{}/secrets", encode(id))
}

/// `POST …/settings/stripe/{connection}/secrets`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, id)): Named,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = async {
        may_change(&visit, &sent.form_token)?;
        let (_, one, _) = load(&app, &visit, &public_id, &id, "").await?;
        match paste(&app, &one, &sent.secret, sent.end.is_some()).await {
            Ok(()) => {
                record(&app, line(&visit, &one, "takes a further signing secret")).await?;
                Ok(back(&public_id, &tab(&id), "secret-added"))
            }
            Err(ConnectFailure::Store(error)) => Err(error.into()),
            Err(_) => Ok(back(&public_id, &tab(&id), "bad-signing")),
        }
    };
    visit.answer(result.await)
}

/// `POST …/settings/stripe/{connection}/roll`
pub async fn roll_ours(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, id)): Named,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = async {
        may_change(&visit, form.token())?;
        let (_, one, program) = load(&app, &visit, &public_id, &id, "").await?;
        let word = match roll(&app, &one, &program).await? {
            Rolled::Begun => "roll-begun",
            Rolled::Done => "roll-done",
            Rolled::Waits => "roll-waits",
            Rolled::Refused(reason) => {
                tracing::warn!(connection = id, reason, "the signing secret could not be rolled");
                "roll-refused"
            }
        };
        let words = match word {
            "roll-begun" => "a new signing secret of our endpoint",
            "roll-done" => "the old signing secret of our endpoint ends",
            _ => return Ok(back(&public_id, &tab(&id), word)),
        };
        record(&app, line(&visit, &one, words)).await?;
        Ok(back(&public_id, &tab(&id), word))
    };
    visit.answer(result.await)
}
