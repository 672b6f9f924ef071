//! Invoices that the merchant writes.

use serde_json::Value;

use super::Teller;

/// An open invoice of 100.00 for a customer whom the partner brought; answers its id.
async fn open(teller: &mut Teller) -> Result<String, Value> {
    let (currency, partner) = (teller.currency(), teller.partner());
    let email = format!("invoice-{}@buyer.example", teller.fresh()?);
    let form =
        [("email", email.as_str()), ("name", "Ivo Invoice"), ("metadata[partner_key]", partner.as_str())];
    let made = teller.stripe("POST", "customers", &form).await?;
    let customer = Teller::id(&made);
    teller.remember("customer", &made, "id");
    for (amount, text) in [("7000", "Set-up"), ("3000", "Training")] {
        let item = [
            ("customer", customer.as_str()),
            ("amount", amount),
            ("currency", currency.as_str()),
            ("description", text),
        ];
        teller.stripe("POST", "invoiceitems", &item).await?;
    }
    let form = [
        ("customer", customer.as_str()),
        ("pending_invoice_items_behavior", "include"),
        ("collection_method", "send_invoice"),
    ];
    let made = teller.stripe("POST", "invoices", &form).await?;
    teller.remember("invoice", &made, "id");
    let id = Teller::id(&made);
    teller.stripe("POST", &format!("invoices/{id}/finalize"), &[]).await?;
    Ok(id)
}

async fn note(teller: &mut Teller, form: &[(&str, &str)]) -> Result<(), Value> {
    let note = teller.stripe("POST", "credit_notes", form).await?;
    teller.remember("credit_note", &note, "id");
    Ok(())
}

/// Tells of a paid invoice of which 60.00 are credited: to the card, to the customer's balance, and past Stripe.
pub async fn credit_note(teller: &mut Teller) -> Result<(), Value> {
    let id = open(teller).await?;
    teller.stripe("POST", &format!("invoices/{id}/pay"), &[]).await?;
    let form = [
        ("invoice", id.as_str()),
        ("amount", "6000"),
        ("refund_amount", "3000"),
        ("credit_amount", "2000"),
        ("out_of_band_amount", "1000"),
    ];
    note(teller, &form).await
}

/// Tells of an invoice that is lowered by 25.00 before it is paid.
pub async fn credit_note_first(teller: &mut Teller) -> Result<(), Value> {
    let id = open(teller).await?;
    note(teller, &[("invoice", id.as_str()), ("amount", "2500")]).await?;
    teller.stripe("POST", &format!("invoices/{id}/pay"), &[]).await?;
    Ok(())
}

/// Tells of an invoice that is paid by bank transfer, past Stripe.
pub async fn out_of_band(teller: &mut Teller) -> Result<(), Value> {
    let id = open(teller).await?;
    teller.stripe("POST", &format!("invoices/{id}/pay"), &[("paid_out_of_band", "true")]).await?;
    Ok(())
}

/// Tells of an invoice that nobody pays: voided, and another that is given up.
pub async fn never_paid(teller: &mut Teller) -> Result<(), Value> {
    let id = open(teller).await?;
    teller.stripe("POST", &format!("invoices/{id}/void"), &[]).await?;
    let id = open(teller).await?;
    teller.stripe("POST", &format!("invoices/{id}/mark_uncollectible"), &[]).await?;
    Ok(())
}
