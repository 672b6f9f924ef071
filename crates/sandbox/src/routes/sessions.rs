//! Checkout sessions.

use serde_json::json;

use super::{Call, list, page, update};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::flows::checkout;
use crate::objects::{items, session};
use crate::params;
use crate::plan::Plan;

/// Serves `checkout/sessions`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostCheckoutSessions" => create(call),
        "GetCheckoutSessionsSession" => call.world.find("checkout.session", call.id(), "id"),
        "GetCheckoutSessions" => all(call),
        "PostCheckoutSessionsSession" => update(call, "checkout.session", &[]),
        "PostCheckoutSessionsSessionExpire" => expire(call),
        "GetCheckoutSessionsSessionLineItems" => lines(call),
        _ => return None,
    })
}

fn create(call: &mut Call<'_>) -> Res {
    let mode = call.text("mode").unwrap_or("payment").to_owned();
    if mode == "setup" {
        return Err(
            ApiError::param("", "mode", "The sandbox has the modes payment and subscription.").without_code()
        );
    }
    if call.text("customer").is_some() && call.text("customer_email").is_some() {
        return Err(ApiError::bad("You may only specify one of these parameters: customer, customer_email."));
    }
    if let Some(customer) = call.text("customer") {
        call.world.live("customer", customer, "customer")?;
    }
    let plan = Plan::read(call.world, call.params)?;
    let source = session::Source {
        mode,
        customer: params::owned(call.params, "customer"),
        email: params::owned(call.params, "customer_email"),
        client_reference_id: params::owned(call.params, "client_reference_id"),
        metadata: params::merged_metadata(&json!({}), call.params.get("metadata")),
        payment_link: None,
        success_url: params::owned(call.params, "success_url"),
        cancel_url: params::owned(call.params, "cancel_url"),
        allow_promotion_codes: params::at(call.params, "allow_promotion_codes").cloned(),
    };
    let id = checkout::open(call.world, source, plan)?;
    call.world.live("checkout.session", &id, "id")
}

fn all(call: &mut Call<'_>) -> Res {
    let status = call.text("status");
    let email = call.text("customer_details.email");
    list(call, "checkout.session", "/v1/checkout/sessions", |o| {
        ["customer", "payment_intent", "payment_link", "subscription"].iter().all(|f| call.matches(o, f))
            && status.is_none_or(|s| params::text(o, "status") == Some(s))
            && email.is_none_or(|e| params::text(o, "customer_details.email") == Some(e))
    })
}

fn expire(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    let found = call.world.live("checkout.session", &id, "session")?;
    if params::text(&found, "status") != Some("open") {
        return Err(ApiError::bad("Only Checkout Sessions with a status in [\"open\"] can be expired."));
    }
    let after = call.world.change("checkout.session", &id, json!({ "status": "expired", "url": null }))?;
    emit(call.world, "checkout.session.expired", "checkout.session", &id)?;
    Ok(after)
}

fn lines(call: &mut Call<'_>) -> Res {
    let id = call.id();
    let items =
        items::of_plan(call.world, id).ok_or_else(|| ApiError::missing("checkout.session", id, "session"))?;
    page(items.iter(), call.params, &format!("/v1/checkout/sessions/{id}/line_items"))
}
