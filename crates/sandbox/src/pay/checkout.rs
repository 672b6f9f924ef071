//! The page on which a buyer pays.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;

use super::{Note, answer, find, sorry};
use crate::error::{ApiError, Res};
use crate::flows::checkout::{self, Payer};
use crate::params;
use crate::shared::{Shared, WorldKey};
use crate::shop::{NAME, show_money, world as shop_world};
use crate::world::World;

/// Letters of a field.
const MAX_FIELD: usize = 200;

#[derive(Debug, Clone)]
struct Line {
    name: String,
    amount: String,
}

#[derive(Template)]
#[template(path = "pay/checkout.html")]
struct Page {
    id: String,
    merchant: &'static str,
    back: Option<String>,
    /// `month`, `year`, `quarter` and so on, or none.
    every: Option<String>,
    lines: Vec<Line>,
    discount: Option<String>,
    tax: Option<String>,
    shipping: Option<String>,
    total: String,
    takes_codes: bool,
    email: String,
    fixed_email: bool,
    name: String,
    wrong: Option<String>,
    wrong_code: Option<String>,
}

/// What a buyer types.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    email: String,
    name: String,
}

/// Reads a session as its page shows it.
fn read(world: &World, session: &Value, merchant: &'static str) -> Option<Page> {
    let id = params::owned(session, "id")?;
    let currency = params::owned(session, "currency").unwrap_or_default();
    let shown = |amount: i64| show_money(amount, &currency);
    let some = |field: &str| Some(params::int0(session, field)).filter(|a| *a > 0).map(shown);
    let plan = world.plans.get(&id)?;
    let mut every = None;
    let mut lines = Vec::new();
    for line in &plan.lines {
        let price = world.get("price", &line.price)?;
        let product = world.get("product", params::text(price, "product")?)?;
        let name = params::owned(product, "name").unwrap_or_default();
        let unit = params::int0(price, "unit_amount");
        if let Some(interval) = params::text(price, "recurring.interval") {
            every = Some(match params::int0(price, "recurring.interval_count") {
                0 | 1 => interval.to_owned(),
                count => format!("{count} {interval}s"),
            });
        }
        let name = if line.quantity > 1 { format!("{name} × {}", line.quantity) } else { name };
        lines.push(Line { name, amount: shown(unit * line.quantity) });
    }
    let known = params::text(session, "customer").and_then(|c| world.get("customer", c));
    let known_email = known.and_then(|c| params::owned(c, "email"));
    let email = known_email.clone().or_else(|| params::owned(session, "customer_email")).unwrap_or_default();
    let name = known.and_then(|c| params::owned(c, "name")).unwrap_or_default();
    Some(Page {
        id,
        merchant,
        back: params::owned(session, "cancel_url"),
        every,
        lines,
        discount: some("total_details.amount_discount"),
        tax: some("total_details.amount_tax"),
        shipping: some("total_details.amount_shipping"),
        total: shown(params::int0(session, "amount_total")),
        takes_codes: params::flag(session, "allow_promotion_codes"),
        email,
        fixed_email: known_email.is_some(),
        name,
        wrong: None,
        wrong_code: None,
    })
}

/// The open session's page, or a sentence about what became of it; with the address to go to after paying.
fn show(shared: &Shared, id: &str, status: StatusCode, change: impl FnOnce(&mut Page)) -> Response {
    let missing = || sorry(&ApiError::missing("checkout.session", id, "session"));
    let Some((key, session)) = find(shared, |world| world.get("checkout.session", id).cloned()) else {
        return missing();
    };
    match params::text(&session, "status") {
        Some("open") => {}
        Some("expired") => {
            let text = "This page was open for too long. Go back to the shop and begin again.".to_owned();
            return answer(StatusCode::OK, &Note { title: "Expired", text }, None);
        }
        _ => {
            let text = "This purchase is complete. Thank you.".to_owned();
            return answer(StatusCode::OK, &Note { title: "Paid", text }, None);
        }
    }
    let merchant = if shared.shop.is_some() && key == shop_world() { NAME } else { "Sandbox shop" };
    let Some(mut page) = shared.with(&key, |world| read(world, &session, merchant)).flatten() else {
        return missing();
    };
    change(&mut page);
    answer(status, &page, params::text(&session, "success_url"))
}

/// `GET /checkout/{id}`
pub async fn page(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    show(&shared, &id, StatusCode::OK, |_| {})
}

fn check(typed: &Typed) -> Result<(), String> {
    let well_formed = typed.email.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !host.is_empty() && !typed.email.contains(char::is_whitespace)
    });
    if !well_formed || typed.email.chars().count() > MAX_FIELD {
        return Err("Give an e-mail such as you@example.com.".to_owned());
    }
    if typed.name.chars().count() > MAX_FIELD {
        return Err(format!("A name has at most {MAX_FIELD} letters."));
    }
    Ok(())
}

/// `POST /checkout/{id}`: pays, and leads back to the shop.
pub async fn pay(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Response {
    let typed = Typed { email: typed.email.trim().to_owned(), name: typed.name.trim().to_owned() };
    if let Err(why) = check(&typed) {
        return show(&shared, &id, StatusCode::UNPROCESSABLE_ENTITY, |page| {
            if !page.fixed_email {
                page.email = typed.email;
            }
            page.name = typed.name;
            page.wrong = Some(why);
        });
    }
    let Some((key, ())) = find(&shared, |world| world.get("checkout.session", &id).map(|_| ())) else {
        return sorry(&ApiError::missing("checkout.session", &id, "session"));
    };
    let name = Some(typed.name).filter(|n| !n.is_empty());
    let paid = pay_in(&shared, &key, &id, &Payer { email: Some(typed.email), name, presentment: None });
    shared.wake.notify_one();
    match paid {
        Ok(session) => {
            // A payment link without a page of the merchant's has one of Stripe's.
            let own_page = params::text(&session, "payment_link").is_some()
                && params::text(&session, "success_url") == Some("https://stripe.com");
            match params::text(&session, "success_url") {
                Some(url) if !own_page => {
                    Redirect::to(&url.replace("{CHECKOUT_SESSION_ID}", &id)).into_response()
                }
                _ => Redirect::to(&format!("/checkout/{id}")).into_response(),
            }
        }
        Err(error) => sorry(&error),
    }
}

fn pay_in(shared: &Shared, key: &WorldKey, id: &str, payer: &Payer) -> Res {
    shared
        .with(key, |world| checkout::pay(world, id, payer, false))
        .unwrap_or_else(|| Err(ApiError::internal("the account is gone")))
}

/// A code that a buyer types.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Code {
    code: String,
}

/// `POST /checkout/{id}/code`: a promotion code.
pub async fn code(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Form(typed): Form<Code>,
) -> Response {
    let Some((key, ())) = find(&shared, |world| world.get("checkout.session", &id).map(|_| ())) else {
        return sorry(&ApiError::missing("checkout.session", &id, "session"));
    };
    let done = shared
        .with(&key, |world| checkout::apply_code(world, &id, typed.code.trim()))
        .unwrap_or_else(|| Err(ApiError::internal("the account is gone")));
    match done {
        Ok(()) => Redirect::to(&format!("/checkout/{id}")).into_response(),
        Err(_) => show(&shared, &id, StatusCode::UNPROCESSABLE_ENTITY, |page| {
            page.wrong_code = Some("This code is not known, or cannot be used here.".to_owned());
        }),
    }
}
