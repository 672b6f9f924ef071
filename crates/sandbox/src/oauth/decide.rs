//! The page on which an account agrees or not.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::grants::Agreed;
use crate::clock::wall_seconds;
use crate::error::ApiError;
use crate::pay::{answer, sorry};
use crate::shared::Shared;

/// Parameters of the page's address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    client_id: String,
    redirect_uri: String,
    state: String,
}

#[derive(Template)]
#[template(path = "oauth/authorize.html")]
struct Page {
    title: &'static str,
    flow: &'static str,
    asked: Asked,
    host: String,
}

fn checked(shared: &Shared, asked: &Asked) -> Result<url::Url, ApiError> {
    if !asked.client_id.starts_with("ca_") || asked.client_id.len() > 100 {
        return Err(ApiError::bad("client_id names no application; it begins with ca_."));
    }
    let redirect = url::Url::parse(&asked.redirect_uri).ok().filter(|_| shared.reaches(&asked.redirect_uri));
    redirect.ok_or_else(|| ApiError::bad("redirect_uri is not an address of this machine."))
}

fn show(shared: &Shared, flow: &'static str, title: &'static str, asked: Asked) -> Response {
    let redirect = match checked(shared, &asked) {
        Ok(redirect) => redirect,
        Err(error) => return sorry(&error),
    };
    let (host, after) = (redirect.origin().ascii_serialization(), asked.redirect_uri.clone());
    answer(StatusCode::OK, &Page { title, flow, asked, host }, Some(&after))
}

/// `GET /oauth/v2/authorize`: a Stripe App.
pub async fn app(State(shared): State<Arc<Shared>>, Query(asked): Query<Asked>) -> Response {
    show(&shared, "app", "Install the app", asked)
}

/// `GET /oauth/authorize`: a Connect platform.
pub async fn connect(State(shared): State<Arc<Shared>>, Query(asked): Query<Asked>) -> Response {
    show(&shared, "connect", "Connect your account", asked)
}

/// What the page's form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    flow: String,
    client_id: String,
    redirect_uri: String,
    state: String,
    mode: String,
    account: String,
    go: String,
}

/// `POST /oauth/decide`: back to where the page was asked from.
pub async fn decide(State(shared): State<Arc<Shared>>, Form(sent): Form<Decision>) -> Response {
    let asked = Asked { client_id: sent.client_id, redirect_uri: sent.redirect_uri, state: sent.state };
    let mut to = match checked(&shared, &asked) {
        Ok(to) => to,
        Err(error) => return sorry(&error),
    };
    if sent.go != "authorise" {
        to.query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair("error_description", "The user denied your request")
            .append_pair("state", &asked.state);
        return Redirect::to(to.as_str()).into_response();
    }
    let plain =
        (1..=40).contains(&sent.account.len()) && sent.account.bytes().all(|b| b.is_ascii_alphanumeric());
    if !plain {
        return sorry(&ApiError::bad("An account's name in the sandbox has 1 to 40 letters and digits."));
    }
    let agreed = Agreed {
        flow: if sent.flow == "connect" { "connect" } else { "app" },
        client_id: asked.client_id,
        account: sent.account,
        livemode: sent.mode == "live",
    };
    let code = shared.oauth().agree(agreed, wall_seconds());
    match code {
        Ok(code) => {
            to.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked.state);
            Redirect::to(to.as_str()).into_response()
        }
        Err(error) => sorry(&error),
    }
}
