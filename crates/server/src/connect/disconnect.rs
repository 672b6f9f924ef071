//! Letting an account go, and looking at one again.

use super::credential::{endpoint_client, flow_of, mode_of};
use super::delivery::Delivery;
use super::flow::{self, Flow};
use super::tokens::token_client;
use super::{check, permissions_text, warnings};
use crate::connect::check::Checkup;
use crate::pipeline::fetch;
use crate::state::App;
use tributary_store::connections::{self, Connection};
use tributary_store::pipeline::objects;
use tributary_store::{StoreError, Tx, Unit};
use tributary_stripe::client::ApiError;

/// What became of our webhook endpoint at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointFate {
    /// It is gone.
    Removed,
    /// There was none of ours.
    None,
    /// It could not be removed, with the reason. What it still sends is refused here.
    Left(String),
}

/// What became of what the account had granted by OAuth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessFate {
    /// There was nothing: the account was let in by a key, which its owner deletes in Stripe.
    None,
    /// Stripe ended it.
    Ended,
    /// The tokens are forgotten here; an App is uninstalled in Stripe alone.
    Forgotten,
    /// Whether Stripe ended it is not certain, with the reason.
    Left(String),
}

/// How it ended. The connection is marked disconnected in every case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnected {
    /// Our endpoint.
    pub endpoint: EndpointFate,
    /// What the account had granted.
    pub access: AccessFate,
}

/// Disconnects an account: first here, so that nothing is taken any more whatever Stripe answers; then the webhook
/// endpoint is removed at Stripe. History stays. Doing it again tries the endpoint again.
///
/// # Errors
/// The database's. What Stripe says is in the answer.
pub async fn disconnect(app: &App, connection: &Connection) -> Result<Disconnected, StoreError> {
    app.db.write(Mark::of(connection, String::new(), connection.endpoint_id.clone(), app.now())).await?;
    // Secrets that were remembered for a moment must not outlive the connection.
    app.doors.write().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    let removed = match &connection.endpoint_id {
        None => None,
        Some(id) => Some((id.clone(), remove_endpoint(app, connection, id).await)),
    };
    let access = end_access(app, connection, !matches!(removed, Some((_, Err(_))))).await?;
    let (mut kept, mut reason) = (None, String::new());
    let endpoint = match removed {
        None => EndpointFate::None,
        Some((_, Ok(()))) => EndpointFate::Removed,
        Some((id, Err(words))) => {
            reason = format!("The webhook endpoint {id} is still at Stripe: {words}");
            kept = Some(id);
            EndpointFate::Left(words)
        }
    };
    if let AccessFate::Left(words) = &access {
        let more = format!("It is not certain that Stripe ended the platform's access: {words}");
        reason = format!("{reason} {more}").trim().to_owned();
    }
    if endpoint != EndpointFate::None || !reason.is_empty() {
        app.db.write(Mark::of(connection, reason, kept, app.now())).await?;
    }
    Ok(Disconnected { endpoint, access })
}

/// Removes an endpoint. Where no answer came, Stripe is asked whether it is still there: an unknown outcome ends as
/// "removed" or as "left, with the reason", and doing it again is safe.
async fn remove_endpoint(app: &App, connection: &Connection, id: &str) -> Result<(), String> {
    let client = endpoint_client(app, connection).await.map_err(|error| error.to_string())?;
    match client.delete_webhook_endpoint(id).await {
        Ok(()) => Ok(()),
        Err(error @ ApiError::UnknownOutcome { .. }) => match client.webhook_endpoints().await {
            Ok(all) if all.iter().all(|one| one.id != id) => Ok(()),
            _ => Err(error.to_string()),
        },
        Err(error) => Err(error.to_string()),
    }
}

