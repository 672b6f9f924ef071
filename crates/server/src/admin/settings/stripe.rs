//! Settings → Stripe: the connections of a program, and what can be done with each.

use super::oauth::OauthCard;
use super::{Around, Asked, Load};
use crate::App;
use crate::admin::visit::Visit;
use crate::connect::checks::Progress;
use crate::connect::{self, kept_permissions};
use crate::ui::badge::{Badge, Id};
use crate::ui::frame::Frame;
use crate::ui::page::page;
use crate::ui::stripe::{Permissions, StripeConnect, connection_badge};
use crate::ui::text::encode;
use crate::ui::when::Ago;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_store::connections::{self, Connection};
use tributary_store::health::{self, Arrivals};
use tributary_store::pages::frame as stored;
use tributary_store::{StoreError, Tx, Unit};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "settings/stripe.html")]
pub struct StripePage {
    frame: Frame,
    around: Around,
    connections: Vec<ConnectionCard>,
    /// A check under way, or one that failed.
    form: Option<StripeConnect>,
    checking: bool,
    again: String,
    /// Connections of other programs that could feed this one too.
    others: Vec<ConnectionCard>,
    oauth: OauthCard,
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionCard {
    /// The page of its actions.
    pub base: String,
    /// The account's name, or its id.
    pub account: String,
    /// `acct_…`
    pub account_id: Id,
    /// How it stands.
    pub badge: Badge,
    /// Live data?
    pub live: bool,
    /// The key's kind and last letters.
    pub key: String,
    /// How events arrive.
    pub way: String,
    /// Our endpoint, if there is one.
    pub endpoint: Option<Id>,
    /// When the last event arrived.
    pub last_event: Option<Ago>,
    /// The checklist.
    pub permissions: Permissions,
    /// When it was made.
    pub checked: Option<Ago>,
    /// What it says about itself: why it is broken, or what was left.
    pub reason: String,
    /// What should be mended.
    pub warnings: Vec<String>,
    /// Is it let go?
    pub gone: bool,
    /// Let go, but the endpoint is still at Stripe.
    pub left: bool,
    /// How it is let in: `key`, `app`, `connect`.
    pub auth: String,
    /// `con_…`
    pub id: String,
    /// Where an authorisation begins.
    pub authorize: String,
}

impl ConnectionCard {
    /// A connection on the pages of a program.
    #[must_use]
    pub fn of(frame: &Frame, one: &Connection, arrivals: &Arrivals, now: i64) -> Self {
        let gone = one.status == "disconnected";
        let way = match (gone, &one.endpoint_id, one.polling) {
            (true, ..) => "Nothing is taken any more; history is kept.",
            (_, Some(_), _) => "By webhook",
            (_, None, true) => "Read from Stripe every few seconds",
            (_, None, false) => "By your own webhook endpoint",
        };
        let ago = |at| Ago { at, now };
        Self {
            base: frame.program.href(&format!("settings/stripe/{}", encode(&one.connection_id))),
            account: if one.account_name.is_empty() {
                one.account_id.clone()
            } else {
                one.account_name.clone()
            },
            account_id: Id::new("account", &one.account_id),
            badge: connection_badge(&one.status),
            live: one.mode == "live",
            key: one.key_hint.clone(),
            way: way.to_owned(),
            endpoint: one.endpoint_id.as_ref().map(|id| Id::new("endpoint", id)),
            last_event: arrivals.last_received_at.map(ago),
            permissions: Permissions::new(&kept_permissions(&one.permissions), false),
            checked: one.checked_at.map(ago),
            reason: one.status_reason.clone(),
            warnings: warnings(one),
            auth: one.auth.clone(),
            id: one.connection_id.clone(),
            authorize: frame.program.href("integration/stripe/authorize"),
            gone,
            left: gone
                && (one.endpoint_id.is_some() || one.auth == "connect" && !one.status_reason.is_empty()),
        }
    }
}

/// What should be mended, without the permissions that the list below names as missing.
fn warnings(one: &Connection) -> Vec<String> {
    let lacking: Vec<&str> =
        kept_permissions(&one.permissions).iter().filter(|p| !p.ok).map(|p| p.permission).collect();
    let told = |words: &String| lacking.iter().any(|name| words.contains(name));
    connect::warnings::shown(&one.warnings).into_iter().filter(|words| !told(words)).collect()
}

/// `GET /p/{program}/settings/stripe`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(public_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let shown = async {
        let (loaded, all) = app.db.read(LoadConnections(Load::new(&visit, &public_id))).await?;
        let around = Around::new(&visit, &loaded, "settings/stripe", &asked.notice);
        let frame = around.frame.clone();
        let check = app.checks.of(&visit.session.workspace_id, &asked.check);
        let checking = matches!(check, Some(Progress::Running(_)));
        let failed = matches!(check, Some(Progress::Failed(_)));
        let action = frame.program.href("integration/stripe");
        let form =
            (checking || failed).then(|| StripeConnect::new(action, &visit.form_token, check.as_ref()));
        let connections =
            all.iter().map(|(one, arrivals)| ConnectionCard::of(&frame, one, arrivals, visit.now)).collect();
        let again = visit.here.clone();
        let workspace_id = &visit.session.workspace_id;
        let others = app.db.read(Others { workspace_id: workspace_id.clone(), of_program: all }).await?;
        let others = others
            .iter()
            .map(|(one, arrivals)| ConnectionCard::of(&frame, one, arrivals, visit.now))
            .collect();
        let oauth = OauthCard::load(&app, workspace_id, &asked.notice).await?;
        Ok(page(
            StatusCode::OK,
            &StripePage { frame, around, connections, form, checking, again, others, oauth },
        ))
    };
    visit.answer(shown.await)
}

/// The living connections of a workspace that do not feed the program.
struct Others {
    workspace_id: String,
    of_program: Vec<(Connection, Arrivals)>,
}

impl Unit for Others {
    type Out = Vec<(Connection, Arrivals)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let mut others = Vec::new();
        for one in connections::list(tx, &self.workspace_id).await? {
            let mine = self.of_program.iter().any(|(mine, _)| mine.connection_id == one.connection_id);
            if !mine && one.status != "disconnected" {
                let arrivals = health::arrivals(tx, &self.workspace_id, &one.connection_id).await?;
                others.push((one, arrivals));
            }
        }
        Ok(others)
    }
}

/// The frame with the program's connections, the newest first, and what arrived on each.
pub(crate) struct LoadConnections(pub(super) Load);

impl LoadConnections {
    /// For a page outside of the settings.
    pub(crate) fn of(visit: &Visit, public_id: &str) -> Self {
        Self(Load::new(visit, public_id))
    }
}

impl Unit for LoadConnections {
    type Out = (stored::Frame, Vec<(Connection, Arrivals)>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let loaded = self.0.run(tx).await?;
        let program = &loaded.shown.program;
        let mut all = Vec::new();
        for one in connections::list_of_program(tx, &program.workspace_id, &program.program_id).await? {
            let arrivals = health::arrivals(tx, &program.workspace_id, &one.connection_id).await?;
            all.push((one, arrivals));
        }
        all.sort_by_key(|(one, _)| (one.status == "disconnected", -one.created_at));
        Ok((loaded, all))
    }
}
