//! Rows beside the ledger: sales, counters, the inbox, keys.

use super::Problems;
use tributary_store::connections::Connection;
use tributary_store::oauth::tokens;
use tributary_store::pipeline::{recount, waiting};
use tributary_store::vault::Key;
use tributary_store::{P, StoreError, Tx, connections};
use tributary_stripe::client::{ApiKey, Mode};

/// Queries that find rows that must not be: (table, what is wrong, query giving the row's key).
const RULES: &[(&str, &str, &str)] = &[
    (
        "sale",
        "it has no objects: no source made it, or it was doubled",
        "SELECT s.sale_id FROM sale s WHERE s.workspace_id = $1 AND s.merged_into IS NULL AND s.state <> 'withdrawn' AND NOT EXISTS \
         (SELECT 1 FROM alias a WHERE a.workspace_id = s.workspace_id AND a.sale_id = s.sale_id) LIMIT 100",
    ),
    (
        "sale",
        "another live sale has the same root: it was doubled",
        "SELECT s.sale_id FROM sale s WHERE s.workspace_id = $1 AND s.merged_into IS NULL AND EXISTS \
         (SELECT 1 FROM sale o WHERE o.workspace_id = s.workspace_id AND o.connection_id = s.connection_id \
         AND o.root_id = s.root_id AND o.merged_into IS NULL AND o.sale_id <> s.sale_id) LIMIT 100",
    ),
    (
        "sale",
        "it stands twice: as the API wrote it, and as another connection of the program tells it",
        "SELECT t.key FROM api_transaction t JOIN connection_program cp ON cp.workspace_id = t.workspace_id \
         AND cp.program_id = t.program_id AND cp.connection_id <> t.connection_id \
         JOIN connection c ON c.workspace_id = cp.workspace_id AND c.connection_id = cp.connection_id \
         AND c.mode = t.mode JOIN alias a ON a.workspace_id = cp.workspace_id AND a.connection_id = cp.connection_id \
         AND a.object_id = t.key WHERE t.workspace_id = $1 AND a.sale_id IS NOT NULL LIMIT 100",
    ),
    (
        "sale",
        "its mode is not its connection's",
        "SELECT s.sale_id FROM sale s JOIN connection c ON c.workspace_id = s.workspace_id \
         AND c.connection_id = s.connection_id WHERE s.workspace_id = $1 AND s.mode <> c.mode LIMIT 100",
    ),
    (
        "sale",
        "it waits for Stripe, and nothing asks: a running server asks again within a minute",
        waiting::UNASKED,
    ),
    (
        "commission",
        "its sale does not exist",
        "SELECT c.commission_id FROM commission c LEFT JOIN sale s ON s.workspace_id = c.workspace_id \
         AND s.sale_id = c.sale_id WHERE c.workspace_id = $1 AND s.sale_id IS NULL LIMIT 100",
    ),
    (
        "commission",
        "its mode is not its sale's",
        "SELECT c.commission_id FROM commission c JOIN sale s ON s.workspace_id = c.workspace_id \
         AND s.sale_id = c.sale_id WHERE c.workspace_id = $1 AND s.mode <> c.mode LIMIT 100",
    ),
    (
        "event",
        "its payload is kept, but the event is missing from the inbox",
        "SELECT p.event_id FROM event_payload p LEFT JOIN event e ON e.workspace_id = p.workspace_id \
         AND e.connection_id = p.connection_id AND e.event_id = p.event_id \
         WHERE p.workspace_id = $1 AND e.event_id IS NULL LIMIT 100",
    ),
    (
        "event",
        "facts cite it, but it is missing from the inbox",
        "SELECT DISTINCT f.source_id FROM fact f LEFT JOIN event e ON e.workspace_id = f.workspace_id \
         AND e.connection_id = f.connection_id AND e.event_id = f.source_id \
         LEFT JOIN observation o ON o.workspace_id = f.workspace_id AND o.connection_id = f.connection_id \
         AND o.observation_id = f.source_id WHERE f.workspace_id = $1 AND f.source_id NOT LIKE 'api:%' \
         AND e.event_id IS NULL AND o.observation_id IS NULL LIMIT 100",
    ),
    (
        "event",
        "it was processed, but neither its payload nor its facts are kept",
        "SELECT e.event_id FROM event e WHERE e.workspace_id = $1 AND e.outcome = 'processed' \
         AND NOT EXISTS (SELECT 1 FROM event_payload p WHERE p.workspace_id = e.workspace_id \
         AND p.connection_id = e.connection_id AND p.event_id = e.event_id AND p.created_at = e.created_at) \
         AND NOT EXISTS (SELECT 1 FROM fact f WHERE f.workspace_id = e.workspace_id \
         AND f.connection_id = e.connection_id AND f.source_id = e.event_id) LIMIT 100",
    ),
    (
        "alias",
        "the sale that it leads to does not exist",
        "SELECT a.object_id FROM alias a LEFT JOIN sale s ON s.workspace_id = a.workspace_id AND s.sale_id = a.sale_id \
         WHERE a.workspace_id = $1 AND a.sale_id IS NOT NULL AND s.sale_id IS NULL LIMIT 100",
    ),
    (
        "evidence",
        "the sale that it speaks for does not exist",
        "SELECT v.object_id FROM evidence v LEFT JOIN sale s ON s.workspace_id = v.workspace_id AND s.sale_id = v.sale_id \
         WHERE v.workspace_id = $1 AND v.sale_id IS NOT NULL AND s.sale_id IS NULL LIMIT 100",
    ),
    (
        "evidence",
        "its connection is not of this workspace",
        "SELECT v.object_id FROM evidence v LEFT JOIN connection c ON c.workspace_id = v.workspace_id \
         AND c.connection_id = v.connection_id WHERE v.workspace_id = $1 AND v.connection_id NOT LIKE 'api:%' \
         AND c.connection_id IS NULL LIMIT 100",
    ),
    (
        "buyer_customer",
        "the customer that the buyer is does not exist",
        "SELECT b.buyer_id FROM buyer_customer b LEFT JOIN customer c ON c.workspace_id = b.workspace_id \
         AND c.customer_id = b.customer_id WHERE b.workspace_id = $1 AND c.customer_id IS NULL LIMIT 100",
    ),
    (
        "decision",
        "nothing is known of its subject",
        "SELECT d.decision_id || ' on ' || d.subject FROM decision d LEFT JOIN alias a ON a.workspace_id = d.workspace_id \
         AND a.connection_id = d.connection_id AND a.object_id = d.subject WHERE d.workspace_id = $1 \
         AND d.kind IN ('void', 'unvoid', 'attribute') AND d.connection_id NOT LIKE 'customer:%' \
         AND a.object_id IS NULL LIMIT 100",
    ),
    (
        "decision",
        "nothing is known of its customer",
        "SELECT d.decision_id || ' on ' || d.subject FROM decision d LEFT JOIN customer c \
         ON c.workspace_id = d.workspace_id AND c.program_id = d.program_id AND c.mode = d.mode AND c.key = d.subject \
         WHERE d.workspace_id = $1 AND d.connection_id LIKE 'customer:%' AND d.subject NOT LIKE 'stripe_%' \
         AND c.customer_id IS NULL LIMIT 100",
    ),
    (
        "account",
        "its program is not of this workspace",
        "SELECT a.account_id FROM account a LEFT JOIN program p ON p.workspace_id = a.workspace_id \
         AND p.program_id = a.program_id WHERE a.workspace_id = $1 AND p.program_id IS NULL LIMIT 100",
    ),
];

