//! `tributary openapi`: the description from which `docs/openapi.json` is made.

use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(out: &Output) -> Result<Exit, Failure> {
    let text = tributary_server::api::openapi_json();
    if text.is_empty() {
        return Err(Failure::problem("The description cannot be written."));
    }
    out.print(text.trim_end());
    Ok(Exit::Ok)
}
