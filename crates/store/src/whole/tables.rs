//! Every table, in an order that foreign keys allow. A new table belongs here: a test compares the list with the schema.

use super::{Class, Table};

const fn table(name: &'static str, class: Class) -> Table {
    Table { name, class, sources: "" }
}

/// All tables.
pub const TABLES: &[Table] = &[
    table("workspace", Class::Source),
    Table { sources: "kind <> 'session'", ..table("route", Class::Setting) },
    table("user_account", Class::Setting),
    table("user_session", Class::Local),
    table("program", Class::Source),
    table("terms", Class::Source),
    table("policy", Class::Source),
    table("api_key", Class::Setting),
    table("partner", Class::Source),
    table("partner_status", Class::Source),
    table("referral_link", Class::Source),
    table("partner_code", Class::Source),
    // One that a purchase bore is derived, unless the API has written something for it since.
    Table {
        sources: "origin = 'api' OR customer_id IN (SELECT customer_id FROM api_transaction)",
        ..table("customer", Class::Source)
    },
    table("known_as", Class::Source),
    table("connection", Class::Source),
    table("connection_secret", Class::Setting),
    table("connection_program", Class::Source),
    table("feed_span", Class::Source),
    table("oauth_client", Class::Setting),
    table("oauth_state", Class::Local),
    table("connection_token", Class::Setting),
    table("alert", Class::Local),
    table("visit", Class::Raw),
    table("visitor_link", Class::Local),
    table("browser_signup", Class::Source),
    table("sighting", Class::Setting),
    table("api_transaction", Class::Source),
    table("decision", Class::Source),
    // Who changed what: kept, and nothing is derived from it.
    table("audit", Class::Setting),
    table("erasure", Class::Source),
    table("erased_object", Class::Source),
    table("erased_buyer", Class::Source),
    table("event", Class::Raw),
    table("event_payload", Class::Raw),
    table("observation", Class::Raw),
    table("import_run", Class::Local),
    table("import_lease", Class::Local),
    table("reconcile_item", Class::Local),
    table("fact", Class::Derived),
    table("alias", Class::Derived),
    table("sale", Class::Derived),
    table("evidence", Class::Derived),
    table("buyer_hint", Class::Derived),
    table("buyer_customer", Class::Derived),
    table("code_name", Class::Derived),
    table("scope", Class::Derived),
    table("commission", Class::Ledger),
    table("account", Class::Ledger),
    table("journal", Class::Ledger),
    table("entry", Class::Ledger),
    table("seal", Class::Ledger),
    table("unsealed", Class::Ledger),
    table("link_day", Class::Counter),
    table("program_day", Class::Counter),
    table("partner_day", Class::Counter),
    table("connection_day", Class::Derived),
    table("partner_total", Class::Derived),
    table("program_day_money", Class::Derived),
    table("partner_day_money", Class::Derived),
    table("partner_month_money", Class::Derived),
    table("job", Class::Local),
    table("copy_state", Class::Local),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;
    use crate::db::Location;
    use crate::whole::schema::{Names, columns_of};
    use std::collections::BTreeSet;

    #[tokio::test]
    async fn every_table_of_the_schema_is_in_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Location::Sqlite(folder.path().join("t.db"))).await.unwrap();
        db.migrate().await.unwrap();
        let found: BTreeSet<String> = db.read(Names).await.unwrap().into_iter().collect();
        let known: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
        assert_eq!(found, known, "a new table must be classed in whole/tables.rs");
        assert_eq!(known.len(), TABLES.len(), "each once");
        for table in TABLES {
            let columns = columns_of(&db, table.name).await.unwrap();
            assert!(columns.iter().any(|column| column.key > 0), "{}: its key is known", table.name);
        }
        db.close().await;
    }
}
