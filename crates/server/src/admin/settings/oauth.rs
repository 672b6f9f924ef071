//! Settings → Stripe: the operator's own Stripe App and Connect platform. Keys go in and never out.

use super::{Load, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::oauth::{Choice, choices};
use crate::admin::visit::Visit;
use crate::audit::record;
use crate::connect::flow::{Flow, client_id, developer_key, mode_word};
use crate::connect::hint;
use crate::ui::controls::{CopyField, Field, Select};
use axum::extract::{Path, State};
use axum::response::Response;
use secrecy::SecretString;
use serde::Deserialize;
use tributary_store::oauth::clients::{self, OauthClient, secret_place};
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthCard {
    /// What is entered.
    pub entered: Vec<Choice>,
    /// Which way.
    pub flow: Select,
    /// The client id.
    pub client_id: Field,
    /// The secret key.
    pub secret: Field,
    /// The addresses to enter in Stripe, with the flow's name.
    pub redirects: Vec<(&'static str, CopyField)>,
}

impl OauthCard {
    /// For a workspace; with what is wrong with a field.
    ///
    /// # Errors
    /// The database's.
    pub async fn load(app: &App, workspace_id: &str, wrong: &str) -> Result<Self, StoreError> {
        let field = |name, label, kind, help, word: &str| Field {
            name,
            label,
            kind,
            help,
            error: words(if wrong == word { wrong } else { "" }).to_owned(),
            autocomplete: "off",
            required: true,
            ..Field::default()
        };
        let redirect = |flow: Flow| {
            let value = flow.redirect_uri(&app.settings.public_url);
            (flow.words(), CopyField { what: "the redirect address", value })
        };
        Ok(Self {
            entered: choices(app, workspace_id).await?,
            flow: Select {
                name: "flow",
                label: "Kind",
                options: Flow::ALL
                    .map(|flow| (flow.as_str().to_owned(), flow.words().to_owned()))
                    .into_iter()
                    .collect(),
                value: "app".to_owned(),
                help: "",
            },
            client_id: field("client_id", "Client id", "text", "It begins with ca_.", "bad-client"),
            secret: field(
                "secret",
                "Secret key of the account that owns it",
                "password",
                "sk_test_ for test mode, sk_live_ for live mode. It is kept encrypted and shown to nobody.",
                "bad-secret",
            ),
            redirects: Flow::ALL.map(redirect).into_iter().collect(),
        })
    }
}

/// What is wrong, by its word in the address.
fn words(word: &str) -> &'static str {
    match word {
        "bad-client" => "This is not a client id. It begins with ca_.",
        "bad-secret" => {
            "This is not a secret key. It begins with sk_test_ or sk_live_; a restricted key cannot do it."
        }
        _ => "",
    }
}

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    flow: String,
    client_id: String,
    secret: SecretString,
}

/// `POST /p/{program}/settings/stripe/oauth`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = async {
        may_change(&visit, &sent.form_token)?;
        app.db.read(Load::new(&visit, &public_id)).await?;
        let flow = Flow::parse(&sent.flow).ok_or(PageError::FormRefused)?;
        let Ok(client_id) = client_id(&sent.client_id) else {
            return Ok(back(&public_id, "settings/stripe", "bad-client"));
        };
        let Ok(key) = developer_key(&sent.secret) else {
            return Ok(back(&public_id, "settings/stripe", "bad-secret"));
        };
        let workspace_id = visit.session.workspace_id.clone();
        let mode = mode_word(key.info().mode);
        let data_key = app.data_key(&workspace_id).await?;
        let row = OauthClient {
            secret: data_key.seal(&secret_place(flow.as_str(), mode), key.expose().as_bytes())?,
            secret_hint: hint(&key),
            flow: flow.as_str().to_owned(),
            mode: mode.to_owned(),
            workspace_id,
            client_id,
        };
        let subject = format!("{} {} ({})", row.flow, row.client_id, row.mode);
        app.db.write(Put(row, app.now())).await?;
        record(&app, visit.note("", "connection", subject, "entered for OAuth")).await?;
        Ok(back(&public_id, "settings/stripe", "saved"))
    };
    visit.answer(result.await)
}

/// What the form that removes sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gone {
    form_token: String,
    flow: String,
    mode: String,
}

/// `POST /p/{program}/settings/stripe/oauth/remove`
pub async fn remove(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Gone>,
) -> Response {
    let result = async {
        may_change(&visit, &sent.form_token)?;
        app.db.read(Load::new(&visit, &public_id)).await?;
        let unit = Remove(visit.session.workspace_id.clone(), sent.flow.clone(), sent.mode.clone());
        let removed = app.db.write(unit).await?;
        if removed {
            let subject = format!("{} ({})", sent.flow, sent.mode);
            record(&app, visit.note("", "connection", subject, "removed from OAuth")).await?;
        }
        Ok(back(&public_id, "settings/stripe", if removed { "oauth-removed" } else { "same" }))
    };
    visit.answer(result.await)
}

struct Put(OauthClient, i64);
impl Unit for Put {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        clients::put(tx, &self.0, self.1).await
    }
}

struct Remove(String, String, String);
impl Unit for Remove {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        clients::remove(tx, &self.0, &self.1, &self.2).await
    }
}
