//! Looks at each connection at least once a minute: does Stripe still let us in, may we still read, is the endpoint
//! still there, do signatures hold? What is found shows on the pages and is told once. While Stripe cannot be reached
//! the pauses double; nothing is given up.

use crate::App;
use crate::connect::check::faults;
use crate::connect::credential::{NoClient, Way, endpoint_client, flow_of, way_of};
use crate::connect::flow::Flow;
use crate::connect::{tokens, warnings};
use crate::pipeline::fetch;
use crate::pipeline::worker::Connections;
use std::time::Duration;
use tributary_store::connections::{self, Connection, watch};
use tributary_store::pipeline::jobs;
use tributary_store::{StoreError, Tx, Unit, workspaces};
use tributary_stripe::client::{ApiError, probe_needed};
use tributary_stripe::connect::missing_permissions;

/// How often it is looked whether a look is due.
const TICK: Duration = Duration::from_secs(5);
/// Between two looks at one connection, ms.
const EVERY_MS: i64 = 45_000;
/// A look may take so long.
const DEADLINE: Duration = Duration::from_secs(50);
/// Looks until dropped.
pub async fn run(app: &App) {
    loop {
        if let Err(error) = look_at_all(app).await {
            tracing::error!(%error, "connections were not looked at for a moment");
        }
        tokio::time::sleep(TICK).await;
    }
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}

struct Claim(Connection, i64);
impl Unit for Claim {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        watch::claim_look(tx, &self.0.workspace_id, &self.0.connection_id, self.1, EVERY_MS).await
    }
}

async fn look_at_all(app: &App) -> Result<(), StoreError> {
    for workspace_id in app.db.read(Workspaces).await? {
        let all = app.db.read(Connections(workspace_id)).await?;
        let alive = all.into_iter().filter(|one| one.status != "disconnected");
        let looks = alive.map(|connection| look_if_due(app, connection));
        for ended in futures_util::future::join_all(looks).await {
            ended?;
        }
    }
    Ok(())
}

async fn look_if_due(app: &App, connection: Connection) -> Result<(), StoreError> {
    if !app.db.write(Claim(connection.clone(), app.now())).await? {
        return Ok(());
    }
    let seen = match tokio::time::timeout(DEADLINE, look(app, &connection)).await {
        Ok(Ok(seen)) => seen,
        Ok(Err(NoClient::Store(error))) if error.is_unavailable() => return Err(error),
        Ok(Err(NoClient::Unavailable(_))) | Err(_) => Seen::default(),
        // A connection whose secrets cannot be read must not keep the others from being looked at.
        Ok(Err(error)) => Seen { reached: true, broken: Some(error.to_string()), ..Seen::default() },
    };
    app.db.write(Keep { connection, seen, now: app.now() }).await
}

/// What a look found.
#[derive(Debug, Default)]
struct Seen {
    /// Could Stripe be asked?
    reached: bool,
    /// Why Stripe does not let us in.
    broken: Option<String>,
    /// What should be mended, in sentences.
    warnings: Vec<String>,
}

async fn look(app: &App, connection: &Connection) -> Result<Seen, NoClient> {
    let (mut way, mut again) = (way_of(app, connection).await?, true);
    let missing = loop {
        // The pipeline's own: all calls for a connection share its pace.
        let client = app.clients.of(app, connection).await?;
        match probe_needed(&client).await {
            Ok(probes) if probes.iter().all(|probe| probe.ok.is_err() && !probe.missing) => {
                return Err(NoClient::Unavailable("no question was answered".to_owned()));
            }
            Ok(probes) => {
                if flow_of(connection) == Some(Flow::Connect) && probes.iter().all(|probe| probe.missing) {
                    return Ok(Seen {
                        broken: Some(WITHDRAWN.to_owned()),
                        reached: true,
                        warnings: Vec::new(),
                    });
                }
                break missing_permissions(&probes);
            }
            Err(ApiError::Unauthorised { .. }) if again && way.version > 0 => {
                // The token was refused before its time: a new one shows whether the account still agrees.
                tokens::expire(app, connection, way.version).await?;
                (way, again) = (way_of(app, connection).await?, false);
            }
            Err(error @ ApiError::Unauthorised { .. }) => {
                return Ok(Seen { broken: Some(error.to_string()), reached: true, warnings: Vec::new() });
            }
            Err(error) => return Err(NoClient::Unavailable(error.to_string())),
        }
    };
    worked(app, connection, &way).await?;
    let mut warnings = missing;
    warnings.extend(of_endpoint(app, connection).await?);
    warnings.extend(of_signatures(app, connection).await?);
    Ok(Seen { reached: true, broken: None, warnings })
}

