//! The interface that is written down is the interface that is served.

use crate::support::process;
use crate::support::repository;
use std::time::Duration;

#[tokio::test]
async fn the_openapi_document_is_the_one_of_the_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = process::command(process::binary(), folder.path());
    command.arg("openapi");
    let printed = process::run(command, "", Duration::from_secs(30)).await.ok().json();
    let path = repository().join("docs/openapi.json");
    let kept = std::fs::read_to_string(&path).expect("docs/openapi.json is there");
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("docs/openapi.json is JSON");
    assert_eq!(printed, kept, "write it anew: tributary openapi > docs/openapi.json");
    assert!(printed["paths"].as_object().is_some_and(|paths| paths.len() >= 8), "the document has paths");
}
