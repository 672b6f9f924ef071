//! Counters against the rows that they count: which are off, and how they are counted anew.

use super::months::month_of_day;
use crate::{P, StoreError, Tx};

/// Counters that must be the sums over rows: (table, query that gives the names of those that are off). The only
/// parameter is the workspace; a day has 86,400,000 ms. Counters that should be there and are not are off too.
pub const OFF: &[(&str, &str)] = &[
    (
        "connection_day",
        "SELECT connection_id || ', day ' || CAST(day AS TEXT) FROM (SELECT connection_id, day, events AS n \
         FROM connection_day WHERE workspace_id = $1 UNION ALL SELECT connection_id, received_at / 86400000, -1 FROM event \
         WHERE workspace_id = $1) t GROUP BY connection_id, day HAVING SUM(n) <> 0 ORDER BY 1 LIMIT 100",
    ),
    (
        "partner_total",
        "SELECT partner_id || ', ' || currency || ', ' || mode FROM (SELECT mode, program_id, partner_id, currency, \
         sales, revenue, gross, target FROM partner_total WHERE workspace_id = $1 UNION ALL \
         SELECT mode, program_id, partner_id, currency, -CASE WHEN gross > 0 THEN 1 ELSE 0 END, -revenue, -gross, \
         -target FROM commission WHERE workspace_id = $1) t \
         GROUP BY mode, program_id, partner_id, currency \
         HAVING SUM(sales) <> 0 OR SUM(revenue) <> 0 OR SUM(gross) <> 0 OR SUM(target) <> 0 ORDER BY 1 LIMIT 100",
    ),
    (
        "program_day_money",
        "SELECT program_id || ', ' || currency || ', ' || mode || ', day ' || CAST(day AS TEXT) FROM (SELECT mode, \
         program_id, currency, day, sales, refunded, revenue, gross, target FROM program_day_money \
         WHERE workspace_id = $1 UNION ALL SELECT mode, program_id, currency, occurred_at / 86400000, \
         -CASE WHEN gross > 0 THEN 1 ELSE 0 END, -CASE WHEN target < gross THEN 1 ELSE 0 END, -revenue, -gross, -target \
         FROM commission WHERE workspace_id = $1) t GROUP BY mode, program_id, currency, day HAVING SUM(sales) <> 0 \
         OR SUM(refunded) <> 0 OR SUM(revenue) <> 0 OR SUM(gross) <> 0 OR SUM(target) <> 0 ORDER BY 1 LIMIT 100",
    ),
    (
        "partner_day_money",
        "SELECT partner_id || ', ' || currency || ', ' || mode || ', day ' || CAST(day AS TEXT) FROM (SELECT mode, \
         program_id, partner_id, currency, day, sales, refunded, revenue, gross, target FROM partner_day_money \
         WHERE workspace_id = $1 UNION ALL SELECT mode, program_id, partner_id, currency, occurred_at / 86400000, \
         -CASE WHEN gross > 0 THEN 1 ELSE 0 END, -CASE WHEN target < gross THEN 1 ELSE 0 END, -revenue, -gross, -target \
         FROM commission WHERE workspace_id = $1) t GROUP BY mode, program_id, partner_id, currency, day \
         HAVING SUM(sales) <> 0 OR SUM(refunded) <> 0 OR SUM(revenue) <> 0 OR SUM(gross) <> 0 OR SUM(target) <> 0 \
         ORDER BY 1 LIMIT 100",
    ),
    (
        "partner_month_money",
        concat!(
            "SELECT partner_id || ', ' || currency || ', ' || mode || ', month ' || CAST(month AS TEXT) FROM (SELECT mode, \
             program_id, partner_id, currency, month, sales, refunded, revenue, gross, target FROM partner_month_money \
             WHERE workspace_id = $1 UNION ALL SELECT mode, program_id, partner_id, currency, ",
            month_of_day!(),
            ", -CASE WHEN gross > 0 THEN 1 ELSE 0 END, -CASE WHEN target < gross THEN 1 ELSE 0 END, -revenue, -gross, \
             -target FROM (SELECT mode, program_id, partner_id, currency, gross, target, revenue, \
             occurred_at / 86400000 AS day FROM commission WHERE workspace_id = $1) c) t \
             GROUP BY mode, program_id, partner_id, currency, month HAVING SUM(sales) <> 0 OR SUM(refunded) <> 0 \
             OR SUM(revenue) <> 0 OR SUM(gross) <> 0 OR SUM(target) <> 0 ORDER BY 1 LIMIT 100"
        ),
    ),
    (
        "program_day",
        "SELECT program_id || ', ' || mode || ', day ' || CAST(day AS TEXT) FROM (SELECT mode, program_id, day, \
         visits, customers FROM program_day WHERE workspace_id = $1 UNION ALL SELECT mode, program_id, at / 86400000, -1, 0 \
         FROM visit WHERE workspace_id = $1 UNION ALL SELECT mode, program_id, created_at / 86400000, 0, -1 FROM customer \
         WHERE workspace_id = $1 AND partner_id IS NOT NULL AND deleted_at IS NULL) t GROUP BY mode, program_id, day \
         HAVING SUM(visits) <> 0 OR SUM(customers) <> 0 ORDER BY 1 LIMIT 100",
    ),
    (
        "partner_day",
        "SELECT partner_id || ', ' || mode || ', day ' || CAST(day AS TEXT) FROM (SELECT mode, program_id, \
         partner_id, day, visits, customers FROM partner_day WHERE workspace_id = $1 UNION ALL SELECT mode, program_id, \
         partner_id, at / 86400000, -1, 0 FROM visit WHERE workspace_id = $1 UNION ALL SELECT mode, program_id, partner_id, \
         created_at / 86400000, 0, -1 FROM customer WHERE workspace_id = $1 AND partner_id IS NOT NULL \
         AND deleted_at IS NULL) t GROUP BY mode, program_id, partner_id, day \
         HAVING SUM(visits) <> 0 OR SUM(customers) <> 0 ORDER BY 1 LIMIT 100",
    ),
    (
        "link_day",
        "SELECT link_id || ', ' || mode || ', day ' || CAST(day AS TEXT) FROM (SELECT mode, program_id, partner_id, \
         link_id, day, visits FROM link_day WHERE workspace_id = $1 UNION ALL SELECT mode, program_id, partner_id, \
         link_id, at / 86400000, -1 FROM visit WHERE workspace_id = $1) t \
         GROUP BY mode, program_id, partner_id, link_id, day HAVING SUM(visits) <> 0 ORDER BY 1 LIMIT 100",
    ),
];

