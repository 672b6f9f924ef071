//! Checkout: a session is opened and paid, at once or days later.

use serde_json::{Value, json};

use super::billing::{self, Bill};
use super::intent::{self, Intent};
use super::subscription;
use crate::error::{ApiError, Res};
use crate::events::emit;
use crate::money;
use crate::objects::session::{self, Source};
use crate::params;
use crate::plan::{DiscountSpec, Plan};
use crate::routes::customers;
use crate::world::World;

const SESSION: &str = "checkout.session";

/// Who pays, as typed into the page.
#[derive(Debug, Clone, Default)]
pub struct Payer {
    /// E-mail; the session's own if absent.
    pub email: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Amount (minor units) and currency that the page showed instead of the merchant's own.
    pub presentment: Option<(i64, String)>,
}

/// Opens a session.
///
/// # Errors
/// 404 and 400 for prices that cannot be sold so.
pub fn open(world: &mut World, source: Source, plan: Plan) -> Res<String> {
    let quote = money::quote(world, &plan, true)?;
    let recurring = quote.lines.iter().any(|l| l.recurring.is_some());
    if (source.mode == "subscription") != recurring {
        return Err(ApiError::param(
            "",
            "mode",
            "Recurring prices go with the mode `subscription`, and only with it.",
        )
        .without_code());
    }
    if plan.trial_days > 0 && !recurring {
        return Err(ApiError::bad("A trial needs a recurring price."));
    }
    let priced = if plan.trial_days > 0 { quote.free() } else { quote };
    let session = session::build(world, &source, &plan, &priced);
    let id = world.keep(SESSION, session)?;
    world.plans.insert(id.clone(), plan);
    Ok(id)
}

/// Opens the session that a visitor of a payment link gets.
///
/// # Errors
/// 404 for an unknown link, 400 for an inactive one or a promotion code that it does not take.
pub fn open_link(
    world: &mut World,
    link: &str,
    reference: Option<&str>,
    email: Option<&str>,
    code: Option<&str>,
) -> Res<String> {
    let found = world.live("payment_link", link, "payment_link")?;
    if !params::flag(&found, "active") {
        return Err(ApiError::bad("This payment link is not active."));
    }
    let mut plan =
        world.plans.get(link).cloned().ok_or_else(|| ApiError::internal("a payment link has no plan"))?;
    if let Some(code) = code {
        if !params::flag(&found, "allow_promotion_codes") {
            return Err(ApiError::bad("This payment link takes no promotion codes."));
        }
        plan.discount = Some(by_code(world, code)?);
    }
    let recurring = params::at(&found, "subscription_data").is_some();
    // Stripe drops a reference with other characters and goes on without it.
    let plain = |text: &&str| {
        (1..=200).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
    };
    let source = Source {
        mode: if recurring { "subscription" } else { "payment" }.to_owned(),
        customer: None,
        email: email.map(str::to_owned),
        client_reference_id: reference.filter(plain).map(str::to_owned),
        metadata: found["metadata"].clone(),
        payment_link: Some(link.to_owned()),
        success_url: params::owned(&found, "after_completion.redirect.url")
            .or_else(|| Some("https://stripe.com".to_owned())),
        cancel_url: None,
        allow_promotion_codes: Some(found["allow_promotion_codes"].clone()),
    };
    open(world, source, plan)
}

/// The promotion that a typed code means.
fn by_code(world: &World, code: &str) -> Res<DiscountSpec> {
    let id = world
        .newest("promotion_code")
        .find(|p| {
            params::flag(p, "active") && params::text(p, "code").is_some_and(|c| c.eq_ignore_ascii_case(code))
        })
        .and_then(|p| params::owned(p, "id"))
        .ok_or_else(|| ApiError::missing("promotion_code", code, "promotion_code"))?;
    crate::plan::promotion(world, &id)
}

