//! The merchant's pages. One page, one file, with its typed context.

mod csv_file;
pub mod customer;
pub mod customer_erase;
pub mod customer_partner;
pub mod customers;
pub mod error;
pub mod event;
pub mod event_probe;
pub mod event_reveal;
pub mod events;
pub mod events_csv;
pub mod events_wish;
pub mod explained;
pub mod forms;
pub mod home;
pub mod integration;
pub mod link_form;
pub mod link_urls;
pub mod links;
pub mod oauth;
pub mod overview;
pub mod paging;
pub mod partner;
pub mod partner_codes;
pub mod partner_form;
pub mod partners;
pub mod period;
pub mod reconcile;
pub mod reconcile_csv;
pub mod ruling;
pub mod scenarios;
pub mod search;
pub mod sentence;
pub mod settings;
pub mod setup;
pub mod sum;
pub mod transaction;
pub mod transactions;
pub mod transactions_csv;
pub mod transactions_wish;
pub mod visit;
mod wish;
pub mod words;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use crate::auth::{door::Door, headers, host, login, origin, theme};
use crate::setup::gate;
use crate::{App, assets};
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

/// Longest form, bytes.
const FORM_LIMIT: usize = 16 * 1024;

/// All pages with their belts, the browser files, and the answer for every other address.
pub fn routes(app: &App) -> Router<App> {
    Router::new()
        .route("/", get(home::get))
        .route("/login", get(login::get).post(login::post))
        .route("/logout", post(login::logout))
        .route("/theme", post(theme::post))
        .route("/setup", get(setup::get))
        .route("/setup/account", post(setup::account::post))
        .route("/setup/program", post(setup::program::post))
        .route("/setup/stripe", post(setup::stripe::post))
        .route("/setup/partner", post(setup::partner::post))
        .route("/setup/done", post(setup::done::post))
        .route("/terms/sentence", get(sentence::get))
        .route("/p/{program}", get(overview::get))
        .route("/p/{program}/partners", get(partners::get).post(partner_form::add))
        .route("/p/{program}/partners/new", get(partner_form::new))
        .route("/p/{program}/partners/{partner}", get(partner::get))
        .route("/p/{program}/partners/{partner}/edit", get(partner_form::edit).post(partner_form::change))
        .route("/p/{program}/partners/{partner}/status", post(partner_form::status))
        .route("/p/{program}/partners/{partner}/codes", post(partner_codes::add))
        .route("/p/{program}/partners/{partner}/codes/{code}/remove", post(partner_codes::remove))
        .route("/p/{program}/customers", get(customers::get))
        .route("/p/{program}/customers/{customer}", get(customer::get))
        .route("/p/{program}/customers/{customer}/archive", post(customer::post))
        .route("/p/{program}/customers/{customer}/erase", get(customer_erase::get).post(customer_erase::post))
        .route(
            "/p/{program}/customers/{customer}/partner",
            get(customer_partner::get).post(customer_partner::post),
        )
        .route("/p/{program}/search", get(search::get))
        .route("/p/{program}/links", get(links::get).post(link_form::add))
        .route("/p/{program}/links/new", get(link_form::new))
        .route("/p/{program}/links/{link}/archive", post(link_form::archive))
        .route("/p/{program}/transactions", get(transactions::get))
        .route("/p/{program}/transactions.csv", get(transactions_csv::get))
        .route("/p/{program}/transactions/{key}", get(transaction::get))
        .route("/p/{program}/reconcile", get(reconcile::get).post(reconcile::post))
        .route("/p/{program}/reconcile.csv", get(reconcile_csv::get))
        .route("/p/{program}/reconcile/{connection}/{run}/heal", post(reconcile::mend))
        .route("/p/{program}/transactions/{key}/decide", get(ruling::get).post(ruling::post))
        .route("/p/{program}/events", get(events::get))
        .route("/p/{program}/events.csv", get(events_csv::get))
        .route("/p/{program}/events/test", post(event_probe::post))
        .route("/p/{program}/scenarios", get(scenarios::get).post(scenarios::play::post))
        .route("/p/{program}/events/{connection}/{event}/reveal", post(event_reveal::post))
        .route("/p/{program}/events/{connection}/{event}", get(event::get))
        .route("/p/{program}/events/{connection}/{event}/rerun", post(event::rerun))
        .route("/oauth/stripe/{flow}/callback", get(oauth::callback))
        .merge(settings_routes())
        .merge(integration_routes())
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(Extension(Arc::new(Door::default())))
        .layer(middleware::from_fn_with_state(app.clone(), gate::guard))
        .layer(middleware::from_fn_with_state(app.clone(), origin::guard))
        .layer(CompressionLayer::new())
        .merge(assets::routes())
        .fallback(home::not_found)
        .layer(middleware::from_fn_with_state(app.clone(), host::guard))
        .layer(middleware::from_fn_with_state(app.clone(), headers::add))
}

