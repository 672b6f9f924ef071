//! Plays one story and waits a moment for the ledger.

use super::sandbox::{self, Expected};
use super::{Asked, connection, reckoned, show};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::{Posted, may_change};
use crate::admin::visit::{self, Visit};
use crate::ui::text::query;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::time::Duration;
use tributary_store::connections::Connection;
use tributary_store::pages::{Place, scenarios};
use tributary_store::{StoreError, Tx, Unit};

/// The ledger gets so long before the page is shown.
const PATIENCE: Duration = Duration::from_secs(6);
const LOOK_AGAIN: Duration = Duration::from_millis(150);

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    form_token: String,
    story: String,
    partner: String,
}

/// `POST /p/{program}/scenarios`
pub async fn post(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Posted(sent): Posted<Sent>,
) -> Response {
    let result = play(&app, &visit, public_id, sent).await;
    visit.answer(result)
}

async fn play(app: &App, visit: &Visit, public_id: String, sent: Sent) -> Result<Response, PageError> {
    may_change(visit, &sent.form_token)?;
    if !sandbox::is_name(&sent.story) {
        return Err(PageError::NotFound);
    }
    let Sent { story, partner, .. } = sent;
    let start = Start {
        workspace_id: visit.session.workspace_id.clone(),
        public_id: public_id.clone(),
        partner: partner.clone(),
        now: visit.now,
    };
    let (place, connection, ppm) = app.db.read(start).await?;
    let expected = match sandbox::play(&connection.api_base, &story, &partner, ppm).await {
        Ok(expected) => expected,
        Err(reason) => {
            let asked = Asked { partner, ..Asked::default() };
            return show(app, visit, public_id, asked, Some(reason)).await;
        }
    };
    settle(app, &place, &connection, &expected).await?;
    let of = Expected::write(&expected);
    let pairs = [("played", story.as_str()), ("partner", partner.as_str()), ("of", of.as_str())];
    let path = format!("/p/{}/scenarios?{}", crate::ui::text::encode(&public_id), query(&pairs));
    Ok(Redirect::to(&path).into_response())
}

/// Waits until the ledger says what it must, or the patience ends: the page shows then how far it is.
async fn settle(
    app: &App,
    place: &Place,
    connection: &Connection,
    expected: &[Expected],
) -> Result<(), StoreError> {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let look = Look {
            place: place.clone(),
            connection_id: connection.connection_id.clone(),
            roots: expected.iter().map(|one| one.root.clone()).collect(),
        };
        let real = app.db.read(look).await?;
        let same = expected.iter().zip(real).all(|(one, real)| one.net == real);
        if same || tokio::time::Instant::now() >= end {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

struct Start {
    workspace_id: String,
    public_id: String,
    partner: String,
    now: i64,
}

impl Unit for Start {
    type Out = (Place, Connection, Option<i64>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = visit::load(tx, &self.workspace_id, &self.public_id).await?;
        let place = loaded.place();
        let missing = |what: &str| StoreError::NotFound(what.to_owned());
        let one = connection(tx, &place).await?.ok_or_else(|| missing("a sandbox"))?;
        let known = scenarios::partners(tx, &place).await?.iter().any(|(key, _)| *key == self.partner);
        if !known {
            return Err(missing("the partner"));
        }
        let ppm = reckoned(tx, &place, self.now).await?.ppm;
        Ok((place, one, ppm))
    }
}

struct Look {
    place: Place,
    connection_id: String,
    roots: Vec<String>,
}

impl Unit for Look {
    type Out = Vec<i64>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<i64>, StoreError> {
        let mut targets = Vec::new();
        for root in &self.roots {
            let found = scenarios::brought(tx, &self.place, &self.connection_id, root).await?;
            targets.push(found.map_or(0, |found| found.target));
        }
        Ok(targets)
    }
}
