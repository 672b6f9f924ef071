//! `tributary openapi`: the description from which `docs/openapi.json` is made.

use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(out: &Output) -> Result<Exit, Failure> {
    let text = serde_json::to_string_pretty(&tributary_server::api::openapi())
        .map_err(|e| Failure::problem(format!("The description cannot be written: {e}.")))?;
    out.print(&text);
    Ok(Exit::Ok)
}
