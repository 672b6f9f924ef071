//! Credit notes. On an open invoice less is to pay; on a paid one the money goes back to the card, to the customer's
//! credit, or in a way that Stripe does not see.

use serde_json::{Value, json};

use super::{billing, credit, refund};
use crate::error::{ApiError, Res};
use crate::events::{emit, emit_changed};
use crate::params;
use crate::world::World;

/// One line of a note, computed.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// The invoice's line; `None` for a line of its own.
    pub invoice_line: Option<String>,
    /// What it says.
    pub description: Option<String>,
    /// Minor units before discount and exclusive tax.
    pub amount: i64,
    /// Discount that goes back with it.
    pub discount: i64,
    /// Tax that goes back with it.
    pub tax: i64,
    /// Is the tax inside `amount`?
    pub inclusive: bool,
    /// How many, where it says.
    pub quantity: Option<i64>,
}

impl Line {
    fn total(&self) -> i64 {
        self.amount - self.discount + if self.inclusive { 0 } else { self.tax }
    }
}

/// A note to issue. Of a paid invoice the parts must add up to the total of the lines.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// `in_…`
    pub invoice: String,
    /// At least one.
    pub lines: Vec<Line>,
    /// Back to the card, as a new refund.
    pub refund: i64,
    /// Refunds that were made before: id and the part of it.
    pub refunds: Vec<(String, i64)>,
    /// To the customer's credit.
    pub credit: i64,
    /// Past Stripe.
    pub out_of_band: i64,
    /// Stripe's `reason`.
    pub reason: Option<String>,
    /// A remark.
    pub memo: Option<String>,
    /// Metadata.
    pub metadata: Value,
}

/// Issues a note and returns its id.
///
/// # Errors
/// 400 for an invoice that is neither open nor paid, an amount that is too large, or parts that do not add up.
pub fn issue(world: &mut World, note: &Note) -> Res<String> {
    let invoice = world.live("invoice", &note.invoice, "invoice")?;
    let total: i64 = note.lines.iter().map(Line::total).sum();
    let paid = match params::text(&invoice, "status") {
        Some("paid") => true,
        Some("open") => false,
        other => {
            return Err(ApiError::bad(format!(
                "A credit note needs an open or paid invoice; {} is {}.",
                note.invoice,
                other.unwrap_or_default()
            )));
        }
    };
    check(note, &invoice, total, paid)?;
    let id = world.ids.next("cn");
    let refunds = refunds(world, note)?;
    let booked = credited(world, note, &invoice, &id)?;
    keep(world, note, &invoice, &id, (total, paid, booked), &refunds)?;
    emit(world, "credit_note.created", "credit_note", &id)?;
    let field = if paid { "post_payment_credit_notes_amount" } else { "pre_payment_credit_notes_amount" };
    let before = params::int0(&invoice, field);
    world.change("invoice", &note.invoice, json!({ field: before + total }))?;
    if !paid {
        billing::owe_less(world, &note.invoice, total)?;
    }
    emit_changed(world, "invoice.updated", "invoice", &note.invoice, json!({ field: before }))?;
    if !paid {
        billing::close_if_nothing_is_due(world, &note.invoice)?;
    }
    Ok(id)
}

fn check(note: &Note, invoice: &Value, total: i64, paid: bool) -> Res<()> {
    let given: i64 = note.refunds.iter().map(|(_, part)| *part).sum();
    let parts = note.refund + given + note.credit + note.out_of_band;
    if [note.refund, note.credit, note.out_of_band].iter().any(|part| *part < 0) {
        return Err(ApiError::bad("The parts of a credit note cannot be negative."));
    }
    let most = if paid {
        params::int0(invoice, "total")
            - params::int0(invoice, "pre_payment_credit_notes_amount")
            - params::int0(invoice, "post_payment_credit_notes_amount")
    } else {
        params::int0(invoice, "amount_remaining")
    };
    if !(1..=most).contains(&total) {
        return Err(ApiError::param(
            "",
            "amount",
            format!("The credit note's amount must be between 1 and {most} (got {total})."),
        )
        .without_code());
    }
    if paid && parts != total {
        return Err(ApiError::bad(format!(
            "The sum of credit amount, refund amount, out of band amount and refunds ({parts}) must equal the post \
             payment amount ({total})."
        )));
    }
    if !paid && parts != 0 {
        return Err(ApiError::bad(
            "A credit note on an open invoice lowers what is due; it gives nothing back.",
        ));
    }
    Ok(())
}

/// The refunds of the note: those that were given, and a new one.
fn refunds(world: &mut World, note: &Note) -> Res<Vec<Value>> {
    let mut all = Vec::new();
    for (id, part) in &note.refunds {
        world.live("refund", id, "refunds")?;
        all.push(
            json!({ "amount_refunded": part, "payment_record_refund": null, "refund": id, "type": "refund" }),
        );
    }
    if note.refund > 0 {
        let charge = billing::charge_of(world, &note.invoice)
            .ok_or_else(|| ApiError::bad("This invoice was not paid by a charge that could be refunded."))?;
        let wanted = refund::Wanted { amount: Some(note.refund), ..refund::Wanted::default() };
        let id = refund::create(world, &charge, &wanted)?;
        all.push(json!({ "amount_refunded": note.refund, "payment_record_refund": null, "refund": id, "type": "refund" }));
    }
    Ok(all)
}

