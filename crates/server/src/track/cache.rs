//! What the tracking surface must know to answer while the database is away: programs, links and who is active.
//!
//! Read whole at the start and by its changes every two seconds; bounded by [`PROGRAMS`] and [`LINKS`]. A link that is
//! not here is looked up in the database.

use super::hosts::{Hosts, payment_pattern};
use super::script::Packed;
use crate::App;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tributary_store::track::config::{self, LookUp, Mark, TrackedLink, TrackedProgram};
use tributary_store::track::visits::Through;
use tributary_store::vault::Key;
use tributary_store::{StoreError, Tx, Unit, workspaces};

/// Programs in memory.
pub const PROGRAMS: usize = 10_000;
/// Links in memory, some 700 bytes each.
pub const LINKS: usize = 200_000;
/// Time between two looks for changes.
const EVERY: Duration = Duration::from_secs(2);
/// How long one link is looked up in the database at most.
const ASK: Duration = Duration::from_secs(1);
/// Rows read at once.
const PAGE: i64 = 2_000;
/// Changes are read again from so long before the last, ms: another node's clock may be behind, and its commit late.
const OVERLAP_MS: i64 = 30_000;

/// A program, ready to answer for.
#[derive(Debug)]
pub struct Program {
    /// As the database has it.
    pub row: TrackedProgram,
    /// Its hosts; `None` where its website is no URL.
    pub hosts: Option<Hosts>,
    /// The payment hosts as a pattern.
    pub payments: Option<String>,
    /// Its workspace's data key.
    pub key: Key,
    /// Its script, compressed when it is first asked for: these settings never change again.
    pub script: OnceLock<Packed>,
}

/// A link, ready to be followed.
#[derive(Debug)]
pub struct Link {
    /// Ids for the visits.
    pub through: Arc<Through>,
    /// The key in the URL.
    pub key: String,
    slug: String,
    destination: String,
    archived: bool,
}

#[derive(Debug, Default)]
struct Held {
    /// By public id.
    programs: HashMap<String, Arc<Program>>,
    /// Public ids by program id.
    public_ids: HashMap<String, String>,
    /// By program id and key.
    by_key: HashMap<(String, String), Arc<Link>>,
    by_slug: HashMap<String, Arc<Link>>,
    /// Partners that are not active.
    inactive: HashSet<String>,
    /// How far the changes of a workspace were read: links, partners.
    marks: HashMap<String, (Mark, Mark)>,
}

/// The memory of the tracking surface.
#[derive(Debug, Default)]
pub struct Cache {
    held: RwLock<Held>,
    /// Wakes the reader of changes.
    changed: Notify,
}

/// Where a link leads from here: its own destination, or its program's home.
#[derive(Debug, Clone)]
pub struct Found {
    /// The program.
    pub program: Arc<Program>,
    /// The link, where it is live and its partner active.
    pub link: Option<Arc<Link>>,
}

impl Link {
    /// A link that is none: arrivals by a key that nobody has.
    pub(super) fn stray(through: Through) -> Self {
        let none = String::new;
        Self { through: Arc::new(through), key: none(), slug: none(), destination: none(), archived: true }
    }

    /// Where it leads, as it was stored.
    #[must_use]
    pub fn destination(&self) -> &str {
        &self.destination
    }
}

impl Cache {
    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was changed here: it is read at once, not within two seconds.
    pub fn touch(&self) {
        self.changed.notify_one();
    }

    /// A program by its public id.
    pub async fn program(&self, app: &App, public_id: &str) -> Option<Arc<Program>> {
        let known = self.read().programs.get(public_id).cloned();
        if known.is_some() || !is_public_id(public_id) || app.track.queue.is_away() {
            return known;
        }
        // Made a moment ago, perhaps by the command line.
        let found = async {
            let workspace = app.db.read(Workspace(public_id.to_owned())).await.ok().flatten()?;
            self.look(app, &workspace).await.ok()
        };
        tokio::time::timeout(ASK, found).await.ok().flatten()?;
        self.read().programs.get(public_id).cloned()
    }

