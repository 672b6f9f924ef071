//! What stands around every page of a program.

use super::Place;
use crate::workspaces::{self, Program};
use crate::{P, Row, StoreError, Tx};

/// A program with the mode that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The program.
    pub program: Program,
    /// `test` or `live`.
    pub mode: String,
}

/// A connection as the pages speak of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLine {
    /// `con_…`
    pub connection_id: String,
    /// The account's name, or its id.
    pub account: String,
    /// `connected`, `broken` or `disconnected`.
    pub status: String,
    /// Why it is broken, in a sentence; else empty.
    pub reason: String,
    /// JSON array of sentences.
    pub warnings: String,
    /// From when nothing could be read as events, where no import has read it since; ms UTC.
    pub gap_from: Option<i64>,
    /// Since when the sales that have waited longest for Stripe wait, oldest first, at most 1,000; ms UTC.
    pub awaiting: Vec<i64>,
}

/// What stands around a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The program that is looked at.
    pub shown: Shown,
    /// All programs of the workspace, by name; at most 500.
    pub programs: Vec<Shown>,
    /// The program's connections in the mode it shows.
    pub connections: Vec<ConnectionLine>,
    /// Parked events of those connections, counted up to 1,000.
    pub parked: i64,
}

impl Frame {
    /// Where the page looks.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            workspace_id: self.shown.program.workspace_id.clone(),
            program_id: self.shown.program.program_id.clone(),
            mode: self.shown.mode.clone(),
        }
    }
}

/// Loads the frame of a program by its public id; `None` if the workspace has no such program.
///
/// # Errors
/// The database's.
pub async fn load(tx: &mut Tx<'_>, workspace_id: &str, public_id: &str) -> Result<Option<Frame>, StoreError> {
    let programs = programs(tx, workspace_id).await?;
    let Some(shown) = programs.iter().find(|shown| shown.program.public_id == public_id).cloned() else {
        return Ok(None);
    };
    let sql = "SELECT c.connection_id, c.account_name, c.account_id, c.status, c.status_reason, c.warnings \
         FROM connection_program cp JOIN connection c ON c.workspace_id = cp.workspace_id \
         AND c.connection_id = cp.connection_id \
         WHERE cp.workspace_id = $1 AND cp.program_id = $2 AND c.mode = $3 ORDER BY c.connection_id LIMIT 20";
    let params = [P::T(workspace_id), P::T(&shown.program.program_id), P::T(&shown.mode)];
    let mut connections = tx.rows(sql, &params).await?.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    let mut parked = 0;
    for connection in &mut connections {
        connection.gap_from = crate::imports::open_gap(tx, workspace_id, &connection.connection_id).await?;
        connection.awaiting = awaiting(tx, workspace_id, &connection.connection_id).await?;
        parked += super::events::count(tx, workspace_id, &connection.connection_id, "parked").await?;
    }
    Ok(Some(Frame { shown, programs, connections, parked: parked.min(1000) }))
}

/// The programs of a workspace with the mode that each shows.
///
/// # Errors
/// The database's.
pub async fn programs(tx: &mut Tx<'_>, workspace_id: &str) -> Result<Vec<Shown>, StoreError> {
    let mut shown = Vec::new();
    for program in workspaces::list_programs(tx, workspace_id).await? {
        let mode = workspaces::program_mode(tx, workspace_id, &program.program_id).await?.to_owned();
        shown.push(Shown { program, mode });
    }
    Ok(shown)
}

fn line(row: &Row) -> Result<ConnectionLine, StoreError> {
    let name = row.text(1)?;
    Ok(ConnectionLine {
        connection_id: row.text(0)?,
        account: if name.is_empty() { row.text(2)? } else { name },
        status: row.text(3)?,
        reason: row.text(4)?,
        warnings: row.text(5)?,
        gap_from: None,
        awaiting: Vec::new(),
    })
}

async fn awaiting(tx: &mut Tx<'_>, workspace_id: &str, connection_id: &str) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT awaiting_since FROM sale WHERE workspace_id = $1 AND awaiting_since IS NOT NULL \
         AND connection_id = $2 AND merged_into IS NULL ORDER BY awaiting_since LIMIT 1000";
    let rows = tx.rows(sql, &[P::T(workspace_id), P::T(connection_id)]).await?;
    rows.iter().map(|row| row.int(0)).collect()
}
