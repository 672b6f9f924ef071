//! Apps & Integrations → Stripe → Authorize by API key.

use crate::App;
use crate::admin::forms::{Posted, may_change};
use crate::admin::oauth::{Choice, choices};
use crate::admin::settings::Asked;
use crate::admin::settings::stripe::{ConnectionCard, LoadConnections};
use crate::admin::setup;
use crate::admin::visit::Visit;
use crate::connect::checks::Progress;
use crate::ui::frame::{Frame, Section};
use crate::ui::page::page;
use crate::ui::stripe::StripeConnect;
use crate::ui::text::encode;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "integration/stripe.html")]
pub struct AuthorizePage {
    frame: Frame,
    form: Option<StripeConnect>,
    connected: Option<ConnectionCard>,
    checking: bool,
    again: String,
    choices: Vec<Choice>,
    authorize: String,
}

/// `GET /p/{program}/integration/stripe`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = async {
        let (loaded, all) = app.db.read(LoadConnections::of(&visit, &public_id)).await?;
        let frame = visit.frame(&loaded, Section::Integration, "Stripe");
        let check = if asked.notice == "busy" {
            Some(Progress::Failed(setup::stripe::BUSY.to_owned()))
        } else {
            app.checks.of(&visit.session.workspace_id, &asked.check)
        };
        let connected = match &check {
            Some(Progress::Connected(made)) => {
                let found = all.iter().find(|(one, _)| one.connection_id == made.connection_id);
                found.map(|(one, arrivals)| ConnectionCard::of(&frame, one, arrivals, visit.now))
            }
            _ => None,
        };
        let action = frame.program.href("integration/stripe");
        let form = StripeConnect::new(action, &visit.form_token, check.as_ref());
        let shown = AuthorizePage {
            checking: form.running.is_some(),
            form: connected.is_none().then_some(form),
            connected,
            again: visit.here.clone(),
            choices: choices(&app, &visit.session.workspace_id).await?,
            authorize: frame.program.href("integration/stripe/authorize"),
            frame,
        };
        Ok(page(StatusCode::OK, &shown))
    };
    visit.answer(shown.await)
}

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    api_key: SecretString,
}

/// `POST /p/{program}/integration/stripe`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = async {
        may_change(&visit, &sent.form_token)?;
        let begun = setup::stripe::connect(&app, &visit, &public_id, sent.api_key, None).await?;
        let what = begun.map_or_else(|| "notice=busy".to_owned(), |check| format!("check={check}"));
        Ok(Redirect::to(&format!("/p/{}/integration/stripe?{what}", encode(&public_id))).into_response())
    };
    visit.answer(result.await)
}
