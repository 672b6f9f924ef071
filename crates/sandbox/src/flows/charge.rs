//! Charges and what they do to the balance.

use serde_json::{Value, json};

use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::money;
use crate::params;
use crate::world::World;

/// A charge to make.
#[derive(Debug, Clone)]
pub struct Charge {
    /// Minor units, above 0.
    pub amount: i64,
    /// Lower case.
    pub currency: String,
    /// Stripe customer.
    pub customer: Option<String>,
    /// PaymentIntent.
    pub payment_intent: Option<String>,
    /// Text.
    pub description: Option<String>,
    /// Who pays.
    pub email: Option<String>,
    /// Who pays.
    pub name: Option<String>,
    /// Metadata.
    pub metadata: Value,
    /// False = only authorised.
    pub captured: bool,
    /// What the buyer saw, where another currency was shown (`presentment_details`).
    pub presentment: Option<Value>,
}

/// How it was paid: by card, or by a bank debit that takes days.
fn method(debit: bool) -> Value {
    if debit {
        return json!({
            "type": "sepa_debit",
            "sepa_debit": {
                "bank_code": "37040044", "branch_code": null, "country": "DE", "fingerprint": null,
                "last4": "3000", "mandate": null,
            },
        });
    }
    json!({
        "type": "card",
        "card": {
            "brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2034, "funding": "credit",
            "last4": "4242", "network": "visa",
        },
    })
}

fn over(wanted: &Charge, debit: bool) -> Value {
    let mut values = json!({
        "amount": wanted.amount,
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": {
            "address": { "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null },
            "email": wanted.email,
            "name": wanted.name,
            "phone": null,
            "tax_id": null,
        },
        "calculated_statement_descriptor": "SANDBOX SHOP",
        "currency": wanted.currency,
        "customer": wanted.customer,
        "description": wanted.description,
        "fraud_details": {},
        "metadata": wanted.metadata,
        "payment_intent": wanted.payment_intent,
        "payment_method_details": method(debit),
        "receipt_email": wanted.email,
    });
    if let Some(shown) = &wanted.presentment {
        values["presentment_details"] = shown.clone();
    }
    values
}

/// A bank debit is on its way. Stripe shows it as captured already; only its status says that it is not.
///
/// # Errors
/// 400 if the sandbox is full.
pub fn pend(world: &mut World, wanted: &Charge) -> Res<String> {
    let mut values = over(wanted, true);
    values["paid"] = json!(true);
    values["captured"] = json!(true);
    values["amount_captured"] = json!(wanted.amount);
    values["status"] = json!("pending");
    let id = world.make("charge", "py", values)?;
    emit(world, "charge.pending", "charge", &id)?;
    Ok(id)
}

/// A bank debit arrived.
///
/// # Errors
/// 404 if there is no such charge.
pub fn arrive(world: &mut World, id: &str) -> Res<()> {
    let amount = params::int0(&world.live("charge", id, "charge")?, "amount");
    world.change("charge", id, json!({ "status": "succeeded" }))?;
    book(world, id, amount)?;
    emit(world, "charge.succeeded", "charge", id)
}

/// A bank debit was refused.
///
/// # Errors
/// 404 if there is no such charge.
pub fn bounce(world: &mut World, id: &str, code: &str) -> Res<()> {
    world.change(
        "charge",
        id,
        json!({
            "amount_captured": 0,
            "failure_code": code,
            "failure_message": "The payment failed.",
            "paid": false,
            "status": "failed",
        }),
    )?;
    emit(world, "charge.failed", "charge", id)
}

/// Makes a charge that goes through, captured or only authorised.
///
/// # Errors
/// 400 if the sandbox is full.
pub fn succeed(world: &mut World, wanted: &Charge) -> Res<String> {
    let mut values = over(wanted, false);
    values["paid"] = json!(true);
    values["status"] = json!("succeeded");
    values["captured"] = json!(wanted.captured);
    values["outcome"] = json!({
        "advice_code": null, "network_advice_code": null, "network_decline_code": null,
        "network_status": "approved_by_network", "reason": null, "risk_level": "normal", "risk_score": 20,
        "seller_message": "Payment complete.", "type": "authorized",
    });
    let id = world.make("charge", "ch", values)?;
    if wanted.captured {
        book(world, &id, wanted.amount)?;
    }
    emit(world, "charge.succeeded", "charge", &id)?;
    Ok(id)
}