fn credited(world: &mut World, note: &Note, invoice: &Value, id: &str) -> Res<Option<String>> {
    if note.credit == 0 {
        return Ok(None);
    }
    let customer = params::owned(invoice, "customer").unwrap_or_default();
    let currency = params::owned(invoice, "currency").unwrap_or_default();
    let why = json!({ "type": "credit_note", "credit_note": id, "invoice": note.invoice });
    credit::book(world, &customer, -note.credit, &currency, why).map(Some)
}

fn keep(
    world: &mut World,
    note: &Note,
    invoice: &Value,
    id: &str,
    (total, paid, booked): (i64, bool, Option<String>),
    refunds: &[Value],
) -> Res<()> {
    let lines: Vec<Value> = note.lines.iter().map(|line| shape(world, line)).collect();
    let tax: i64 = note.lines.iter().map(|l| l.tax).sum();
    let inclusive: i64 = note.lines.iter().filter(|l| l.inclusive).map(|l| l.tax).sum();
    let subtotal: i64 = note.lines.iter().map(|l| l.amount).sum();
    let discount: i64 = note.lines.iter().map(|l| l.discount).sum();
    let discounts: Vec<Value> = params::list(invoice, "discounts")
        .first()
        .filter(|_| discount > 0)
        .map(|d| json!({ "amount": discount, "discount": d }))
        .into_iter()
        .collect();
    let now = world.now();
    let number = params::owned(invoice, "number").unwrap_or_default();
    let count = world.related("credit_note", "invoice", &note.invoice).count();
    let metadata = if note.metadata.is_null() { json!({}) } else { note.metadata.clone() };
    let over = json!({
        "id": id,
        "amount": total,
        "amount_shipping": 0,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_balance_transaction": booked,
        "discount_amount": discount,
        "discount_amounts": discounts,
        "effective_at": now,
        "invoice": note.invoice,
        "lines": { "object": "list", "data": lines, "has_more": false, "url": format!("/v1/credit_notes/{id}/lines") },
        "memo": note.memo,
        "metadata": metadata,
        "number": format!("{number}-CN-{:02}", count + 1),
        "out_of_band_amount": (note.out_of_band > 0).then_some(note.out_of_band),
        "pdf": format!("{}/credit_note/{id}/pdf", world.base_url),
        "post_payment_amount": if paid { total } else { 0 },
        "pre_payment_amount": if paid { 0 } else { total },
        "pretax_credit_amounts": [],
        "reason": note.reason,
        "refunds": refunds,
        "status": "issued",
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inclusive,
        "total": total,
        "total_excluding_tax": total - tax,
        "total_taxes": taxes(&note.lines),
        "type": if paid { "post_payment" } else { "pre_payment" },
    });
    world.make("credit_note", "cn", over).map(|_| ())
}

fn shape(world: &mut World, line: &Line) -> Value {
    let mut over = json!({
        "amount": line.amount,
        "description": line.description,
        "discount_amount": line.discount,
        "discount_amounts": [],
        "pretax_credit_amounts": [],
        "quantity": line.quantity,
        "tax_rates": [],
        "taxes": taxes(std::slice::from_ref(line)),
        "type": if line.invoice_line.is_some() { "invoice_line_item" } else { "custom_line_item" },
        "unit_amount": null,
        "unit_amount_decimal": null,
    });
    if let Some(id) = &line.invoice_line {
        over["invoice_line_item"] = json!(id);
    }
    world.build("credit_note_line_item", "cnli", over)
}

fn taxes(lines: &[Line]) -> Value {
    let mut entries = Vec::new();
    for inclusive in [false, true] {
        let of = || lines.iter().filter(|l| l.inclusive == inclusive && l.tax != 0);
        let amount: i64 = of().map(|l| l.tax).sum();
        if amount != 0 {
            let taxable: i64 = of().map(|l| l.amount - l.discount - if inclusive { l.tax } else { 0 }).sum();
            entries.push(crate::money::tax_entry(amount, inclusive, taxable));
        }
    }
    Value::Array(entries)
}

/// Takes a note back. Stripe does so only before the invoice is paid.
///
/// # Errors
/// 400 for a note that is void, or whose invoice is not open.
pub fn void(world: &mut World, id: &str) -> Res {
    let note = world.live("credit_note", id, "id")?;
    let invoice = params::owned(&note, "invoice").unwrap_or_default();
    let open = world.get("invoice", &invoice).is_some_and(|i| params::text(i, "status") == Some("open"));
    if !open || params::text(&note, "status") != Some("issued") {
        return Err(ApiError::bad("Only an issued credit note of an open invoice can be voided."));
    }
    let now = world.now();
    let amount = params::int0(&note, "amount");
    let after = world.change("credit_note", id, json!({ "status": "void", "voided_at": now }))?;
    emit(world, "credit_note.voided", "credit_note", id)?;
    let noted = params::int0(&world.live("invoice", &invoice, "invoice")?, "pre_payment_credit_notes_amount");
    world.change("invoice", &invoice, json!({ "pre_payment_credit_notes_amount": noted - amount }))?;
    billing::owe_less(world, &invoice, -amount)?;
    emit(world, "invoice.updated", "invoice", &invoice)?;
    Ok(after)
}
