//! What every call may answer, whatever it does: said once, of all of them.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Content, OpenApi, Ref, Response};

/// Statuses that do not depend on the call.
const EVERYWHERE: &[(&str, &str)] = &[
    ("400", "The query or the body cannot be read."),
    ("413", "The body is larger than 1 MiB."),
    ("500", "A fault of the server: nothing was kept, and `x-request-id` names it in the log."),
    ("503", "The database is not available: nothing was kept. `Retry-After` says when to try again."),
];

/// Adds them to every operation that does not speak of them itself.
pub(super) fn describe(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            for (status, words) in EVERYWHERE {
                let known = &mut operation.responses.responses;
                known.entry((*status).to_owned()).or_insert_with(|| refusal(words).into());
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
}

fn refusal(words: &str) -> Response {
    let mut response = Response::new(words);
    let content = Content::new(Some(Ref::from_schema_name("Refusal")));
    response.content.insert("application/json".to_owned(), content.into());
    response
}
