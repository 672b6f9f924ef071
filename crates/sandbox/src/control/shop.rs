//! The demo shop's settings, without a browser.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::{read, reply};
use crate::error::{ApiError, Res};
use crate::shared::Shared;
use crate::shop::{Change, Shop};

fn shop(shared: &Shared) -> Res<&Shop> {
    shared.shop.as_deref().ok_or_else(|| {
        ApiError::bad("The demo shop is not open. Start the sandbox with --shop-listen.").with_status(404)
    })
}

fn shown(shared: &Shared) -> Res {
    let shop = shop(shared)?;
    let catalog = shop.catalog()?;
    let items: Vec<Value> = catalog
        .items
        .iter()
        .map(|i| json!({ "plan": i.plan, "price": i.price_id, "link": i.link, "buy_button": i.button }))
        .collect();
    Ok(json!({
        "shop_url": shop.url,
        "app_url": shop.app_url,
        "pay_url": shared.pay_url,
        "items": items,
        "pricing_table": catalog.table,
        "settings": shop.settings().shown(),
    }))
}

/// `GET /_sandbox/shop`
pub async fn get(State(shared): State<Arc<Shared>>) -> Response {
    reply(shown(&shared))
}

fn change(shared: &Shared, body: &[u8]) -> Res {
    let shop = shop(shared)?;
    let change: Change = read(body)?;
    let old = shop.settings().clone();
    let new = change
        .apply(&old, shared)
        .map_err(|(field, why)| ApiError::param("parameter_invalid", field, why))?;
    *shop.settings() = new;
    shown(shared)
}

/// `POST /_sandbox/shop`
pub async fn set(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    reply(change(&shared, &body))
}
