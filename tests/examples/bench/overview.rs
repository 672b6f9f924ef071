//! The Overview of a large program: a million visits and a hundred thousand sales of a year, filled in bulk, and the
//! page asked for again and again by somebody who is logged in.

use crate::books::Books;
use crate::figures::Figures;
use crate::install::{Ground, Served};
use crate::load::{self, Line};
use crate::process::{self, Fail};
use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};
use std::time::Instant;

/// Partners, links, and what they brought in a year.
const PARTNERS: i64 = 400;
const CUSTOMERS: i64 = 20_000;
const SALES: i64 = 100_000;
const VISITS: i64 = 1_000_000;
const DAYS: i64 = 365;
const DAY_MS: i64 = 86_400_000;
/// Every sale is of $49.00 and earns 30 %.
const PAID: i64 = 4_900;
const EARNED: i64 = 1_470;
/// Days that a commission is held.
const HOLD: i64 = 30;
const REQUESTS: usize = 500;
const SESSION: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// Fills, asks, and notes what it took.
pub(crate) async fn measure(ground: &Ground, figures: &mut Figures) -> Result<(), Fail> {
    let mut books = ground.books_copy().await?;
    let Books::Sqlite(path) = &mut books else { return Err("the overview is measured on SQLite".into()) };
    let began = Instant::now();
    fill(path, process::now_s() * 1_000)?;
    eprintln!("  filled in {} ms", began.elapsed().as_millis());
    let served = ground.serve(&books).await?;
    for (name, query) in
        [("", ""), ("_90d", "?range=90d"), ("_12m", "?range=12m"), ("_visits", "?chart=visits")]
    {
        let times = ask(&served, query, if name.is_empty() { REQUESTS } else { REQUESTS / 5 }).await?;
        for (words, share) in [("p50", 50), ("p95", 95), ("p99", 99)] {
            let at = (times.len() * share / 100).min(times.len().saturating_sub(1));
            let us = times.get(at).copied().unwrap_or(0);
            figures.note(&format!("overview{name}_{words}"), i64::try_from(us)?);
        }
    }
    served.end().await
}

/// The times of requests, sorted, µs; every answer must be the page with its figures.
async fn ask(served: &Served<'_>, query: &str, count: usize) -> Result<Vec<u64>, Fail> {
    let path = format!("/p/{}{query}", served.program());
    let cookie = format!("tributary_session={SESSION}");
    let request = load::request("GET", &path, &[("cookie", cookie.as_str())], b"");
    let mut line = Line::open(served.address).await?;
    let mut times = Vec::with_capacity(count);
    for n in 0..count + 20 {
        let began = Instant::now();
        let (status, body) = line.ask(&request).await?;
        let us = load::us_since(began);
        let text = String::from_utf8_lossy(body);
        if status != 200 || !text.contains("Revenue referred") || !text.contains(">Partner ") {
            return Err(
                format!("{path} answered {status}: {}", text.chars().take(300).collect::<String>()).into()
            );
        }
        // The first ones warm caches, as the first person of the day does.
        if n >= 20 {
            times.push(us);
        }
    }
    times.sort_unstable();
    Ok(times)
}

fn fill(path: &std::path::Path, now: i64) -> Result<(), Fail> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    let tx = connection.transaction()?;
    let (ws, program): (String, String) =
        tx.query_row("SELECT workspace_id, program_id FROM program", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let today = now / DAY_MS;
    people(&tx, &ws, &program, today)?;
    visits(&tx, &ws, &program, today)?;
    sales(&tx, &ws, &program, today, now)?;
    counters(&tx, &ws, &program, today)?;
    session(&tx, &ws, now)?;
    tx.commit()?;
    connection.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}

/// Numbers from 0, as a table.
const NUMBERS: &str = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)";

fn run(tx: &Transaction<'_>, sql: &str, values: impl rusqlite::Params) -> Result<(), Fail> {
    tx.execute(sql, values)?;
    Ok(())
}

fn people(tx: &Transaction<'_>, ws: &str, program: &str, today: i64) -> Result<(), Fail> {
    let start = (today - DAYS) * DAY_MS;
    let sql = format!(
        "INSERT INTO partner (workspace_id, partner_id, program_id, external_id, key, email, name, surname, status, \
         tags, created_at, updated_at) {NUMBERS} SELECT ?2, 'ptr_b' || i, ?3, 'ptr_b' || i, 'bench' || i, \
         'p' || i || '@partners.example', 'Partner ' || (i + 1), '', 'active', '[]', ?4, ?4 FROM n"
    );
    run(tx, &sql, params![PARTNERS, ws, program, start])?;
    let sql = format!(
        "INSERT INTO customer (workspace_id, customer_id, mode, program_id, key, email, name, surname, status, tags, \
         origin, partner_id, created_at, updated_at) {NUMBERS} SELECT ?2, 'ctm_b' || i, 'test', ?3, 'user_' || i, \
         'c' || i || '@customers.example', '', '', 'active', '[]', 'api', 'ptr_b' || (i % {PARTNERS}), \
         ?4 + (i * 1577) % {DAYS} * {DAY_MS}, ?4 FROM n"
    );
    run(tx, &sql, params![CUSTOMERS, ws, program, start])
}

