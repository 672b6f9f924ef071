//! The REST API under `/v1`, in the wire form of Partnero's clients. One endpoint, one file.

pub mod auth;
pub mod currencies;
pub mod customers;
pub mod error;
pub mod fields;
pub mod input;
pub mod paging;
pub mod partners;
mod pipeline;
mod refusals;
pub mod stripe_app;
pub mod test;
pub mod token;
pub mod transactions;
pub mod wire;
mod work;

#[cfg(test)]
pub(crate) mod tests;

pub use token::{new_api_token, new_app_token};

use crate::state::App;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use error::{ApiError, Problems, Refusal, json};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

fn described() -> OpenApiRouter<App> {
    let info = InfoBuilder::new()
        .title("Tributary REST API")
        .version("1")
        .description(Some(
            "Partners, customers and transactions of one program. An API key belongs to one program. Amounts are \
             decimals in major units. The header `Tributary-Mode: test|live` chooses the mode; without it the \
             program's own holds.",
        ))
        .build();
    let mut components = Components::new();
    let bearer = Http::new(HttpAuthScheme::Bearer);
    components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
    components.add_security_scheme("app_token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let base = OpenApiBuilder::new().info(info).components(Some(components)).build();
    OpenApiRouter::with_openapi(base)
        .routes(routes!(test::test))
        .merge(partner_routes())
        .merge(customer_routes())
        .merge(transaction_routes())
        .merge(stripe_app::routes())
}

fn partner_routes() -> OpenApiRouter<App> {
    use partners::{archive, create, delete, get, links, list, search, update};
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create, update::update_by, delete::delete_by))
        .routes(routes!(search::search))
        .routes(routes!(get::get_by))
        .routes(routes!(get::get, update::update, delete::delete))
        .routes(routes!(archive::archive))
        .routes(routes!(archive::revoke))
        .routes(routes!(links::links))
}

fn customer_routes() -> OpenApiRouter<App> {
    use customers::{archive, create, delete, get, list, search, transactions, update};
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create, update::update_by, delete::delete_by))
        .routes(routes!(search::search))
        .routes(routes!(get::get, update::update, delete::delete))
        .routes(routes!(archive::archive))
        .routes(routes!(archive::revoke))
        .routes(routes!(transactions::transactions))
}

fn transaction_routes() -> OpenApiRouter<App> {
    use transactions::{archive, create, delete, get, list, update};
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create, update::update_by, delete::delete_by))
        .routes(routes!(get::get, update::update, delete::delete))
        .routes(routes!(archive::archive))
        .routes(routes!(archive::revoke))
}

/// The routes of `/v1`. Bodies beyond 1 MiB are refused by [`input::Body`]; unknown paths under `/v1` and wrong methods are
/// answered in JSON. Other routers may add more specific paths under `/v1`.
pub fn router() -> axum::Router<App> {
    let (router, _) = described().split_for_parts();
    router
        .route("/v1/openapi.json", get(document))
        .route("/v1", any(unknown_path))
        .route("/v1/", any(unknown_path))
        .route("/v1/{*rest}", any(unknown_path))
        .method_not_allowed_fallback(wrong_method)
}

/// The API's own description.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = described().split_for_parts().1;
    refusals::describe(&mut document);
    document
}

/// The description as text, the same for the same code: what `docs/openapi.json` holds.
#[must_use]
pub fn openapi_json() -> String {
    match openapi().to_pretty_json() {
        Ok(text) => text + "\n",
        Err(error) => {
            tracing::error!(%error, "the OpenAPI document could not be written");
            String::new()
        }
    }
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi_json()).into_response()
}

async fn unknown_path(uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(100).collect();
    ApiError::NotFound(format!("There is no “{path}” in this API."))
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let path: String = uri.path().chars().take(100).collect();
    let message = format!("“{path}” does not take {method}.");
    json(StatusCode::METHOD_NOT_ALLOWED, &Refusal { message, errors: Problems::new() })
}
