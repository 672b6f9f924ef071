//! The merchant's server creates the referred customer, who then subscribes.

use serde_json::{Value, json};

use super::Teller;
use crate::params;

/// Price of the monthly plan in minor units.
const MONTHLY: &str = "4900";

/// Tells the story and remembers `customer_key`, `customer`, `session`, `subscription`, `invoice` and `charge`.
pub async fn tell(teller: &mut Teller) -> Result<(), Value> {
    let key = format!("customer-{}", teller.fresh()?);
    let email = format!("{key}@buyer.example");
    let partner = teller.partner();
    teller.ids.insert("customer_key".to_owned(), json!(key));
    let body = json!({ "key": key, "email": email, "name": "Ada Buyer", "partner": { "key": partner } });
    if teller.tributary("/v1/customers", body).await?.is_some() {
        teller.signed_up.push(key.clone());
    }
    let made = teller
        .stripe(
            "POST",
            "customers",
            &[("email", &email), ("name", "Ada Buyer"), ("metadata[customer_key]", &key)],
        )
        .await?;
    let customer = Teller::id(&made);
    teller.remember("customer", &made, "id");
    let currency = teller.currency();
    let session = teller
        .stripe(
            "POST",
            "checkout/sessions",
            &[
                ("mode", "subscription"),
                ("customer", &customer),
                ("success_url", "http://127.0.0.1/thanks"),
                ("line_items[0][price_data][currency]", &currency),
                ("line_items[0][price_data][unit_amount]", MONTHLY),
                ("line_items[0][price_data][recurring][interval]", "month"),
                ("line_items[0][price_data][product_data][name]", "Monthly plan"),
                ("line_items[0][quantity]", "1"),
                ("subscription_data[metadata][customer_key]", &key),
                ("metadata[customer_key]", &key),
            ],
        )
        .await?;
    let path = format!("checkout/sessions/{}/pay", Teller::id(&session));
    let paid = teller.control(&path, json!({ "email": email, "name": "Ada Buyer" })).await?;
    teller.remember("session", &paid, "id");
    teller.remember("subscription", &paid, "subscription");
    teller.remember("invoice", &paid, "invoice");
    let charges = teller.stripe("GET", &format!("charges?customer={customer}&limit=1"), &[]).await?;
    teller.remember("charge", params::at(&charges, "data.0").unwrap_or(&Value::Null), "id");
    Ok(())
}
