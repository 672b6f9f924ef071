//! The command line of Tributary.

mod cli;
mod commands;
mod config;
mod failure;
mod master_key;
mod open;
mod output;
mod secrets;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let out = output::Output::new(cli.json);
    match run(cli, &out) {
        Ok(done) => ExitCode::from(done.code()),
        Err(failure) => {
            out.failure(&failure);
            ExitCode::from(failure.exit.code())
        }
    }
}

fn run(cli: cli::Cli, out: &output::Output) -> Result<failure::Exit, failure::Failure> {
    let config = config::Config::load(cli.config.as_deref())?;
    output::start_log(&config, matches!(cli.command, cli::Command::Serve | cli::Command::Sandbox(_)))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| failure::Failure::unavailable(format!("The runtime cannot start: {e}")))?;
    let done = runtime.block_on(commands::run(cli.command, config, out));
    // What still runs after the command's end must not hold it up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    done
}
