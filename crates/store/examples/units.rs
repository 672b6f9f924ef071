//! How fast units of work are: events kept and journals posted, one by one, many at a time, and many in one unit.
//!
//! `cargo run --release -p tributary-store --example units -- sqlite:PATH` (a new file), or with an empty database's
//! `postgres://…` address. Prints a table of rows a second. The figures of docs/adr/0001-storage.md come from it.

use std::time::{Duration, Instant};
use tributary_store::connections::{self, Connection};
use tributary_store::db::Location;
use tributary_store::pipeline::commissions::{self, Commission, Journal};
use tributary_store::pipeline::inbox::{self, NewEvent};
use tributary_store::vault::Key;
use tributary_store::workspaces::{self, Program};
use tributary_store::{Db, P, StoreError, Tx, Unit};

const WS: &str = "wsp_units";
const CON: &str = "con_units";
const PRG: &str = "prg_units";
/// Bytes of an event, about as long as an invoice's.
const BODY: usize = 3_900;
/// Each measurement lasts at least this long.
const LONG: Duration = Duration::from_secs(4);

#[tokio::main]
async fn main() -> Result<(), StoreError> {
    let Some(address) = std::env::args().nth(1) else {
        return Err(StoreError::Invalid("give sqlite:PATH or postgres://…".into()));
    };
    let db = Db::open(&Location::parse(&address)?).await?;
    db.migrate().await?;
    db.write(Ground).await?;
    println!("{:<34} {:>10}", db.engine_name(), "rows/s");
    let mut next = 0;
    for (words, callers, batch) in
        [("one by one", 1, 1), ("64 callers, one each", 64, 1), ("one caller, 100 in a unit", 1, 100)]
    {
        let rate = measure(&db, callers, batch, &mut next, |from, rows| Events { from, rows }).await?;
        println!("{:<34} {rate:>10}", format!("event kept, {words}"));
        let rate = measure(&db, callers, batch, &mut next, |from, rows| Posts { from, rows }).await?;
        println!("{:<34} {rate:>10}", format!("journal posted, {words}"));
    }
    db.close().await;
    Ok(())
}