/// The statements that count anew, with the same parameter. What cannot be counted from rows (visits that did not
/// count, by their reasons) stays.
const REBUILD: &[&str] = &[
    "DELETE FROM connection_day WHERE workspace_id = $1",
    "INSERT INTO connection_day (workspace_id, connection_id, day, shard, events) \
     SELECT workspace_id, connection_id, received_at / 86400000, 0, COUNT(*) FROM event WHERE workspace_id = $1 \
     GROUP BY workspace_id, connection_id, received_at / 86400000",
    "DELETE FROM partner_total WHERE workspace_id = $1",
    "INSERT INTO partner_total (workspace_id, mode, program_id, partner_id, currency, sales, revenue, gross, target) \
     SELECT workspace_id, mode, program_id, partner_id, currency, SUM(CASE WHEN gross > 0 THEN 1 ELSE 0 END), \
     SUM(revenue), SUM(gross), SUM(target) FROM commission WHERE workspace_id = $1 \
     GROUP BY workspace_id, mode, program_id, partner_id, currency",
    "DELETE FROM program_day_money WHERE workspace_id = $1",
    "INSERT INTO program_day_money (workspace_id, mode, program_id, day, currency, sales, refunded, revenue, gross, \
     target) SELECT workspace_id, mode, program_id, occurred_at / 86400000, currency, \
     SUM(CASE WHEN gross > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN target < gross THEN 1 ELSE 0 END), SUM(revenue), \
     SUM(gross), SUM(target) FROM commission WHERE workspace_id = $1 \
     GROUP BY workspace_id, mode, program_id, occurred_at / 86400000, currency",
    "DELETE FROM partner_day_money WHERE workspace_id = $1",
    "INSERT INTO partner_day_money (workspace_id, mode, program_id, day, partner_id, currency, sales, refunded, \
     revenue, gross, target) SELECT workspace_id, mode, program_id, occurred_at / 86400000, partner_id, currency, \
     SUM(CASE WHEN gross > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN target < gross THEN 1 ELSE 0 END), SUM(revenue), \
     SUM(gross), SUM(target) FROM commission WHERE workspace_id = $1 \
     GROUP BY workspace_id, mode, program_id, occurred_at / 86400000, partner_id, currency",
    "DELETE FROM partner_month_money WHERE workspace_id = $1",
    concat!(
        "INSERT INTO partner_month_money (workspace_id, mode, program_id, month, partner_id, currency, sales, refunded, \
         revenue, gross, target) SELECT $1, mode, program_id, month, partner_id, currency, SUM(sales), SUM(refunded), \
         SUM(revenue), SUM(gross), SUM(target) FROM (SELECT mode, program_id, partner_id, currency, sales, refunded, \
         revenue, gross, target, ",
        month_of_day!(),
        " AS month FROM partner_day_money WHERE workspace_id = $1) t \
         GROUP BY mode, program_id, month, partner_id, currency"
    ),
    "UPDATE program_day SET visits = 0, customers = 0 WHERE workspace_id = $1",
    "INSERT INTO program_day (workspace_id, mode, program_id, day, visits, rejected, customers) \
     SELECT $1, mode, program_id, day, SUM(visits), 0, SUM(customers) FROM (SELECT mode, program_id, at / 86400000 AS day, \
     1 AS visits, 0 AS customers FROM visit WHERE workspace_id = $1 UNION ALL \
     SELECT mode, program_id, created_at / 86400000, 0, 1 FROM customer WHERE workspace_id = $1 \
     AND partner_id IS NOT NULL AND deleted_at IS NULL) t WHERE day IS NOT NULL GROUP BY mode, program_id, day \
     ON CONFLICT (workspace_id, mode, program_id, day) DO UPDATE SET visits = excluded.visits, \
     customers = excluded.customers",
    "UPDATE partner_day SET visits = 0, customers = 0 WHERE workspace_id = $1",
    "INSERT INTO partner_day (workspace_id, mode, program_id, partner_id, day, visits, customers) \
     SELECT $1, mode, program_id, partner_id, day, SUM(visits), SUM(customers) FROM (SELECT mode, program_id, \
     partner_id, at / 86400000 AS day, 1 AS visits, 0 AS customers FROM visit WHERE workspace_id = $1 UNION ALL \
     SELECT mode, program_id, partner_id, created_at / 86400000, 0, 1 FROM customer WHERE workspace_id = $1 \
     AND partner_id IS NOT NULL AND deleted_at IS NULL) t WHERE day IS NOT NULL \
     GROUP BY mode, program_id, partner_id, day ON CONFLICT (workspace_id, mode, program_id, partner_id, day) \
     DO UPDATE SET visits = excluded.visits, customers = excluded.customers",
    "UPDATE link_day SET visits = 0 WHERE workspace_id = $1",
    "INSERT INTO link_day (workspace_id, mode, program_id, partner_id, link_id, day, visits, repeats, bots, \
     prefetches, heads) SELECT workspace_id, mode, program_id, partner_id, link_id, at / 86400000, COUNT(*), 0, 0, 0, 0 \
     FROM visit WHERE workspace_id = $1 GROUP BY workspace_id, mode, program_id, partner_id, link_id, at / 86400000 \
     ON CONFLICT (workspace_id, mode, program_id, partner_id, link_id, day) DO UPDATE SET visits = excluded.visits",
];

/// The counters of a workspace that are off: (table, name of the row). At most 100 a table.
///
/// # Errors
/// The database's.
pub async fn off(tx: &mut Tx<'_>, workspace_id: &str) -> Result<Vec<(&'static str, String)>, StoreError> {
    let mut found = Vec::new();
    for (table, sql) in OFF {
        for row in tx.rows(sql, &[P::T(workspace_id)]).await? {
            found.push((*table, row.text(0)?));
        }
    }
    Ok(found)
}

/// Counts everything of a workspace anew. Writers wait meanwhile.
///
/// # Errors
/// The database's.
pub async fn rebuild(tx: &mut Tx<'_>, workspace_id: &str) -> Result<(), StoreError> {
    if tx.is_postgres() {
        // Who has written rows and not yet counted them waits here; who has counted them is seen below.
        let sql = "LOCK TABLE connection_day, partner_total, program_day_money, partner_day_money, partner_month_money, program_day, \
             partner_day, link_day IN SHARE ROW EXCLUSIVE MODE";
        tx.exec(sql, &[]).await?;
    }
    for sql in REBUILD {
        tx.exec(sql, &[P::T(workspace_id)]).await?;
    }
    Ok(())
}
