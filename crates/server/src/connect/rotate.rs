//! Signing secrets follow one another without a gap: a second endpoint is made, both secrets are good, and the first
//! endpoint goes once events verify with the new one. Or a person pastes a second secret, with an end for those before.

use super::credential::{NoClient, endpoint_client};
use super::rows;
use super::{ConnectFailure, checked_secret};
use crate::state::{App, new_id};
use secrecy::{ExposeSecret, SecretString};
use tributary_domain::ids::IdKind;
use tributary_store::connections::secrets::{self, NewSecret, SecretLine};
use tributary_store::connections::{self, Connection};
use tributary_store::pipeline::objects;
use tributary_store::vault::{Key, random};
use tributary_store::workspaces::Program;
use tributary_store::{StoreError, Tx, Unit};
use tributary_stripe::client::ApiError;
use tributary_stripe::endpoint::{EndpointOutcome, EndpointSpec, second};

/// The secrets before a new one are good for so long, ms: as long as Stripe signs with both.
pub const OVERLAP_MS: i64 = 86_400_000;

/// What became of a roll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rolled {
    /// A second endpoint is there; the first goes when the new secret verified an event.
    Begun,
    /// The new secret verified: the first endpoint is gone, and its secret ends in a day.
    Done,
    /// No event has verified with the new secret yet.
    Waits,
    /// It could not be done, in a sentence.
    Refused(String),
}

/// Takes a second secret. `end_others`: those before end in a day.
///
/// # Errors
/// [`ConnectFailure::Secret`], or the database's.
pub async fn paste(
    app: &App,
    connection: &Connection,
    secret: &SecretString,
    end_others: bool,
) -> Result<(), ConnectFailure> {
    let secret = checked_secret(secret)?;
    let unit = Paste {
        data_key: app.data_key(&connection.workspace_id).await?,
        connection: connection.clone(),
        secret_id: new_id(IdKind::Secret)?,
        secret,
        end_others,
        now: app.now(),
    };
    app.db.write(unit).await?;
    forget_doors(app);
    Ok(())
}

/// Secrets that were remembered for a moment are read anew.
pub(crate) fn forget_doors(app: &App) {
    app.doors.write().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
}

struct Paste {
    data_key: Key,
    connection: Connection,
    secret_id: String,
    secret: SecretString,
    end_others: bool,
    now: i64,
}

impl Unit for Paste {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, id) = (&self.connection.workspace_id, &self.connection.connection_id);
        if self.end_others {
            for old in secrets::list(tx, ws, id, self.now).await? {
                let end = self.now.saturating_add(OVERLAP_MS);
                secrets::end(tx, ws, id, &old.secret_id, end).await?;
            }
        }
        let new = NewSecret {
            workspace_id: ws,
            connection_id: id,
            secret_id: &self.secret_id,
            endpoint_id: None,
            expires_at: None,
            now: self.now,
        };
        secrets::add(tx, &self.data_key, &new, self.secret.expose_secret()).await
    }
}

struct Lines(Connection, i64);
impl Unit for Lines {
    type Out = Vec<SecretLine>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        secrets::list(tx, &self.0.workspace_id, &self.0.connection_id, self.1).await
    }
}

/// Rolls the secret of our endpoint: begins with a second one, or, where that was begun, ends the first if the new
/// secret has verified an event. Doing it again is safe at every point.
///
/// # Errors
/// The database's.
pub async fn roll(app: &App, connection: &Connection, program: &Program) -> Result<Rolled, StoreError> {
    let Some(current) = connection.endpoint_id.clone() else {
        return Ok(Rolled::Refused(
            "There is no endpoint of ours to roll. Paste the new secret of the endpoint that you made."
                .to_owned(),
        ));
    };
    let lines = app.db.read(Lines(connection.clone(), app.now())).await?;
    let of_ours = |line: &&SecretLine| line.endpoint_id.as_deref().is_some_and(|id| id != current);
    let before = lines.iter().find(|line| of_ours(line) && line.expires_at.is_none());
    match before {
        None => begin(app, connection, program, &current, &lines).await,
        Some(old) => {
            let newest = lines.iter().find(|line| line.endpoint_id.as_deref() == Some(&current));
            if newest.is_none_or(|line| line.verified_at.is_none()) {
                return Ok(Rolled::Waits);
            }
            end(app, connection, old).await
        }
    }
}

