//! Wiping the test data of a workspace in one step.

use crate::audit::{Note, note, user};
use crate::jobs::poll::OVERLAP_MS;
use crate::state::App;
use tributary_store::{StoreError, Tx, Unit, alerts, wipe};

/// What a person types to say that it is meant.
pub const WORD: &str = "wipe test data";

struct Wipe {
    workspace_id: String,
    who: String,
    now: i64,
}

impl Unit for Wipe {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        // A poll looks again some time before its cursor: what was wiped must not come back by that.
        let cursor_at = self.now.saturating_add(OVERLAP_MS);
        let gone = wipe::test_data(tx, &self.workspace_id, cursor_at).await?;
        let text = format!("{} wiped the test data of the workspace: {gone} rows.", self.who);
        let ws = &self.workspace_id;
        let line = Note {
            workspace_id: ws.clone(),
            actor: user(&self.who),
            action: "wipe",
            subject: "test data".to_owned(),
            became: format!("{gone} rows wiped"),
            ..Note::default()
        };
        note(tx, line, self.now).await?;
        alerts::insert(tx, ws, "test_data_wiped", ws, &text, self.now).await?;
        Ok(gone)
    }
}

/// Wipes, in one transaction: all of it or nothing. Gives how many rows went. Who did it is told like an alert.
///
/// # Errors
/// The database's.
pub async fn test_data(app: &App, workspace_id: &str, who: &str) -> Result<u64, StoreError> {
    let unit = Wipe { workspace_id: workspace_id.to_owned(), who: who.to_owned(), now: app.now() };
    app.db.write(unit).await
}
