//! Alerts: written with the change that they tell of, then logged as one structured line and, where the installation
//! names an address for it, posted there as JSON. At least once: a receiver knows a repetition by its id.

use crate::App;
use std::time::Duration;
use tributary_store::alerts::{self, Alert};
use tributary_store::connections::Connection;
use tributary_store::{StoreError, Tx, Unit, workspaces};
use tributary_stripe::client::post_json;

/// How often due alerts are looked for.
const EVERY: Duration = Duration::from_secs(2);
/// Taken at once.
const AT_ONCE: i64 = 20;
/// How long a claim holds, ms.
const LEASE_MS: i64 = 60_000;
/// The receiver has so long.
const DEADLINE: Duration = Duration::from_secs(10);

/// Writes that a connection broke or was mended, in the caller's transaction. A change of words alone tells nobody.
///
/// # Errors
/// The database's.
pub async fn of_status(
    tx: &mut Tx<'_>,
    before: &Connection,
    status: &str,
    reason: &str,
    now: i64,
) -> Result<(), StoreError> {
    let account = if before.account_name.is_empty() { &before.account_id } else { &before.account_name };
    let (kind, text) = match (before.status.as_str(), status) {
        ("connected", "broken") => (
            "connection_broken",
            format!("Stripe ({account}, {} mode) is not answering: {reason}", before.mode),
        ),
        ("broken", "connected") => {
            ("connection_mended", format!("Stripe ({account}, {} mode) answers again.", before.mode))
        }
        _ => return Ok(()),
    };
    alerts::insert(tx, &before.workspace_id, kind, &before.connection_id, &text, now).await
}

/// Sends until dropped.
pub async fn run(app: &App) {
    loop {
        if let Err(error) = send_due(app).await {
            tracing::error!(%error, "alerts were not sent for a moment");
        }
        tokio::time::sleep(EVERY).await;
    }
}

struct Claim(String, i64);
impl Unit for Claim {
    type Out = Vec<Alert>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Alert>, StoreError> {
        alerts::claim(tx, &self.0, self.1, self.1.saturating_add(LEASE_MS), AT_ONCE).await
    }
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}

enum Ended {
    Sent,
    Later(i64),
}

struct End(Alert, Ended, i64);
impl Unit for End {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (ws, id) = (&self.0.workspace_id, &self.0.alert_id);
        match self.1 {
            Ended::Sent => alerts::sent(tx, ws, id, self.2).await,
            Ended::Later(at) => alerts::later(tx, ws, id, at).await,
        }
    }
}

async fn send_due(app: &App) -> Result<(), StoreError> {
    for workspace_id in app.db.read(Workspaces).await? {
        for alert in app.db.write(Claim(workspace_id, app.now())).await? {
            let ended = send(app, &alert).await;
            app.db.write(End(alert, ended, app.now())).await?;
        }
    }
    Ok(())
}

async fn send(app: &App, alert: &Alert) -> Ended {
    if alert.attempts == 0 {
        let (kind, subject, text) = (&alert.kind, &alert.subject, &alert.text);
        tracing::warn!(alert = alert.alert_id, kind, subject, text, "alert");
    }
    let Some(url) = &app.outside.alert_url else { return Ended::Sent };
    let body = serde_json::json!({
        "id": alert.alert_id,
        "kind": alert.kind,
        "workspace": alert.workspace_id,
        "subject": alert.subject,
        "text": alert.text,
        "created_at": alert.created_at,
    });
    match post_json(url, body.to_string(), DEADLINE).await {
        Ok(status) if (200..300).contains(&status) => Ended::Sent,
        answer => {
            let reason = answer.map_or_else(|reason| reason, |status| format!("status {status}"));
            tracing::warn!(alert = alert.alert_id, reason, "the alert was not taken; it is sent again");
            Ended::Later(app.now().saturating_add(crate::pipeline::fetch::back_off_ms(alert.attempts)))
        }
    }
}
