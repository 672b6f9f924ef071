//! What is known about a session, link or subscription beyond its Stripe object: the way it will be paid.

use serde_json::{Value, json};

use crate::error::{ApiError, Res};
use crate::params;
use crate::routes::{prices, shipping};
use crate::world::World;

/// A price and how many of it.
#[derive(Debug, Clone)]
pub struct LineSpec {
    /// `price_…`
    pub price: String,
    /// At least 0.
    pub quantity: i64,
}

/// A coupon, and the promotion code that brought it.
#[derive(Debug, Clone)]
pub struct DiscountSpec {
    /// The coupon's id.
    pub coupon: String,
    /// `promo_…`, `None` for a bare coupon.
    pub promotion_code: Option<String>,
}

/// The way a sale will be paid.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is bought.
    pub lines: Vec<LineSpec>,
    /// What is taken off.
    pub discount: Option<DiscountSpec>,
    /// Shipping in minor units.
    pub shipping: i64,
    /// Metadata of the subscription.
    pub subscription_metadata: Value,
    /// Trial in days, 0 for none.
    pub trial_days: i64,
    /// Metadata of the PaymentIntent.
    pub payment_metadata: Value,
    /// Authorise first, capture later.
    pub manual_capture: bool,
    /// Metadata of the invoice of a one-time purchase, `None` for no invoice.
    pub invoice_metadata: Option<Value>,
    /// Make a Stripe customer even where none is needed.
    pub always_customer: bool,
}

impl Plan {
    /// Reads what `POST /v1/checkout/sessions` and `POST /v1/payment_links` have in common. New prices, products and
    /// shipping rates are made on the way.
    ///
    /// # Errors
    /// 404 for an unknown price, coupon or promotion code; 400 for a discount that is not valid.
    pub fn read(world: &mut World, given: &Value) -> Res<Self> {
        let mut lines = Vec::new();
        for (at, item) in params::list(given, "line_items").iter().enumerate() {
            let price = match (params::text(item, "price"), params::at(item, "price_data")) {
                (Some(id), _) => {
                    world.live("price", id, &format!("line_items[{at}][price]")).map(|_| id.to_owned())?
                }
                (None, Some(data)) => prices::from_data(world, data)?,
                (None, None) => {
                    return Err(ApiError::param(
                        "parameter_missing",
                        &format!("line_items[{at}][price]"),
                        "A line item needs price or price_data.",
                    ));
                }
            };
            lines.push(LineSpec { price, quantity: params::int(item, "quantity").unwrap_or(1) });
        }
        let discount = read_discount(world, given)?;
        let shipping = shipping::chosen(given)?.unwrap_or_else(|| i64::from(world.settings.shipping));
        let invoice = params::at(given, "invoice_creation").filter(|i| params::flag(i, "enabled"));
        Ok(Self {
            lines,
            discount,
            shipping,
            subscription_metadata: params::map(given, "subscription_data.metadata"),
            trial_days: params::int0(given, "subscription_data.trial_period_days"),
            payment_metadata: params::map(given, "payment_intent_data.metadata"),
            manual_capture: params::text(given, "payment_intent_data.capture_method") == Some("manual"),
            invoice_metadata: invoice.map(|i| params::map(i, "invoice_data.metadata")),
            always_customer: params::text(given, "customer_creation") == Some("always"),
        })
    }

    /// A plan of some lines and nothing else.
    pub fn of(lines: Vec<LineSpec>) -> Self {
        Self {
            lines,
            discount: None,
            shipping: 0,
            subscription_metadata: json!({}),
            trial_days: 0,
            payment_metadata: json!({}),
            manual_capture: false,
            invoice_metadata: None,
            always_customer: false,
        }
    }
}

/// `discounts[0][coupon]` or `discounts[0][promotion_code]`, checked as Stripe does.
pub fn read_discount(world: &World, given: &Value) -> Res<Option<DiscountSpec>> {
    let discounts = params::list(given, "discounts");
    if discounts.len() > 1 {
        return Err(ApiError::param("", "discounts", "You may provide at most 1 discount.").without_code());
    }
    if !discounts.is_empty() && params::flag(given, "allow_promotion_codes") {
        return Err(ApiError::bad(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
        ));
    }
    let Some(discount) = discounts.first() else { return Ok(None) };
    match (params::text(discount, "promotion_code"), params::text(discount, "coupon")) {
        (Some(code), None) => promotion(world, code).map(Some),
        (None, Some(coupon)) => {
            usable_coupon(world, coupon, "discounts[0][coupon]")?;
            Ok(Some(DiscountSpec { coupon: coupon.to_owned(), promotion_code: None }))
        }
        _ => Err(ApiError::bad("A discount needs exactly one of: coupon, promotion_code.")),
    }
}

/// A promotion code by its id, if it can be used now.
///
/// # Errors
/// 404 if unknown, 400 if inactive, expired or used up.
pub fn promotion(world: &World, id: &str) -> Res<DiscountSpec> {
    let code = world.live("promotion_code", id, "discounts[0][promotion_code]")?;
    let used_up =
        params::int(&code, "max_redemptions").is_some_and(|m| params::int0(&code, "times_redeemed") >= m);
    let expired = params::int(&code, "expires_at").is_some_and(|t| t <= world.now());
    if !params::flag(&code, "active") || used_up || expired {
        return Err(ApiError::param(
            "promotion_code_invalid",
            "discounts[0][promotion_code]",
            "This promotion code is no longer active.",
        )
        .without_code());
    }
    let coupon = params::owned(&code, "promotion.coupon").unwrap_or_default();
    usable_coupon(world, &coupon, "discounts[0][promotion_code]")?;
    Ok(DiscountSpec { coupon, promotion_code: Some(id.to_owned()) })
}

fn usable_coupon(world: &World, id: &str, param: &str) -> Res<()> {
    let coupon = world.live("coupon", id, param)?;
    let used_up =
        params::int(&coupon, "max_redemptions").is_some_and(|m| params::int0(&coupon, "times_redeemed") >= m);
    let expired = params::int(&coupon, "redeem_by").is_some_and(|t| t <= world.now());
    if used_up || expired || !params::flag(&coupon, "valid") {
        return Err(ApiError::param("coupon_expired", param, format!("Coupon expired: {id}")));
    }
    Ok(())
}