/// Rows a second of `callers` who each wait for their unit of `batch` rows before the next.
async fn measure<U: Unit>(
    db: &Db,
    callers: u64,
    batch: u64,
    next: &mut u64,
    unit: impl Fn(u64, u64) -> U + Copy + Send + 'static,
) -> Result<u128, StoreError> {
    let began = Instant::now();
    let mut rows = 0;
    while began.elapsed() < LONG {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..callers {
            let (db, from) = (db.clone(), *next);
            *next += batch * 16;
            tasks.spawn(async move {
                for at in 0..16 {
                    db.write(unit(from + at * batch, batch)).await?;
                }
                Ok::<_, StoreError>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.map_err(|e| StoreError::Panicked(e.to_string()))??;
            rows += u128::from(batch) * 16;
        }
    }
    Ok(rows * 1_000 / began.elapsed().as_millis().max(1))
}

/// What events and journals stand on.
struct Ground;

impl Unit for Ground {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        workspaces::insert_workspace(tx, &Key::new([1; 32]), WS, "units", 1).await?;
        let text = str::to_owned;
        let program = Program {
            workspace_id: text(WS),
            program_id: text(PRG),
            public_id: text("UNITS234"),
            name: text("units"),
            kind: text("affiliate"),
            currency: text("usd"),
            website: text("https://example.com"),
            created_at: 1,
            ..Program::default()
        };
        workspaces::insert_program(tx, &program, "{}").await?;
        let sql = "INSERT INTO partner (workspace_id, partner_id, program_id, external_id, key, email, name, surname, \
             status, tags, created_at, updated_at) VALUES ($1, $2, $3, $2, $2, $2, $2, $2, 'active', '[]', 1, 1)";
        tx.exec(sql, &[P::T(WS), P::T("ptr_units"), P::T(PRG)]).await?;
        for (account, kind) in [("expense", "expense"), ("pending", "pending")] {
            let partner = (kind == "pending").then_some("ptr_units");
            let row = commissions::Account {
                mode: "test",
                currency: "usd",
                account_id: account,
                kind,
                program_id: PRG,
                partner_id: partner,
            };
            commissions::ensure_account(tx, WS, &row).await?;
        }
        connections::insert(tx, &connection()).await
    }
}

fn connection() -> Connection {
    let text = str::to_owned;
    Connection {
        workspace_id: text(WS),
        connection_id: text(CON),
        mode: text("test"),
        account_id: text("acct_units"),
        account_name: String::new(),
        api_base: text("http://127.0.0.1:1"),
        api_key: Vec::new(),
        key_hint: String::new(),
        status: text("connected"),
        status_reason: String::new(),
        warnings: text("[]"),
        endpoint_id: None,
        endpoint_url: None,
        polling: false,
        cursor_at: 0,
        created_at: 1,
        permissions: text("[]"),
        checked_at: None,
        auth: "key".to_owned(),
        wiped: 0,
    }
}

/// Keeps events with bodies that do not compress, as encrypted ones do not.
struct Events {
    from: u64,
    rows: u64,
}

impl Unit for Events {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for n in self.from..self.from + self.rows {
            let event = NewEvent {
                workspace_id: WS.to_owned(),
                connection_id: CON.to_owned(),
                event_id: format!("evt_{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                type_: "invoice.paid".to_owned(),
                object_id: format!("in_{n}"),
                api_version: "2026-05-27.dahlia".to_owned(),
                created_at: 1_700_000_000_000,
                received_at: 1_700_000_000_000,
                via: "webhook",
                outcome: "pending",
                reason: String::new(),
                body: noise(n),
            };
            inbox::insert_event(tx, &event).await?;
        }
        Ok(())
    }
}

fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut body = Vec::with_capacity(BODY + 8);
    while body.len() < BODY {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        body.extend_from_slice(&state.to_le_bytes());
    }
    body.truncate(BODY);
    body
}

/// Posts the first journal of new commissions.
struct Posts {
    from: u64,
    rows: u64,
}

impl Unit for Posts {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let numbers = self.from..self.from + self.rows;
        let (earned, journals): (Vec<_>, Vec<_>) = numbers.map(|n| (commission(n), journal(n))).unzip();
        commissions::upsert(tx, WS, &earned, 1_700_000_000_000).await?;
        commissions::post(tx, WS, &journals).await
    }
}

fn commission(n: u64) -> Commission {
    let text = str::to_owned;
    Commission {
        commission_id: format!("com_{n}"),
        mode: text("test"),
        program_id: text(PRG),
        partner_id: text("ptr_units"),
        customer_id: format!("ctm_{}", n % 1_000),
        sale_id: format!("sal_{n}"),
        root_id: format!("in_{n}"),
        rule: text("sale"),
        currency: text("usd"),
        target: 1_470,
        gross: 1_470,
        revenue: 4_900,
        occurred_at: 1_700_000_000_000,
        payable_at: 1_702_592_000_000,
        matured_at: None,
        outcome: text("earns"),
        last_seq: 1,
        last_seal: format!("{n:064x}"),
        held: false,
    }
}

fn journal(n: u64) -> Journal {
    let text = str::to_owned;
    Journal {
        journal_id: format!("jrn_{n}"),
        mode: text("test"),
        currency: text("usd"),
        program_id: text(PRG),
        commission_id: format!("com_{n}"),
        seq: 1,
        kind: text("settled"),
        reason: text("30 % of every sale, for life"),
        created_at: 1_700_000_000_000,
        seal: format!("{n:064x}"),
        debit_account: text("expense"),
        credit_account: text("pending"),
        amount: 1_470,
    }
}
