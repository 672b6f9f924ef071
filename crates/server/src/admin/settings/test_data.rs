//! Wiping the workspace's test data: asked first, and meant only if it is typed.

use super::{Around, Asked, Load, back};
use crate::App;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::Visit;
use crate::connect::wipe::{self, WORD};
use crate::ui::controls::Field;
use crate::ui::frame::Frame;
use crate::ui::page::page;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/test_data.html")]
pub struct TestDataPage {
    frame: Frame,
    around: Around,
    word: Field,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    word: String,
}

/// `GET /p/{program}/settings/test-data`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = show(&app, &visit, &public_id, &asked.notice, "", StatusCode::OK).await;
    visit.answer(shown)
}

async fn show(
    app: &App,
    visit: &Visit,
    public_id: &str,
    notice: &str,
    error: &str,
    status: StatusCode,
) -> Result<Response, crate::admin::error::PageError> {
    let loaded = app.db.read(Load::new(visit, public_id)).await?;
    let around = Around::new(visit, &loaded, "settings/stripe", notice);
    let word = Field {
        name: "word",
        label: "Type “wipe test data”",
        kind: "text",
        help: "It cannot be undone.",
        error: error.to_owned(),
        autocomplete: "off",
        required: true,
        ..Field::default()
    };
    Ok(page(status, &TestDataPage { frame: around.frame.clone(), around, word }))
}

/// `POST /p/{program}/settings/test-data`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = async {
        may_change(&visit, &sent.form_token)?;
        if !sent.word.trim().eq_ignore_ascii_case(WORD) {
            let error = "These are not the words. Nothing was wiped.";
            return show(&app, &visit, &public_id, "", error, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
        app.db.read(Load::new(&visit, &public_id)).await?;
        wipe::test_data(&app, &visit.session.workspace_id, &visit.session.email).await?;
        Ok(back(&public_id, "settings/test-data", "wiped"))
    };
    visit.answer(result.await)
}
