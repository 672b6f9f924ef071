//! PostgreSQL: a pool, and transactions that are run again when they collide.

use super::group::{Groups, Turns};
use super::{Tx, Unit};
use crate::error::{StoreError, with_causes};
use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, QueueMode, RecyclingMethod, Runtime,
};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Connections in the pool.
const POOL: usize = 16;
/// How long a caller waits for a connection.
const WAIT: Duration = Duration::from_secs(5);
/// Units that write at once, each with a connection of its own: where all of them wait for one row, events still come in and
/// pages are still read.
const WRITERS: usize = POOL - 4;
/// How long a statement waits for what another transaction holds; its caller is told to come again.
const PATIENCE: &str = "SET lock_timeout = '30s'";
/// How often a transaction is tried.
const TRIES: u32 = 8;

pub(super) struct PgDb {
    pool: Pool,
    groups: Groups,
    turns: Arc<Turns>,
    writers: Semaphore,
    /// What this process calls itself: a name of its own.
    name: String,
}

impl PgDb {
    pub(super) async fn open(url: &str, behind: Arc<AtomicBool>) -> Result<Self, StoreError> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|e| StoreError::Invalid(format!("the database address: {e}")))?;
        let name = format!("tributary-{:08x}", u32::from_be_bytes(crate::vault::random()?));
        config.application_name(&name).connect_timeout(WAIT);
        let manager = Manager::from_config(
            config,
            MakeRustlsConnect::new(tls_config()?),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(POOL)
            // The connection that was used last knows the statements already.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(WAIT))
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move { client.batch_execute(PATIENCE).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let turns = Arc::new(Turns::new(behind));
        let writers = Semaphore::new(WRITERS);
        let db = Self { groups: Groups::start(pool.clone(), Arc::clone(&turns)), pool, turns, writers, name };
        drop(db.client().await?); // an address that does not answer fails now, not at the first request
        Ok(db)
    }

    pub(super) async fn client(&self) -> Result<deadpool_postgres::Object, StoreError> {
        self.pool.get().await.map_err(|e| StoreError::Unavailable(with_causes(&e)))
    }

    /// A connection that belongs to nobody else and is closed after it; its statements wait for locks as long as it takes.
    pub(super) async fn own_client(&self) -> Result<ClientWrapper, StoreError> {
        let client = deadpool_postgres::Object::take(self.client().await?);
        client.batch_execute("SET lock_timeout = 0").await?;
        Ok(client)
    }

    /// How many other processes of Tributary are connected to the same database. A server that was started under another
    /// role is not seen unless this role may look at all sessions.
    pub(super) async fn others(&self) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(DISTINCT application_name) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name LIKE 'tributary-%' AND application_name <> $1";
        Ok(self.client().await?.query_one(sql, &[&self.name]).await?.try_get(0)?)
    }

    /// Writes the tables anew that hold what says who a person is.
    pub(super) async fn compact(&self) -> Result<(), StoreError> {
        let client = self.own_client().await?;
        for table in [
            "customer",
            "known_as",
            "browser_signup",
            "visit",
            "visitor_link",
            "fact",
            "alias",
            "sale",
            "evidence",
            "buyer_hint",
            "buyer_customer",
            "event_payload",
            "observation",
        ] {
            client.batch_execute(&format!("VACUUM (FULL, ANALYZE) {table}")).await?;
        }
        Ok(())
    }

    /// Runs a unit that writes: in a group, if it may share a transaction, else on its own.
    pub(super) async fn write<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        if !U::GROUPED {
            let out = self.run(&unit).await;
            if U::BACKGROUND {
                self.turns.done();
            }
            return out;
        }
        let unit = Arc::new(unit);
        match self.groups.write(Arc::clone(&unit)).await? {
            Some(out) => Ok(out),
            // Its group was lost, by its own fault or by another's: on its own it says which.
            None => self.run(&*unit).await,
        }
    }

    /// Runs the unit in a transaction; again, with a growing pause, when it collides with another.
    pub(super) async fn run<U: Unit>(&self, unit: &U) -> Result<U::Out, StoreError> {
        let mut pause_ms = 2;
        for _ in 0..TRIES {
            match self.once(unit).await {
                Err(StoreError::Busy) => {
                    let jitter = u64::from(crate::vault::random::<1>()?[0]) % (pause_ms + 1);
                    tokio::time::sleep(Duration::from_millis(pause_ms + jitter)).await;
                    pause_ms = (pause_ms * 2).min(200);
                }
                other => return other,
            }
        }
        Err(StoreError::Busy)
    }

    async fn once<U: Unit>(&self, unit: &U) -> Result<U::Out, StoreError> {
        let slow = |_| StoreError::Unavailable("too many changes wait for each other".into());
        let turn = tokio::time::timeout(WAIT, self.writers.acquire()).await.map_err(slow)?;
        let _turn = turn.map_err(|_| StoreError::Unavailable("the database is closed".into()))?;
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        if U::BACKGROUND {
            // What the pipeline asks is a few rows by their key. Of a table that was small when PostgreSQL last counted
            // its rows, it would read everything, and keep that plan while the table grows.
            transaction.batch_execute("SET LOCAL enable_seqscan = off").await?;
        }
        let out = unit.run(&mut Tx::pg(&transaction)).await?;
        transaction.commit().await?;
        Ok(out)
    }

    /// Has PostgreSQL count anew the tables that have grown much since it last did. Its own turn comes after a minute;
    /// until then it would plan for the empty tables that it knows, and read a whole index for one row. Returns how
    /// many tables were counted.
    pub(super) async fn count_grown(&self) -> Result<usize, StoreError> {
        let client = self.client().await?;
        let sql = "SELECT quote_ident(s.relname) FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid \
             WHERE s.schemaname = current_schema() AND c.reltuples < 100000 \
             AND s.n_mod_since_analyze > 200 + 2 * GREATEST(c.reltuples, 0) ORDER BY s.relname LIMIT 100";
        let statement = client.prepare_cached(sql).await?;
        let grown = client.query(&statement, &[]).await?;
        for row in &grown {
            let table: String = row.try_get(0)?;
            client.batch_execute(&format!("ANALYZE {table}")).await?;
        }
        Ok(grown.len())
    }

    pub(super) async fn read<U: Unit>(&self, unit: &U) -> Result<U::Out, StoreError> {
        let mut client = self.client().await?;
        let transaction = client
            .build_transaction()
            .read_only(true)
            .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
            .start()
            .await?;
        unit.run(&mut Tx::pg(&transaction)).await
    }
}

fn tls_config() -> Result<rustls::ClientConfig, StoreError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| StoreError::Invalid(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
