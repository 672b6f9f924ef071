//! Pages of lists, as Laravel's simple paginator shapes them.

use super::auth::Caller;
use super::error::{ApiError, Problems, json};
use super::input::Params;
use super::wire::{Links, List, Meta};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tributary_store::api::Page;

/// The parameters of every list.
pub const PAGING: [&str; 3] = ["limit", "page", "sort"];
const LIMIT_MAX: i64 = 250;
const LIMIT: i64 = 15;
const PAGE_MAX: i64 = 1_000_000;

fn number(params: &Params, name: &str, default: i64, max: i64, wrong: &mut Problems) -> i64 {
    let Some(text) = params.get(name) else { return default };
    match text.parse::<i64>() {
        Ok(value) if (1..=max).contains(&value) => value,
        _ => {
            wrong.insert(name.into(), vec![format!("The {name} must be a number between 1 and {max}.")]);
            default
        }
    }
}

/// Reads `limit`, `page` and `sort`.
///
/// # Errors
/// [`ApiError::Invalid`] for values out of range.
pub fn page_of(params: &Params) -> Result<Page, ApiError> {
    let mut wrong = Problems::new();
    let limit = number(params, "limit", LIMIT, LIMIT_MAX, &mut wrong);
    let page = number(params, "page", 1, PAGE_MAX, &mut wrong);
    let newest_first = match params.get("sort") {
        None | Some("desc") => true,
        Some("asc") => false,
        Some(_) => {
            wrong.insert("sort".into(), vec!["The sort is “asc” or “desc”.".into()]);
            true
        }
    };
    if wrong.is_empty() {
        Ok(Page { limit, offset: (page - 1) * limit, newest_first })
    } else {
        Err(ApiError::Invalid(wrong))
    }
}

/// The address of a page.
fn address(base: &str, params: &Params, page: i64) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in params.query_without(&["page"]) {
        query.append_pair(name, value);
    }
    query.append_pair("page", &page.to_string());
    format!("{base}?{}", query.finish())
}

/// A list's answer. `rows` may hold one more than the page: then there is a next one.
pub(crate) fn list<T: Serialize>(caller: &Caller, params: &Params, page: Page, mut rows: Vec<T>) -> Response {
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let current = page.offset / page.limit.max(1) + 1;
    let root = caller.app.settings.public_url.as_str().trim_end_matches('/');
    let path = format!("{root}{}", params.path);
    let links = Links {
        first: address(&path, params, 1),
        last: None,
        prev: (current > 1).then(|| address(&path, params, current - 1)),
        next: more.then(|| address(&path, params, current + 1)),
    };
    let meta = Meta {
        current_page: current,
        from: (count > 0).then_some(page.offset + 1),
        path,
        per_page: page.limit,
        to: (count > 0).then_some(page.offset + count),
    };
    json(StatusCode::OK, &List { data: rows, links, meta, status: 1 })
}
