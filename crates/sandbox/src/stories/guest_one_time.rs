//! One-time purchases.

use serde_json::{Value, json};

use super::Teller;

/// Tells of a guest who buys once, with shipping, and remembers `session` and `payment_intent`.
pub async fn tell(teller: &mut Teller) -> Result<(), Value> {
    let currency = teller.currency();
    let extra = [
        ("shipping_options[0][shipping_rate_data][display_name]", "Post"),
        ("shipping_options[0][shipping_rate_data][type]", "fixed_amount"),
        ("shipping_options[0][shipping_rate_data][fixed_amount][amount]", "500"),
        ("shipping_options[0][shipping_rate_data][fixed_amount][currency]", currency.as_str()),
    ];
    let session = open(teller, "10000", &extra).await?;
    pay(teller, &session, false).await?;
    Ok(())
}

/// Opens a session for one thing, with the partner as client reference.
pub async fn open(teller: &mut Teller, amount: &str, extra: &[(&str, &str)]) -> Result<String, Value> {
    let currency = teller.currency();
    let partner = teller.partner();
    let mut form = vec![
        ("mode", "payment"),
        ("client_reference_id", partner.as_str()),
        ("success_url", "http://127.0.0.1/thanks"),
        ("line_items[0][price_data][currency]", currency.as_str()),
        ("line_items[0][price_data][unit_amount]", amount),
        ("line_items[0][price_data][product_data][name]", "Print"),
        ("line_items[0][quantity]", "1"),
    ];
    form.extend_from_slice(extra);
    let session = teller.stripe("POST", "checkout/sessions", &form).await?;
    teller.remember("session", &session, "id");
    Ok(Teller::id(&session))
}

/// A guest pays a session; `later` means by a method that takes days.
pub async fn pay(teller: &mut Teller, session: &str, later: bool) -> Result<Value, Value> {
    let email = format!("guest-{}@buyer.example", teller.fresh()?);
    let body = json!({ "email": email, "name": "Gil Guest", "async": later });
    let paid = teller.control(&format!("checkout/sessions/{session}/pay"), body).await?;
    teller.remember("payment_intent", &paid, "payment_intent");
    Ok(paid)
}
