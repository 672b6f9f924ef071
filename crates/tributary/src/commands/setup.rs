//! `tributary setup`

mod input;

use crate::cli::SetupArgs;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::open::{Begin, app};
use crate::output::Output;
use crate::secrets;
use input::Input;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tributary_domain::ids::IdKind;
use tributary_server::setup::make::{self, ProgramInput, Refused};
use tributary_server::state::new_id;
use tributary_server::{App, api, connect, password};
use tributary_store::StoreError;
use tributary_store::setup::{Found, Look, Owner, Setup};
use tributary_store::workspaces::Program;

/// What was made.
#[derive(Debug, Serialize)]
struct Answer {
    workspace_id: String,
    workspace_made: bool,
    program_id: String,
    program_public_id: String,
    program: String,
    terms: String,
    hold_days: u32,
    api_key: String,
    login_url: String,
    partner_portal_url: String,
    webhook_url: String,
}

pub(super) async fn run(config: &Config, args: &SetupArgs, out: &Output) -> Result<Exit, Failure> {
    let input = Input::read(args)?;
    let [password] = secrets::read([("--password-stdin", args.password_stdin)])?;
    let password = password.ok_or_else(|| Failure::usage("--password-stdin is needed."))?;
    let app = app(config, Begin::Make, out).await?;
    let done = set_up(&app, input, password).await;
    app.db.close().await;
    out.answer(&done?, words)?;
    Ok(Exit::Ok)
}

async fn set_up(app: &App, input: Input, password: SecretString) -> Result<Answer, Failure> {
    let found = app.db.read(Look { email: input.email.clone() }).await?;
    let (workspace_id, owner) = workspace(&found, &input, password).await?;
    let wanted = ProgramInput {
        name: input.program.clone(),
        kind: input.kind.as_str(),
        website: input.website.clone(),
        currency: input.currency,
        match_email: input.match_email,
        terms: input.terms.clone(),
    };
    let (program, terms) = make::program(app, &workspace_id, &wanted)?;
    // Who sets up by command line needs no five steps in the browser.
    let mut program = Program { setup_done_at: Some(app.now()), ..program };
    for host in &input.payment_hosts {
        if !program.payment_hosts.contains(host) {
            program.payment_hosts.push(host.clone());
        }
    }
    let api_key = api::new_api_token()?;
    let setup = Setup {
        master: app.master().clone(),
        owner,
        program: program.clone(),
        terms,
        match_email: input.match_email,
        key_id: new_id(IdKind::ApiKey)?,
        token: api_key.clone(),
    };
    app.db.write(setup).await.map_err(refused)?;
    let base = app.settings.public_url.as_str().trim_end_matches('/');
    Ok(Answer {
        login_url: format!("{base}/login"),
        partner_portal_url: format!("{base}/portal/{}", program.public_id),
        webhook_url: connect::webhook_url(&app.settings.public_url, &program.public_id),
        workspace_made: !found.any_workspace,
        workspace_id: program.workspace_id,
        program_id: program.program_id,
        program_public_id: program.public_id,
        program: program.name,
        terms: input.terms.sentence(),
        hold_days: input.terms.hold_days,
        api_key,
    })
}

fn refused(error: StoreError) -> Failure {
    match error {
        StoreError::Conflict(reason) => Failure::problem(format!("Nothing was made: {reason}.")),
        other => other.into(),
    }
}

/// The workspace to work in: the user's, or a new one with this person as its owner.
async fn workspace(
    found: &Found,
    input: &Input,
    password: SecretString,
) -> Result<(String, Option<Owner>), Failure> {
    if let Some(login) = &found.login {
        let hash = login.password_hash.clone();
        let right = off_thread(move || Ok(password::matches(password.expose_secret(), &hash))).await?;
        return match (right, login.role.as_str()) {
            (false, _) => Err(wrong_user()),
            (true, "owner" | "admin") => Ok((login.workspace_id.clone(), None)),
            (true, _) => {
                Err(Failure::problem("This user may not make programs. Use an owner's or an admin's."))
            }
        };
    }
    if found.any_workspace {
        return Err(wrong_user());
    }
    let name = input.workspace_name();
    let owner = make::owner(&input.email, &name, &[&input.program], password).await.map_err(|e| match e {
        Refused::Password(e) => Failure::usage(format!("The password is not taken: {e}.")),
        Refused::Taken(words) => Failure::problem(words),
        Refused::Store(error) => error.into(),
    })?;
    Ok((new_id(IdKind::Workspace)?, Some(owner)))
}

fn wrong_user() -> Failure {
    Failure::problem(
        "There is a workspace already, and the e-mail address or the password is not of one of its users. \
         Give those of its owner to add a program.",
    )
}

/// Hashing takes tens of milliseconds of a core: away from the async threads.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|e| Failure::problem(format!("Hashing failed: {e}.")))??)
}

fn words(answer: &Answer) -> String {
    let made = if answer.workspace_made { "The workspace with its owner was made.\n" } else { "" };
    format!(
        "{made}The program “{}” was made with the id {}: {}, hold {} days.\n\
         API key (shown this once): {}\n\
         Log in: {}\n\
         Next: `tributary stripe connect --program {} --api-key-stdin`",
        answer.program,
        answer.program_public_id,
        answer.terms,
        answer.hold_days,
        answer.api_key,
        answer.login_url,
        answer.program_public_id,
    )
}