/// Makes a charge that is refused.
///
/// # Errors
/// 400 if the sandbox is full.
pub fn fail(world: &mut World, wanted: &Charge, code: &str) -> Res<String> {
    let mut values = over(wanted, false);
    values["paid"] = json!(false);
    values["status"] = json!("failed");
    values["captured"] = json!(false);
    values["failure_code"] = json!(code);
    values["failure_message"] = json!("The payment failed.");
    let id = world.make("charge", "ch", values)?;
    emit(world, "charge.failed", "charge", &id)?;
    Ok(id)
}

/// Captures an authorised charge, whole or in part; the rest is released.
///
/// # Errors
/// 400 if it is captured already, or for more than was authorised.
pub fn capture(world: &mut World, id: &str, amount: Option<i64>) -> Res<()> {
    let charge = world.live("charge", id, "charge")?;
    if params::flag(&charge, "captured") {
        return Err(ApiError {
            code: Some("charge_already_captured"),
            ..ApiError::bad(format!("Charge {id} has already been captured."))
        });
    }
    let authorised = params::int0(&charge, "amount");
    let amount = amount.unwrap_or(authorised);
    if !(1..=authorised).contains(&amount) {
        return Err(ApiError::param("amount_too_large", "amount_to_capture", "Invalid amount to capture."));
    }
    world.change("charge", id, json!({ "captured": true }))?;
    book(world, id, amount)?;
    let released = release(world, &charge, authorised - amount)?;
    emit(world, "charge.captured", "charge", id)?;
    // As every refund, this one is told of, too.
    released.map_or(Ok(()), |refund| emit(world, "refund.created", "refund", &refund))
}

/// What was authorised and not captured goes back: Stripe books a refund of its own that moves no money.
fn release(world: &mut World, charge: &Value, amount: i64) -> Res<Option<String>> {
    if amount == 0 {
        return Ok(None);
    }
    let refund = world.make(
        "refund",
        "re",
        json!({
            "amount": amount,
            "balance_transaction": null,
            "charge": charge["id"],
            "currency": charge["currency"],
            "destination_details": {
                "type": "card",
                "card": { "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "reversal" },
            },
            "payment_intent": charge["payment_intent"],
            "status": "succeeded",
        }),
    )?;
    let id = params::owned(charge, "id").unwrap_or_default();
    world.change("charge", &id, json!({ "amount_refunded": amount }))?;
    Ok(Some(refund))
}

/// What of a charge can still go back: captured, and not refunded. What was released counts as refunded.
pub fn left(charge: &Value) -> i64 {
    if params::int0(charge, "amount_captured") == 0 {
        return 0;
    }
    params::int0(charge, "amount") - params::int0(charge, "amount_refunded")
}

/// Money arrives: the captured amount and its balance transaction.
fn book(world: &mut World, id: &str, amount: i64) -> Res<()> {
    let charge = world.live("charge", id, "charge")?;
    let currency = params::owned(&charge, "currency").unwrap_or_default();
    let fee = money::fee(amount);
    let entry = balance(world, "charge", amount, fee, &currency, id)?;
    world.change("charge", id, json!({ "amount_captured": amount, "balance_transaction": entry }))?;
    Ok(())
}

/// A movement of the balance: `amount` signed, `fee` as Stripe takes it. Returns its id.
///
/// # Errors
/// 400 if the sandbox is full.
pub fn balance(
    world: &mut World,
    kind: &str,
    amount: i64,
    fee: i64,
    currency: &str,
    source: &str,
) -> Res<String> {
    let details: Vec<Value> = (fee != 0)
        .then(|| {
            json!({
                "amount": fee, "application": null, "currency": currency, "description": "Stripe processing fees",
                "type": "stripe_fee",
            })
        })
        .into_iter()
        .collect();
    let category = match kind {
        "adjustment" if amount > 0 => "dispute_reversal",
        "adjustment" => "dispute",
        other => other,
    };
    let now = world.now();
    world.make(
        "balance_transaction",
        "txn",
        json!({
            "amount": amount,
            "available_on": now,
            "balance_type": "payments",
            "currency": currency,
            "fee": fee,
            "fee_details": details,
            "net": amount - fee,
            "reporting_category": category,
            "source": source,
            "status": "available",
            "type": kind,
        }),
    )
}
