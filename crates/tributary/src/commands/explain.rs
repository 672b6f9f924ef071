//! `tributary explain`

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::open::{Begin, app};
use crate::output::Output;
use tributary_server::pipeline::explain;

/// No id of anybody is longer.
const ID_MAX: usize = 255;

pub(super) async fn run(config: &Config, id: &str, out: &Output) -> Result<Exit, Failure> {
    let id = id.trim();
    if id.is_empty() || id.len() > ID_MAX || id.chars().any(char::is_control) {
        return Err(Failure::usage("An id has 1 to 255 letters, such as in_1Nabc."));
    }
    let app = app(config, Begin::Take, out).await?;
    let found = explain::run(&app, id).await?;
    app.db.close().await;
    let Some(explanation) = found else {
        return Err(Failure::problem(format!(
            "Nothing is known of {id}. Give the id of a commission, a sale, or any Stripe object of it."
        )));
    };
    out.answer(&explanation, explain::Explanation::to_text)?;
    Ok(Exit::Ok)
}