/// Takes a code that a buyer typed on the page of an open session.
///
/// # Errors
/// 404 for an unknown code, 400 for a session that is not open or takes none.
pub fn apply_code(world: &mut World, id: &str, code: &str) -> Res<()> {
    let found = world.live(SESSION, id, "session")?;
    if params::text(&found, "status") != Some("open") || !params::flag(&found, "allow_promotion_codes") {
        return Err(ApiError::bad("This purchase takes no promotion codes."));
    }
    let spec = by_code(world, code)?;
    let mut plan = plan_of(world, id)?;
    let given = json!([{ "coupon": null, "promotion_code": spec.promotion_code }]);
    plan.discount = Some(spec);
    let quote = money::quote(world, &plan, true)?;
    let quote = if plan.trial_days > 0 { quote.free() } else { quote };
    world.set(SESSION, id, "discounts", given)?;
    world.change(
        SESSION,
        id,
        json!({
            "amount_subtotal": quote.subtotal(),
            "amount_total": quote.total(),
            "total_details": {
                "amount_discount": quote.discount(),
                "amount_shipping": quote.shipping,
                "amount_tax": quote.tax(),
            },
        }),
    )?;
    world.plans.insert(id.to_owned(), plan);
    Ok(())
}

/// Pays an open session; with `later` the payment method takes days to answer.
///
/// # Errors
/// 400 if the session is not open.
pub fn pay(world: &mut World, id: &str, payer: &Payer, later: bool) -> Res {
    let found = world.live(SESSION, id, "session")?;
    let status = params::text(&found, "status").unwrap_or_default();
    if status != "open" {
        return Err(ApiError::bad(format!(
            "Checkout Session {id} has the status {status} and cannot be paid."
        )));
    }
    let plan = plan_of(world, id)?;
    let customer = customer(world, &found, &plan, payer)?;
    let email = payer.email.clone().or_else(|| params::owned(&found, "customer_email"));
    world.change(
        SESSION,
        id,
        json!({
            "customer": customer,
            "customer_details": {
                "address": null, "business_name": null, "email": email, "individual_name": null, "name": payer.name,
                "phone": null, "tax_exempt": "none", "tax_ids": [],
            },
            "status": "complete",
            "url": null,
        }),
    )?;
    let shown = payer
        .presentment
        .as_ref()
        .map(|(amount, currency)| json!({ "presentment_amount": amount, "presentment_currency": currency }));
    if let Some(shown) = &shown {
        world.change(SESSION, id, json!({ "presentment_details": shown }))?;
    }
    let paid = if params::text(&found, "mode") == Some("subscription") {
        pay_subscription(world, id, &plan, customer.as_deref(), later)?
    } else {
        pay_once(world, id, &plan, customer, email, later)?
    };
    world.change(SESSION, id, json!({ "payment_status": paid }))?;
    emit(world, "checkout.session.completed", SESSION, id)?;
    world.live(SESSION, id, "session")
}

fn plan_of(world: &World, id: &str) -> Res<Plan> {
    world.plans.get(id).cloned().ok_or_else(|| ApiError::internal("a session has no plan"))
}

/// The session's customer, or a new one where one is needed; guests have none.
fn customer(world: &mut World, session: &Value, plan: &Plan, payer: &Payer) -> Res<Option<String>> {
    if let Some(customer) = params::owned(session, "customer") {
        return Ok(Some(customer));
    }
    let needed = params::text(session, "mode") == Some("subscription")
        || plan.always_customer
        || plan.invoice_metadata.is_some();
    if !needed {
        return Ok(None);
    }
    let email = payer.email.clone().or_else(|| params::owned(session, "customer_email"));
    let made = customers::create(world, &json!({ "email": email, "name": payer.name }))?;
    Ok(params::owned(&made, "id"))
}

fn pay_subscription(
    world: &mut World,
    id: &str,
    plan: &Plan,
    customer: Option<&str>,
    later: bool,
) -> Res<&'static str> {
    let customer = customer.ok_or_else(|| ApiError::internal("a subscription needs a customer"))?;
    let started = subscription::start(world, customer, plan)?;
    world.change(
        SESSION,
        id,
        json!({ "subscription": started.subscription, "invoice": started.invoice, "customer": customer }),
    )?;
    if billing::awaited(world, &started.invoice).is_err() {
        subscription::first_payment(world, &started.subscription)?;
        return Ok(if plan.trial_days > 0 { "no_payment_required" } else { "paid" });
    }
    if later {
        let (_, intent) = billing::awaited(world, &started.invoice)?;
        intent::process(world, &intent)?;
        return Ok("unpaid");
    }
    subscription::first_payment(world, &started.subscription)?;
    Ok("paid")
}