fn visits(tx: &Transaction<'_>, ws: &str, program: &str, today: i64) -> Result<(), Fail> {
    let start = (today - DAYS + 1) * DAY_MS;
    let sql = format!(
        "INSERT INTO visit (workspace_id, visit_id, mode, program_id, partner_id, link_id, visitor, via, landing, \
         referrer, at) {NUMBERS} SELECT ?2, printf('vis_%032x', i), 'test', ?3, 'ptr_b' || (i % {PARTNERS}), \
         'lnk_b' || (i % {PARTNERS}), printf('%016x', i * 7919), 'link', 'https://shop.example/', '', \
         ?4 + i / {PARTNERS} % {DAYS} * {DAY_MS} + i FROM n"
    );
    run(tx, &sql, params![VISITS, ws, program, start])
}

fn sales(tx: &Transaction<'_>, ws: &str, program: &str, today: i64, now: i64) -> Result<(), Fail> {
    let start = (today - DAYS + 1) * DAY_MS;
    let con: String = tx.query_row("SELECT connection_id FROM connection", [], |row| row.get(0))?;
    let when = format!("?4 + (i * 211) % {DAYS} * {DAY_MS} + i");
    let sql = format!(
        "INSERT INTO sale (workspace_id, sale_id, connection_id, mode, root_id, state, occurred_at, currency, total, \
         tax, shipping, discount, paid, captured, refunded, tax_unknown, rewardable, buyer_id, program_id, customer_id, \
         place_reason, unplaced, unsettled, outcome, updated_at) {NUMBERS} SELECT ?2, 'sal_b' || i, ?5, 'test', \
         'in_b' || i, 'paid', {when}, 'usd', {PAID}, 0, 0, 0, {PAID}, {PAID}, 0, 0, 1, 'cus_b' || (i % {CUSTOMERS}), \
         ?3, 'ctm_b' || (i % {CUSTOMERS}), '', 0, 0, 'earns', ?4 FROM n"
    );
    run(tx, &sql, params![SALES, ws, program, start, con])?;
    let matured = now - HOLD * DAY_MS;
    let sql = format!(
        "INSERT INTO commission (workspace_id, commission_id, mode, program_id, partner_id, customer_id, sale_id, \
         root_id, rule, currency, target, gross, revenue, occurred_at, payable_at, matured_at, outcome, last_seq, \
         last_seal, created_at, updated_at) {NUMBERS} SELECT ?2, 'com_b' || i, 'test', ?3, 'ptr_b' || (i % {PARTNERS}), \
         'ctm_b' || (i % {CUSTOMERS}), 'sal_b' || i, 'in_b' || i, 'sale', 'usd', {EARNED}, {EARNED}, {PAID}, {when}, \
         {when} + {HOLD} * {DAY_MS}, CASE WHEN {when} < ?5 THEN {when} + {HOLD} * {DAY_MS} END, 'earns', 1, \
         printf('%064x', i), ?4, ?4 FROM n"
    );
    run(tx, &sql, params![SALES, ws, program, start, matured])?;
    for kind in ["expense", "pending", "payable"] {
        let sql = format!(
            "INSERT INTO account (workspace_id, mode, currency, account_id, kind, program_id, partner_id) {NUMBERS} \
             SELECT ?2, 'test', 'usd', 'acc_{kind}_' || i, '{kind}', ?3, 'ptr_b' || i FROM n"
        );
        run(tx, &sql, params![PARTNERS, ws, program])?;
    }
    let sql = format!(
        "INSERT INTO journal (workspace_id, mode, currency, journal_id, program_id, commission_id, seq, kind, reason, \
         created_at, seal) {NUMBERS} SELECT ?2, 'test', 'usd', 'jrn_b' || i, ?3, 'com_b' || i, 1, 'settled', \
         '30 % of every sale', ?4, printf('%064x', i) FROM n"
    );
    run(tx, &sql, params![SALES, ws, program, start])?;
    let sql = format!(
        "INSERT INTO entry (workspace_id, mode, currency, journal_id, line, debit_account, credit_account, amount) \
         {NUMBERS} SELECT ?2, 'test', 'usd', 'jrn_b' || i, 1, 'acc_expense_' || (i % {PARTNERS}), \
         'acc_pending_' || (i % {PARTNERS}), {EARNED} FROM n"
    );
    run(tx, &sql, params![SALES, ws])
}

