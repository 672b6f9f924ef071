//! Signing up: the shop's own account, of which Tributary hears by the page or by the shop's server.

use askama::Template;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{REFUSED, go};
use crate::shop::Front;
use crate::shop::account::{COOKIE, cookie};
use crate::shop::frame::{Frame, answer, frame};
use crate::shop::tell;

/// Letters of a name or an e-mail.
const MAX_FIELD: usize = 200;

#[derive(Template)]
#[template(path = "shop/signup.html")]
struct Page {
    frame: Frame,
    given: Given,
    wrong: Option<(&'static str, String)>,
}

impl Page {
    fn why(&self, field: &str) -> Option<&str> {
        self.wrong.as_ref().filter(|(at, _)| *at == field).map(|(_, why)| why.as_str())
    }
}

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Given {
    name: String,
    email: String,
}

fn show(front: &Front, headers: &HeaderMap, given: Given, wrong: Option<(&'static str, String)>) -> Response {
    let status = if wrong.is_some() { REFUSED } else { StatusCode::OK };
    answer(front, status, &Page { frame: frame(front, headers, "Sign up"), given, wrong })
}

/// `GET /signup`
pub async fn page(State(front): State<Front>, headers: HeaderMap) -> Response {
    show(&front, &headers, Given::default(), None)
}

fn check(given: &Given) -> Result<(), (&'static str, String)> {
    let long = |text: &str| text.chars().count() > MAX_FIELD;
    if given.name.is_empty() || long(&given.name) {
        return Err(("name", format!("Give your name, in at most {MAX_FIELD} letters.")));
    }
    let well_formed = given
        .email
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !given.email.contains(' '));
    if !well_formed || long(&given.email) {
        return Err(("email", "Give an e-mail such as you@example.com.".to_owned()));
    }
    Ok(())
}

/// `POST /signup`
pub async fn submit(State(front): State<Front>, headers: HeaderMap, Form(given): Form<Given>) -> Response {
    let given = Given { name: given.name.trim().to_owned(), email: given.email.trim().to_owned() };
    if let Err(wrong) = check(&given) {
        return show(&front, &headers, given, Some(wrong));
    }
    let made = front.shop.accounts().add(&given.name, &given.email);
    let (account, token) = match made {
        Ok(made) => made,
        Err(why) => return show(&front, &headers, given, Some(("email", why))),
    };
    let heard = tell::tell(&front.shared, &account, cookie(&headers, "tributary_partner")).await;
    if heard.is_some()
        && let Some(kept) = front.shop.accounts().get_mut(&account.key)
    {
        kept.heard = heard;
        kept.untold = false;
    }
    let session = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, session)], go("/welcome")).into_response()
}
