//! SQLite: one writer thread that commits units in groups, and a pool of readers.

use super::{Tx, Unit};
use crate::error::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// SQLite before 3.51.3 can lose commits when a checkpoint races a commit.
const OLDEST: i32 = 3_051_003;
/// Units that may wait for the writer.
const QUEUE_MAX: usize = 8_192;
/// Units in one group.
const GROUP_MAX: usize = 512;
/// How long a group may grow before it is committed.
const GROUP_TIME: Duration = Duration::from_millis(10);
/// Readers.
const READERS: usize = 6;
/// How long the writer waits for another process that writes, and how often it looks.
const BUSY: Duration = Duration::from_secs(10);
const BUSY_PAUSE: Duration = Duration::from_millis(2);
/// Pages in the write-ahead log from which the checkpointer copies them back, from which the log is begun anew when
/// nobody reads it, and from which the readers of old states are waited for.
const WAL_SOFT: i64 = 1_000;
const WAL_HARD: i64 = 12_000;
const WAL_FLOOD: i64 = 48_000;

type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Runs a unit inside the writer's transaction and gives back how to answer once the commit is known.
type Run = Box<dyn FnOnce(&mut Connection, Guard) -> Reply + Send>;

/// A unit that waits for the writer.
struct Work {
    background: bool,
    run: Run,
}

/// What undoes a unit that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// It is the first of its transaction, which is rolled back and begun again. Nothing needs to be copied aside: a
    /// savepoint keeps every page that a unit changes, which costs more than a large unit's own work.
    Transaction,
    /// A savepoint of its own.
    Savepoint,
}

pub(super) struct SqliteDb {
    path: PathBuf,
    queue: Mutex<Option<mpsc::Sender<Work>>>,
    readers: Arc<Mutex<Vec<Connection>>>,
    reading: Arc<Semaphore>,
    stop: Arc<AtomicBool>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl SqliteDb {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        if rusqlite::version_number() < OLDEST {
            return Err(StoreError::Invalid(format!(
                "SQLite {} can lose committed data; at least 3.51.3 is needed",
                rusqlite::version()
            )));
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|e| StoreError::Unavailable(format!("{}: {e}", folder.display())))?;
        }
        let mut writer = connect(path)?;
        let (queue, work) = mpsc::channel(QUEUE_MAX);
        let stop = Arc::new(AtomicBool::new(false));
        let name = "sqlite-writer".to_owned();
        let full = Arc::new(AtomicBool::new(false));
        let of_writer = Arc::clone(&full);
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || write_loop(&mut writer, work, &of_writer))
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        start_checkpointer(path.to_owned(), Arc::clone(&stop), full)?;
        Ok(Self {
            path: path.to_owned(),
            queue: Mutex::new(Some(queue)),
            readers: Arc::new(Mutex::new(Vec::new())),
            reading: Arc::new(Semaphore::new(READERS)),
            stop,
            writer: Mutex::new(Some(thread)),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn write<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        let (answer, answered) = oneshot::channel();
        let run: Run = Box::new(move |connection, guard| {
            let result = run_unit(connection, &unit, guard);
            Box::new(move |commit| {
                let result = match commit {
                    Ok(()) => result,
                    // A unit that failed by itself keeps its own reason.
                    Err(error) => result.and(Err(error)),
                };
                // The caller may have gone away; the commit stands all the same.
                drop(answer.send(result));
            })
        });
        let queue = lock(&self.queue).clone().ok_or_else(closed)?;
        queue.send(Work { background: U::BACKGROUND, run }).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    pub(super) async fn read<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        let permit = Arc::clone(&self.reading).acquire_owned().await.map_err(|_| closed())?;
        let (readers, path) = (Arc::clone(&self.readers), self.path.clone());
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let pooled = lock(&readers).pop();
            let mut connection = match pooled {
                Some(connection) => connection,
                None => connect_reader(&path)?,
            };
            connection.execute_batch("BEGIN")?;
            let result =
                catch_unwind(AssertUnwindSafe(|| poll_once(unit.run(&mut Tx::sqlite(&mut connection)))))
                    .unwrap_or_else(|panic| Err(StoreError::Panicked(panic_text(&panic))));
            // Only a connection that is clean again goes back to the pool.
            if connection.execute_batch("ROLLBACK").is_ok() {
                lock(&readers).push(connection);
            }
            result
        });
        task.await.map_err(|e| StoreError::Panicked(e.to_string()))?
    }

    /// Writes the file anew and empties the log.
    pub(super) async fn compact(&self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let task = tokio::task::spawn_blocking(move || {
            let connection = connect(&path)?;
            connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
            Ok(())
        });
        task.await.map_err(|e| StoreError::Panicked(e.to_string()))?
    }

    pub(super) async fn close(&self) {
        drop(lock(&self.queue).take());
        self.stop.store(true, Ordering::Relaxed);
        let writer = lock(&self.writer).take();
        if let Some(writer) = writer {
            // Joining blocks until the last group is committed.
            if tokio::task::spawn_blocking(move || writer.join()).await.is_err() {
                tracing::error!("the SQLite writer could not be joined");
            }
        }
        lock(&self.readers).clear();
    }
}

