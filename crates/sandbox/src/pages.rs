//! A few plain pages: an index, and the hosted pages of checkout and payment links. No script, no style.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::control::ROUTES;
use crate::error::{ApiError, Res};
use crate::flows::checkout::{self, Payer};
use crate::params;
use crate::shared::{Shared, WorldKey};
use crate::stories::STORIES;
use crate::world::World;

/// The pages.
pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(index))
        .route("/pay/{slug}", get(payment_link))
        .route("/checkout/{id}", get(checkout_page).post(checkout_pay))
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{0}</title></head>\
         <body><main><h1>{0}</h1>\n{body}</main></body></html>\n",
        escape(title)
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, html).into_response()
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn sorry(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    page(status, "This does not work", &format!("<p>{}</p>", escape(&error.message)))
}

async fn index() -> Response {
    let mut body = String::from(
        "<p>A Stripe double for tests and demonstrations. No real money moves here.</p><h2>Stories</h2><ul>",
    );
    for (name, about) in STORIES {
        body.push_str(&format!(
            "<li><form method=\"post\" action=\"/_sandbox/stories/{name}\"><button>{name}</button> {}</form></li>",
            escape(about)
        ));
    }
    body.push_str("</ul><h2>Control routes</h2><ul>");
    for (method, path, about) in ROUTES {
        let shown = if *method == "GET" {
            format!("<a href=\"{path}\">{path}</a>")
        } else {
            format!("<code>{}</code>", escape(path))
        };
        body.push_str(&format!("<li>{method} {shown} {}</li>", escape(about)));
    }
    body.push_str("</ul><p>Everything else lies under <code>/v1</code>, as with Stripe.</p>");
    page(StatusCode::OK, "Tributary sandbox", &body)
}

/// Parameters of a payment link's address, as Stripe reads them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LinkQuery {
    client_reference_id: Option<String>,
    prefilled_email: Option<String>,
    prefilled_promo_code: Option<String>,
}

/// A visitor of a payment link gets a session of their own.
async fn payment_link(
    State(shared): State<Arc<Shared>>,
    Path(slug): Path<String>,
    Query(query): Query<LinkQuery>,
) -> Response {
    let ending = format!("/pay/{slug}");
    let found = find(&shared, |world| {
        world
            .newest("payment_link")
            .find(|l| params::text(l, "url").is_some_and(|u| u.ends_with(&ending)))
            .and_then(|l| params::owned(l, "id"))
    });
    let Some((key, link)) = found else {
        return sorry(&ApiError::missing("payment_link", &slug, "link"));
    };
    let session = shared.with(&key, |world| {
        let (reference, email) = (query.client_reference_id.as_deref(), query.prefilled_email.as_deref());
        checkout::open_link(world, &link, reference, email, query.prefilled_promo_code.as_deref())
    });
    match session {
        Some(Ok(session)) => Redirect::to(&format!("/checkout/{session}")).into_response(),
        Some(Err(error)) => sorry(&error),
        None => sorry(&ApiError::internal("the account is gone")),
    }
}

fn find<T>(shared: &Shared, look: impl Fn(&World) -> Option<T>) -> Option<(WorldKey, T)> {
    shared.worlds().iter().find_map(|(key, world)| Some((key.clone(), look(world)?)))
}

async fn checkout_page(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let Some((_, session)) = find(&shared, |world| world.get("checkout.session", &id).cloned()) else {
        return sorry(&ApiError::missing("checkout.session", &id, "session"));
    };
    if params::text(&session, "status") != Some("open") {
        return page(StatusCode::OK, "Paid", "<p>This purchase is complete. Thank you.</p>");
    }
    let currency = params::text(&session, "currency").unwrap_or_default().to_uppercase();
    let amount = params::int0(&session, "amount_total");
    let email = escape(params::text(&session, "customer_email").unwrap_or_default());
    let body = format!(
        "<p>To pay: {amount} {} in its smallest unit. This is a sandbox: no card is asked for and no money moves.</p>\
         <form method=\"post\"><p><label>E-mail <input name=\"email\" type=\"email\" required value=\"{email}\"></label></p>\
         <p><label>Name <input name=\"name\"></label></p><p><button>Pay</button></p></form>",
        escape(&currency)
    );
    page(StatusCode::OK, "Checkout", &body)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PayForm {
    email: String,
    name: String,
}

async fn checkout_pay(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Form(form): Form<PayForm>,
) -> Response {
    let Some((key, ())) = find(&shared, |world| world.get("checkout.session", &id).map(|_| ())) else {
        return sorry(&ApiError::missing("checkout.session", &id, "session"));
    };
    let given = |text: String| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    let payer = Payer { email: given(form.email), name: given(form.name) };
    let paid: Res = shared
        .with(&key, |world| checkout::pay(world, &id, &payer, false))
        .unwrap_or_else(|| Err(ApiError::internal("the account is gone")));
    shared.wake.notify_one();
    match paid {
        Ok(session) => match params::text(&session, "success_url") {
            Some(url) if params::text(&session, "payment_link").is_none() => {
                Redirect::to(&url.replace("{CHECKOUT_SESSION_ID}", &id)).into_response()
            }
            _ => Redirect::to(&format!("/checkout/{id}")).into_response(),
        },
        Err(error) => sorry(&error),
    }
}
