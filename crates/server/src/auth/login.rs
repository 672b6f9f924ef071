//! The log-in page.

use super::door::{Door, Knock, Shut};
use super::{session, theme};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::visit::is_exposed;
use crate::track::visitor::Peer;
use crate::ui::Tone;
use crate::ui::controls::Field;
use crate::ui::frame::Head;
use crate::ui::lists::Bar;
use crate::ui::page::page;
use askama::Template;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form, RequestExt};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pages/login.html")]
pub struct LoginPage {
    /// Title and theme.
    pub head: Head,
    /// The e-mail field.
    pub email: Field,
    /// The password field.
    pub password: Field,
    /// Where to go after it: a path of this server.
    pub next: String,
    /// What was wrong; empty for nothing.
    pub problem: String,
    /// Is the public URL plain http, so that the cookie cannot be protected?
    pub insecure: bool,
    /// Can others on the network read it, then?
    pub exposed: bool,
}

impl LoginPage {
    /// The page with an address filled in and, after a refusal, what was wrong.
    #[must_use]
    pub fn new(head: Head, email: &str, next: &str, problem: &str, insecure: bool) -> Self {
        Self {
            head,
            email: Field {
                name: "email",
                label: "E-mail",
                kind: "email",
                value: email.to_owned(),
                autocomplete: "username",
                required: true,
                focus: email.is_empty(),
                ..Field::default()
            },
            password: Field {
                name: "password",
                label: "Password",
                kind: "password",
                autocomplete: "current-password",
                required: true,
                focus: !email.is_empty(),
                ..Field::default()
            },
            next: next.to_owned(),
            problem: problem.to_owned(),
            insecure,
            exposed: false,
        }
    }

    fn insecure_bar(&self) -> Bar {
        let (tone, text) = if self.exposed {
            let text = "This address is plain http, so others on the network can read the session. Set \
                        TRIBUTARY_PUBLIC_URL to an https address before real use.";
            (Tone::Warn, text)
        } else {
            let text = "This address is plain http. On this machine alone that is fine; before others use it, set \
                        TRIBUTARY_PUBLIC_URL to an https address.";
            (Tone::Plain, text)
        };
        Bar { tone, text: text.to_owned(), action: None }
    }
}

/// Where to go after the log-in.
#[derive(Debug, Default, Deserialize)]
pub struct Next {
    next: Option<String>,
    /// A log-in just succeeded: the session must be here now.
    entered: Option<String>,
}

/// The log-in's form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    email: String,
    password: String,
    next: String,
}

fn show(
    app: &App,
    headers: &HeaderMap,
    status: StatusCode,
    email: &str,
    next: &str,
    problem: &str,
) -> Response {
    let next = session::own_path(next);
    let head = Head { title: "Log in".to_owned(), theme: theme::of(headers), here: "/login".to_owned() };
    let exposed = is_exposed(&app.settings.public_url);
    page(status, &LoginPage { exposed, ..LoginPage::new(head, email, next, problem, !session::https(app)) })
}

/// `GET /login`
pub async fn get(State(app): State<App>, Query(query): Query<Next>, headers: HeaderMap) -> Response {
    let next = query.next.unwrap_or_else(|| "/".to_owned());
    match session::of(&app, &headers).await {
        Ok(Some(_)) => Redirect::to(session::own_path(&next)).into_response(),
        Ok(None) if query.entered.is_some() => {
            let problem = lost_cookie(&app, &headers);
            show(&app, &headers, StatusCode::OK, "", &next, &problem)
        }
        Ok(None) => show(&app, &headers, StatusCode::OK, "", &next, ""),
        Err(error) => error.answer(theme::of(&headers)),
    }
}

/// Why the page that follows a good log-in has no session: said in place of asking for the password for ever.
fn lost_cookie(app: &App, headers: &HeaderMap) -> String {
    let public = app.settings.public_url.as_str().trim_end_matches('/');
    let kept = super::cookies::read(headers, super::cookies::session_name(session::https(app))).is_some();
    let why = if kept {
        "The session ended at once. The server's clock may have jumped."
    } else if session::https(app) {
        "The session's cookie is sent over https only, so plain http loses it; a browser that blocks cookies \
         does, too."
    } else {
        "The browser blocks cookies for this address, or you came by another one."
    };
    format!(
        "The password was right, but your browser did not send the session back. {why} Open {public} and allow its \
         cookies."
    )
}

/// `POST /login`: one answer for an unknown account and a wrong password.
pub async fn post(
    State(app): State<App>,
    Extension(door): Extension<Arc<Door>>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let ip = app.track.address(&headers, Peer(peer));
    let Ok(Form(typed)) = request.extract::<Form<Typed>, _>().await else {
        return show(
            &app,
            &headers,
            StatusCode::BAD_REQUEST,
            "",
            "/",
            "Type an e-mail address and a password.",
        );
    };
    let email = typed.email.trim().to_lowercase();
    let known_device = match session::known_device(&app, &headers, &email) {
        Ok(known) => known,
        Err(error) => return error.answer(theme::of(&headers)),
    };
    let knock = Knock { email: email.clone(), password: typed.password, known_device, ip };
    let again = |status, problem: &str| show(&app, &headers, status, &email, &typed.next, problem);
    match door.open(&app, knock).await {
        Ok(login) => session::start(&app, &headers, login, &email, &typed.next)
            .await
            .unwrap_or_else(|error| error.answer(theme::of(&headers))),
        Err(Shut::Wrong) => {
            again(StatusCode::UNAUTHORIZED, "This e-mail address and password do not belong together.")
        }
        Err(Shut::Wait(seconds)) => {
            let problem = format!("Too many tries. Wait {} and try again.", wait_words(seconds));
            let mut response = again(StatusCode::TOO_MANY_REQUESTS, &problem);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
        Err(Shut::Failed(PageError::Unavailable(detail))) => {
            tracing::warn!(%detail, "a log-in could not be checked");
            again(
                StatusCode::SERVICE_UNAVAILABLE,
                "The server cannot check log-ins just now. Wait a minute and try again.",
            )
        }
        Err(Shut::Failed(error)) => error.answer(theme::of(&headers)),
    }
}

fn wait_words(seconds: i64) -> String {
    match seconds {
        ..=1 => "a second".to_owned(),
        2..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.saturating_add(59) / 60),
    }
}

/// What a form of a logged-in user carries at least.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    form_token: String,
}

impl Signed {
    /// The form's token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.form_token
    }
}

/// `POST /logout`
pub async fn logout(State(app): State<App>, headers: HeaderMap, Form(form): Form<Signed>) -> Response {
    let ended = async {
        if let Some(session) = session::of(&app, &headers).await? {
            session::check_form(&session, &form.form_token)?;
        }
        session::end(&app, &headers).await
    };
    ended.await.unwrap_or_else(|error: PageError| error.answer(theme::of(&headers)))
}
