//! The two folders of migrations are twins, and every key begins with the workspace.

use super::{files, has_word, rust};
use std::collections::BTreeMap;

/// Tables that are looked up without a workspace, or are it.
const WITHOUT_WORKSPACE: &[&str] = &["route", "workspace"];

/// A column: its type and whether it takes NULL.
type Columns = BTreeMap<String, (String, bool)>;

#[derive(Debug, Default)]
struct Schema {
    /// Columns by table.
    tables: BTreeMap<String, Columns>,
    /// (table, kind, first column) of every key.
    keys: Vec<(String, String, Vec<String>)>,
}

fn texts(engine: &str) -> BTreeMap<String, String> {
    let folder = format!("crates/store/migrations/{engine}");
    let all = files(&folder).into_iter();
    all.map(|(name, path)| {
        let name = name.rsplit('/').next().expect("a name").to_owned();
        (name, std::fs::read_to_string(path).expect("text"))
    })
    .collect()
}

fn without_comments(sql: &str) -> String {
    sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Cuts at a sign that stands outside of brackets and quotes.
fn split_outside(text: &str, sign: char) -> Vec<String> {
    let (mut depth, mut quoted, mut parts, mut part) = (0, false, Vec::new(), String::new());
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if c == sign && depth == 0 && !quoted {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    parts
        .into_iter()
        .map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|p| !p.is_empty())
        .collect()
}

/// What stands in the first brackets after `from`.
fn in_brackets(text: &str) -> String {
    let start = text.find('(').unwrap_or_else(|| panic!("no bracket in {text}"));
    let mut depth = 0;
    for (at, c) in text[start..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text[start + 1..start + at].to_owned();
        }
    }
    panic!("an open bracket in {text}")
}

fn columns_of(list: &str) -> Vec<String> {
    split_outside(list, ',').iter().map(|c| c.split(' ').next().unwrap_or_default().to_owned()).collect()
}

fn read(engine: &str) -> Schema {
    let mut schema = Schema::default();
    for text in texts(engine).values() {
        // Bodies of functions and triggers hold no tables.
        let text = without_comments(text);
        for statement in split_outside(&text, ';') {
            let words: Vec<&str> = statement.split(' ').collect();
            match words.as_slice() {
                // A partition has the columns and keys of the table that it is a part of.
                ["CREATE", "TABLE", _, "PARTITION", "OF", ..] => {}
                ["CREATE", "TABLE", name, ..] => {
                    table(&mut schema, name.split('(').next().unwrap_or(name), &statement)
                }
                ["CREATE", "UNIQUE", "INDEX", _, "ON", table, ..] => {
                    let columns = columns_of(&in_brackets(&statement));
                    schema.keys.push(((*table).to_owned(), "unique index".to_owned(), columns));
                }
                ["ALTER", "TABLE", table, "ADD", "COLUMN", ..] => {
                    let definition = words[5..].join(" ");
                    column(&mut schema, table, &definition);
                }
                _ => {}
            }
        }
    }
    schema
}

fn table(schema: &mut Schema, name: &str, statement: &str) {
    schema.tables.entry(name.to_owned()).or_default();
    for item in split_outside(&in_brackets(statement), ',') {
        let first = item.split([' ', '(']).next().unwrap_or_default();
        match first {
            "PRIMARY" | "UNIQUE" | "FOREIGN" => {
                schema.keys.push((name.to_owned(), first.to_lowercase(), columns_of(&in_brackets(&item))));
                if let Some((_, target)) = item.split_once("REFERENCES ") {
                    schema.keys.push((
                        name.to_owned(),
                        "reference".to_owned(),
                        columns_of(&in_brackets(target)),
                    ));
                }
            }
            "CHECK" | "CONSTRAINT" => {}
            _ => column(schema, name, &item),
        }
    }
}

