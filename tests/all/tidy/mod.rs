//! Rules of the house that need no running server.

mod dependencies;
mod interface;
mod migrations;
mod traps;
mod words;

use std::path::{Path, PathBuf};

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] =
    &["target", "node_modules", "dist", ".git", ".venv", "tributary-data", "__pycache__", "work"];

/// Every file of the repository below a folder, as (path inside the repository, path).
fn files(below: &str) -> Vec<(String, PathBuf)> {
    let root = crate::support::repository();
    let mut found = Vec::new();
    collect(&root.join(below), &mut found);
    found.sort();
    let inside = |path: &Path| path.strip_prefix(&root).expect("inside").to_string_lossy().into_owned();
    found.into_iter().map(|path| (inside(&path), path)).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

/// The Rust files below a folder with their texts.
fn rust(below: &str) -> Vec<(String, String)> {
    let rust = files(below).into_iter().filter(|(name, _)| name.ends_with(".rs"));
    rust.map(|(name, path)| (name, std::fs::read_to_string(path).expect("text"))).collect()
}

/// Does a text hold a word, not as a part of a longer one?
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word)
        .any(|(at, _)| !part(text[..at].chars().next_back()) && !part(text[at + word.len()..].chars().next()))
}

/// Is it a file of tests?
fn is_test(name: &str) -> bool {
    name.starts_with("tests/")
        || name.contains("/tests/")
        || name.ends_with("/tests.rs")
        || name.ends_with("_tests.rs")
        || name.ends_with("_test.rs")
}
