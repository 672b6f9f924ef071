//! What must not stand in the repository, and how long a file may be.

use super::{files, has_word, is_test, rust};

/// The most lines of a source file outside of the tests.
const LONGEST: usize = 600;

/// Words that this file must know without saying them.
fn forbidden() -> Vec<String> {
    let join = |parts: &[&str]| parts.concat();
    vec![
        join(&["to", "do!("]),
        join(&["unimpl", "emented!("]),
        join(&["#[ig", "nore"]),
        join(&["test.sk", "ip("]),
        join(&["test.on", "ly("]),
        join(&["/wo", "rk/"]),
        join(&["/ro", "ot/"]),
        join(&["/tmp/no", "tes"]),
        join(&["registry.npm", "js.org"]),
        join(&["files.python", "hosted.org"]),
        join(&["pypi", ".org"]),
        join(&["index.crates", ".io"]),
        join(&["static.crates", ".io"]),
        join(&["BEGIN PRIVATE ", "KEY"]),
    ]
}

#[test]
fn nothing_unfinished_no_machine_and_no_registry_is_named() {
    let forbidden = forbidden();
    let mut read = 0;
    for (name, path) in files("") {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        read += 1;
        for word in &forbidden {
            assert!(name == "Cargo.lock" || !text.contains(word), "{name} says {word:?}");
        }
    }
    assert!(read > 100, "the files were read");
}

#[test]
fn no_file_is_too_long() {
    let mut lengths = Vec::new();
    for (name, text) in rust("crates") {
        if !is_test(&name) {
            let lines = text.lines().count();
            assert!(lines <= LONGEST, "{name} has {lines} lines");
            lengths.push(lines);
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 120, "half of the files have more than {median} lines");
}

#[test]
fn no_binary_fractions_near_money() {
    let mut read = 0;
    for (name, text) in rust("crates") {
        let near = name.starts_with("crates/domain/")
            || ["ledger", "settle", "money", "post", "commission", "journal"]
                .iter()
                .any(|part| name.contains(part));
        if near && !name.starts_with("crates/sandbox/") {
            read += 1;
            for word in ["f32", "f64"] {
                assert!(!has_word(&text, word), "{name} uses {word}");
            }
        }
    }
    assert!(read > 10, "the files were read");
}
