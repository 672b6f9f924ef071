//! One connection: check it again, change its key, let it go.

use super::stripe::{ConnectionCard, LoadConnections};
use super::{Around, Load, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::setup;
use crate::admin::visit::Visit;
use crate::audit::{Note, record};
use crate::auth::login::Signed;
use crate::connect::{AccessFate, EndpointFate, connection_subject, disconnect, recheck};
use crate::ui::frame::Frame;
use crate::ui::page::page;
use crate::ui::stripe::StripeConnect;
use crate::ui::text::encode;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;
use tributary_store::connections::Connection;

/// The page that asks before a connection is let go, and the one for a new key.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/connection.html")]
pub struct ConnectionPage {
    frame: Frame,
    around: Around,
    card: ConnectionCard,
    /// The form for a new key; `None` asks whether to disconnect.
    form: Option<StripeConnect>,
}

type Named = Path<(String, String)>;

pub(super) async fn load(
    app: &App,
    visit: &Visit,
    public_id: &str,
    connection_id: &str,
) -> Result<(Around, ConnectionCard, Connection), PageError> {
    let (loaded, all) = app.db.read(LoadConnections(Load::new(visit, public_id))).await?;
    let found = all.into_iter().find(|(one, _)| one.connection_id == connection_id);
    let (one, arrivals) = found.ok_or(PageError::NotFound)?;
    let around = Around::new(visit, &loaded, "settings/stripe", "");
    let card = ConnectionCard::of(&around.frame, &one, &arrivals, visit.now);
    Ok((around, card, one))
}

/// `GET …/settings/stripe/{connection}/disconnect`: asks first.
pub async fn ask(State(app): State<App>, visit: Visit, Path((public_id, id)): Named) -> Response {
    let shown = async {
        let (around, card, _) = load(&app, &visit, &public_id, &id).await?;
        let frame = around.frame.clone();
        Ok(page(StatusCode::OK, &ConnectionPage { frame, around, card, form: None }))
    };
    visit.answer(shown.await)
}

/// `POST …/settings/stripe/{connection}/disconnect`
pub async fn leave(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, id)): Named,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = async {
        may_change(&visit, form.token())?;
        let (.., one) = load(&app, &visit, &public_id, &id).await?;
        let ended = disconnect(&app, &one).await?;
        record(&app, line(&visit, &one, "disconnected")).await?;
        if let AccessFate::Left(reason) = &ended.access {
            tracing::warn!(connection = id, reason, "the platform's access could not be ended");
        }
        let word = match ended.endpoint {
            EndpointFate::Removed | EndpointFate::None if matches!(ended.access, AccessFate::Left(_)) => {
                "disconnected-access"
            }
            EndpointFate::Removed => "disconnected",
            EndpointFate::None => "disconnected-plain",
            EndpointFate::Left(reason) => {
                tracing::warn!(connection = id, reason, "the webhook endpoint could not be removed");
                "disconnected-left"
            }
        };
        Ok(back(&public_id, "settings/stripe", word))
    };
    visit.answer(result.await)
}

/// `POST …/settings/stripe/{connection}/check`
pub async fn check(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, id)): Named,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = async {
        may_change(&visit, form.token())?;
        let (.., one) = load(&app, &visit, &public_id, &id).await?;
        if one.status == "disconnected" {
            return Err(PageError::NotFound);
        }
        let seen = recheck(&app, &one).await?;
        Ok(back(&public_id, "settings/stripe", if seen.key_ok { "checked" } else { "unreached" }))
    };
    visit.answer(result.await)
}

/// A line of the audit log about a connection.
pub(super) fn line(visit: &Visit, one: &Connection, became: &str) -> Note {
    visit.note("", "connection", connection_subject(one), became)
}

/// `GET …/settings/stripe/{connection}/key`
pub async fn key(State(app): State<App>, visit: Visit, Path((public_id, id)): Named) -> Response {
    let shown = async {
        let (around, card, _) = load(&app, &visit, &public_id, &id).await?;
        let form = StripeConnect::new(format!("{}/key", card.base), &visit.form_token, None);
        let form = Some(StripeConnect { verb: "Use this key", ..form });
        let frame = around.frame.clone();
        Ok(page(StatusCode::OK, &ConnectionPage { frame, around, card, form }))
    };
    visit.answer(shown.await)
}

/// What the form for a new key sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    api_key: SecretString,
}

/// `POST …/settings/stripe/{connection}/key`: a key of the same account and mode, and of no other.
pub async fn rotate(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, id)): Named,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = async {
        may_change(&visit, &sent.form_token)?;
        let (.., one) = load(&app, &visit, &public_id, &id).await?;
        let only = Some(one.connection_id);
        let begun = setup::stripe::connect(&app, &visit, &public_id, sent.api_key, only).await?;
        let Some(check) = begun else { return Ok(back(&public_id, "settings/stripe", "busy")) };
        let address = format!("/p/{}/settings/stripe?check={check}", encode(&public_id));
        Ok(Redirect::to(&address).into_response())
    };
    visit.answer(result.await)
}