const WITHDRAWN: &str = "The account does not let the Connect platform in any more. Authorise it again under Integration, \
     Stripe; what was received is kept.";

async fn worked(app: &App, connection: &Connection, way: &Way) -> Result<(), StoreError> {
    if way.version > 0 { tokens::worked(app, connection, way.version).await } else { Ok(()) }
}

/// Our endpoint: still there, switched on, with the right address and types?
async fn of_endpoint(app: &App, connection: &Connection) -> Result<Vec<String>, NoClient> {
    let Some(id) = &connection.endpoint_id else { return Ok(Vec::new()) };
    let client = endpoint_client(app, connection).await?;
    match client.webhook_endpoints().await {
        Ok(all) => Ok(match all.iter().find(|one| &one.id == id) {
            Some(ours) => faults(ours, connection, &app.settings.public_url),
            None => vec![format!("The webhook endpoint {id} is gone at Stripe. Connect again.")],
        }),
        // A key that may not look at endpoints is no fault of theirs.
        Err(_) => Ok(Vec::new()),
    }
}

struct Fed(Connection);
impl Unit for Fed {
    type Out = Vec<(String, String)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        watch::programs_of(tx, &self.0.workspace_id, &self.0.connection_id).await
    }
}

/// Signatures that were refused at an address of the connection since its last good event.
async fn of_signatures(app: &App, connection: &Connection) -> Result<Option<String>, StoreError> {
    if connection.polling {
        return Ok(None);
    }
    let now = app.now();
    let fed = app.db.read(Fed(connection.clone())).await?;
    let lately = fed.iter().find_map(|(public_id, _)| app.refusals.lately(public_id, now));
    // Without the number: it changes with each look, and each change would be told anew.
    Ok(lately.map(|lately| {
        format!(
            "Events were refused at the webhook address in the last minutes, and none was taken since: {} If somebody \
             rolled the signing secret in Stripe, paste the new one under Settings, Stripe.",
            lately.reason
        )
    }))
}

struct Keep {
    connection: Connection,
    seen: Seen,
    now: i64,
}

impl Unit for Keep {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, id) = (&self.connection.workspace_id, &self.connection.connection_id);
        watch::count_look(tx, ws, id, self.seen.reached).await?;
        if !self.seen.reached {
            return Ok(());
        }
        let Some(mut row) = connections::find(tx, ws, id).await? else { return Ok(()) };
        // Something was done to it meanwhile: the next look judges.
        if row.status == "disconnected" || row.api_key != self.connection.api_key {
            return Ok(());
        }
        let before = row.clone();
        match &self.seen.broken {
            Some(reason) => {
                "broken".clone_into(&mut row.status);
                row.status_reason.clone_from(reason);
            }
            None if row.status == "broken" && self.seen.warnings.is_empty() => {
                "connected".clone_into(&mut row.status);
                row.status_reason = String::new();
                jobs::resume_of_connection(tx, ws, fetch::KIND, id, self.now).await?;
            }
            None => {}
        }
        if self.seen.broken.is_none() {
            // What it may read again, or what was mended otherwise, is asked for at once and not after its pause.
            if warnings::is_mended(&row.warnings, &self.seen.warnings) {
                jobs::resume_of_connection(tx, ws, fetch::KIND, id, self.now).await?;
            }
            warnings::replace(tx, &mut row, &self.seen.warnings, self.now).await?;
        }
        if row == before {
            return Ok(());
        }
        connections::update(tx, &row, self.now).await?;
        super::alerts::of_status(tx, &before, &row.status, &row.status_reason, self.now).await
    }
}
