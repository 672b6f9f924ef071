//! The theme switch, for those without script too.

use super::cookies;
use crate::App;
use crate::ui::frame::Theme;
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

const NAME: &str = "tributary_theme";

/// The theme that the browser asked for before.
#[must_use]
pub fn of(headers: &HeaderMap) -> Theme {
    cookies::read(headers, NAME).map_or(Theme::System, Theme::parse)
}

/// The switch's form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    theme: String,
    back: String,
}

/// `POST /theme`: remembers the choice and goes back. The script reads and writes the same cookie.
pub async fn post(State(app): State<App>, Form(form): Form<Chosen>) -> Response {
    let theme = Theme::parse(&form.theme).as_str();
    let secure = if app.settings.public_url.scheme() == "https" { "; Secure" } else { "" };
    let cookie = format!("{NAME}={theme}; Path=/; Max-Age=31536000; SameSite=Lax{secure}");
    let mut response = Redirect::to(super::session::own_path(&form.back)).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
