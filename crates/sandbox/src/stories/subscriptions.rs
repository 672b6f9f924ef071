//! Subscriptions that begin with a trial, change, or are paid in other ways.

use serde_json::{Value, json};

use super::Teller;
use crate::params;

/// A subscription through checkout with the partner as reference; answers the paid session.
async fn subscribe(
    teller: &mut Teller,
    amount: &str,
    interval: &str,
    extra: &[(&str, &str)],
    later: bool,
) -> Result<Value, Value> {
    let (currency, partner) = (teller.currency(), teller.partner());
    let mut form = vec![
        ("mode", "subscription"),
        ("client_reference_id", partner.as_str()),
        ("success_url", "http://127.0.0.1/thanks"),
        ("line_items[0][price_data][currency]", currency.as_str()),
        ("line_items[0][price_data][unit_amount]", amount),
        ("line_items[0][price_data][recurring][interval]", interval),
        ("line_items[0][price_data][product_data][name]", "Plan"),
        ("line_items[0][quantity]", "1"),
    ];
    form.extend_from_slice(extra);
    let session = teller.stripe("POST", "checkout/sessions", &form).await?;
    teller.remember("session", &session, "id");
    let email = format!("sub-{}@buyer.example", teller.fresh()?);
    let body = json!({ "email": email, "name": "Sue Subscriber", "async": later });
    let paid = teller.control(&format!("checkout/sessions/{}/pay", Teller::id(&session)), body).await?;
    teller.remember("subscription", &paid, "subscription");
    teller.remember("invoice", &paid, "invoice");
    Ok(paid)
}

fn subscription(paid: &Value) -> String {
    params::owned(paid, "subscription").unwrap_or_default()
}

async fn renew(teller: &mut Teller, subscription: &str) -> Result<(), Value> {
    let renewed = teller.control(&format!("subscriptions/{subscription}/renew"), json!({})).await?;
    for invoice in params::list(&renewed, "invoices") {
        teller.remember("invoice", &json!({ "id": invoice }), "id");
    }
    Ok(())
}

/// Changes the one item in the middle of its period.
async fn turn(teller: &mut Teller, id: &str, price: Option<&str>, quantity: &str) -> Result<(), Value> {
    let found = teller.stripe("GET", &format!("subscriptions/{id}"), &[]).await?;
    let item = params::owned(&found, "items.data.0.id").unwrap_or_default();
    let of = |name: &str| params::int0(&found, &format!("items.data.0.current_period_{name}"));
    let middle = ((of("start") + of("end")) / 2).to_string();
    let mut form = vec![
        ("items[0][id]", item.as_str()),
        ("items[0][quantity]", quantity),
        ("proration_behavior", "always_invoice"),
        ("proration_date", middle.as_str()),
    ];
    form.extend(price.map(|price| ("items[0][price]", price)));
    let after = teller.stripe("POST", &format!("subscriptions/{id}"), &form).await?;
    teller.remember("invoice", &after, "latest_invoice");
    Ok(())
}

async fn price(teller: &mut Teller, amount: &str) -> Result<String, Value> {
    let currency = teller.currency();
    let form = [
        ("currency", currency.as_str()),
        ("unit_amount", amount),
        ("recurring[interval]", "month"),
        ("product_data[name]", "Other plan"),
    ];
    teller.stripe("POST", "prices", &form).await.map(|made| Teller::id(&made))
}

/// Tells of a free week and the first paid month after it.
pub async fn trial_to_paid(teller: &mut Teller) -> Result<(), Value> {
    let trial = [("subscription_data[trial_period_days]", "7")];
    let paid = subscribe(teller, "4900", "month", &trial, false).await?;
    renew(teller, &subscription(&paid)).await
}

/// Tells of a change from 20.00 to 50.00 in the middle of a month.
pub async fn upgrade(teller: &mut Teller) -> Result<(), Value> {
    let paid = subscribe(teller, "2000", "month", &[], false).await?;
    let larger = price(teller, "5000").await?;
    turn(teller, &subscription(&paid), Some(&larger), "1").await
}

/// Tells of a change from 50.00 to 20.00: credit, which pays most of the next month.
pub async fn downgrade(teller: &mut Teller) -> Result<(), Value> {
    let paid = subscribe(teller, "5000", "month", &[], false).await?;
    let smaller = price(teller, "2000").await?;
    turn(teller, &subscription(&paid), Some(&smaller), "1").await?;
    renew(teller, &subscription(&paid)).await
}

/// Tells of one seat that becomes three.
pub async fn quantity(teller: &mut Teller) -> Result<(), Value> {
    let paid = subscribe(teller, "1500", "month", &[], false).await?;
    turn(teller, &subscription(&paid), None, "3").await
}

/// Tells of a year, and of the next one.
pub async fn annual(teller: &mut Teller) -> Result<(), Value> {
    let paid = subscribe(teller, "12000", "year", &[], false).await?;
    renew(teller, &subscription(&paid)).await
}

/// Tells of a bank debit that pays days later.
pub async fn sepa_delay(teller: &mut Teller) -> Result<(), Value> {
    let paid = subscribe(teller, "3000", "month", &[], true).await?;
    let path = format!("checkout/sessions/{}/async_succeed", Teller::id(&paid));
    teller.control(&path, json!({})).await?;
    Ok(())
}

/// Tells of a first month for nothing, and of the second one for 49.00.
pub async fn coupon_100(teller: &mut Teller) -> Result<(), Value> {
    let coupon = teller.stripe("POST", "coupons", &[("percent_off", "100"), ("duration", "once")]).await?;
    let coupon = Teller::id(&coupon);
    let paid = subscribe(teller, "4900", "month", &[("discounts[0][coupon]", &coupon)], false).await?;
    renew(teller, &subscription(&paid)).await
}
