//! Commissions leave their hold: a journal of its own for each, made once.

use super::post::Poster;
use std::collections::BTreeSet;
use tributary_store::pipeline::{commissions, objects};
use tributary_store::{StoreError, Tx, Unit};

/// Matures commissions whose hold is over; returns how many.
pub struct Mature {
    /// The workspace.
    pub workspace_id: String,
    /// ms UTC.
    pub now: i64,
    /// At most so many.
    pub limit: i64,
}

impl Unit for Mature {
    type Out = usize;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let due = commissions::due(tx, &self.workspace_id, self.now, self.limit).await?;
        // A settlement writes whole commissions by what it read under this lock.
        let programs: BTreeSet<&str> = due.iter().map(|commission| commission.program_id.as_str()).collect();
        objects::lock_each(tx, &self.workspace_id, &BTreeSet::new(), &programs).await?;
        let mut poster = Poster::new(&self.workspace_id, self.now);
        let count = due.len();
        for commission in due {
            // Read again under its lock: a settlement may have been faster.
            let Some(now) = commissions::lock(tx, &self.workspace_id, &commission.commission_id).await?
            else {
                continue;
            };
            if now.matured_at.is_none() && now.target > 0 && !now.held {
                poster.mature(&now, "the hold is over")?;
            }
        }
        poster.flush(tx).await?;
        Ok(count)
    }
}