/// Checks a workspace's rows by every rule, and its keys.
pub(super) async fn check(
    tx: &mut Tx<'_>,
    ws: &str,
    data_key: &Key,
    problems: &mut Problems,
) -> Result<(), StoreError> {
    for (table, what, sql) in RULES {
        for row in tx.rows(sql, &[P::T(ws)]).await? {
            problems.add(table, row.text(0)?, *what);
        }
    }
    for (table, row) in recount::off(tx, ws).await? {
        problems.add(table, row, "it is not what the rows add up to that it counts");
    }
    for connection in connections::list(tx, ws).await? {
        let place = connections::api_key_place(&connection.connection_id);
        let opened = match data_key.open(&place, &connection.api_key) {
            Ok(opened) => opened,
            Err(error) => {
                problems.add("connection", &connection.connection_id, error.to_string());
                continue;
            }
        };
        if connection.auth != "key" {
            let found = let_in_by_oauth(tx, data_key, &connection, opened.is_empty()).await?;
            if let Some(what) = found {
                problems.add("connection", &connection.connection_id, what);
            }
            continue;
        }
        let parsed = std::str::from_utf8(&opened).ok().and_then(|text| ApiKey::parse(text).ok());
        let mode = parsed.map(|key| if key.info().mode == Mode::Live { "live" } else { "test" });
        if mode != Some(connection.mode.as_str()) {
            let what =
                format!("its key is {}, the connection is {}", mode.unwrap_or("no key"), connection.mode);
            problems.add("connection", &connection.connection_id, what);
        }
    }
    Ok(())
}

