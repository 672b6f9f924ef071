//! The audit log: a line for whatever a person, a key or a command changed. Written in the transaction of the change; where
//! Stripe has to be asked first, once it has answered.

use crate::state::{App, new_id};
use tributary_domain::ids::IdKind;
use tributary_store::pages::audit::{self, Line};
use tributary_store::{StoreError, Tx, Unit};

/// The command line, as an actor.
pub const COMMAND_LINE: &str = "command line";

/// Somebody who is logged in, as an actor.
#[must_use]
pub fn user(email: &str) -> String {
    format!("user:{email}")
}

/// An actor in words.
#[must_use]
pub fn who(actor: &str) -> String {
    match actor.split_once(':') {
        Some(("user", email)) => email.to_owned(),
        Some(("api", key)) => format!("The API key {key}"),
        _ => crate::ui::text::sentence_case(actor),
    }
}

/// What is written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// The workspace.
    pub workspace_id: String,
    /// The program (our id); empty for what holds for all of them.
    pub program_id: String,
    /// `test`, `live`, or empty for what holds for both.
    pub mode: String,
    /// See [`user`], [`COMMAND_LINE`], `api:KEY-ID`.
    pub actor: String,
    /// What was done: one of the words of the page's filter.
    pub action: &'static str,
    /// What it was done to.
    pub subject: String,
    /// What it was, in words; may be empty.
    pub was: String,
    /// What it became, in words.
    pub became: String,
    /// Why; may be empty.
    pub reason: String,
}

/// Writes a line. `now` is ms UTC.
///
/// # Errors
/// The database's.
pub async fn note(tx: &mut Tx<'_>, note: Note, now: i64) -> Result<(), StoreError> {
    let line = Line {
        audit_id: new_id(IdKind::Audit)?,
        mode: note.mode,
        at: now,
        actor: note.actor,
        action: note.action.to_owned(),
        subject: note.subject,
        was: note.was,
        became: note.became,
        reason: note.reason,
    };
    audit::insert(tx, &note.workspace_id, &note.program_id, &line).await
}

struct Record(Note, i64);

impl Unit for Record {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        note(tx, self.0.clone(), self.1).await
    }
}

/// Writes a line in a transaction of its own.
///
/// # Errors
/// The database's.
pub async fn record(app: &App, note: Note) -> Result<(), StoreError> {
    app.db.write(Record(note, app.now())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_are_told_in_words() {
        assert_eq!(who(&user("a@b.example")), "a@b.example");
        assert_eq!(who("api:key_1"), "The API key key_1");
        assert_eq!(who(COMMAND_LINE), "Command line");
    }
}
