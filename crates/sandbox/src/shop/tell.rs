//! The shop's server tells Tributary of a sign-up, by its REST API.

use serde_json::json;

use super::account::Account;
use crate::shared::Shared;

/// `POST /v1/customers` with the partner of the visitor's cookie; returns what the shop's log would say.
pub async fn tell(shared: &Shared, account: &Account, partner: Option<String>) -> Option<String> {
    let shop = shared.shop.as_ref()?;
    let settings = shop.settings().clone();
    if !settings.by_server {
        return None;
    }
    let Some(partner) = partner.filter(|p| !p.is_empty()) else {
        return Some("Nobody referred this visitor, so there was nothing to tell.".to_owned());
    };
    let body = json!({
        "key": account.key, "email": account.email, "name": account.name, "partner": { "key": partner },
    });
    let request = shared.client.post(format!("{}/v1/customers", settings.api)).bearer_auth(&settings.api_key);
    Some(match request.json(&body).send().await {
        Ok(answer) if answer.status().is_success() => {
            format!("Our server told Tributary, which answered {}.", answer.status().as_u16())
        }
        Ok(answer) => {
            let status = answer.status().as_u16();
            let text: String = answer.text().await.unwrap_or_default().chars().take(200).collect();
            format!("Our server told Tributary, which refused with {status}: {text}")
        }
        Err(error) => format!("Our server could not reach Tributary: {error}"),
    })
}