/// What is wrong with a connection that OAuth lets in: it has no key of its own, and an App's tokens open.
async fn let_in_by_oauth(
    tx: &mut Tx<'_>,
    data_key: &Key,
    connection: &Connection,
    keyless: bool,
) -> Result<Option<String>, StoreError> {
    if !keyless {
        return Ok(Some("it is let in by OAuth, and has a key of its own all the same".to_owned()));
    }
    if connection.auth != "app" || connection.status == "disconnected" {
        return Ok(None);
    }
    let (ws, id) = (&connection.workspace_id, &connection.connection_id);
    match tokens::find(tx, data_key, ws, id).await {
        // A copy of the sources alone has none, and asks nobody.
        Ok(_) => Ok(None),
        Err(StoreError::Secret(words)) => Ok(Some(words)),
        Err(error) => Err(error),
    }
}

/// Rows of the ledger, and of what it was derived from, of workspaces that do not exist.
pub(super) async fn foreign_workspaces(
    tx: &mut Tx<'_>,
    known: &[String],
    problems: &mut Problems,
) -> Result<(), StoreError> {
    const TABLES: [(&str, &str); 9] = [
        (
            "sale",
            "SELECT workspace_id, sale_id FROM sale WHERE workspace_id NOT IN (SELECT workspace_id FROM workspace) LIMIT 100",
        ),
        (
            "alias",
            "SELECT workspace_id, object_id FROM alias WHERE workspace_id NOT IN (SELECT workspace_id FROM workspace) LIMIT 100",
        ),
        (
            "evidence",
            "SELECT workspace_id, object_id FROM evidence WHERE workspace_id NOT IN (SELECT workspace_id FROM workspace) LIMIT 100",
        ),
        (
            "decision",
            "SELECT workspace_id, decision_id FROM decision WHERE workspace_id NOT IN (SELECT workspace_id FROM workspace) LIMIT 100",
        ),
        (
            "customer",
            "SELECT workspace_id, customer_id FROM customer WHERE workspace_id NOT IN (SELECT workspace_id FROM workspace) LIMIT 100",
        ),
        ("account", "SELECT DISTINCT workspace_id, account_id FROM account"),
        ("journal", "SELECT DISTINCT workspace_id, journal_id FROM journal"),
        ("entry", "SELECT DISTINCT workspace_id, journal_id FROM entry"),
        ("commission", "SELECT DISTINCT workspace_id, commission_id FROM commission"),
    ];
    for (table, sql) in TABLES {
        for row in tx.rows(sql, &[]).await? {
            let workspace_id = row.text(0)?;
            if !known.contains(&workspace_id) {
                problems.add(
                    table,
                    row.text(1)?,
                    format!("it belongs to the unknown workspace {workspace_id}"),
                );
            }
        }
    }
    Ok(())
}

/// How much is still to come in a workspace.
pub(super) async fn waiting(tx: &mut Tx<'_>, ws: &str) -> Result<i64, StoreError> {
    const COUNTS: [&str; 4] = [
        "SELECT COUNT(*) FROM event WHERE workspace_id = $1 AND outcome IN ('pending', 'parked')",
        "SELECT COUNT(*) FROM sale WHERE workspace_id = $1 AND awaiting_since IS NOT NULL AND merged_into IS NULL",
        "SELECT COUNT(*) FROM sale WHERE workspace_id = $1 AND unplaced",
        "SELECT COUNT(*) FROM scope WHERE workspace_id = $1 AND generation > settled_generation",
    ];
    let mut sum = 0;
    for sql in COUNTS {
        sum += tx.opt(sql, &[P::T(ws)]).await?.map_or(Ok(0), |row| row.int(0))?;
    }
    Ok(sum)
}
