//! Step 1: the first account. Guarded by the one-time token alone, as nobody can be logged in yet.

use super::steps::Steps;
use super::{SetupPage, address_bar, closed, first_form_token, token_of};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::Posted;
use crate::auth::{cookies, session, theme};
use crate::setup::{checks, make};
use crate::ui::controls::Field;
use crate::ui::frame::Head;
use crate::ui::page::page;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;
use subtle::ConstantTimeEq;

/// The form as it was typed, with what was wrong.
#[derive(Debug, Clone, Default)]
pub struct AccountForm {
    company: String,
    email: String,
    wrong: Option<(&'static str, String)>,
}

impl AccountForm {
    /// The three fields.
    fn fields(&self) -> Vec<Field> {
        let error = |name| {
            let found = self.wrong.as_ref().filter(|(field, _)| *field == name);
            found.map(|(_, words)| words.clone()).unwrap_or_default()
        };
        let base = Field { required: true, ..Field::default() };
        vec![
            Field {
                name: "email",
                label: "E-mail",
                kind: "email",
                value: self.email.clone(),
                error: error("email"),
                autocomplete: "username",
                focus: self.wrong.is_none(),
                ..base.clone()
            },
            Field {
                name: "password",
                label: "Password",
                kind: "password",
                help: "At least 8 characters. Four random words are easy to keep and hard to guess.",
                error: error("password"),
                autocomplete: "new-password",
                ..base.clone()
            },
            Field {
                name: "company",
                label: "Company",
                kind: "text",
                value: self.company.clone(),
                help: "Names your workspace. Only your team sees it.",
                error: error("company"),
                autocomplete: "organization",
                ..base
            },
        ]
    }
}

/// The page before there is an account.
pub(super) fn show(
    app: &App,
    headers: &HeaderMap,
    token: &str,
    form: AccountForm,
    status: StatusCode,
) -> Response {
    let shown = SetupPage {
        head: Head { title: "Set up".to_owned(), theme: theme::of(headers), here: "/setup".to_owned() },
        form_token: first_form_token(token),
        bar: address_bar(app),
        user: String::new(),
        steps: Steps::before_account(form.fields()),
    };
    page(status, &shown)
}

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    email: String,
    password: SecretString,
    company: String,
}

/// `POST /setup/account`
pub async fn post(State(app): State<App>, headers: HeaderMap, Posted(sent): Posted<Sent>) -> Response {
    match app.first_run.is_set_up(&app).await {
        Ok(false) => {}
        Ok(true) => return Redirect::to("/setup").into_response(),
        Err(error) => return PageError::from(error).answer(theme::of(&headers)),
    }
    let Some(token) = token_of(&app, &headers) else { return closed(&headers, false) };
    let same = first_form_token(&token).as_bytes().ct_eq(sent.form_token.as_bytes());
    if !bool::from(same) {
        return PageError::FormRefused.answer(theme::of(&headers));
    }
    let again = |field: &'static str, words: String| {
        let form = AccountForm {
            company: sent.company.clone(),
            email: sent.email.clone(),
            wrong: Some((field, words)),
        };
        show(&app, &headers, &token, form, StatusCode::UNPROCESSABLE_ENTITY)
    };
    let email = match checks::email(&sent.email) {
        Ok(email) => email,
        Err(words) => return again("email", words),
    };
    let company = match checks::name(&sent.company) {
        Ok(company) => company,
        Err(words) => return again("company", words),
    };
    let made = async {
        let owner = make::owner(&email, &company, &[], sent.password.clone()).await?;
        make::first_owner(&app, owner).await
    };
    match made.await {
        Ok(login) => {
            app.first_run.end();
            let started = session::start(&app, &headers, login, &email, "/setup").await;
            let mut response = started.unwrap_or_else(|error| error.answer(theme::of(&headers)));
            let https = session::https(&app);
            if let Some(cookie) = cookies::private(cookies::setup_name(https), "", 0, https) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(make::Refused::Password(error)) => {
            again("password", crate::ui::text::sentence_case(&format!("{error}.")))
        }
        // Another set-up was quicker: what it made is there to log in to.
        Err(make::Refused::Taken(_)) => Redirect::to("/login?next=%2Fsetup").into_response(),
        Err(make::Refused::Store(error)) => PageError::from(error).answer(theme::of(&headers)),
    }
}
