//! What we depend on: licences, sources, minimum versions, and who may know whom.

use crate::support::repository;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

/// Licences under which a part may go into an Apache-2.0 program.
const ALLOWED: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "BSL-1.0",
    "CC0-1.0",
    "Unlicense",
    "Unicode-3.0",
    "CDLA-Permissive-2.0",
];

/// The oldest version of a package that is free of a known fault.
const AT_LEAST: &[(&str, (u64, u64, u64))] = &[
    ("h2", (0, 4, 16)),
    ("rustls", (0, 23, 46)),
    ("rustls-webpki", (0, 103, 13)),
    ("tracing-subscriber", (0, 3, 20)),
    ("ring", (0, 17, 14)),
    ("hyper", (1, 0, 0)),
];

/// Packages that must not be there at all: other TLS stacks.
const REFUSED: &[&str] =
    &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys", "async-stripe", "sqlx"];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(repository().join("Cargo.toml"))
        .other_options(vec!["--locked".to_owned()])
        .exec()
        .expect("cargo metadata with the lock file as it is")
}

#[test]
fn every_licence_fits_apache_2() {
    let metadata = metadata();
    for package in &metadata.packages {
        let expression = package.license.clone().unwrap_or_default();
        assert!(allowed(&expression), "{} {}: licence {expression:?}", package.name, package.version);
    }
    for refused in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND SSPL-1.0", "", "MPL-2.0"] {
        assert!(!allowed(refused), "the rule itself takes {refused:?}");
    }
    for taken in ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert!(allowed(taken), "the rule itself refuses {taken:?}");
    }
}

/// An SPDX expression: `AND` binds stronger than `OR`; brackets; the old `/` means `OR`.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let verdict = either(&tokens, &mut at);
    verdict && at == tokens.len()
}

fn either(tokens: &[&str], at: &mut usize) -> bool {
    let mut verdict = both(tokens, at);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        let other = both(tokens, at);
        verdict = verdict || other;
    }
    verdict
}

fn both(tokens: &[&str], at: &mut usize) -> bool {
    let mut verdict = one(tokens, at);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        let other = one(tokens, at);
        verdict = verdict && other;
    }
    verdict
}

fn one(tokens: &[&str], at: &mut usize) -> bool {
    let Some(token) = tokens.get(*at) else { return false };
    *at += 1;
    if *token == "(" {
        let verdict = either(tokens, at);
        let closed = tokens.get(*at) == Some(&")");
        *at += 1;
        return verdict && closed;
    }
    let mut name = (*token).to_owned();
    if tokens.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", tokens.get(*at + 1).copied().unwrap_or_default());
        *at += 2;
    }
    ALLOWED.contains(&name.as_str())
}

#[test]
fn everything_comes_from_the_registry_or_from_here() {
    let metadata = metadata();
    let ours: BTreeSet<_> = metadata.workspace_members.iter().cloned().collect();
    for package in &metadata.packages {
        match &package.source {
            None => assert!(ours.contains(&package.id), "{} comes from a path outside", package.name),
            Some(source) => {
                let source = source.to_string();
                assert!(
                    source.starts_with("registry+") || source.starts_with("sparse+"),
                    "{}: {source}",
                    package.name
                );
            }
        }
    }
    assert!(metadata.packages.len() > ours.len(), "the graph was read");
}

#[test]
fn no_known_faulty_version_and_one_tls_only() {
    let metadata = metadata();
    for package in &metadata.packages {
        let name = package.name.to_string();
        assert!(!REFUSED.contains(&name.as_str()), "{name} is in the graph");
        if let Some((_, least)) = AT_LEAST.iter().find(|(known, _)| *known == name) {
            let version = (package.version.major, package.version.minor, package.version.patch);
            assert!(version >= *least, "{name} {} is older than {least:?}", package.version);
        }
    }
    for needed in ["h2", "rustls", "rustls-webpki", "tracing-subscriber"] {
        assert!(
            metadata.packages.iter().any(|p| p.name.as_str() == needed),
            "{needed} is no longer there: fix the list"
        );
    }
}

#[test]
fn sqlite_is_newer_than_the_wal_fault() {
    assert!(rusqlite::version_number() >= 3_051_003, "SQLite {}", rusqlite::version());
}

#[test]
fn layers_know_only_what_lies_below() {
    let rules: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("tributary-domain", &[] as &[&str]),
        ("tributary-stripe", &["tributary-domain"]),
        ("tributary-store", &["tributary-domain"]),
        ("tributary-server", &["tributary-domain", "tributary-stripe", "tributary-store"]),
        ("tributary-sandbox", &[]),
        (
            "tributary",
            &[
                "tributary-domain",
                "tributary-stripe",
                "tributary-store",
                "tributary-server",
                "tributary-sandbox",
            ],
        ),
        ("tributary-tests", &[]),
    ]);
    let metadata = metadata();
    let mut seen = 0;
    for package in metadata.workspace_packages() {
        let name = package.name.to_string();
        let may = rules.get(name.as_str()).unwrap_or_else(|| panic!("no rule for {name}"));
        let uses = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
        for dependency in uses.filter(|d| d.name.starts_with("tributary")) {
            assert!(may.contains(&dependency.name.as_str()), "{name} must not know {}", dependency.name);
        }
        seen += 1;
    }
    assert_eq!(seen, rules.len(), "every crate has a rule");
}

#[test]
fn the_domain_does_no_input_or_output() {
    let metadata = metadata();
    let domain =
        metadata.packages.iter().find(|p| p.name.as_str() == "tributary-domain").expect("the domain");
    for dependency in domain.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal) {
        assert!(
            !["tokio", "axum", "reqwest", "rusqlite", "tokio-postgres", "hyper", "getrandom", "tracing"]
                .contains(&dependency.name.as_str()),
            "the domain depends on {}",
            dependency.name
        );
    }
}
