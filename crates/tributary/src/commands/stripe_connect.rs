//! `tributary stripe connect`

use crate::cli::ConnectArgs;
use crate::config::{Config, stripe_api_base};
use crate::failure::{Exit, Failure, sentence};
use crate::open::{Begin, app};
use crate::output::Output;
use crate::secrets;
use tributary_server::connect::{ConnectFailure, Connected, Request, With, connect};

pub(super) async fn run(config: &Config, args: ConnectArgs, out: &Output) -> Result<Exit, Failure> {
    if let Some(base) = &args.api_base {
        stripe_api_base(base).map_err(|reason| Failure::usage(format!("--api-base: {reason}.")))?;
    }
    let flags = [("--api-key-stdin", true), ("--webhook-secret-stdin", args.webhook_secret_stdin)];
    let [api_key, webhook_secret] = secrets::read(flags)?;
    let api_key = api_key.ok_or_else(|| Failure::usage("--api-key-stdin is needed."))?;
    let app = app(config, Begin::Take, out).await?;
    let request = Request {
        program: args.program,
        with: With::Key(api_key),
        webhook_secret,
        api_base: args.api_base,
        poll: args.poll,
        actor: tributary_server::audit::COMMAND_LINE.to_owned(),
        only: None,
    };
    let connected = connect(&app, &request).await.map_err(failure)?;
    app.db.close().await;
    for warning in &connected.warnings {
        out.say(&format!("Note: {warning}"));
    }
    out.answer(&connected, words)?;
    Ok(Exit::Ok)
}

fn failure(error: ConnectFailure) -> Failure {
    let message = sentence(&error.to_string());
    match &error {
        _ if error.is_unavailable() => Failure::unavailable(message),
        ConnectFailure::Key(_) | ConnectFailure::Base(_) | ConnectFailure::Secret(_) => {
            Failure::usage(message)
        }
        _ => Failure::problem(message),
    }
}

fn words(connected: &Connected) -> String {
    let name = connected.account_name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
    let mode = if connected.livemode { "live" } else { "test" };
    let events = match &connected.webhook_endpoint {
        Some(id) => format!("Events arrive by the webhook endpoint {id} at {}.", connected.webhook_url),
        None if connected.polling => "Events are polled.".to_owned(),
        None => format!("Events arrive by your own webhook endpoint at {}.", connected.webhook_url),
    };
    let shows = if connected.livemode { "\nThe program shows live data from now on." } else { "" };
    format!(
        "Connected {}{name} in {mode} mode as {}; it feeds the program {}.\n{events}{shows}",
        connected.account_id, connected.connection_id, connected.program_public_id
    )
}
