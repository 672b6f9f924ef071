//! After the sign-up: the page that tells Tributary in the browser, and the choice of a plan.

use askama::Template;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::go;
use crate::error::{ApiError, Res};
use crate::params;
use crate::shop::account::Account;
use crate::shop::frame::{Frame, answer, frame, sorry};
use crate::shop::{Front, Item, stripe};

#[derive(Template)]
#[template(path = "shop/welcome.html")]
struct Page {
    frame: Frame,
    account: Account,
    items: Vec<Item>,
    tell: bool,
}

/// `GET /welcome`
pub async fn page(State(front): State<Front>, headers: HeaderMap) -> Response {
    let account = front.shop.accounts().of(&headers).map(|kept| {
        let account = kept.clone();
        kept.untold = false;
        account
    });
    let Some(account) = account else { return go("/signup") };
    match front.shop.catalog() {
        Ok(catalog) => {
            let items = catalog.items.iter().filter(|i| i.every.is_some()).cloned().collect();
            let frame = frame(&front, &headers, "Choose a plan");
            let tell = account.untold;
            answer(&front, StatusCode::OK, &Page { frame, account, items, tell })
        }
        Err(error) => sorry(&front, &headers, &error),
    }
}

/// The plan that was chosen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Choice {
    plan: String,
}

/// `POST /checkout`: a Checkout Session by the shop's server, with the customer's key in its metadata.
pub async fn checkout(
    State(front): State<Front>,
    headers: HeaderMap,
    Form(choice): Form<Choice>,
) -> Response {
    let account = front.shop.accounts().of(&headers).cloned();
    let Some(account) = account else { return go("/signup") };
    match open(&front, &account, &choice.plan) {
        Ok(url) => go(&url),
        Err(error) => sorry(&front, &headers, &error),
    }
}

fn open(front: &Front, account: &Account, plan: &str) -> Res<String> {
    let item = front
        .shop
        .catalog()?
        .item(plan)
        .filter(|i| i.every.is_some())
        .ok_or_else(|| ApiError::bad("There is no such plan.").with_status(404))?;
    let customer = match &account.customer {
        Some(customer) => customer.clone(),
        None => {
            let form = [
                ("email", account.email.as_str()),
                ("name", account.name.as_str()),
                ("metadata[customer_key]", account.key.as_str()),
            ];
            let made = stripe(&front.shared, "POST", "customers", &form)?;
            params::owned(&made, "id").unwrap_or_default()
        }
    };
    let back = format!("{}/thanks?order={{CHECKOUT_SESSION_ID}}", front.shop.app_url);
    let session = stripe(
        &front.shared,
        "POST",
        "checkout/sessions",
        &[
            ("mode", "subscription"),
            ("customer", &customer),
            ("line_items[0][price]", &item.price_id),
            ("line_items[0][quantity]", "1"),
            ("allow_promotion_codes", "true"),
            ("success_url", &back),
            ("cancel_url", &format!("{}/welcome", front.shop.app_url)),
            ("metadata[customer_key]", &account.key),
            ("subscription_data[metadata][customer_key]", &account.key),
        ],
    )?;
    let id = params::owned(&session, "id").unwrap_or_default();
    if let Some(kept) = front.shop.accounts().get_mut(&account.key) {
        kept.customer = Some(customer);
        kept.orders.push(id);
    }
    params::owned(&session, "url").ok_or_else(|| ApiError::internal("a session has no address"))
}
