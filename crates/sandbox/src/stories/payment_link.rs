//! A purchase through a payment link.

use serde_json::{Value, json};

use super::Teller;

/// Tells the story and remembers `payment_link`, `session` and `payment_intent`.
pub async fn tell(teller: &mut Teller) -> Result<(), Value> {
    let currency = teller.currency();
    let price = teller
        .stripe(
            "POST",
            "prices",
            &[("currency", &currency), ("unit_amount", "12000"), ("product_data[name]", "Handbook")],
        )
        .await?;
    let price = Teller::id(&price);
    let link = teller
        .stripe(
            "POST",
            "payment_links",
            &[
                ("line_items[0][price]", &price),
                ("line_items[0][quantity]", "1"),
                ("customer_creation", "always"),
                ("metadata[from]", "newsletter"),
            ],
        )
        .await?;
    teller.remember("payment_link", &link, "id");
    let buyer = format!("link-{}@buyer.example", teller.fresh()?);
    let body = json!({ "email": buyer, "name": "Lin Buyer", "client_reference_id": teller.partner() });
    let paid = teller.control(&format!("payment_links/{}/pay", Teller::id(&link)), body).await?;
    teller.remember("session", &paid, "id");
    teller.remember("customer", &paid, "customer");
    teller.remember("payment_intent", &paid, "payment_intent");
    Ok(())
}
