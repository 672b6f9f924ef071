//! Arrivals through links: counted once a link and visitor in half an hour, written in batches.

use super::{DAY_MS, REPEAT_MS};
use crate::{P, StoreError, Tx, Unit};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whose link somebody arrived through. An empty `link_id`: a key that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    /// The workspace.
    pub workspace_id: String,
    /// The program.
    pub program_id: String,
    /// The link's partner (our id).
    pub partner_id: String,
    /// `lnk_…`
    pub link_id: String,
}

/// What kind of arrival it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person, as far as one can tell.
    Visit,
    /// A program, or more from one network than people make.
    Bot,
    /// A page loaded ahead, or inside another page, image or script: nobody came.
    Prefetch,
    /// Only the headers were asked for.
    Head,
}

/// One arrival.
#[derive(Debug)]
pub struct Arrival {
    /// The link.
    pub through: Arc<Through>,
    /// What the program showed then: `test` or `live`.
    pub mode: &'static str,
    /// `vis_` and 32 hex digits.
    pub visit_id: String,
    /// An HMAC of who came.
    pub visitor: String,
    /// A visit that the browser says it made before; where it did, that visit's visitor is this one.
    pub earlier: Option<String>,
    /// `link` or `script`.
    pub via: &'static str,
    /// Where the visitor landed, without query.
    pub landing: String,
    /// From where, without query; may be empty.
    pub referrer: String,
    /// ms UTC.
    pub at: i64,
    /// What it is.
    pub kind: Kind,
    /// The browser was already given the visit's id: it is recorded even where it repeats another.
    pub promised: AtomicBool,
}

/// What became of an arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// A visit of its own.
    Counted,
    /// It repeats this visit.
    Repeat(String),
    /// Not a visit.
    NotCounted,
}

/// What was seen of a program's tracking, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// The workspace.
    pub workspace_id: String,
    /// The program.
    pub program_id: String,
    /// `script`, `visit` or `signup`.
    pub kind: &'static str,
    /// The page, without query.
    pub url: String,
    /// ms UTC.
    pub at: i64,
}

/// Writes arrivals with their counters in one transaction; answers what became of each, in order.
#[derive(Debug)]
pub struct RecordVisits {
    /// The arrivals.
    pub arrivals: Vec<Arc<Arrival>>,
    /// Sightings that belong to no arrival.
    pub sightings: Vec<Sighting>,
    /// Arrivals that could not be kept, by program, mode and day of the first: counted as rejected.
    pub dropped: Vec<(Arc<Through>, &'static str, i64, i64)>,
}

#[derive(Default, Clone, Copy)]
struct Counts {
    visits: i64,
    repeats: i64,
    bots: i64,
    prefetches: i64,
    heads: i64,
}

impl Counts {
    fn add(&mut self, kind: Kind, became: &Became) {
        let place = match (kind, became) {
            (Kind::Visit, Became::Counted) => &mut self.visits,
            (Kind::Visit, _) => &mut self.repeats,
            (Kind::Bot, _) => &mut self.bots,
            (Kind::Prefetch, _) => &mut self.prefetches,
            (Kind::Head, _) => &mut self.heads,
        };
        *place = place.saturating_add(1);
    }