fn pay_once(
    world: &mut World,
    id: &str,
    plan: &Plan,
    customer: Option<String>,
    email: Option<String>,
    later: bool,
) -> Res<&'static str> {
    let quote = money::quote(world, plan, true)?;
    subscription::redeem(world, plan)?;
    if quote.total() == 0 {
        return Ok("no_payment_required");
    }
    let wanted = Intent {
        amount: quote.total(),
        currency: quote.currency.clone(),
        customer,
        description: None,
        email,
        metadata: plan.payment_metadata.clone(),
        manual_capture: plan.manual_capture,
    };
    let intent = intent::create(world, &wanted)?;
    let shown = params::at(&world.live(SESSION, id, "session")?, "presentment_details").cloned();
    if let Some(shown) = shown {
        world.change("payment_intent", &intent, json!({ "presentment_details": shown }))?;
    }
    world.change(SESSION, id, json!({ "payment_intent": intent }))?;
    if later {
        intent::process(world, &intent)?;
        return Ok("unpaid");
    }
    intent::succeed(world, &intent)?;
    if plan.manual_capture {
        return Ok("unpaid");
    }
    one_time_invoice(world, id, plan)?;
    Ok("paid")
}

/// The invoice that `invoice_creation` asks for, paid by the PaymentIntent that already went through.
fn one_time_invoice(world: &mut World, id: &str, plan: &Plan) -> Res<()> {
    let Some(metadata) = plan.invoice_metadata.clone() else { return Ok(()) };
    let session = world.live(SESSION, id, "session")?;
    let now = world.now();
    let discount = match &plan.discount {
        Some(spec) => Some(world.make(
            "discount",
            "di",
            json!({
                "checkout_session": id,
                "customer": session["customer"],
                "promotion_code": spec.promotion_code,
                "source": { "type": "coupon", "coupon": spec.coupon },
                "start": now,
            }),
        )?),
        None => None,
    };
    let bill = Bill {
        customer: params::owned(&session, "customer").unwrap_or_default(),
        quote: money::quote(world, plan, true)?,
        reason: "manual",
        period: (now, now),
        subscription: None,
        subscription_metadata: json!({}),
        metadata,
        discount,
    };
    let invoice = billing::issue(world, &bill, params::text(&session, "payment_intent"))?;
    world.change(SESSION, id, json!({ "invoice": invoice }))?;
    billing::paid(world, &invoice)
}

/// An unpaid session's payment arrives, or is refused.
///
/// # Errors
/// 400 if the session waits for no payment.
pub fn answer_late(world: &mut World, id: &str, arrives: bool) -> Res {
    let found = world.live(SESSION, id, "session")?;
    let invoice = params::owned(&found, "invoice");
    let intent = match (&invoice, params::owned(&found, "payment_intent")) {
        (Some(invoice), _) => billing::awaited(world, invoice).ok().map(|(_, intent)| intent),
        (None, intent) => intent,
    };
    let processing = intent
        .filter(|i| {
            world.get("payment_intent", i).is_some_and(|i| params::text(i, "status") == Some("processing"))
        })
        .ok_or_else(|| ApiError::bad(format!("Checkout Session {id} waits for no payment.")))?;
    match (arrives, &invoice, params::text(&found, "subscription")) {
        (true, Some(_), Some(subscription)) => subscription::first_payment(world, subscription)?,
        (true, _, _) => {
            intent::succeed(world, &processing)?;
            one_time_invoice(world, id, &plan_of(world, id)?)?;
        }
        (false, Some(invoice), Some(_)) => billing::fail(world, invoice)?,
        (false, _, _) => intent::fail(world, &processing, "payment_method_provider_decline")?,
    }
    if arrives {
        world.change(SESSION, id, json!({ "payment_status": "paid" }))?;
    }
    let event = if arrives {
        "checkout.session.async_payment_succeeded"
    } else {
        "checkout.session.async_payment_failed"
    };
    emit(world, event, SESSION, id)?;
    world.live(SESSION, id, "session")
}
