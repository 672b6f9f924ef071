//! A new password: on the profile page by who knows the old one, or by the command line of who runs the server.

use crate::audit::{Note, note};
use tributary_store::{StoreError, Tx, Unit, users};

/// Replaces a user's password and ends all of the user's sessions, with a line in the audit log.
#[derive(Debug)]
pub struct NewPassword {
    /// The workspace.
    pub workspace_id: String,
    /// `usr_…`
    pub user_id: String,
    /// PHC text.
    pub password_hash: String,
    /// Who does it: see [`crate::audit`].
    pub actor: String,
    /// ms UTC.
    pub now: i64,
}

impl Unit for NewPassword {
    /// How many sessions ended.
    type Out = usize;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let (ws, id) = (&self.workspace_id, &self.user_id);
        let missing = || StoreError::NotFound(format!("user {id}"));
        let user = users::find(tx, ws, id).await?.ok_or_else(missing)?;
        users::set_password(tx, ws, id, &self.password_hash).await?;
        let line = Note {
            workspace_id: ws.clone(),
            actor: self.actor.clone(),
            action: "password",
            subject: user.email,
            became: "a new password; every session ended".to_owned(),
            ..Note::default()
        };
        note(tx, line, self.now).await?;
        users::end_others(tx, ws, id, "").await
    }
}