/// The counters are summed from the rows themselves.
fn counters(tx: &Transaction<'_>, ws: &str, program: &str, today: i64) -> Result<(), Fail> {
    let who = params![ws, program];
    let day = |column: &str| format!("{column} / {DAY_MS}");
    let columns =
        "workspace_id, mode, program_id, day, partner_id, currency, sales, refunded, revenue, gross, target";
    run(
        tx,
        &format!(
            "INSERT INTO partner_day_money ({columns}) SELECT workspace_id, mode, program_id, {}, partner_id, currency, \
             COUNT(*), 0, SUM(revenue), SUM(gross), SUM(target) FROM commission WHERE workspace_id = ?1 AND program_id = ?2 \
             AND commission_id LIKE 'com_b%' GROUP BY 1, 2, 3, 4, 5, 6",
            day("occurred_at")
        ),
        who,
    )?;
    // Few enough to be worth no algebra: SQLite knows the calendar.
    run(
        tx,
        "INSERT INTO partner_month_money (workspace_id, mode, program_id, month, partner_id, currency, sales, refunded, \
         revenue, gross, target) SELECT workspace_id, mode, program_id, \
         (strftime('%Y', day * 86400, 'unixepoch') - 1970) * 12 + strftime('%m', day * 86400, 'unixepoch') - 1, \
         partner_id, currency, SUM(sales), 0, SUM(revenue), SUM(gross), SUM(target) FROM partner_day_money \
         WHERE workspace_id = ?1 AND program_id = ?2 GROUP BY 1, 2, 3, 4, 5, 6",
        who,
    )?;
    run(
        tx,
        "INSERT INTO program_day_money (workspace_id, mode, program_id, day, currency, sales, refunded, revenue, gross, \
         target) SELECT workspace_id, mode, program_id, day, currency, SUM(sales), 0, SUM(revenue), SUM(gross), \
         SUM(target) FROM partner_day_money WHERE workspace_id = ?1 AND program_id = ?2 GROUP BY 1, 2, 3, 4, 5",
        who,
    )?;
    run(
        tx,
        "INSERT INTO partner_total (workspace_id, mode, program_id, partner_id, currency, sales, revenue, gross, target) \
         SELECT workspace_id, mode, program_id, partner_id, currency, SUM(sales), SUM(revenue), SUM(gross), SUM(target) \
         FROM partner_day_money WHERE workspace_id = ?1 AND program_id = ?2 GROUP BY 1, 2, 3, 4, 5",
        who,
    )?;
    run(
        tx,
        &format!(
            "INSERT INTO partner_day (workspace_id, mode, program_id, partner_id, day, visits, customers) \
             SELECT workspace_id, mode, program_id, partner_id, {}, COUNT(*), 0 FROM visit WHERE workspace_id = ?1 \
             AND program_id = ?2 GROUP BY 1, 2, 3, 4, 5",
            day("at")
        ),
        who,
    )?;
    run(
        tx,
        &format!(
            "INSERT INTO program_day (workspace_id, mode, program_id, day, visits, rejected, customers) \
             SELECT d.workspace_id, d.mode, d.program_id, d.day, SUM(d.visits), 0, (SELECT COUNT(*) FROM customer c \
             WHERE c.workspace_id = ?1 AND c.program_id = ?2 AND c.created_at >= d.day * {DAY_MS} \
             AND c.created_at < (d.day + 1) * {DAY_MS}) FROM partner_day d WHERE d.workspace_id = ?1 \
             AND d.program_id = ?2 AND d.day <= {today} GROUP BY 1, 2, 3, 4 ON CONFLICT DO NOTHING"
        ),
        who,
    )
}

/// Somebody is logged in.
fn session(tx: &Transaction<'_>, ws: &str, now: i64) -> Result<(), Fail> {
    let hash = hex::encode(Sha256::digest(SESSION.as_bytes()));
    let user: String = tx.query_row("SELECT user_id FROM user_account", [], |row| row.get(0))?;
    tx.execute(
        "INSERT INTO user_session (workspace_id, session_hash, user_id, form_token, created_at, seen_at, expires_at, \
         user_agent) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, 'bench')",
        params![ws, hash, user, "00".repeat(16), now, now + 10 * DAY_MS],
    )?;
    tx.execute(
        "INSERT INTO route (kind, token, workspace_id) VALUES ('session', ?1, ?2)",
        params![hash, ws],
    )?;
    Ok(())
}