impl Drop for SqliteDb {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the database is closed".into())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    wait_for_others(&mut connection)?;
    // A small cache: beyond 1 GiB SQLite goes through all of it at most commits, to drop what lies behind the end of the
    // file, and the system keeps the file's pages anyway.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA wal_autocheckpoint = 0; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; \
         PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY;",
    )?;
    // A plan never depends on what is bound: else SQLite compiles a statement anew when a value differs that it
    // compared with a partial index's condition.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(512);
    Ok(connection)
}

/// Waits while another process writes, and looks often: a server under load begins its next group as soon as it has committed
/// one, and SQLite's own pauses of 100 ms would hardly ever end in between.
fn wait_for_others(connection: &mut Connection) -> Result<(), StoreError> {
    let mut since = Instant::now();
    connection.busy_handler(Some(move |tries| {
        if tries == 0 {
            since = Instant::now();
        }
        std::thread::sleep(BUSY_PAUSE);
        since.elapsed() < BUSY
    }))?;
    Ok(())
}

fn connect_reader(path: &Path) -> Result<Connection, StoreError> {
    // Read-write flags let a reader build the WAL index; `query_only` refuses every write.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA trusted_schema = OFF; \
         PRAGMA cache_size = -4000; PRAGMA temp_store = MEMORY;",
    )?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// Units that were taken from the queue and wait for their turn.
#[derive(Default)]
struct Turns {
    /// Somebody waits for the answer.
    first: VecDeque<Run>,
    /// The pipeline's.
    background: VecDeque<Run>,
}

impl Turns {
    fn add(&mut self, work: Work) {
        let queue = if work.background { &mut self.background } else { &mut self.first };
        queue.push_back(work.run);
    }

    fn is_empty(&self) -> bool {
        self.first.is_empty() && self.background.is_empty()
    }

    /// The next that somebody waits for.
    fn next(&mut self, work: &mut mpsc::Receiver<Work>) -> Option<Run> {
        while self.first.is_empty() {
            self.add(work.try_recv().ok()?);
        }
        self.first.pop_front()
    }
}

/// Takes units as they come and commits them in groups. A group begins with at most one unit of the background, so
/// that nobody waits for more than one of them and the background has its turn in every group.
fn write_loop(connection: &mut Connection, mut work: mpsc::Receiver<Work>, full: &AtomicBool) {
    let mut turns = Turns::default();
    loop {
        if turns.is_empty() {
            let Some(unit) = work.blocking_recv() else { return };
            turns.add(unit);
        }
        while turns.first.len() < GROUP_MAX
            && let Ok(unit) = work.try_recv()
        {
            turns.add(unit);
        }
        write_group(connection, &mut work, &mut turns);
        if full.load(Ordering::Relaxed) {
            begin_log_anew(connection, full);
        }
    }
}

/// Between two groups nobody writes: what the checkpointer has not copied yet is little, and once all of it is copied
/// the next group writes over the log from its beginning. A log that only grew would cost more with every page, because
/// the file system must find room for it before each commit is durable.
fn begin_log_anew(connection: &Connection, full: &AtomicBool) {
    match checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)") {
        Ok((log, copied)) if copied < log => {} // somebody reads an older state: after the next group
        Ok(_) => full.store(false, Ordering::Relaxed),
        Err(error) => {
            full.store(false, Ordering::Relaxed);
            tracing::warn!(%error, "the write-ahead log could not be begun anew");
        }
    }
}