    /// Arrivals that were turned away; a repeat is the same visit, seen again.
    const fn rejected(&self) -> i64 {
        self.bots.saturating_add(self.prefetches).saturating_add(self.heads)
    }
}

impl Unit for RecordVisits {
    type Out = Vec<Became>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Became>, StoreError> {
        let visitors = self.visitors(tx).await?;
        let became = self.decide(tx, &visitors).await?;
        self.insert(tx, &became, &visitors).await?;
        self.count(tx, &became).await?;
        self.see(tx, &became).await?;
        Ok(became)
    }
}

impl RecordVisits {
    /// Which arrivals are visits of their own. Rows are locked in one order on every node.
    async fn decide(&self, tx: &mut Tx<'_>, visitors: &[String]) -> Result<Vec<Became>, StoreError> {
        let mut became = vec![Became::NotCounted; self.arrivals.len()];
        let countable = |at: &usize| {
            let arrival = &self.arrivals[*at];
            arrival.kind == Kind::Visit && !arrival.through.link_id.is_empty()
        };
        let mut order: Vec<usize> = (0..self.arrivals.len()).filter(countable).collect();
        order.sort_by_key(|at| {
            let arrival = &self.arrivals[*at];
            let through = &arrival.through;
            (&through.workspace_id, arrival.mode, &through.link_id, &visitors[*at], arrival.at)
        });
        let set = |at: usize| {
            let arrival = &self.arrivals[at];
            let through = &arrival.through;
            let bound = if arrival.promised.load(Ordering::Acquire) {
                i64::MAX
            } else {
                arrival.at.saturating_sub(REPEAT_MS)
            };
            vec![
                P::T(&through.workspace_id),
                P::T(arrival.mode),
                P::T(&through.link_id),
                P::T(&visitors[at]),
                P::T(&arrival.visit_id),
                P::I(arrival.at),
                P::I(bound),
            ]
        };
        let sql = "INSERT INTO visitor_link (workspace_id, mode, link_id, visitor, visit_id, at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, mode, link_id, visitor) \
             DO UPDATE SET visit_id = excluded.visit_id, at = excluded.at WHERE visitor_link.at <= $7 \
             RETURNING visit_id";
        let sets: Vec<Vec<P<'_>>> = order.iter().map(|at| set(*at)).collect();
        let answers = tx.rows_each(sql, &sets).await?;
        let mut again = Vec::new();
        for (at, rows) in order.iter().zip(&answers) {
            if rows.is_empty() {
                again.push(*at);
            } else {
                became[*at] = Became::Counted;
            }
        }
        let sql = "SELECT visit_id FROM visitor_link WHERE workspace_id = $1 AND mode = $2 AND link_id = $3 \
             AND visitor = $4";
        let sets: Vec<Vec<P<'_>>> = again.iter().map(|at| set(*at)[..4].to_vec()).collect();
        for (at, rows) in again.iter().zip(tx.rows_each(sql, &sets).await?) {
            if let Some(row) = rows.first() {
                became[*at] = Became::Repeat(row.text(0)?);
            }
        }
        Ok(became)
    }

    /// The visitor of each arrival: that of the visit that the browser remembers, where the program has it.
    async fn visitors(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        let mut visitors: Vec<String> = self.arrivals.iter().map(|arrival| arrival.visitor.clone()).collect();
        let returning = self.arrivals.iter().enumerate();
        let returning: Vec<_> =
            returning.filter_map(|(at, arrival)| Some((at, arrival, arrival.earlier.as_deref()?))).collect();
        // By the id alone, which is what the key of the table begins with; the program is compared here.
        let sql = "SELECT visitor, program_id FROM visit WHERE workspace_id = $1 AND visit_id = $2 ORDER BY at LIMIT 1";
        let sets: Vec<Vec<P<'_>>> = returning
            .iter()
            .map(|(_, arrival, earlier)| vec![P::T(&arrival.through.workspace_id), P::T(earlier)])
            .collect();
        for ((at, arrival, _), rows) in returning.iter().zip(tx.rows_each(sql, &sets).await?) {
            if let Some(row) = rows.first()
                && row.text(1)? == arrival.through.program_id
            {
                visitors[*at] = row.text(0)?;
            }
        }
        Ok(visitors)
    }

    async fn insert(
        &self,
        tx: &mut Tx<'_>,
        became: &[Became],
        visitors: &[String],
    ) -> Result<(), StoreError> {
        let counted = self.arrivals.iter().zip(became).zip(visitors);
        let counted = counted.filter(|((_, became), _)| **became == Became::Counted);
        let sets: Vec<Vec<P<'_>>> = counted
            .map(|((arrival, _), visitor)| {
                let through = &arrival.through;
                vec![
                    P::T(&through.workspace_id),
                    P::T(&arrival.visit_id),
                    P::T(arrival.mode),
                    P::T(&through.program_id),
                    P::T(&through.partner_id),
                    P::T(&through.link_id),
                    P::T(visitor),
                    P::T(arrival.via),
                    P::T(&arrival.landing),
                    P::T(&arrival.referrer),
                    P::I(arrival.at),
                ]
            })
            .collect();
        let sql = "INSERT INTO visit (workspace_id, visit_id, mode, program_id, partner_id, link_id, visitor, via, \
             landing, referrer, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (workspace_id, visit_id, at) DO NOTHING";
        tx.exec_each(sql, &sets).await.map(drop)
    }

