//! Letting an account go, and looking at one again.

use super::{check, client_of, permissions_text};
use crate::connect::check::Checkup;
use crate::state::App;
use tributary_store::connections::{self, Connection};
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

/// How it ended. The connection is marked disconnected in every case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnected {
    /// Our endpoint.
    pub endpoint: EndpointFate,
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
    let Some(id) = connection.endpoint_id.clone() else {
        return Ok(Disconnected { endpoint: EndpointFate::None });
    };
    let removed = match client_of(app, connection).await {
        Ok(client) => match client.delete_webhook_endpoint(&id).await {
            Ok(_) | Err(ApiError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.to_string()),
        },
        Err(error) => Err(error.to_string()),
    };
    let (kept, reason, endpoint) = match removed {
        Ok(()) => (None, String::new(), EndpointFate::Removed),
        Err(words) => {
            let reason = format!("The webhook endpoint {id} is still at Stripe: {words}");
            (Some(id), reason, EndpointFate::Left(words))
        }
    };
    app.db.write(Mark::of(connection, reason, kept, app.now())).await?;
    Ok(Disconnected { endpoint })
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
        let found = connections::find(tx, &self.workspace_id, &self.connection_id).await?;
        let Some(mut connection) = found.filter(|found| found.status != "disconnected") else {
            return Ok(());
        };
        connection.permissions.clone_from(&self.permissions);
        connection.checked_at = Some(self.now);
        connection.warnings = serde_json::to_string(&self.problems).unwrap_or_else(|_| "[]".to_owned());
        if connection.status == "broken" && self.problems.is_empty() {
            "connected".clone_into(&mut connection.status);
            connection.status_reason = String::new();
        }
        connections::update(tx, &connection, self.now).await
    }
}
