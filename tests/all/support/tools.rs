//! Official SDKs and doubles in other languages: made ready by `tests/setup.sh`, run as processes of their own.

use super::process::{self, Output};
use super::repository;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Runs `tests/setup.sh WHAT` once in this process; it does nothing where all is in place.
async fn ready(cell: &'static OnceCell<()>, what: &str) {
    cell.get_or_init(|| async {
        let mut setup = tokio::process::Command::new("bash");
        setup.arg(repository().join("tests/setup.sh")).arg(what).current_dir(repository()).kill_on_drop(true);
        process::run(setup, "", Duration::from_secs(280)).await.ok();
    })
    .await;
}

/// Node's program and the folder with Stripe's SDK.
pub async fn node() -> PathBuf {
    static READY: OnceCell<()> = OnceCell::const_new();
    ready(&READY, "node").await;
    repository().join("tests/node")
}

/// A program of the Python environment (`python`, `localstripe`).
pub async fn python(program: &str) -> PathBuf {
    static READY: OnceCell<()> = OnceCell::const_new();
    ready(&READY, "python").await;
    repository().join("tests/.venv/bin").join(program)
}

/// Which official SDK signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    /// npm `stripe`
    Node,
    /// `PyPI` `stripe`
    Python,
}

/// Runs a tool in its folder. Its home is a folder of its own, since SDKs leave files there.
async fn run_tool(mut command: tokio::process::Command, stdin: &str, limit: Duration) -> Output {
    let home = tempfile::tempdir().expect("a folder");
    command.env("HOME", home.path());
    process::run(command, stdin, limit).await
}

/// Lets an official SDK sign bodies: each of `jobs` is `{payload, secret, timestamp}`, each answer a header.
pub async fn sign(sdk: Sdk, jobs: &Value) -> Vec<String> {
    let output = match sdk {
        Sdk::Node => {
            let folder = node().await;
            let mut command = process::command("node", &folder);
            command.arg(folder.join("sign.mjs"));
            run_tool(command, &jobs.to_string(), Duration::from_secs(60)).await
        }
        Sdk::Python => {
            let mut command = process::command(python("python").await, &repository());
            command.arg("tests/python/sign.py");
            run_tool(command, &jobs.to_string(), Duration::from_secs(60)).await
        }
    };
    serde_json::from_str(output.ok().stdout.trim()).expect("a list of headers")
}

/// Runs a script of `tests/python` with Stripe's SDK at hand.
pub async fn python_script(script: &str, stdin: &Value, limit: Duration) -> Output {
    let mut command = process::command(python("python").await, &repository());
    command.arg(format!("tests/python/{script}"));
    run_tool(command, &stdin.to_string(), limit).await
}