    /// Adds to the counters, in the order of their keys.
    async fn count(&self, tx: &mut Tx<'_>, became: &[Became]) -> Result<(), StoreError> {
        let mut links: BTreeMap<(&str, &str, &str, &str, &str, i64), Counts> = BTreeMap::new();
        for (arrival, became) in self.arrivals.iter().zip(became) {
            let t = &arrival.through;
            let day = arrival.at.div_euclid(DAY_MS);
            let key =
                (t.workspace_id.as_str(), arrival.mode, &*t.program_id, &*t.partner_id, &*t.link_id, day);
            links.entry(key).or_default().add(arrival.kind, became);
        }
        let mut programs: BTreeMap<(&str, &str, &str, i64), (i64, i64)> = BTreeMap::new();
        let mut partners: BTreeMap<(&str, &str, &str, &str, i64), i64> = BTreeMap::new();
        let mut sets = Vec::new();
        for ((ws, mode, program, partner, link, day), counts) in &links {
            let stray = link.is_empty();
            let of_program = programs.entry((ws, mode, program, *day)).or_default();
            of_program.0 = of_program.0.saturating_add(counts.visits);
            of_program.1 = of_program.1.saturating_add(counts.rejected());
            if stray {
                of_program.1 = of_program.1.saturating_add(counts.repeats);
                continue;
            }
            if counts.visits > 0 {
                let of_partner = partners.entry((ws, mode, program, partner, *day)).or_default();
                *of_partner = of_partner.saturating_add(counts.visits);
            }
            let ids = [P::T(ws), P::T(mode), P::T(program), P::T(partner), P::T(link), P::I(*day)];
            let values = [counts.visits, counts.repeats, counts.bots, counts.prefetches, counts.heads];
            sets.push(ids.into_iter().chain(values.map(P::I)).collect::<Vec<_>>());
        }
        for (through, mode, at, count) in &self.dropped {
            let key = (&*through.workspace_id, *mode, &*through.program_id, at.div_euclid(DAY_MS));
            let of_program = programs.entry(key).or_default();
            of_program.1 = of_program.1.saturating_add(*count);
        }
        let sql = "INSERT INTO link_day (workspace_id, mode, program_id, partner_id, link_id, day, visits, repeats, bots, \
             prefetches, heads) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (workspace_id, mode, program_id, partner_id, link_id, day) DO UPDATE SET \
             visits = link_day.visits + excluded.visits, repeats = link_day.repeats + excluded.repeats, \
             bots = link_day.bots + excluded.bots, prefetches = link_day.prefetches + excluded.prefetches, \
             heads = link_day.heads + excluded.heads";
        tx.exec_each(sql, &sets).await?;
        // Programs before partners, as whoever counts customers does: nobody waits for each other crosswise.
        let sql = "INSERT INTO program_day (workspace_id, mode, program_id, day, visits, rejected, customers) \
             VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (workspace_id, mode, program_id, day) \
             DO UPDATE SET visits = program_day.visits + excluded.visits, \
             rejected = program_day.rejected + excluded.rejected";
        let sets: Vec<Vec<P<'_>>> = programs
            .iter()
            .filter(|(_, counts)| **counts != (0, 0))
            .map(|((ws, mode, program, day), (visits, rejected))| {
                vec![P::T(ws), P::T(mode), P::T(program), P::I(*day), P::I(*visits), P::I(*rejected)]
            })
            .collect();
        tx.exec_each(sql, &sets).await?;
        let sql = "INSERT INTO partner_day (workspace_id, mode, program_id, partner_id, day, visits, customers) \
             VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (workspace_id, mode, program_id, partner_id, day) \
             DO UPDATE SET visits = partner_day.visits + excluded.visits";
        let sets: Vec<Vec<P<'_>>> = partners
            .iter()
            .map(|((ws, mode, program, partner, day), visits)| {
                vec![P::T(ws), P::T(mode), P::T(program), P::T(partner), P::I(*day), P::I(*visits)]
            })
            .collect();
        tx.exec_each(sql, &sets).await.map(drop)
    }

    /// The latest sighting of each kind in the batch.
    async fn see(&self, tx: &mut Tx<'_>, became: &[Became]) -> Result<(), StoreError> {
        let mut latest: BTreeMap<(&str, &str, &str), (i64, &str)> = BTreeMap::new();
        for sighting in &self.sightings {
            let key = (&*sighting.workspace_id, &*sighting.program_id, sighting.kind);
            let value = latest.entry(key).or_insert((sighting.at, &sighting.url));
            *value = (*value).max((sighting.at, &sighting.url));
        }
        for (arrival, became) in self.arrivals.iter().zip(became) {
            if *became != Became::Counted {
                continue;
            }
            let t = &arrival.through;
            let value = (arrival.at, arrival.landing.as_str());
            let seen = latest.entry((&t.workspace_id, &t.program_id, "visit")).or_insert(value);
            *seen = (*seen).max(value);
        }
        let sets: Vec<Vec<P<'_>>> = latest
            .iter()
            .map(|((ws, program, kind), (at, url))| {
                vec![P::T(ws), P::T(program), P::T(kind), P::T(url), P::I(*at)]
            })
            .collect();
        let sql = "INSERT INTO sighting (workspace_id, program_id, kind, url, at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (workspace_id, program_id, kind) DO UPDATE SET url = excluded.url, at = excluded.at \
             WHERE sighting.at <= excluded.at";
        tx.exec_each(sql, &sets).await.map(drop)
    }
}
