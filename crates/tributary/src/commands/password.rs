//! `tributary password`

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::open::{Begin, app};
use crate::output::Output;
use crate::secrets;
use secrecy::ExposeSecret;
use serde::Serialize;
use tributary_server::auth::new_password::NewPassword;
use tributary_server::setup::{checks, make};
use tributary_server::{audit, password};
use tributary_store::setup::Look;

/// Whose password it is now.
#[derive(Debug, Serialize)]
struct Answer {
    email: String,
    /// Sessions that ended.
    sessions_ended: usize,
}

/// Gives a user a new password. Who can run it can read the database anyway.
pub(super) async fn run(config: &Config, email: &str, asked: bool, out: &Output) -> Result<Exit, Failure> {
    let email = checks::email(email).map_err(|words| Failure::usage(format!("--email: {words}")))?;
    let [typed] = secrets::read([("--password-stdin", asked)])?;
    let typed = typed.ok_or_else(|| Failure::usage("--password-stdin is needed."))?;
    password::check_new(typed.expose_secret(), &[&email])
        .map_err(|e| Failure::usage(format!("The password is not taken: {e}.")))?;
    let app = app(config, Begin::Take, out).await?;
    let found = app.db.read(Look { email: email.clone() }).await?;
    let Some(login) = found.login else {
        return Err(Failure::problem(format!("No user logs in with {email}. Nothing was changed.")));
    };
    let unit = NewPassword {
        workspace_id: login.workspace_id,
        user_id: login.user_id,
        password_hash: make::hash(typed).await?,
        actor: audit::COMMAND_LINE.to_owned(),
        now: app.now(),
    };
    let sessions_ended = app.db.write(unit).await?;
    app.db.close().await;
    out.answer(&Answer { email, sessions_ended }, |answer| {
        format!("{} has a new password. Sessions that ended: {}.", answer.email, answer.sessions_ended)
    })?;
    Ok(Exit::Ok)
}