    /// The link with a key in a program; where it is not in memory the database is asked if `may_ask`.
    pub async fn by_key(
        &self,
        app: &App,
        program: &Arc<Program>,
        key: &str,
        may_ask: impl FnOnce() -> bool,
    ) -> Option<Arc<Link>> {
        let place = (program.row.program_id.clone(), key.to_owned());
        let known = self.read().by_key.get(&place).cloned();
        if known.is_some() {
            return known.filter(|link| self.is_live(link));
        }
        if !may_ask() {
            return None;
        }
        let look_up = LookUp::Key(program.row.workspace_id.clone(), place.0, place.1);
        self.fetch(app, look_up).await.filter(|link| self.is_live(link))
    }

    /// The link with a slug, with its program. `None`: nobody has the slug.
    pub async fn by_slug(&self, app: &App, slug: &str, may_ask: impl FnOnce() -> bool) -> Option<Found> {
        let known = self.read().by_slug.get(slug).cloned();
        let link = match known {
            Some(link) => link,
            None if may_ask() => self.fetch(app, LookUp::Slug(slug.to_owned())).await?,
            None => return None,
        };
        let public_id = self.read().public_ids.get(&link.through.program_id).cloned();
        let program = match public_id {
            Some(public_id) => self.program(app, &public_id).await?,
            None => {
                self.look(app, &link.through.workspace_id).await.ok()?;
                let held = self.read();
                held.programs.get(held.public_ids.get(&link.through.program_id)?)?.clone()
            }
        };
        let live = self.is_live(&link);
        Some(Found { program, link: live.then_some(link) })
    }

    fn is_live(&self, link: &Link) -> bool {
        !link.archived && !self.read().inactive.contains(&link.through.partner_id)
    }

    /// Reads one link past the memory, and remembers it. Away from the database nobody has it.
    async fn fetch(&self, app: &App, what: LookUp) -> Option<Arc<Link>> {
        if app.track.queue.is_away() {
            return None;
        }
        let late = || Err(StoreError::Unavailable("no answer in time".to_owned()));
        let answer = tokio::time::timeout(ASK, app.db.read(what)).await;
        match answer.unwrap_or_else(|_| late()) {
            Ok(Some((row, active))) => {
                let mut held = self.write();
                if !active {
                    held.inactive.insert(row.partner_id.clone());
                }
                Some(held.put(row))
            }
            Ok(None) => None,
            Err(error) => {
                tracing::debug!(%error, "a link could not be looked up");
                None
            }
        }
    }

    /// Reads every workspace's changes.
    ///
    /// # Errors
    /// The database's; what was known stays.
    pub async fn refresh(&self, app: &App) -> Result<(), StoreError> {
        for workspace_id in app.db.read(Workspaces).await? {
            self.look(app, &workspace_id).await?;
        }
        Ok(())
    }

    /// Reads the programs of a workspace, and what changed of its links and partners.
    async fn look(&self, app: &App, workspace_id: &str) -> Result<(), StoreError> {
        let key = app.data_key(workspace_id).await?;
        let rows = app.db.read(Programs(workspace_id.to_owned())).await?;
        {
            let mut held = self.write();
            for row in rows {
                held.put_program(row, &key);
            }
        }
        let (mut links, mut partners) = self.read().marks.get(workspace_id).cloned().unwrap_or_default();
        let back = |mark: Mark| (mark.0.saturating_sub(OVERLAP_MS), String::new());
        // The first look starts before everything.
        let first = links.0 == 0 && links.1.is_empty();
        if first {
            (links, partners) = ((-1, String::new()), (-1, String::new()));
        } else {
            (links, partners) = (back(links), back(partners));
        }
        loop {
            let (rows, mark) = app.db.read(Links(workspace_id.to_owned(), links.clone())).await?;
            let count = rows.len();
            links = mark;
            let mut held = self.write();
            for row in rows {
                held.put(row);
            }
            drop(held);
            if i64::try_from(count).unwrap_or(PAGE) < PAGE {
                break;
            }
        }
        loop {
            let (rows, mark) = app.db.read(Partners(workspace_id.to_owned(), partners.clone())).await?;
            let count = rows.len();
            partners = mark;
            let mut held = self.write();
            for (partner_id, active) in rows {
                if active {
                    held.inactive.remove(&partner_id);
                } else {
                    held.inactive.insert(partner_id);
                }
            }
            drop(held);
            if i64::try_from(count).unwrap_or(PAGE) < PAGE {
                break;
            }
        }
        self.write().marks.insert(workspace_id.to_owned(), (links, partners));
        Ok(())
    }
}