/// Ends what the account had granted. Tokens stay while they are needed to remove the endpoint.
async fn end_access(
    app: &App,
    connection: &Connection,
    endpoint_gone: bool,
) -> Result<AccessFate, StoreError> {
    let (ws, id) = (connection.workspace_id.clone(), connection.connection_id.clone());
    match flow_of(connection) {
        None => Ok(AccessFate::None),
        Some(Flow::App) => {
            if endpoint_gone {
                app.db.write(Forget(ws, id)).await?;
            }
            Ok(AccessFate::Forgotten)
        }
        Some(Flow::Connect) => {
            let found = flow::platform(app, &ws, Flow::Connect, mode_of(connection)).await?;
            let Some(platform) = found else {
                return Ok(AccessFate::Left("the Connect platform is not entered any more".to_owned()));
            };
            let base = flow::token_place(app, Flow::Connect).0;
            let client = match token_client(&base, &platform) {
                Ok(client) => client,
                Err(error) => return Ok(AccessFate::Left(error.to_string())),
            };
            // Asked again it answers that there is no connection any more, which is as good.
            let ended = client.oauth_deauthorize(&platform.client_id, &connection.account_id).await;
            Ok(ended.map_or_else(|error| AccessFate::Left(error.to_string()), |_| AccessFate::Ended))
        }
    }
}

struct Forget(String, String);
impl Unit for Forget {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tributary_store::oauth::tokens::remove(tx, &self.0, &self.1).await
    }
}

/// After a connection is let in another way than before: the endpoint of the other place, which nobody needs now.
/// Gives a sentence if it could not be removed.
pub(super) async fn leave_endpoint(
    app: &App,
    before: Option<&Connection>,
    auth: &str,
    now: &Delivery,
) -> Option<String> {
    let before = before.filter(|before| before.auth != auth)?;
    let id = before.endpoint_id.as_deref().filter(|id| now.endpoint_id.as_deref() != Some(id))?;
    let error = remove_endpoint(app, before, id).await.err()?;
    Some(format!("The endpoint {id} of the way before could not be removed ({error}) Delete it in Stripe."))
}

struct Mark {
    workspace_id: String,
    connection_id: String,
    reason: String,
    endpoint_id: Option<String>,
    now: i64,
}

impl Mark {
    fn of(connection: &Connection, reason: String, endpoint_id: Option<String>, now: i64) -> Self {
        let (workspace_id, connection_id) =
            (connection.workspace_id.clone(), connection.connection_id.clone());
        Self { workspace_id, connection_id, reason, endpoint_id, now }
    }
}

impl Unit for Mark {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        objects::lock_connection(tx, &self.workspace_id, &self.connection_id).await?;
        let found = connections::find(tx, &self.workspace_id, &self.connection_id).await?;
        let missing = || StoreError::NotFound(format!("connection {}", self.connection_id));
        let mut connection = found.ok_or_else(missing)?;
        "disconnected".clone_into(&mut connection.status);
        connection.status_reason.clone_from(&self.reason);
        connection.polling = false;
        "[]".clone_into(&mut connection.warnings);
        connection.endpoint_id.clone_from(&self.endpoint_id);
        if self.endpoint_id.is_none() {
            connection.endpoint_url = None;
        }
        connections::update(tx, &connection, self.now).await
    }
}

/// Looks at a connection again and keeps what was seen of its key.
///
/// # Errors
/// The database's. What Stripe says is in the answer.
pub async fn recheck(app: &App, connection: &Connection) -> Result<Checkup, StoreError> {
    let checkup = check(app, connection).await?;
    if checkup.key_ok {
        let seen = Seen {
            workspace_id: connection.workspace_id.clone(),
            connection_id: connection.connection_id.clone(),
            permissions: permissions_text(&checkup.permissions),
            problems: checkup.problems.clone(),
            now: app.now(),
        };
        app.db.write(seen).await?;
    } else if let Some(reason) = &checkup.refused {
        fetch::set_status(app, connection, "broken", reason).await?;
    }
    Ok(checkup)
}

struct Seen {
    workspace_id: String,
    connection_id: String,
    permissions: String,
    problems: Vec<String>,
    now: i64,
}

impl Unit for Seen {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        objects::lock_connection(tx, &self.workspace_id, &self.connection_id).await?;
        let found = connections::find(tx, &self.workspace_id, &self.connection_id).await?;
        let Some(mut connection) = found.filter(|found| found.status != "disconnected") else {
            return Ok(());
        };
        connection.permissions.clone_from(&self.permissions);
        connection.checked_at = Some(self.now);
        // What was found on connecting was found again, or is mended.
        "[]".clone_into(&mut connection.warnings);
        warnings::replace(tx, &mut connection, &self.problems, self.now).await?;
        if connection.status == "broken" && self.problems.is_empty() {
            "connected".clone_into(&mut connection.status);
            connection.status_reason = String::new();
        }
        connections::update(tx, &connection, self.now).await
    }
}
