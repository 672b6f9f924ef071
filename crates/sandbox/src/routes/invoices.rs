//! Invoices and their payments.

use serde_json::json;

use super::{Call, list, page, update};
use crate::error::{ApiError, Res};
use crate::events::{emit, emit_value};
use crate::flows::{billing, manual};
use crate::params;

/// Serves `invoices` and `invoice_payments`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "GetInvoicesInvoice" => call.world.find("invoice", call.id(), "id"),
        "GetInvoices" => all(call),
        "PostInvoicesInvoice" => update(call, "invoice", &["description"]),
        "PostInvoices" => create(call),
        "PostInvoicesInvoiceFinalize" => finalise(call),
        "PostInvoicesInvoiceSend" => send(call),
        "DeleteInvoicesInvoice" => delete(call),
        "PostInvoiceitems" => item(call),
        "GetInvoiceitemsInvoiceitem" => call.world.find("invoiceitem", call.id(), "invoiceitem"),
        "GetInvoiceitems" => list(call, "invoiceitem", "/v1/invoiceitems", |o| {
            call.matches(o, "customer") && call.matches(o, "invoice")
        }),
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

fn create(call: &mut Call<'_>) -> Res {
    let id = manual::create(call.world, call.params)?;
    call.world.live("invoice", &id, "invoice")
}

fn item(call: &mut Call<'_>) -> Res {
    let id = manual::item(call.world, call.params)?;
    call.world.live("invoiceitem", &id, "invoiceitem")
}

fn finalise(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    manual::finalise(call.world, &id)?;
    call.world.live("invoice", &id, "invoice")
}

/// Sending finalises what is a draft.
fn send(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    if params::text(&call.world.live("invoice", &id, "invoice")?, "status") == Some("draft") {
        manual::finalise(call.world, &id)?;
    }
    emit(call.world, "invoice.sent", "invoice", &id)?;
    call.world.live("invoice", &id, "invoice")
}

fn delete(call: &mut Call<'_>) -> Res {
    let id = call.id().to_owned();
    let found = call.world.live("invoice", &id, "invoice")?;
    if params::text(&found, "status") != Some("draft") {
        return Err(ApiError::bad("Only a draft can be deleted."));
    }
    call.world.drafts.remove(&id);
    let gone = call.world.delete("invoice", &id)?;
    emit_value(call.world, "invoice.deleted", found, None)?;
    Ok(gone)
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