impl Held {
    fn put_program(&mut self, row: TrackedProgram, key: &Key) {
        let known = self.programs.get(&row.public_id);
        if known.is_some_and(|known| known.row == row) || (known.is_none() && self.programs.len() >= PROGRAMS)
        {
            return;
        }
        let hosts = Hosts::read(&row.website, &row.hosts);
        let payments = payment_pattern(&row.payment_hosts);
        self.public_ids.insert(row.program_id.clone(), row.public_id.clone());
        let public_id = row.public_id.clone();
        let program = Program { row, hosts, payments, key: key.clone(), script: OnceLock::new() };
        self.programs.insert(public_id, Arc::new(program));
    }

    fn put(&mut self, row: TrackedLink) -> Arc<Link> {
        let place = (row.program_id.clone(), row.key.clone());
        let room = self.by_key.len() < LINKS || self.by_key.contains_key(&place);
        let through = Through {
            workspace_id: row.workspace_id,
            program_id: row.program_id,
            partner_id: row.partner_id,
            link_id: row.link_id,
        };
        let link = Arc::new(Link {
            through: Arc::new(through),
            key: row.key,
            slug: row.slug,
            destination: row.destination,
            archived: row.archived,
        });
        if room {
            if !link.slug.is_empty() {
                self.by_slug.insert(link.slug.clone(), Arc::clone(&link));
            }
            self.by_key.insert(place, Arc::clone(&link));
        }
        link
    }
}

/// Reads changes again and again; a database that is away is asked again.
pub(super) async fn keep(app: &App) {
    let cache = &app.track.cache;
    let mut failed = false;
    loop {
        let began = Instant::now();
        match cache.refresh(app).await {
            Ok(()) => failed = false,
            Err(error) => {
                if !failed {
                    tracing::warn!(%error, "links and programs are served from memory");
                }
                failed = true;
            }
        }
        // Never more than a twentieth of the time.
        let pause = EVERY.max(began.elapsed().saturating_mul(20));
        if let Ok(()) = tokio::time::timeout(pause, cache.changed.notified()).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// 8 capital letters and digits.
pub(super) fn is_public_id(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

struct Workspace(String);
impl Unit for Workspace {
    type Out = Option<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
        Ok(workspaces::find_route(tx, "program", &self.0).await?.map(|route| route.workspace_id))
    }
}

struct Workspaces;
impl Unit for Workspaces {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
        Ok(workspaces::list_workspaces(tx).await?.into_iter().map(|(id, ..)| id).collect())
    }
}

struct Programs(String);
impl Unit for Programs {
    type Out = Vec<TrackedProgram>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<TrackedProgram>, StoreError> {
        config::programs(tx, &self.0).await
    }
}

struct Links(String, Mark);
impl Unit for Links {
    type Out = (Vec<TrackedLink>, Mark);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        config::links_after(tx, &self.0, &self.1, PAGE).await
    }
}

struct Partners(String, Mark);
impl Unit for Partners {
    type Out = (Vec<(String, bool)>, Mark);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        config::partners_after(tx, &self.0, &self.1, PAGE).await
    }
}
