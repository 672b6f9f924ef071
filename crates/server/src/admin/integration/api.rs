//! Integration → API: where it is, its keys, and calls to copy.

use super::snippets::Own;
use super::{Load, tabs};
use crate::App;
use crate::admin::settings::keys::{KeysCard, LoadKeys, word};
use crate::admin::settings::{Asked, notice};
use crate::admin::visit::Visit;
use crate::ui::codes::Codes;
use crate::ui::controls::{CopyField, Tabs};
use crate::ui::frame::{Frame, Section};
use crate::ui::lists::Bar;
use crate::ui::page::page;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "integration/api.html")]
pub struct ApiPage {
    frame: Frame,
    tabs: Tabs,
    notice: Option<Bar>,
    base: CopyField,
    keys: KeysCard,
    calls: Vec<(&'static str, Codes)>,
}

/// `GET /p/{program}/integration/api`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = async {
        let (loaded, rows) = app.db.read(LoadKeys::of(&visit, &public_id)).await?;
        let facts = app.db.read(Load::new(&visit, &public_id)).await?;
        let frame = visit.frame(&loaded, Section::Integration, "Integration");
        let program = &loaded.shown.program;
        let public_url = &app.settings.public_url;
        let own = Own { public_url, public_id: &program.public_id, website: &program.website };
        let keys = KeysCard::new(&app, &visit, &frame, "integration/api", (&rows, &asked.shown), "");
        let partner = facts.partner.map_or_else(|| "PARTNER_KEY".to_owned(), |partner| partner.key);
        let shown = ApiPage {
            tabs: tabs(&frame, true),
            notice: notice(word(&asked, &keys)),
            base: CopyField {
                what: "the base URL",
                value: format!("{}/v1", public_url.as_str().trim_end_matches('/')),
            },
            calls: own.calls(&partner),
            keys,
            frame,
        };
        Ok(page(StatusCode::OK, &shown))
    };
    visit.answer(shown.await)
}
