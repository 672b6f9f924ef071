//! Settings → Sessions: where one is logged in; end one, or all others.

use super::{Around, Asked, Load, back};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::forms::Posted;
use crate::admin::visit::Visit;
use crate::auth::login::Signed;
use crate::auth::{cookies, session};
use crate::ui::frame::Frame;
use crate::ui::page::page;
use crate::ui::when::Ago;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tributary_store::pages::frame as stored;
use tributary_store::pages::sessions;
use tributary_store::users::{self, SessionLine};
use tributary_store::vault::token_hash;
use tributary_store::{StoreError, Tx, Unit};

/// Letters of a session's hash that name it in an address.
const HANDLE: usize = 24;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/sessions.html")]
pub struct SessionsPage {
    frame: Frame,
    around: Around,
    rows: Vec<SessionRow>,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    handle: String,
    browser: String,
    agent: String,
    seen: Ago,
    created: Ago,
    here: bool,
}

/// `GET /p/{program}/settings/sessions`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = async {
        let load = LoadSessions(Load::new(&visit, &public_id), visit.session.user_id.clone());
        let (loaded, lines) = app.db.read(load).await?;
        let around = Around::new(&visit, &loaded, "settings/sessions", &asked.notice);
        let current = current(&app, &headers);
        let alive = lines.iter().filter(|line| {
            line.expires_at > visit.now && visit.now.saturating_sub(line.seen_at) < session::IDLE_MS
        });
        let rows = alive.map(|line| row(line, &current, visit.now)).collect();
        Ok(page(StatusCode::OK, &SessionsPage { frame: around.frame.clone(), around, rows }))
    };
    visit.answer(shown.await)
}

fn current(app: &App, headers: &HeaderMap) -> String {
    let name = cookies::session_name(session::https(app));
    cookies::read(headers, name).map(token_hash).unwrap_or_default()
}

fn row(line: &SessionLine, current: &str, now: i64) -> SessionRow {
    SessionRow {
        handle: line.session_hash.chars().take(HANDLE).collect(),
        browser: browser(&line.user_agent),
        agent: line.user_agent.clone(),
        seen: Ago { at: line.seen_at, now },
        created: Ago { at: line.created_at, now },
        here: line.session_hash == current,
    }
}

/// "Firefox on Linux": as much of the browser's name for itself as a person needs.
fn browser(agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name)
    };
    let program = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) if agent.is_empty() => "A browser without a name".to_owned(),
        (None, None) => agent.chars().take(40).collect(),
    }
}

/// `POST /p/{program}/settings/sessions/{handle}/end`
pub async fn end(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, handle)): Path<(String, String)>,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = async {
        session::check_form(&visit.session, form.token())?;
        let load = LoadSessions(Load::new(&visit, &public_id), visit.session.user_id.clone());
        app.db.write(End { load, handle }).await?;
        Ok(back(&public_id, "settings/sessions", "session-ended"))
    };
    visit.answer(result.await)
}

/// `POST /p/{program}/settings/sessions/others`
pub async fn others(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Path(public_id): Path<String>,
    Posted(form): Posted<Signed>,
) -> Response {
    let result = async {
        session::check_form(&visit.session, form.token())?;
        let load = LoadSessions(Load::new(&visit, &public_id), visit.session.user_id.clone());
        app.db.write(EndOthers { load, keep: current(&app, &headers) }).await?;
        Ok::<_, PageError>(back(&public_id, "settings/sessions", "others-ended"))
    };
    visit.answer(result.await)
}

struct LoadSessions(Load, String);

impl Unit for LoadSessions {
    type Out = (stored::Frame, Vec<SessionLine>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = self.0.run(tx).await?;
        Ok((loaded, users::list_sessions(tx, &self.0.workspace_id, &self.1).await?))
    }
}

struct End {
    load: LoadSessions,
    handle: String,
}

impl Unit for End {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (_, lines) = self.load.run(tx).await?;
        let named =
            |line: &&SessionLine| self.handle.len() == HANDLE && line.session_hash.starts_with(&self.handle);
        let missing = || StoreError::NotFound("session".into());
        let line = lines.iter().find(named).ok_or_else(missing)?;
        sessions::delete(tx, &self.load.0.workspace_id, &line.session_hash).await
    }
}

struct EndOthers {
    load: LoadSessions,
    keep: String,
}

impl Unit for EndOthers {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.load.run(tx).await?;
        users::end_others(tx, &self.load.0.workspace_id, &self.load.1, &self.keep).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_called_by_what_people_know() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Linux");
        assert_eq!(
            browser("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox on Windows"
        );
        assert_eq!(browser(""), "A browser without a name");
        assert_eq!(browser(&"x".repeat(80)).len(), 40);
    }
}
