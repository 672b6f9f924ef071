//! Set-up: five steps on one page, in any order, resumable. What is done is read from the database, never ticked off.

pub mod account;
pub mod done;
pub mod partner;
pub mod program;
pub mod steps;
pub mod stripe;

use super::error::{ErrorPage, PageError};
use super::visit::Visit;
use crate::App;
use crate::auth::{cookies, session, theme};
use crate::connect::checks::Progress;
use crate::setup::first_run;
use crate::ui::frame::Head;
use crate::ui::lists::Bar;
use crate::ui::page::page;
use crate::ui::text::encode;
use account::AccountForm;
use askama::Template;
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use partner::PartnerForm;
use program::ProgramForm;
use serde::Deserialize;
use steps::{Facts, Load, Steps};

/// The cookie with the one-time token lives so long, seconds.
const TOKEN_S: i64 = 3_600;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/setup.html")]
pub struct SetupPage {
    /// Title and theme.
    pub head: Head,
    /// What every form sends back.
    pub form_token: String,
    /// A warning about the address, where there is one.
    pub bar: Option<Bar>,
    /// Who is logged in; empty before the account exists.
    pub user: String,
    /// The five steps.
    pub steps: Steps,
}

/// What the address says.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// The one-time token.
    #[serde(default)]
    token: String,
    /// The program that is set up.
    #[serde(default)]
    program: String,
    /// A connection in the making.
    #[serde(default)]
    check: String,
}

/// What was typed and not taken, to be shown again.
#[derive(Debug, Default)]
pub struct Typed {
    /// Step 2.
    pub program: Option<ProgramForm>,
    /// Step 5.
    pub partner: Option<PartnerForm>,
    /// How a connection in the making stands.
    pub check: Option<Progress>,
}

/// `GET /setup`
pub async fn get(State(app): State<App>, Query(asked): Query<Asked>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match app.first_run.is_set_up(&app).await {
        Ok(true) if !asked.token.is_empty() => Redirect::to("/setup").into_response(),
        Ok(true) => match Visit::from_request_parts(&mut parts, &app).await {
            Ok(visit) => {
                let check = app.checks.of(&visit.session.workspace_id, &asked.check);
                let typed = Typed { check, ..Typed::default() };
                let shown = show(&app, &visit, &asked.program, typed, StatusCode::OK).await;
                visit.answer(shown)
            }
            Err(to_login) => to_login,
        },
        Ok(false) => first(&app, &parts.headers, &asked.token),
        Err(error) => PageError::from(error).answer(theme::of(&parts.headers)),
    }
}

/// The first page of all: with the token the account's form, without it where to find the token.
fn first(app: &App, headers: &HeaderMap, token: &str) -> Response {
    let https = session::https(app);
    if !token.is_empty() {
        if !app.first_run.opens(token) {
            return closed(headers, true);
        }
        // Out of the address at once, so that it stays in no history and goes out with no referrer.
        let mut response = Redirect::to("/setup").into_response();
        if let Some(cookie) = cookies::private(cookies::setup_name(https), token, TOKEN_S, https) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        return response;
    }
    match token_of(app, headers) {
        Some(token) => account::show(app, headers, &token, AccountForm::default(), StatusCode::OK),
        None => closed(headers, false),
    }
}

/// The token that the browser carries, if it still opens.
fn token_of(app: &App, headers: &HeaderMap) -> Option<String> {
    let token = cookies::read(headers, cookies::setup_name(session::https(app)))?;
    app.first_run.opens(token).then(|| token.to_owned())
}

/// Says where the link is to be found.
fn closed(headers: &HeaderMap, wrong: bool) -> Response {
    let text = "Whoever starts the server gets a link for its set-up: look for the line that begins with “Set up” \
                where `tributary serve` runs, and open it. Each start prints a new one, and only the newest opens.";
    let shown = ErrorPage {
        head: Head { title: "Set up".to_owned(), theme: theme::of(headers), here: "/setup".to_owned() },
        code: "403 Forbidden".to_owned(),
        title: if wrong { "This link does not open the set-up" } else { "Tributary is not set up yet" },
        text: text.to_owned(),
        actions: Vec::new(),
        reference: String::new(),
    };
    page(StatusCode::FORBIDDEN, &shown)
}

/// The page of somebody who is logged in.
async fn show(
    app: &App,
    visit: &Visit,
    public_id: &str,
    typed: Typed,
    status: StatusCode,
) -> Result<Response, PageError> {
    let facts = facts(app, visit, public_id).await?;
    let steps = Steps::of(app, visit, facts.as_ref(), &typed);
    let shown = SetupPage {
        head: Head { title: "Set up".to_owned(), theme: visit.theme, here: visit.here.clone() },
        form_token: visit.form_token.clone(),
        bar: address_bar(app),
        user: visit.session.email.clone(),
        steps,
    };
    Ok(page(status, &shown))
}

/// What is there of the program that is set up: the one asked for, else the first that is unfinished, else the first.
async fn facts(app: &App, visit: &Visit, public_id: &str) -> Result<Option<Facts>, PageError> {
    let (workspace_id, wanted) = (visit.session.workspace_id.clone(), public_id.to_owned());
    let found = app.db.read(Load { workspace_id, wanted }).await?;
    if found.is_none() && !public_id.is_empty() { Err(PageError::NotFound) } else { Ok(found) }
}

/// A plain http address is said, gravely where others can listen.
fn address_bar(app: &App) -> Option<Bar> {
    let url = &app.settings.public_url;
    if url.scheme() == "https" {
        return None;
    }
    let exposed = super::visit::is_exposed(url);
    let (tone, text) = if exposed {
        let text = "This address is plain http, so others on the network can read what you type here. Set \
                    TRIBUTARY_PUBLIC_URL to an https address and start again before real use.";
        (crate::ui::Tone::Warn, text.to_owned())
    } else {
        let text = format!(
            "{} is open to this machine alone. That is fine for a try; for visitors and Stripe's webhooks set \
             TRIBUTARY_PUBLIC_URL to a public https address later.",
            url.as_str().trim_end_matches('/')
        );
        (crate::ui::Tone::Plain, text)
    };
    Some(Bar { tone, text, action: None })
}

/// The set-up page of a program at one of its steps.
fn address(public_id: &str, check: &str, step: &str) -> String {
    let check = if check.is_empty() { String::new() } else { format!("&check={}", encode(check)) };
    format!("/setup?program={}{check}#{step}", encode(public_id))
}

/// What the first form carries, for the first form's own file.
fn first_form_token(token: &str) -> String {
    first_run::form_token(token)
}
