//! One file for each command.

mod doctor;
mod explain;
mod migrate;
mod openapi;
mod reconcile;
mod replay;
mod sandbox;
mod serve;
mod setup;
mod stripe_backfill;
mod stripe_connect;
mod verify;

use crate::cli::{Command, StripeCommand};
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Runs one command.
pub(crate) async fn run(command: Command, config: Config, out: &Output) -> Result<Exit, Failure> {
    match command {
        Command::Serve => serve::run(&config, out).await,
        Command::Sandbox(args) => sandbox::run(args, out).await,
        Command::Migrate => migrate::run(&config, out).await,
        Command::Setup(args) => setup::run(&config, &args, out).await,
        Command::Stripe(StripeCommand::Connect(args)) => stripe_connect::run(&config, args, out).await,
        Command::Stripe(StripeCommand::Backfill(args)) => stripe_backfill::run(&config, &args, out).await,
        Command::Reconcile(args) => reconcile::run(&config, &args, out).await,
        Command::Replay => replay::run(&config, out).await,
        Command::Explain { id } => explain::run(&config, &id, out).await,
        Command::Verify { rebuild } => verify::run(&config, rebuild, out).await,
        Command::Doctor => doctor::run(&config, out).await,
        Command::Openapi => openapi::run(out),
    }
}
