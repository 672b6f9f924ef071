//! Invoices and their payments.

use serde_json::json;

use super::{Call, list, page, update};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::flows::billing;
use crate::params;

/// Serves `invoices` and `invoice_payments`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "GetInvoicesInvoice" => call.world.find("invoice", call.id(), "id"),
        "GetInvoices" => all(call),
        "PostInvoicesInvoice" => update(call, "invoice", &["description"]),
        "PostInvoicesInvoicePay" => pay(call),
        "PostInvoicesInvoiceVoid" => end(call, "void", "voided_at", "invoice.voided"),
        "PostInvoicesInvoiceMarkUncollectible" => {
            end(call, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")
        }
        "GetInvoicesInvoiceLines" => lines(call),
        "GetInvoicePaymentsInvoicePayment" => call.world.find("invoice_payment", call.id(), "id"),
        "GetInvoicePayments" => payments(call),
        _ => return None,
    })
}

fn all(call: &mut Call<'_>) -> Res {
    let subscription = call.text("subscription");
    list(call, "invoice", "/v1/invoices", |o| {
        ["customer", "status", "collection_method"].iter().all(|f| call.matches(o, f))
            && subscription
                .is_none_or(|s| params::text(o, "parent.subscription_details.subscription") == Some(s))
    })
}

fn lines(call: &mut Call<'_>) -> Res {
    let id = call.id();
    let invoice = call.world.find("invoice", id, "invoice")?;
    page(params::list(&invoice, "lines.data").iter(), call.params, &format!("/v1/invoices/{id}/lines"))
}

fn payments(call: &mut Call<'_>) -> Res {
    let intent = call.text("payment.payment_intent");
    list(call, "invoice_payment", "/v1/invoice_payments", |o| {
        call.matches(o, "invoice")
            && call.matches(o, "status")
            && intent.is_none_or(|i| params::text(o, "payment.payment_intent") == Some(i))
            && call.text("payment.type").is_none_or(|t| params::text(o, "payment.type") == Some(t))
    })
}

/// Charges what is due, or takes the merchant's word that it was paid past Stripe.
fn pay(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    call.world.live("invoice", &id, "invoice")?;
    if params::flag(call.params, "paid_out_of_band") {
        billing::paid_elsewhere(call.world, &id)?;
    } else {
        billing::pay(call.world, &id)?;
    }
    call.world.live("invoice", &id, "invoice")
}

/// An open invoice ends unpaid.
fn end(call: &mut Call<'_>, status: &str, moment: &str, event: &str) -> Res {
    let id = call.id().to_owned();
    let invoice = call.world.live("invoice", &id, "invoice")?;
    if params::text(&invoice, "status") != Some("open") {
        return Err(ApiError::bad(format!("Only an open invoice can become {status}.")));
    }
    let now = call.world.now();
    let after = call.world.change(
        "invoice",
        &id,
        json!({ "status": status, "status_transitions": { moment: now } }),
    )?;
    emit(call.world, event, "invoice", &id)?;
    Ok(after)
}
