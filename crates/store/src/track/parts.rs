//! Room for visits and raw payloads: monthly parts made ahead on PostgreSQL, and old memories of visitors forgotten.

use super::REPEAT_MS;
use crate::{P, StoreError, Tx, Unit};

/// A table that lies in monthly parts on PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parted {
    /// Visits, by the time of arrival.
    Visits,
    /// Raw payloads of events, by the event's own time.
    Payloads,
}

impl Parted {
    /// The table's name.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Visits => "visit",
            Self::Payloads => "event_payload",
        }
    }
}

/// Makes one monthly part (`visit_2027_01`), if the database has parts and it is not there. Answers whether it was
/// made.
#[derive(Debug)]
pub struct MakePart {
    /// Of which table.
    pub of: Parted,
    /// The table's name.
    pub name: String,
    /// Its first instant, ms UTC.
    pub from_ms: i64,
    /// The first instant after it, ms UTC.
    pub to_ms: i64,
}

impl Unit for MakePart {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        if !tx.is_postgres() {
            return Ok(false);
        }
        let params = [P::T(&self.name), P::I(self.from_ms), P::I(self.to_ms)];
        let sql = match self.of {
            Parted::Visits => "SELECT make_visit_part($1, $2, $3)",
            Parted::Payloads => "SELECT make_payload_part($1, $2, $3)",
        };
        tx.opt(sql, &params).await?.map_or(Ok(false), |row| row.flag(0))
    }
}

/// Forgets when visitors were last seen, once it no longer matters. At most 1,000 a run; answers how many.
#[derive(Debug)]
pub struct ForgetVisitors {
    /// The workspace.
    pub workspace_id: String,
    /// ms UTC.
    pub now: i64,
}

impl Unit for ForgetVisitors {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let ws = &self.workspace_id;
        let before = self.now.saturating_sub(REPEAT_MS);
        let sql = "SELECT mode, link_id, visitor, at FROM visitor_link WHERE workspace_id = $1 AND at < $2 \
             ORDER BY at LIMIT 1000";
        let rows = tx.rows(sql, &[P::T(ws), P::I(before)]).await?;
        let old = rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?, row.text(2)?, row.int(3)?)));
        let old: Vec<_> = old.collect::<Result<_, StoreError>>()?;
        let sets: Vec<Vec<P<'_>>> = old
            .iter()
            .map(|(mode, link, visitor, at)| vec![P::T(ws), P::T(mode), P::T(link), P::T(visitor), P::I(*at)])
            .collect();
        let sql = "DELETE FROM visitor_link WHERE workspace_id = $1 AND mode = $2 AND link_id = $3 AND visitor = $4 \
             AND at = $5";
        tx.exec_each(sql, &sets).await
    }
}
