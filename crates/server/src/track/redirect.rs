//! `GET|HEAD /r/{program}/{key}` and `/r/{slug}`: short links.

use super::bots;
use super::cache::{Found, Link, Program, is_public_id};
use super::limits::{UNKNOWN, VISITS};
use super::visit::{New, record};
use super::visitor::{Peer, by_network, page};
use super::wire::text;
use crate::App;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tributary_store::links::is_key;
use tributary_store::track::visits::{Kind, Through};
use url::{Url, form_urlencoded};

/// Parameters of a request that travel on at most; what is more is left behind, all of it.
const PARAMETERS: usize = 20;
/// The longest query that travels on, bytes.
const QUERY_MAX: usize = 2_048;
/// The longest slug: a key and four characters.
const SLUG_MAX: usize = 68;

/// What a redirect knows of its request.
struct Asked {
    method: Method,
    headers: HeaderMap,
    query: String,
    peer: Peer,
}

/// `/r/{slug}`
pub async fn by_slug(
    State(app): State<App>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    peer: Peer,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let asked = Asked { method, headers, query: query.unwrap_or_default(), peer };
    if slug.len() <= SLUG_MAX && slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        let may_ask = || asked.may_ask(&app);
        if let Some(found) = app.track.cache.by_slug(&app, &slug, may_ask).await {
            return lead(&app, &found, &asked).await;
        }
        // The bare address of a program is its home.
        if is_public_id(&slug)
            && let Some(program) = app.track.cache.program(&app, &slug).await
        {
            return lead(&app, &Found { program, link: None }, &asked).await;
        }
    }
    nothing()
}

/// `/r/{program}/{key}`
pub async fn by_key(
    State(app): State<App>,
    Path((public_id, key)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    peer: Peer,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let asked = Asked { method, headers, query: query.unwrap_or_default(), peer };
    let Some(program) = app.track.cache.program(&app, &public_id).await else { return nothing() };
    let link = if is_key(&key) {
        app.track.cache.by_key(&app, &program, &key, || asked.may_ask(&app)).await
    } else {
        None
    };
    lead(&app, &Found { program, link }, &asked).await
}

impl Asked {
    /// One look-up of what nobody may have, out of this network's share.
    fn may_ask(&self, app: &App) -> bool {
        let ip = app.track.address(&self.headers, self.peer);
        app.track.limits.take("unknown", "", ip, UNKNOWN, app.now())
    }

    fn parameters(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().take(PARAMETERS + 1).collect()
    }
}

/// Counts the arrival and leads on.
async fn lead(app: &App, found: &Found, asked: &Asked) -> Response {
    let Found { program, link } = found;
    let Some(hosts) = &program.hosts else { return nothing() };
    let parameters = if asked.query.is_empty() { Vec::new() } else { asked.parameters() };
    let deep = parameters.iter().find(|(name, _)| name == "to").map(|(_, to)| to.as_str());
    let target = match (deep, link) {
        (Some(to), Some(_)) => hosts.deep(to),
        (None, Some(link)) => hosts.target(link.destination()),
        (_, None) => Ok(hosts.home().clone()),
    };
    let mut target = target.unwrap_or_else(|_| hosts.home().clone());
    carry(&mut target, &parameters, &program.row.parameter, asked.query.len());
    let visit = arrive(app, program, link.as_ref(), asked, &target).await;
    if let Some(link) = link {
        let mut pairs = target.query_pairs_mut();
        pairs.append_pair(&program.row.parameter, &link.key);
        if let Some(id) = visit {
            pairs.append_pair("tributary_visit", &id);
        }
    }
    go(&target)
}

/// What came with the request travels on, but for what is ours and what the destination says itself.
fn carry(target: &mut Url, parameters: &[(String, String)], own: &str, length: usize) {
    if parameters.is_empty() || parameters.len() > PARAMETERS || length > QUERY_MAX {
        return;
    }
    let there: Vec<String> = target.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let ours = |name: &str| ["to", "aff", "via", "ref", "tributary_visit", own].contains(&name);
    let mut travel =
        parameters.iter().filter(|(name, _)| !ours(name) && !there.iter().any(|one| one == name)).peekable();
    if travel.peek().is_some() {
        target.query_pairs_mut().extend_pairs(travel);
    }
}

/// Records the arrival; the id of its visit, if it is one.
async fn arrive(
    app: &App,
    program: &Arc<Program>,
    link: Option<&Arc<Link>>,
    asked: &Asked,
    target: &Url,
) -> Option<String> {
    let now = app.now();
    let ip = app.track.address(&asked.headers, asked.peer);
    let mut kind = bots::kind(&asked.method, &asked.headers);
    if kind == Kind::Visit && !app.track.limits.take("visit", &program.row.public_id, ip, VISITS, now) {
        kind = Kind::Bot;
    }
    let agent = text(&asked.headers, header::USER_AGENT);
    let visitor = match by_network(&program.key, ip, agent) {
        Ok(visitor) => visitor,
        Err(error) => {
            tracing::error!(%error, "a visitor could not be hashed");
            return None;
        }
    };
    let new = New {
        kind,
        via: "link",
        visitor,
        earlier: None,
        landing: page(target.as_str()),
        referrer: page(text(&asked.headers, header::REFERER)),
        now,
    };
    let stray;
    let link = match link {
        Some(link) => link,
        // Nobody has this key: counted as turned away, in the same way and time.
        None => {
            let row = &program.row;
            stray = Arc::new(Link::stray(Through {
                workspace_id: row.workspace_id.clone(),
                program_id: row.program_id.clone(),
                partner_id: String::new(),
                link_id: String::new(),
            }));
            &stray
        }
    };
    record(app, program, link, new).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a visit could not be made");
        None
    })
}

fn go(target: &Url) -> Response {
    // A URL is ASCII without control characters, which is what a header takes.
    let Ok(location) = HeaderValue::from_str(target.as_str()) else { return nothing() };
    let mut response = StatusCode::FOUND.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    private(&mut response);
    response
}

/// What there is to say of a link that nobody has.
fn nothing() -> Response {
    let mut response = (StatusCode::NOT_FOUND, "There is no link at this address.\n").into_response();
    private(&mut response);
    response
}

fn private(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