fn column(schema: &mut Schema, table: &str, definition: &str) {
    let mut words = definition.split(' ');
    let (name, type_) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    for key in ["PRIMARY KEY", "UNIQUE", "REFERENCES"] {
        if definition.contains(key) {
            schema.keys.push((table.to_owned(), key.to_lowercase(), vec![name.to_owned()]));
        }
    }
    let type_ = if type_ == "BYTEA" { "BLOB" } else { type_ };
    let nullable = !definition.contains("NOT NULL");
    schema.tables.entry(table.to_owned()).or_default().insert(name.to_owned(), (type_.to_owned(), nullable));
}

#[test]
fn both_folders_have_the_same_numbers_and_names() {
    let (sqlite, postgres) = (texts("sqlite"), texts("postgres"));
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    assert!(sqlite.len() >= 4, "migrations are found");
    let mut last = 0;
    for name in sqlite.keys() {
        let number = name.split('_').next().filter(|digits| digits.len() == 4);
        let number: u32 = number.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{name}"));
        assert!(number > last && name.ends_with(".sql"), "{name}: two with one number");
        last = number;
    }
}

#[test]
fn both_folders_make_the_same_tables() {
    let (sqlite, postgres) = (read("sqlite"), read("postgres"));
    assert_eq!(sqlite.tables, postgres.tables);
    let sorted = |schema: &Schema| {
        let mut keys = schema.keys.clone();
        keys.sort();
        keys
    };
    assert_eq!(sorted(&sqlite), sorted(&postgres));
    assert!(
        sqlite.tables.len() > 20 && sqlite.tables["entry"].contains_key("amount"),
        "the tables were read"
    );
}

#[test]
fn every_key_begins_with_the_workspace() {
    let schema = read("sqlite");
    let mut checked = 0;
    for (table, kind, columns) in &schema.keys {
        if !WITHOUT_WORKSPACE.contains(&table.as_str()) {
            assert_eq!(
                columns.first().map(String::as_str),
                Some("workspace_id"),
                "{table}: {kind} ({columns:?})"
            );
            checked += 1;
        }
    }
    for (table, columns) in &schema.tables {
        if !WITHOUT_WORKSPACE.contains(&table.as_str()) {
            assert_eq!(columns.get("workspace_id"), Some(&("TEXT".to_owned(), false)), "{table}");
            assert!(
                schema.keys.iter().any(|(t, kind, _)| t == table && kind == "primary"),
                "{table}: no primary key"
            );
        }
    }
    assert!(checked > 40, "only {checked} keys were found");
}

#[test]
fn money_and_times_are_whole_numbers() {
    for (table, columns) in read("sqlite").tables {
        for (column, (type_, _)) in columns {
            assert!(
                ["TEXT", "BLOB", "BIGINT", "BOOLEAN"].contains(&type_.as_str()),
                "{table}.{column} is {type_}: text, bytes, whole numbers and flags are all we use"
            );
        }
    }
}

#[test]
fn sql_says_nothing_that_one_engine_does_not_know() {
    const WORDS: &[&str] =
        &["ILIKE", "SERIAL", "BIGSERIAL", "AUTOINCREMENT", "REAL", "DOUBLE", "NUMERIC", "TIMESTAMP"];
    const PARTS: &[&str] =
        &["NOW()", "CURRENT_TIMESTAMP", "json_extract", "INSERT OR", "gen_random", "datetime("];
    let mut sources = rust("crates/store/src");
    for engine in ["sqlite", "postgres"] {
        sources.extend(
            texts(engine)
                .into_iter()
                .map(|(name, text)| (format!("{engine}/{name}"), without_comments(&text))),
        );
    }
    assert!(sources.len() > 15, "the sources were read");
    for (name, text) in &sources {
        for word in WORDS {
            assert!(!has_word(text, word), "{name} says {word}");
        }
        for part in PARTS {
            assert!(!text.contains(part), "{name} says {part}");
        }
    }
}
