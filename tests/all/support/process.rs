//! The real binary as processes of their own.

use super::repository;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

/// What a finished command left behind.
#[derive(Debug)]
pub struct Output {
    /// The exit status; -1 if a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Output {
    /// Standard output as JSON: with `--json` there must be nothing else on it.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.stdout.trim())
            .unwrap_or_else(|error| panic!("stdout is not JSON alone ({error}): {self:?}"))
    }

    /// A command that had to refuse: with a sentence that says `word`, and without a panic. Answers what it said.
    pub fn expect_failure(&self, word: &str) -> String {
        assert!((1..=3).contains(&self.code), "the command should have refused: {self:?}");
        let said = format!("{}{}", self.stdout, self.stderr);
        assert!(said.to_lowercase().contains(&word.to_lowercase()), "it does not say {word:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{said}");
        said
    }

    /// The output of a command that had to succeed.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "the command failed: {self:?}");
        self
    }
}

/// The built `tributary`. It is built first unless `TRIBUTARY_TEST_BIN` names one.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("TRIBUTARY_TEST_BIN") {
            return PathBuf::from(path);
        }
        let exe = std::env::current_exe().expect("this test has a path");
        let folder =
            exe.parent().and_then(Path::parent).expect("a test lies in target/PROFILE/deps").to_path_buf();
        // The same set of targets as the tests themselves, so that nothing is built twice.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = std::process::Command::new(cargo)
            .args(["build", "--workspace", "--all-targets", "--quiet"])
            .current_dir(repository())
            .status()
            .expect("cargo runs");
        assert!(built.success(), "tributary does not build");
        folder.join("tributary")
    })
}

/// A command with nothing of the caller's environment but what programs need to run.
pub fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).env("HOME", folder).env("LANG", "C.UTF-8").kill_on_drop(true);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Runs a command to its end; a command that takes longer than `limit` fails the test.
pub async fn run(mut command: Command, stdin: &str, limit: Duration) -> Output {
    let what = format!("{:?}", command.as_std());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut pipe = child.stdin.take().expect("stdin is a pipe");
    let text = stdin.to_owned();
    let writer = tokio::spawn(async move {
        // A program that ends without reading everything closes the pipe: its exit status tells more.
        let _ = pipe.write_all(text.as_bytes()).await;
    });
    let output = tokio::time::timeout(limit, child.wait_with_output())
        .await
        .unwrap_or_else(|_| panic!("{what} did not end within {limit:?}"))
        .expect("the command can be waited for");
    writer.await.expect("stdin is written");
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A process that runs until it is told to stop. It dies with this value.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Where its output goes.
    pub log: PathBuf,
}

impl Running {
    /// Starts a command; both outputs are appended to `log`.
    pub fn start(mut command: Command, log: PathBuf) -> Self {
        let file = std::fs::File::options().create(true).append(true).open(&log).expect("the log opens");
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a second handle")).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", command.as_std()));
        Self { child, log }
    }

    /// The exit status if it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().expect("the process can be asked").map(|status| status.code().unwrap_or(-1))
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// `kill -9`, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("the process can be killed");
    }

    /// SIGTERM, and waits for the end at most `limit`.
    pub async fn terminate(&mut self, limit: Duration) -> i32 {
        let id = self.id().to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success(), "SIGTERM could not be sent");
        let status = tokio::time::timeout(limit, self.child.wait()).await;
        status
            .expect("the process did not end on SIGTERM")
            .expect("it can be waited for")
            .code()
            .unwrap_or(-1)
    }
}

/// The last lines of a file.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
