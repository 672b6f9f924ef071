//! Processes of their own that end with this one, and what the system says of them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

/// Any failure, for a person.
pub(crate) type Fail = Box<dyn std::error::Error + Send + Sync>;

/// Clock ticks a second in `/proc/PID/stat`: 100 on every Linux that Rust runs on.
const TICKS: u64 = 100;

/// A running process. It is killed when this value goes away.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Its id.
    pub(crate) pid: u32,
    /// Where its standard output and error go.
    pub(crate) log: PathBuf,
}

/// A command without the caller's environment, but for what programs need to run.
pub(crate) fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).env("HOME", folder).env("LANG", "C.UTF-8").kill_on_drop(true);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

impl Running {
    /// Starts a process.
    pub(crate) fn start(mut command: Command, log: PathBuf) -> Result<Self, Fail> {
        let file = std::fs::File::create(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn()?;
        let pid = child.id().ok_or("the process ended at once")?;
        Ok(Self { child, pid, log })
    }

    /// Has it ended? Then what it said last.
    pub(crate) fn ended(&mut self) -> Result<Option<String>, Fail> {
        let Some(status) = self.child.try_wait()? else { return Ok(None) };
        let said = std::fs::read_to_string(&self.log)?;
        let from = said.len().saturating_sub(2_000);
        Ok(Some(format!("ended with {status}: {}", said.get(from..).unwrap_or(&said))))
    }

    /// SIGTERM, and up to 15 s to end.
    pub(crate) async fn stop(mut self) -> Result<(), Fail> {
        let told = Command::new("kill").args(["-TERM", &self.pid.to_string()]).status().await?;
        if !told.success() {
            return Err(format!("process {} was gone before it was stopped", self.pid).into());
        }
        let status = tokio::time::timeout(Duration::from_secs(15), self.child.wait()).await;
        match status.map_err(|_| "the server did not end within 15 s")?? {
            status if status.success() => Ok(()),
            status => {
                Err(format!("the server ended with {status}; its log is {}", self.log.display()).into())
            }
        }
    }

    /// Memory in RAM, kB.
    pub(crate) fn memory_kb(&self) -> Result<i64, Fail> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }

    /// Processor time used so far, µs.
    pub(crate) fn cpu_us(&self) -> Result<u64, Fail> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        let after_name = stat.rsplit_once(')').ok_or("an odd /proc/PID/stat")?.1;
        let mut fields = after_name.split_whitespace().skip(11);
        let mut next = || fields.next().ok_or("a short /proc/PID/stat").map(str::parse::<u64>);
        Ok((next()?? + next()??) * (1_000_000 / TICKS))
    }
}

/// Runs a command to its end and reads the JSON that it prints; it has to succeed.
pub(crate) async fn json(mut command: Command, stdin: &str) -> Result<serde_json::Value, Fail> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(stdin.as_bytes()).await?;
    }
    let output = tokio::time::timeout(Duration::from_secs(300), child.wait_with_output());
    let output = output.await.map_err(|_| "a command took longer than 300 s")??;
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!("{:?} failed: {said} {error}", command.as_std().get_args()).into());
    }
    Ok(serde_json::from_str(&said)?)
}

/// A port that nobody listens on at the moment.
pub(crate) fn free_port() -> Result<u16, Fail> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Unix seconds.
#[expect(clippy::disallowed_methods, reason = "the edge of this program: signatures need the time")]
pub(crate) fn now_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Waits for SIGTERM, SIGHUP or Ctrl-C.
pub(crate) async fn told_to_stop() -> Result<(), Fail> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
        told = tokio::signal::ctrl_c() => Ok(told?),
    }
}