/// Runs a checkpoint; answers the pages in the log, and how many of them are copied.
fn checkpoint(connection: &Connection, sql: &'static str) -> Result<(i64, i64), StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?)
}

fn write_group(connection: &mut Connection, work: &mut mpsc::Receiver<Work>, turns: &mut Turns) {
    let mut replies: Vec<Reply> = Vec::new();
    let mut lost = begin(connection).err();
    let mut guard = Guard::Transaction;
    let mut started = Instant::now();
    let mut next = match turns.background.pop_front() {
        Some(unit) => Some((unit, true)),
        None => turns.next(work).map(|unit| (unit, false)),
    };
    while let Some((unit, background)) = next.take() {
        replies.push(unit(connection, guard));
        if background {
            started = Instant::now();
        }
        // SQLite itself rolled the group back (disk full, I/O error): nothing of it was kept.
        if lost.is_none() && connection.is_autocommit() {
            lost = Some(StoreError::Unavailable("the group was rolled back by SQLite".into()));
        }
        guard = Guard::Savepoint;
        if lost.is_none() && replies.len() < GROUP_MAX && started.elapsed() < GROUP_TIME {
            next = turns.next(work).map(|unit| (unit, false));
        }
    }
    if lost.is_none()
        && let Err(error) = connection.execute_batch("COMMIT")
    {
        lost = Some(error.into());
    }
    if let Some(error) = &lost {
        tracing::error!(%error, units = replies.len(), "a group of writes was not committed");
        if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
            tracing::error!("the failed group could not be rolled back");
        }
    }
    for reply in replies {
        reply(lost.clone().map_or(Ok(()), Err));
    }
}

fn begin(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from)
}

/// Runs one unit under its guard; a failure or a panic undoes that unit alone.
fn run_unit<U: Unit>(connection: &mut Connection, unit: &U, guard: Guard) -> Result<U::Out, StoreError> {
    if connection.is_autocommit() {
        let words = "another process has been writing for too long, or the disk cannot be written";
        return Err(StoreError::Unavailable(words.into()));
    }
    if guard == Guard::Savepoint {
        savepoint(connection, "SAVEPOINT unit")?;
    }
    let result = catch_unwind(AssertUnwindSafe(|| poll_once(unit.run(&mut Tx::sqlite(connection)))))
        .unwrap_or_else(|panic| Err(StoreError::Panicked(panic_text(&panic))));
    match (&result, guard) {
        (Ok(_), Guard::Transaction) => {}
        (Ok(_), Guard::Savepoint) => savepoint(connection, "RELEASE unit")?,
        // After a disk error the whole transaction is gone and with it the savepoint.
        (Err(_), _) if connection.is_autocommit() => {}
        (Err(_), Guard::Transaction) => {
            connection.execute_batch("ROLLBACK")?;
            begin(connection)?;
        }
        (Err(_), Guard::Savepoint) => {
            savepoint(connection, "ROLLBACK TO unit")?;
            savepoint(connection, "RELEASE unit")?;
        }
    }
    result
}

fn savepoint(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}

/// A unit on SQLite never waits: its future is ready at the first poll.
fn poll_once<T>(future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::AwaitedOutside),
    }
}

fn panic_text(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}

/// Copies the log back away from the writer, and lets the writer know when the log has grown large.
fn start_checkpointer(path: PathBuf, stop: Arc<AtomicBool>, full: Arc<AtomicBool>) -> Result<(), StoreError> {
    let work = move || {
        let Ok(connection) = connect(&path) else { return };
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(100));
            let look = || -> Result<(), StoreError> {
                let (log, copied) = checkpoint(&connection, "PRAGMA wal_checkpoint(NOOP)")?;
                if log > WAL_FLOOD {
                    checkpoint(&connection, "PRAGMA wal_checkpoint(RESTART)")?;
                } else if log - copied > WAL_SOFT {
                    checkpoint(&connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
                }
                if log > WAL_HARD {
                    full.store(true, Ordering::Relaxed);
                }
                Ok(())
            };
            if let Err(error) = look() {
                tracing::warn!(%error, "the write-ahead log could not be checkpointed");
            }
        }
    };
    std::thread::Builder::new()
        .name("sqlite-checkpoint".to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|e| StoreError::Unavailable(e.to_string()))
}
