//! Sales that wait while nobody asks Stripe for what they need are read again: then they ask, or say why they wait for
//! nothing. Nothing on the way leaves one so; a replay that was put in place does, because look-ups are no source.

use super::context::Context;
use super::project::read_again;
use crate::App;
use std::collections::{BTreeMap, BTreeSet};
use tributary_store::pipeline::{objects, waiting};
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// Looks through all workspaces, up to a hundred sales in each. Returns how many were read again.
///
/// # Errors
/// The database's.
pub async fn ask_again(app: &App) -> Result<usize, StoreError> {
    let mut count = 0;
    for workspace_id in app.db.read(Workspaces).await? {
        // Nearly always there is none: looked for by a reader, which holds up nobody.
        if app.db.read(Unasked(workspace_id.clone())).await?.is_empty() {
            continue;
        }
        let (now, link_delay_ms) = (app.now(), app.settings.link_delay_ms);
        let sales = app.db.write(AskAgain { workspace_id, now, link_delay_ms }).await?;
        tracing::warn!(sales, "sales that waited for Stripe without a look-up are read again");
        count += sales;
    }
    if count > 0 {
        app.wake.notify_one();
    }
    Ok(count)
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}

struct Unasked(String);
impl Unit for Unasked {
    type Out = Vec<waiting::Unasked>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        waiting::unasked(tx, &self.0).await
    }
}

struct AskAgain {
    workspace_id: String,
    now: i64,
    link_delay_ms: i64,
}

impl Unit for AskAgain {
    type Out = usize;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let ws = &self.workspace_id;
        let found = waiting::unasked(tx, ws).await?;
        let mut of_connections: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for sale in &found {
            let connection = (sale.connection_id.as_str(), sale.mode.as_str());
            of_connections.entry(connection).or_default().push(sale.sale_id.clone());
        }
        let connections = of_connections.keys().map(|(connection_id, _)| *connection_id).collect();
        objects::lock_each(tx, ws, &connections, &BTreeSet::new()).await?;
        for ((connection_id, mode), sales) in of_connections {
            let ctx = Context::locked(tx, ws, connection_id, mode, self.now, self.link_delay_ms).await?;
            let ids: BTreeSet<String> = objects::load_members(tx, ws, &sales).await?.into_keys().collect();
            read_again(tx, &ctx, &ids).await?;
        }
        Ok(found.len())
    }
}
