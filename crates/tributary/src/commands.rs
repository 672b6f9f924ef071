//! One file for each command.

mod db_copy;
mod doctor;
mod erase;
mod explain;
mod migrate;
mod openapi;
mod password;
mod reconcile;
mod replay;
mod sandbox;
mod serve;
mod setup;
mod stripe_backfill;
mod stripe_connect;
mod verify;

use crate::cli::{Command, DbCommand, StripeCommand};
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
        Command::Replay(args) => replay::run(&config, &args, out).await,
        Command::Explain { id } => explain::run(&config, &id, out).await,
        Command::Verify { rebuild, as_of } => verify::run(&config, rebuild, as_of, out).await,
        Command::Erase(args) => erase::run(&config, &args, out).await,
        Command::Db(DbCommand::Copy { to }) => db_copy::run(&config, &to, out).await,
        Command::Doctor { checklist } => doctor::run(&config, checklist, out).await,
        Command::Password { email, password_stdin } => {
            password::run(&config, &email, password_stdin, out).await
        }
        Command::Openapi => openapi::run(out),
    }
}
