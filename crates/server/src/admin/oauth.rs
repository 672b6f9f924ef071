//! Authorising an account by OAuth: the page that leads to Stripe, and the one to which Stripe leads back.

use super::error::{ErrorPage, PageError};
use super::forms::{Posted, may_change};
use super::integration::Load;
use super::visit::Visit;
use crate::App;
use crate::auth::{session, theme};
use crate::connect::Request;
use crate::connect::authorise::{Begin, Refusal, Returned, begin, finish};
use crate::connect::checks::Checks;
use crate::connect::flow::{Flow, Platform, platform};
use crate::ui::frame::{Head, Theme};
use crate::ui::page::page;
use crate::ui::text::encode;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tributary_store::StoreError;
use tributary_stripe::client::Mode;

/// A button that begins an authorisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// `app` or `connect`.
    pub flow: &'static str,
    /// `test` or `live`.
    pub mode: &'static str,
    /// "Authorise by your Stripe App".
    pub words: String,
    /// Live?
    pub live: bool,
    /// `ca_…`
    pub client_id: String,
    /// Does it come from the configuration?
    pub preset: bool,
}

impl From<Platform> for Choice {
    fn from(platform: Platform) -> Self {
        Self {
            flow: platform.flow.as_str(),
            mode: crate::connect::flow::mode_word(platform.mode),
            words: format!("Authorise by your {}", platform.flow.words()),
            live: platform.mode.is_live(),
            client_id: platform.client_id,
            preset: platform.preset,
        }
    }
}

/// The Apps and platforms that a workspace can use.
///
/// # Errors
/// The database's.
pub async fn choices(app: &App, workspace_id: &str) -> Result<Vec<Choice>, StoreError> {
    let mut found = Vec::new();
    for flow in Flow::ALL {
        for mode in [Mode::Test, Mode::Live] {
            found.extend(platform(app, workspace_id, flow, mode).await?.map(Choice::from));
        }
    }
    Ok(found)
}

/// The page that leads to Stripe: by itself, or by its link. A form that led there directly would be stopped by the
/// rule that forms go to this server alone.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/leaving.html")]
pub struct LeavingPage {
    head: Head,
    host: String,
    url: String,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    flow: String,
    mode: String,
    #[serde(default)]
    connection: String,
}

/// `POST /p/{program}/integration/stripe/authorize`
pub async fn start(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = async {
        may_change(&visit, &sent.form_token)?;
        let facts = app.db.read(Load::new(&visit, &public_id)).await?;
        let flow = Flow::parse(&sent.flow).ok_or(PageError::FormRefused)?;
        let mode = match sent.mode.as_str() {
            "live" => Mode::Live,
            "test" => Mode::Test,
            _ => return Err(PageError::FormRefused),
        };
        let only = Some(sent.connection.clone()).filter(|id| !id.is_empty());
        if only.as_ref().is_some_and(|id| facts.connections.iter().all(|(one, _)| &one.connection_id != id)) {
            return Err(PageError::NotFound);
        }
        let wish = Begin {
            workspace_id: visit.session.workspace_id.clone(),
            session_hash: session::hash(&app, &headers).ok_or(PageError::FormRefused)?,
            program_id: facts.loaded.shown.program.program_id.clone(),
            flow,
            mode,
            only,
        };
        let Some(url) = begin(&app, wish).await? else {
            return Ok(refused(visit.theme, &Refusal::NotEntered, Some(&public_id)));
        };
        let host = url::Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let head = Head { title: "To Stripe".to_owned(), theme: visit.theme, here: "/".to_owned() };
        Ok(page(StatusCode::OK, &LeavingPage { head, host: host.unwrap_or_default(), url }))
    };
    visit.answer(result.await)
}

/// `GET /oauth/stripe/{flow}/callback`: here Stripe leads back to. Not by way of the log-in: whoever is not logged in
/// did not begin this.
pub async fn callback(
    State(app): State<App>,
    headers: HeaderMap,
    Path(flow): Path<String>,
    returned: Result<Query<Returned>, QueryRejection>,
) -> Response {
    let theme = theme::of(&headers);
    let result = async {
        let flow = Flow::parse(&flow).ok_or(PageError::NotFound)?;
        let Some(who) = session::of(&app, &headers).await? else { return Ok(stranger(theme)) };
        if who.role == "analyst" {
            return Err(PageError::NotAllowed);
        }
        let session_hash = session::hash(&app, &headers).ok_or(PageError::FormRefused)?;
        let returned = returned.map(|Query(returned)| returned).unwrap_or_default();
        let brought = match finish(&app, &who.workspace_id, &session_hash, flow, &returned).await {
            Ok(brought) => brought,
            Err(Refusal::Store(error)) => return Err(error.into()),
            Err(refusal) => return Ok(refused(theme, &refusal, None)),
        };
        let program = encode(&brought.program);
        let request = Request {
            program: brought.program,
            with: brought.with,
            webhook_secret: None,
            api_base: None,
            poll: false,
            actor: crate::audit::user(&who.email),
            only: brought.only,
        };
        let what = match Checks::begin(&app, &who.workspace_id, request)? {
            Some(check) => format!("check={check}"),
            None => "notice=busy".to_owned(),
        };
        // A clean address: neither code nor state stays in the browser's history of this page.
        Ok(Redirect::to(&format!("/p/{program}/integration/stripe?{what}")).into_response())
    };
    result.await.unwrap_or_else(|error: PageError| error.answer(theme))
}

fn stranger(theme: Theme) -> Response {
    let shown = ErrorPage {
        head: Head { title: "Not logged in".to_owned(), theme, here: "/".to_owned() },
        code: "403 Forbidden".to_owned(),
        title: "You are not logged in here",
        text: "Stripe sent this browser back, but nobody is logged in who could have begun it. Nothing was connected. \
               Log in and authorise Stripe from Integration."
            .to_owned(),
        actions: vec![("Log in", "/login".to_owned())],
        reference: String::new(),
    };
    page(StatusCode::FORBIDDEN, &shown)
}

/// The page that says why nothing came of it. It leads nowhere by itself.
fn refused(theme: Theme, refusal: &Refusal, program: Option<&str>) -> Response {
    tracing::warn!(reason = %refusal, "an authorisation came to nothing");
    let again = program.map_or_else(|| "/".to_owned(), |id| format!("/p/{}/settings/stripe", encode(id)));
    let shown = ErrorPage {
        head: Head { title: "Stripe was not authorised".to_owned(), theme, here: "/".to_owned() },
        code: "400 Bad Request".to_owned(),
        title: "Stripe was not authorised",
        text: format!("{refusal} Nothing was changed. Begin again from Integration, Stripe."),
        actions: vec![(if program.is_some() { "Settings, Stripe" } else { "Go to the overview" }, again)],
        reference: String::new(),
    };
    page(StatusCode::BAD_REQUEST, &shown)
}
