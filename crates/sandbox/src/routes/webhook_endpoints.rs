//! Webhook endpoints.

use serde_json::{Value, json};

use super::{Call, copy, list, update};
use crate::config::MAX_ENDPOINTS;
use crate::error::{ApiError, Res};
use crate::params;

/// Serves `webhook_endpoints`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostWebhookEndpoints" => create(call),
        "GetWebhookEndpointsWebhookEndpoint" => call.world.find("webhook_endpoint", call.id(), "id"),
        "GetWebhookEndpoints" => list(call, "webhook_endpoint", "/v1/webhook_endpoints", |_| true),
        "PostWebhookEndpointsWebhookEndpoint" => change(call),
        "DeleteWebhookEndpointsWebhookEndpoint" => delete(call),
        _ => return None,
    })
}

fn check_url(call: &Call<'_>) -> Res<()> {
    let Some(text) = call.text("url") else { return Ok(()) };
    let invalid = |message: &str| Err(ApiError::param("url_invalid", "url", message));
    match url::Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() => {
            invalid("Not a valid URL")
        }
        // Stripe asks for https in live mode; a loopback address stands for a proxy that adds it.
        Ok(url)
            if call.world.livemode && url.scheme() == "http" && !crate::deliver::send::is_loopback(text) =>
        {
            invalid("Livemode endpoints must use HTTPS")
        }
        Ok(_) => Ok(()),
        Err(_) => invalid("Not a valid URL"),
    }
}

fn create(call: &mut Call<'_>) -> Res {
    check_url(call)?;
    if call.world.newest("webhook_endpoint").count() >= MAX_ENDPOINTS {
        return Err(ApiError::bad(format!(
            "You have reached the maximum of {MAX_ENDPOINTS} {} webhook endpoints.",
            if call.world.livemode { "live" } else { "test" }
        )));
    }
    let mut over = copy(call.params, &["api_version", "description", "url"]);
    over["enabled_events"] = json!(params::list(call.params, "enabled_events"));
    over["status"] = json!("enabled");
    over["metadata"] = params::merged_metadata(&json!({}), call.params.get("metadata"));
    let id = call.world.make("webhook_endpoint", "we", over)?;
    let secret = call.world.ids.next("whsec");
    call.world.secrets.insert(id.clone(), secret.clone());
    if params::at(call.params, "connect").and_then(Value::as_bool) == Some(true) {
        call.world.connect_endpoints.insert(id.clone());
    }
    let mut answer = call.world.live("webhook_endpoint", &id, "id")?;
    answer["secret"] = json!(secret);
    Ok(answer)
}

fn change(call: &mut Call<'_>) -> Res {
    check_url(call)?;
    let id = call.id().to_owned();
    update(call, "webhook_endpoint", &["description", "enabled_events", "url"])?;
    if let Some(disabled) = params::at(call.params, "disabled").and_then(Value::as_bool) {
        let status = if disabled { "disabled" } else { "enabled" };
        call.world.change("webhook_endpoint", &id, json!({ "status": status }))?;
    }
    call.world.live("webhook_endpoint", &id, "id")
}

fn delete(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    call.world.live("webhook_endpoint", &id, "id")?;
    call.world.secrets.remove(&id);
    call.world.queue.endpoint_gone(&id);
    call.world.delete("webhook_endpoint", &id)
}
