//! Payment links.

use serde_json::{Value, json};

use super::{Call, list, page, update};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::money;
use crate::objects::items;
use crate::params;
use crate::plan::Plan;

/// Serves `payment_links`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostPaymentLinks" => create(call),
        "GetPaymentLinksPaymentLink" => call.world.find("payment_link", call.id(), "id"),
        "GetPaymentLinks" => list(call, "payment_link", "/v1/payment_links", |o| {
            params::at(call.params, "active").is_none_or(|a| o.get("active") == Some(a))
        }),
        "PostPaymentLinksPaymentLink" => change(call),
        "GetPaymentLinksPaymentLinkLineItems" => lines(call),
        _ => return None,
    })
}

fn create(call: &mut Call<'_>) -> Res {
    let plan = Plan::read(call.world, call.params)?;
    let quote = money::quote(call.world, &plan, false)?;
    let recurring = quote.lines.iter().any(|l| l.recurring.is_some());
    let slug = call.world.ids.letters(18).to_lowercase();
    let metadata = params::merged_metadata(&json!({}), call.params.get("metadata"));
    let over = json!({
        "active": true,
        "after_completion": after_completion(call.params)?,
        "allow_promotion_codes": params::flag(call.params, "allow_promotion_codes"),
        "billing_address_collection": "auto",
        "currency": quote.currency,
        "customer_creation": call.text("customer_creation").unwrap_or("if_required"),
        "metadata": metadata,
        "payment_method_collection": "always",
        "submit_type": call.text("submit_type").unwrap_or("auto"),
        "subscription_data": if recurring {
            json!({
                "description": null,
                "invoice_settings": { "issuer": { "type": "self" } },
                "metadata": plan.subscription_metadata,
                "trial_period_days": params::int(call.params, "subscription_data.trial_period_days"),
                "trial_settings": null,
            })
        } else {
            Value::Null
        },
        "payment_intent_data": if recurring {
            Value::Null
        } else {
            json!({
                "capture_method": call.text("payment_intent_data.capture_method"),
                "description": null,
                "metadata": plan.payment_metadata,
                "setup_future_usage": null,
                "statement_descriptor": null,
                "statement_descriptor_suffix": null,
                "transfer_group": null,
            })
        },
        "tax_id_collection": { "enabled": false, "required": "never" },
        "url": format!("{}/pay/{slug}", call.world.base_url),
    });
    let mut link = call.world.build("payment_link", "plink", over);
    if let Some(map) = link.as_object_mut() {
        map.remove("managed_payments");
    }
    let id = call.world.keep("payment_link", link)?;
    call.world.plans.insert(id.clone(), plan);
    emit(call.world, "payment_link.created", "payment_link", &id)?;
    call.world.live("payment_link", &id, "id")
}

/// Where a buyer goes after paying: a page of Stripe's, or one of the merchant's.
fn after_completion(given: &Value) -> Res {
    if params::text(given, "after_completion.type") != Some("redirect") {
        let message = params::owned(given, "after_completion.hosted_confirmation.custom_message");
        return Ok(
            json!({ "type": "hosted_confirmation", "hosted_confirmation": { "custom_message": message } }),
        );
    }
    let url = params::owned(given, "after_completion.redirect.url").ok_or_else(|| {
        let name = "after_completion[redirect][url]";
        ApiError::param("parameter_missing", name, format!("Missing required param: {name}."))
    })?;
    Ok(json!({ "type": "redirect", "redirect": { "url": url } }))
}

fn change(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    update(call, "payment_link", &["active", "allow_promotion_codes"])?;
    emit(call.world, "payment_link.updated", "payment_link", &id)?;
    call.world.live("payment_link", &id, "id")
}

fn lines(call: &mut Call<'_>) -> Res {
    let id = call.id();
    let items = items::of_plan(call.world, id).ok_or_else(|| ApiError::missing("payment_link", id, "id"))?;
    page(items.iter(), call.params, &format!("/v1/payment_links/{id}/line_items"))
}
