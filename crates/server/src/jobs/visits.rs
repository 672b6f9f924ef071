//! Room for visits: monthly parts made ahead, and visitors forgotten once it no longer matters when they came.

use super::parts::make_ahead;
use crate::App;
use std::time::Duration;
use tributary_store::track::parts::{ForgetVisitors, Parted};
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// Pause between two rounds.
const EVERY: Duration = Duration::from_secs(600);

/// Works at once and every ten minutes, until dropped.
pub async fn run(app: &App) {
    loop {
        make_ahead(app, Parted::Visits).await;
        if let Err(error) = forget(app).await {
            tracing::debug!(%error, "visitors are forgotten later");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn forget(app: &App) -> Result<(), StoreError> {
    for workspace_id in app.db.read(Workspaces).await? {
        let unit = || ForgetVisitors { workspace_id: workspace_id.clone(), now: app.now() };
        while app.db.write(unit()).await? > 0 {}
    }
    Ok(())
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}
