//! The shop owner's page: the snippet for the head, and how sign-ups reach Tributary.

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::{REFUSED, go};
use crate::shop::frame::{Frame, answer, frame};
use crate::shop::settings::Change;
use crate::shop::{Front, Settings};

#[derive(Template)]
#[template(path = "shop/settings.html")]
struct Page {
    frame: Frame,
    head: String,
    api: String,
    by_server: bool,
    has_key: bool,
    saved: bool,
    wrong: Option<(&'static str, String)>,
}

impl Page {
    fn of(front: &Front, headers: &HeaderMap, settings: &Settings) -> Self {
        Self {
            frame: frame(front, headers, "Site settings"),
            head: settings.head.html.clone(),
            api: settings.api.clone(),
            by_server: settings.by_server,
            has_key: !settings.api_key.is_empty(),
            saved: false,
            wrong: None,
        }
    }

    fn why(&self, field: &str) -> Option<&str> {
        self.wrong.as_ref().filter(|(at, _)| *at == field).map(|(_, why)| why.as_str())
    }
}

/// Whether something was just saved.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Saved {
    saved: bool,
}

/// `GET /settings`
pub async fn page(State(front): State<Front>, headers: HeaderMap, Query(query): Query<Saved>) -> Response {
    let settings = front.shop.settings().clone();
    let page = Page { saved: query.saved, ..Page::of(&front, &headers, &settings) };
    answer(&front, StatusCode::OK, &page)
}

/// `POST /settings`
pub async fn save(State(front): State<Front>, headers: HeaderMap, Form(change): Form<Change>) -> Response {
    let old = front.shop.settings().clone();
    match change.apply(&old, &front.shared) {
        Ok(new) => {
            *front.shop.settings() = new;
            go("/settings?saved=true")
        }
        Err(wrong) => {
            let page = Page {
                head: change.head.clone().unwrap_or_default(),
                api: change.api.clone().unwrap_or_default(),
                by_server: change.signup.as_deref() == Some("server"),
                wrong: Some(wrong),
                ..Page::of(&front, &headers, &old)
            };
            answer(&front, REFUSED, &page)
        }
    }
}
