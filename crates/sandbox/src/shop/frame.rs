//! What all pages of the shop have around them.

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Front;
use crate::error::ApiError;

/// Title, snippet and navigation of a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Of the page.
    pub title: String,
    /// Pasted by the owner, put into the head as it is.
    pub head: String,
    /// First page of the shop.
    pub shop_url: String,
    /// Where accounts are.
    pub app_url: String,
    /// Where Stripe's script would come from.
    pub pay_url: String,
    /// Who is signed in.
    pub who: Option<String>,
    /// The code that takes something off.
    pub promotion: &'static str,
}

/// The frame of a page for this visitor.
pub fn frame(front: &Front, headers: &HeaderMap, title: &str) -> Frame {
    Frame {
        title: title.to_owned(),
        head: front.shop.settings().head.html.clone(),
        shop_url: front.shop.url.clone(),
        app_url: front.shop.app_url.clone(),
        pay_url: front.shared.pay_url.clone(),
        who: front.shop.accounts().of(headers).map(|a| a.name.clone()),
        promotion: front.shop.catalog().map(|c| c.promotion).unwrap_or_default(),
    }
}

/// A page with the shop's headers.
pub fn answer(front: &Front, status: StatusCode, page: &impl Template) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page of the shop cannot be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let policy =
        front.shop.settings().head.policy(&front.shared.pay_url, &front.shop.app_url, &front.shop.url);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
    ];
    (status, headers, html).into_response()
}

/// Something that cannot be shown.
#[derive(Template)]
#[template(path = "shop/sorry.html")]
struct Sorry {
    frame: Frame,
    message: String,
}

/// A page that says what did not work.
pub fn sorry(front: &Front, headers: &HeaderMap, error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = if status == StatusCode::NOT_FOUND { "Not found" } else { "This does not work" };
    answer(front, status, &Sorry { frame: frame(front, headers, title), message: error.message.clone() })
}
