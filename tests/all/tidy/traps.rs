//! Every test that docs/STRIPE.md names is there, and every trap names one.

use crate::support::repository;

/// The table of traps begins under this heading.
const TABLE: &str = "## Traps, and the test that fails without its guard";

/// `path::name` in backticks.
fn named(text: &str) -> Vec<(String, String)> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.split_once("::"))
        .filter(|(path, _)| path.contains('/') && path.contains('.'))
        .map(|(path, name)| (path.to_owned(), name.to_owned()))
        .collect()
}

#[test]
fn every_test_that_the_manual_names_exists() {
    let manual = std::fs::read_to_string(repository().join("docs/STRIPE.md")).expect("docs/STRIPE.md");
    let all = named(&manual);
    assert!(all.len() >= 91, "{} tests are named", all.len());
    for (path, name) in all {
        let text =
            std::fs::read_to_string(repository().join(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        let there = if path.ends_with(".rs") {
            text.contains(&format!("fn {name}("))
        } else {
            text.contains(&format!("test(\"{name}"))
        };
        assert!(there, "{path} has no test “{name}”");
    }
}

#[test]
fn every_trap_has_a_test() {
    let manual = std::fs::read_to_string(repository().join("docs/STRIPE.md")).expect("docs/STRIPE.md");
    let table = manual.split(TABLE).nth(1).expect("the table of traps");
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| trap"));
    let mut count = 0;
    for row in rows {
        count += 1;
        assert!(!named(row).is_empty(), "no test guards: {row}");
    }
    assert!(count >= 48, "{count} traps");
}

#[test]
fn the_manuals_name_every_event_that_is_subscribed_to() {
    let names = tributary_stripe::events::subscribed();
    assert!(names.len() >= 29, "{names:?}");
    let manual =
        std::fs::read_to_string(repository().join("docs/OPERATIONS.md")).expect("docs/OPERATIONS.md");
    let list = manual.split("Choose these events:").nth(1).expect("the list for an endpoint made by hand");
    let list = list.split("`stripe connect`").next().expect("its end");
    for name in names {
        assert!(list.contains(&format!("`{name}`")), "{name} is missing in docs/OPERATIONS.md");
    }
}