fn settings_routes() -> Router<App> {
    use settings::{
        attach, audit, connection, history, keys, new_program, profile, program, secrets, sessions, stripe,
        terms, test_data,
    };
    Router::new()
        .route("/programs/new", get(new_program::get).post(new_program::post))
        .route("/p/{program}/settings", get(program::get).post(program::post))
        .route("/p/{program}/settings/terms", get(terms::get).post(terms::post))
        .route("/p/{program}/settings/keys", get(keys::get).post(keys::post))
        .route("/p/{program}/settings/keys/{key}/revoke", post(keys::revoke))
        .route("/p/{program}/settings/audit", get(audit::get))
        .route("/p/{program}/settings/audit.csv", get(audit::csv))
        .route("/p/{program}/settings/stripe", get(stripe::get))
        .route("/p/{program}/settings/stripe/oauth", post(settings::oauth::post))
        .route("/p/{program}/settings/stripe/oauth/remove", post(settings::oauth::remove))
        .route("/p/{program}/settings/stripe/{connection}/attach", post(attach::attach))
        .route("/p/{program}/settings/stripe/{connection}/detach", post(attach::detach))
        .route("/p/{program}/settings/stripe/{connection}/secrets", get(secrets::get).post(secrets::post))
        .route("/p/{program}/settings/stripe/{connection}/roll", post(secrets::roll_ours))
        .route("/p/{program}/settings/test-data", get(test_data::get).post(test_data::post))
        .route("/p/{program}/settings/stripe/{connection}/check", post(connection::check))
        .route("/p/{program}/settings/stripe/{connection}/history", get(history::get).post(history::post))
        .route("/p/{program}/settings/stripe/{connection}/history/{run}/pause", post(history::halt))
        .route("/p/{program}/settings/stripe/{connection}/history/{run}/resume", post(history::go_on))
        .route("/p/{program}/settings/stripe/{connection}/key", get(connection::key).post(connection::rotate))
        .route(
            "/p/{program}/settings/stripe/{connection}/disconnect",
            get(connection::ask).post(connection::leave),
        )
        .route("/p/{program}/settings/profile", get(profile::get).post(profile::post))
        .route("/p/{program}/settings/password", post(profile::password))
        .route("/p/{program}/settings/sessions", get(sessions::get))
        .route("/p/{program}/settings/sessions/others", post(sessions::others))
        .route("/p/{program}/settings/sessions/{session}/end", post(sessions::end))
}

fn integration_routes() -> Router<App> {
    use integration::{api, guide, stripe};
    Router::new()
        .route("/p/{program}/integration", get(integration::get))
        .route("/p/{program}/integration/api", get(api::get))
        .route("/p/{program}/integration/guides/{guide}", get(guide::get))
        .route("/p/{program}/integration/stripe", get(stripe::get).post(stripe::post))
        .route("/p/{program}/integration/stripe/authorize", post(oauth::start))
}
