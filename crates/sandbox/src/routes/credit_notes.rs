//! Credit notes.

use serde_json::{Value, json};

use super::{Call, list, page, update};
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::flows::credit_note::{self, Line, Note};
use crate::money;
use crate::params;

/// Serves `credit_notes`.
pub fn serve(operation: &str, call: &mut Call<'_>) -> Option<Res> {
    Some(match operation {
        "PostCreditNotes" => create(call),
        "GetCreditNotesId" => call.world.find("credit_note", call.id(), "id"),
        "GetCreditNotes" => list(call, "credit_note", "/v1/credit_notes", |o| {
            call.matches(o, "invoice") && call.matches(o, "customer")
        }),
        "PostCreditNotesId" => change(call),
        "PostCreditNotesIdVoid" => {
            let id = call.id().to_owned();
            credit_note::void(call.world, &id)
        }
        "GetCreditNotesCreditNoteLines" => lines(call),
        _ => return None,
    })
}

fn create(call: &mut Call<'_>) -> Res {
    let given = call.params;
    let invoice = call
        .text("invoice")
        .ok_or_else(|| ApiError::param("parameter_missing", "invoice", "Missing required param: invoice."))?
        .to_owned();
    let found = call.world.live("invoice", &invoice, "invoice")?;
    let wanted = params::list(given, "lines");
    let lines = match params::int(given, "amount") {
        Some(amount) if wanted.is_empty() => vec![Line { amount, ..Line::default() }],
        _ => wanted.iter().map(|line| line_of(&found, line)).collect::<Res<Vec<Line>>>()?,
    };
    if lines.is_empty() {
        return Err(ApiError::bad("A credit note needs one of: amount, lines."));
    }
    let refunds = params::list(given, "refunds")
        .iter()
        .map(|r| (params::owned(r, "refund").unwrap_or_default(), params::int0(r, "amount_refunded")))
        .collect();
    let note = Note {
        invoice,
        lines,
        refund: params::int0(given, "refund_amount"),
        refunds,
        credit: params::int0(given, "credit_amount"),
        out_of_band: params::int0(given, "out_of_band_amount"),
        reason: params::owned(given, "reason"),
        memo: params::owned(given, "memo"),
        metadata: params::merged_metadata(&json!({}), given.get("metadata")),
    };
    let id = credit_note::issue(call.world, &note)?;
    call.world.live("credit_note", &id, "id")
}

/// A line that was asked for: a part of an invoice's line with its share of discount and tax, or one of its own.
fn line_of(invoice: &Value, wanted: &Value) -> Res<Line> {
    if params::text(wanted, "type") == Some("custom_line_item") {
        let quantity = params::int(wanted, "quantity").unwrap_or(1);
        let unit = params::int0(wanted, "unit_amount");
        let amount = unit
            .checked_mul(quantity)
            .ok_or_else(|| ApiError::param("", "lines", "The amount is too large.").without_code())?;
        let description = params::owned(wanted, "description");
        return Ok(Line { amount, description, quantity: Some(quantity), ..Line::default() });
    }
    let id = params::owned(wanted, "invoice_line_item").unwrap_or_default();
    let found = params::list(invoice, "lines.data")
        .iter()
        .find(|l| params::text(l, "id") == Some(&id))
        .ok_or_else(|| ApiError::missing("line_item", &id, "lines[0][invoice_line_item]"))?;
    let whole = params::int0(found, "subtotal");
    let count = params::int(found, "quantity").unwrap_or(1);
    let quantity = params::int(wanted, "quantity");
    let amount = match (params::int(wanted, "amount"), quantity) {
        (Some(amount), _) => amount,
        (None, Some(part)) => money::part(whole, part, count),
        (None, None) => whole,
    };
    let discount: i64 =
        params::list(found, "discount_amounts").iter().map(|d| params::int0(d, "amount")).sum();
    let taxes = params::list(found, "taxes");
    let tax: i64 = taxes.iter().map(|t| params::int0(t, "amount")).sum();
    let inclusive = taxes.iter().any(|t| params::text(t, "tax_behavior") == Some("inclusive"));
    Ok(Line {
        invoice_line: Some(id),
        description: params::owned(found, "description"),
        amount,
        discount: money::part(discount, amount, whole),
        tax: money::part(tax, amount, whole),
        inclusive,
        quantity,
    })
}

fn change(call: &mut Call<'_>) -> Res {
    let after = update(call, "credit_note", &["memo"])?;
    let id = call.id().to_owned();
    emit(call.world, "credit_note.updated", "credit_note", &id)?;
    Ok(after)
}

fn lines(call: &mut Call<'_>) -> Res {
    let id = call.id();
    let note = call.world.find("credit_note", id, "credit_note")?;
    page(params::list(&note, "lines.data").iter(), call.params, &format!("/v1/credit_notes/{id}/lines"))
}
