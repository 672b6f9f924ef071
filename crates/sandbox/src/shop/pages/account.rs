//! Somebody's account: the orders, with everything that can be done to them.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::go;
use crate::shop::account::{Account, COOKIE};
use crate::shop::frame::{Frame, answer, frame};
use crate::shop::order::{self, Order};
use crate::shop::{Front, world};

#[derive(Template)]
#[template(path = "shop/account.html")]
struct Page {
    frame: Frame,
    account: Account,
    orders: Vec<Order>,
}

/// `GET /account`
pub async fn page(State(front): State<Front>, headers: HeaderMap) -> Response {
    let account = front.shop.accounts().of(&headers).cloned();
    let Some(account) = account else { return go("/signup") };
    let orders = front
        .shared
        .with(&world(), |w| account.orders.iter().rev().filter_map(|id| order::read(w, id)).collect())
        .unwrap_or_default();
    answer(&front, StatusCode::OK, &Page { frame: frame(&front, &headers, "Your account"), account, orders })
}

/// `POST /logout`
pub async fn log_out(State(front): State<Front>, headers: HeaderMap) -> Response {
    front.shop.accounts().sign_out(&headers);
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    ([(header::SET_COOKIE, gone)], go(&format!("{}/", front.shop.url))).into_response()
}