async fn begin(
    app: &App,
    connection: &Connection,
    program: &Program,
    current: &str,
    lines: &[SecretLine],
) -> Result<Rolled, StoreError> {
    let client = match endpoint_client(app, connection).await {
        Ok(client) => client,
        Err(NoClient::Store(error)) => return Err(error),
        Err(error) => return Ok(Rolled::Refused(error.to_string())),
    };
    let url = rows::endpoint_url(app, connection, program).await?;
    let attempt = hex::encode(random::<8>()?);
    let spec = EndpointSpec {
        url: &url,
        connection_id: &connection.connection_id,
        description: "Tributary: sales, refunds and customers",
        stored: Some(current),
        attempt: &attempt,
        connect: connection.auth == "connect",
    };
    let (endpoint_id, secret) = match second(&client, &spec).await {
        Ok(EndpointOutcome::Created { id, secret, .. }) => (id, secret),
        Ok(
            EndpointOutcome::LimitReached { message }
            | EndpointOutcome::NoPermission { message }
            | EndpointOutcome::NotPublic { message },
        ) => return Ok(Rolled::Refused(message)),
        Ok(EndpointOutcome::Found { .. }) => return Ok(Rolled::Waits),
        Err(error @ ApiError::UnknownOutcome { .. }) => {
            // An endpoint whose secret nobody knows is of no use: connecting again takes it away.
            return Ok(Rolled::Refused(format!(
                "{error} The secret in use stays. Connect again, then roll again."
            )));
        }
        Err(error) => return Ok(Rolled::Refused(error.to_string())),
    };
    // A secret of an installation of before does not say which endpoint it is of: it is the one in use.
    let unnamed = lines.iter().filter(|line| line.endpoint_id.is_none()).map(|line| line.secret_id.clone());
    let unit = Second {
        data_key: app.data_key(&connection.workspace_id).await?,
        connection: connection.clone(),
        secret_id: new_id(IdKind::Secret)?,
        unnamed: unnamed.collect(),
        endpoint_id,
        secret,
        url,
        now: app.now(),
    };
    app.db.write(unit).await?;
    forget_doors(app);
    Ok(Rolled::Begun)
}

struct Second {
    data_key: Key,
    connection: Connection,
    secret_id: String,
    unnamed: Vec<String>,
    endpoint_id: String,
    secret: SecretString,
    url: String,
    now: i64,
}

impl Unit for Second {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, id) = (&self.connection.workspace_id, &self.connection.connection_id);
        let missing = || StoreError::NotFound(format!("connection {id}"));
        objects::lock_connection(tx, ws, id).await?;
        let mut row = connections::find(tx, ws, id).await?.ok_or_else(missing)?;
        if row.endpoint_id != self.connection.endpoint_id {
            return Err(StoreError::Conflict("the endpoint was changed meanwhile".to_owned()));
        }
        for secret_id in &self.unnamed {
            if let Some(old) = &row.endpoint_id {
                secrets::name(tx, ws, id, secret_id, old).await?;
            }
        }
        row.endpoint_id = Some(self.endpoint_id.clone());
        row.endpoint_url = Some(self.url.clone());
        connections::update(tx, &row, self.now).await?;
        let new = NewSecret {
            workspace_id: ws,
            connection_id: id,
            secret_id: &self.secret_id,
            endpoint_id: Some(&self.endpoint_id),
            expires_at: None,
            now: self.now,
        };
        secrets::add(tx, &self.data_key, &new, self.secret.expose_secret()).await
    }
}

async fn end(app: &App, connection: &Connection, old: &SecretLine) -> Result<Rolled, StoreError> {
    let Some(id) = &old.endpoint_id else { return Ok(Rolled::Waits) };
    let client = match endpoint_client(app, connection).await {
        Ok(client) => client,
        Err(NoClient::Store(error)) => return Err(error),
        Err(error) => return Ok(Rolled::Refused(error.to_string())),
    };
    if let Err(error) = client.delete_webhook_endpoint(id).await {
        return Ok(Rolled::Refused(format!("The endpoint {id} is still there: {error}")));
    }
    // What Stripe signed with it before is on its way for a while.
    let ended =
        End { connection: connection.clone(), secret_id: old.secret_id.clone(), at: app.now() + OVERLAP_MS };
    app.db.write(ended).await?;
    Ok(Rolled::Done)
}

struct End {
    connection: Connection,
    secret_id: String,
    at: i64,
}

impl Unit for End {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let c = &self.connection;
        secrets::end(tx, &c.workspace_id, &c.connection_id, &self.secret_id, self.at).await.map(drop)
    }
}
