//! `POST /t/{program_public_id}/visit`: the script tells of an arrival.

use super::bots::is_bot;
use super::cache::{Link, Program};
use super::limits::VISITS;
use super::visitor::{Peer, by_cookie, by_network, is_visit_id, new_visit_id, page};
use super::wire::{Refusal, VISITOR_MAX, read, text};
use crate::App;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tributary_store::StoreError;
use tributary_store::links::is_key;
use tributary_store::track::visits::{Arrival, Became, Kind, Sighting};

#[derive(Debug, Deserialize)]
struct Told {
    key: String,
    #[serde(default)]
    visitor: Option<String>,
    #[serde(default)]
    page: Option<String>,
    #[serde(default)]
    referrer: Option<String>,
}

/// Counts an arrival. 200 with the visit's id; 204 where nobody has the key; 202 where it was not counted for
/// another reason, so that the browser keeps what it knows.
pub async fn post(
    State(app): State<App>,
    Path(public_id): Path<String>,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match take(&app, &public_id, peer, &headers, body).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn take(
    app: &App,
    public_id: &str,
    peer: Peer,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let told: Told = read(body).await?;
    let program = app.track.cache.program(app, public_id).await.ok_or(Refusal::NoProgram)?;
    if !from_own_page(&program, headers, told.page.as_deref()) {
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    let now = app.now();
    see_script(app, &program, told.page.as_deref(), now);
    if !is_key(&told.key) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let Some(link) = app.track.cache.by_key(app, &program, &told.key, || true).await else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let ip = app.track.address(headers, peer);
    let agent = text(headers, header::USER_AGENT);
    let ahead = text(headers, header::HeaderName::from_static("sec-purpose")).contains("prefetch");
    let kind = if ahead {
        Kind::Prefetch
    } else if is_bot(agent) || !app.track.limits.take("visit", public_id, ip, VISITS, now) {
        Kind::Bot
    } else {
        Kind::Visit
    };
    let visitor = told.visitor.filter(|id| !id.is_empty() && id.len() <= VISITOR_MAX);
    let known = match &visitor {
        Some(id) => by_cookie(&program.key, id),
        None => by_network(&program.key, ip, agent),
    };
    let arrival = known.map(|known| New {
        kind,
        via: "script",
        visitor: known,
        earlier: visitor.filter(|id| is_visit_id(id)),
        landing: page(told.page.as_deref().unwrap_or("")),
        referrer: page(told.referrer.as_deref().unwrap_or("")),
        now,
    });
    let id = match arrival {
        Ok(arrival) => record(app, &program, &link, arrival).await,
        Err(error) => Err(error),
    };
    Ok(match id {
        Ok(Some(id)) => (StatusCode::OK, Json(serde_json::json!({ "visit": id }))).into_response(),
        Ok(None) => StatusCode::ACCEPTED.into_response(),
        Err(error) => {
            tracing::error!(%error, "a visit could not be made");
            StatusCode::ACCEPTED.into_response()
        }
    })
}

/// Does the request come from a page of this program? One that says nothing of its page does, as far as one knows.
pub(super) fn from_own_page(program: &Program, headers: &HeaderMap, page: Option<&str>) -> bool {
    let Some(hosts) = &program.hosts else { return false };
    let origin = headers.get(header::ORIGIN);
    let origin = origin.is_none_or(|origin| origin.to_str().is_ok_and(|origin| hosts.owns(origin)));
    origin && page.filter(|page| !page.is_empty()).is_none_or(|page| hosts.owns(page))
}

/// The script works on this page.
fn see_script(app: &App, program: &Program, told: Option<&str>, at: i64) {
    let url = page(told.unwrap_or(""));
    if !url.is_empty() {
        let row = &program.row;
        let (workspace_id, program_id) = (row.workspace_id.clone(), row.program_id.clone());
        app.track.queue.see(Sighting { workspace_id, program_id, kind: "script", url, at });
    }
}

/// An arrival, before it has an id.
pub(super) struct New {
    pub(super) kind: Kind,
    pub(super) via: &'static str,
    pub(super) visitor: String,
    pub(super) earlier: Option<String>,
    pub(super) landing: String,
    pub(super) referrer: String,
    pub(super) now: i64,
}

/// Records an arrival as the program wants it: committed first, or queued. `None`: it is no visit, or was dropped.
///
/// # Errors
/// No randomness.
pub(super) async fn record(
    app: &App,
    program: &Program,
    link: &Link,
    new: New,
) -> Result<Option<String>, StoreError> {
    let queued = program.row.visits_queued || app.track.queue.is_away();
    let fresh = new_visit_id()?;
    let countable = new.kind == Kind::Visit;
    let (visit_id, is_new) = if queued && countable {
        app.track.recent.id(&link.through.link_id, &new.visitor, fresh, new.now)
    } else {
        (fresh, false)
    };
    let arrival = Arc::new(Arrival {
        through: Arc::clone(&link.through),
        mode: program.row.mode,
        visit_id,
        visitor: new.visitor,
        earlier: new.earlier,
        via: new.via,
        landing: new.landing,
        referrer: new.referrer,
        at: new.now,
        kind: new.kind,
        promised: AtomicBool::new(is_new),
    });
    if !countable || queued {
        let kept = app.track.queue.put(Arc::clone(&arrival));
        return Ok((kept && countable).then(|| arrival.visit_id.clone()));
    }
    Ok(match app.track.queue.commit(Arc::clone(&arrival)).await {
        Ok(None | Some(Became::Counted)) => Some(arrival.visit_id.clone()),
        Ok(Some(Became::Repeat(id))) => Some(id),
        Ok(Some(Became::NotCounted)) | Err(_) => None,
    })
}
