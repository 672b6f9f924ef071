//! One-time purchases in all their kinds.

use serde_json::{Value, json};

use super::{Teller, guest_one_time};
use crate::params;

/// A paid purchase; answers its charge.
async fn bought(teller: &mut Teller, amount: &str, extra: &[(&str, &str)]) -> Result<String, Value> {
    let session = guest_one_time::open(teller, amount, extra).await?;
    let paid = guest_one_time::pay(teller, &session, false).await?;
    charge(teller, &paid).await
}

async fn charge(teller: &mut Teller, paid: &Value) -> Result<String, Value> {
    let intent = params::owned(paid, "payment_intent").unwrap_or_default();
    let found = teller.stripe("GET", &format!("payment_intents/{intent}"), &[]).await?;
    let charge = params::owned(&found, "latest_charge").unwrap_or_default();
    teller.remember("charge", &json!({ "id": charge }), "id");
    Ok(charge)
}

async fn refund(teller: &mut Teller, charge: &str, amount: &str) -> Result<(), Value> {
    let refund = teller.stripe("POST", "refunds", &[("charge", charge), ("amount", amount)]).await?;
    teller.remember("refund", &refund, "id");
    Ok(())
}

/// Tells of 100.00 of which 40.00 go back.
pub async fn partial_refund(teller: &mut Teller) -> Result<(), Value> {
    let charge = bought(teller, "10000", &[]).await?;
    refund(teller, &charge, "4000").await
}

/// Tells of three refunds that leave nothing.
pub async fn repeated_refunds(teller: &mut Teller) -> Result<(), Value> {
    let charge = bought(teller, "10000", &[]).await?;
    for part in ["2500", "3333", "4167"] {
        refund(teller, &charge, part).await?;
    }
    Ok(())
}

/// Tells of a refund that the bank confirms later.
pub async fn pending_refund(teller: &mut Teller) -> Result<(), Value> {
    let charge = bought(teller, "6000", &[]).await?;
    let path = format!("charges/{charge}/refund");
    let made = teller.control(&path, json!({ "amount": 1500, "pending": true })).await?;
    teller.remember("refund", &made, "id");
    teller.control(&format!("refunds/{}/succeed", Teller::id(&made)), json!({})).await?;
    Ok(())
}

/// Tells of a bank that asks, and is content with the answer.
pub async fn inquiry(teller: &mut Teller) -> Result<(), Value> {
    let id = asked(teller).await?;
    teller.control(&format!("disputes/{id}/answer"), json!({})).await?;
    teller.control(&format!("disputes/{id}/close"), json!({ "status": "warning_closed" })).await?;
    Ok(())
}

/// Tells of a bank that asks, then takes the money, and keeps it.
pub async fn inquiry_escalated(teller: &mut Teller) -> Result<(), Value> {
    let id = asked(teller).await?;
    teller.control(&format!("disputes/{id}/escalate"), json!({})).await?;
    teller.control(&format!("disputes/{id}/close"), json!({ "status": "lost" })).await?;
    Ok(())
}

async fn asked(teller: &mut Teller) -> Result<String, Value> {
    let charge = bought(teller, "9000", &[]).await?;
    let dispute = teller.control(&format!("charges/{charge}/dispute"), json!({ "inquiry": true })).await?;
    teller.remember("dispute", &dispute, "id");
    Ok(Teller::id(&dispute))
}

/// Tells of a code that the buyer types: 25 % off 80.00.
pub async fn promo_code(teller: &mut Teller) -> Result<(), Value> {
    let coupon = teller.stripe("POST", "coupons", &[("percent_off", "25"), ("duration", "once")]).await?;
    let coupon = Teller::id(&coupon);
    let form = [("promotion[type]", "coupon"), ("promotion[coupon]", coupon.as_str())];
    let code = teller.stripe("POST", "promotion_codes", &form).await?;
    teller.remember("promotion_code", &code, "id");
    let id = Teller::id(&code);
    bought(teller, "8000", &[("discounts[0][promotion_code]", &id)]).await?;
    Ok(())
}

/// Tells of the same partner's buyers in dollars and in euros: never added up.
pub async fn two_currencies(teller: &mut Teller) -> Result<(), Value> {
    for currency in ["usd", "eur"] {
        in_currency(teller, currency, "5000").await?;
    }
    Ok(())
}

/// Tells of one purchase in another currency than the story's.
pub async fn in_currency(teller: &mut Teller, currency: &str, amount: &str) -> Result<(), Value> {
    let before = teller.options.currency.replace(currency.to_owned());
    let told = bought(teller, amount, &[]).await;
    teller.options.currency = before;
    told.map(|_| ())
}

/// Tells of a page that showed another currency, and of a refund.
pub async fn adaptive_pricing(teller: &mut Teller) -> Result<(), Value> {
    let session = guest_one_time::open(teller, "10000", &[]).await?;
    let email = format!("guest-{}@buyer.example", teller.fresh()?);
    let body = json!({ "email": email, "presentment": { "amount": 13_700, "currency": "cad" } });
    let paid = teller.control(&format!("checkout/sessions/{session}/pay"), body).await?;
    let charge = charge(teller, &paid).await?;
    refund(teller, &charge, "2500").await
}

/// Tells of 100.00 with 20 % tax on top and 7.00 for the post: the commission is of 100.00.
pub async fn shipping_tax(teller: &mut Teller) -> Result<(), Value> {
    let before = teller.settings()?;
    teller.control("settings", json!({ "tax_ppm": 200_000, "tax_inclusive": false })).await?;
    let currency = teller.currency();
    let extra = [
        ("shipping_options[0][shipping_rate_data][display_name]", "Post"),
        ("shipping_options[0][shipping_rate_data][type]", "fixed_amount"),
        ("shipping_options[0][shipping_rate_data][fixed_amount][amount]", "700"),
        ("shipping_options[0][shipping_rate_data][fixed_amount][currency]", currency.as_str()),
    ];
    let told = bought(teller, "10000", &extra).await;
    teller.control("settings", before).await?;
    told.map(|_| ())
}
