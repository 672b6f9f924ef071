//! A transaction on the wire.

use super::item::Item;
use super::record::{Kept, is_void};
use crate::api::error::ApiError;
use crate::api::wire::{Major, opt_time, stored_currency, time, units};
use serde::Serialize;
use tributary_domain::money::Currency;
use tributary_store::StoreError;
use tributary_store::api::transactions::{Reward, Transaction};
use utoipa::ToSchema;

/// One text or several.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

fn one_or_many(texts: &[String]) -> Option<OneOrMany> {
    match texts {
        [] => None,
        [one] => Some(OneOrMany::One(one.clone())),
        many => Some(OneOrMany::Many(many.to_vec())),
    }
}

/// What was sold.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProductView {
    /// Product ids.
    pub product_id: Option<OneOrMany>,
    /// Product types.
    pub product_type: Option<OneOrMany>,
}

/// A commission.
#[derive(Debug, Serialize, ToSchema)]
pub struct RewardView {
    /// The commission's id.
    pub id: String,
    /// The key of the transaction.
    pub key: String,
    /// What happened.
    pub action: String,
    /// Always `ok`; see `state`.
    pub status: String,
    /// `pending` (in its hold), `payable`, or `reversed`.
    pub state: String,
    /// Why it is what it is.
    pub reason: String,
    /// The customer's key.
    pub customer: Option<String>,
    /// The partner's id.
    pub partner: String,
    /// What it is now, net of reversals.
    pub amount: Major,
    /// What it was before refunds.
    pub gross_amount: Major,
    /// ISO 4217, upper case.
    pub amount_units: String,
    /// Always true.
    pub is_currency: bool,
    /// Always 0: credits belong to refer-a-friend programs.
    pub credit: u8,
    /// When it becomes payable.
    pub payable_at: String,
    /// When it was created.
    pub created_at: String,
    /// When its transaction was archived or voided.
    pub deleted_at: Option<String>,
    /// What was sold.
    pub product_type_data: ProductView,
}

/// A transaction.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransactionView {
    /// Tributary's id of the sale.
    pub id: String,
    /// The key it was written with, else the Stripe id that the purchase is rooted in.
    pub key: String,
    /// What happened: `sale`, or the caller's own word.
    pub action: String,
    /// What was paid, tax and shipping included.
    pub amount: Major,
    /// ISO 4217, upper case.
    pub amount_units: String,
    /// The whole price, tax and shipping included; as given, where the caller gave it.
    pub gross_amount: Major,
    /// Tax in it.
    pub tax_amount: Major,
    /// Shipping in it, without tax.
    pub shipping_amount: Major,
    /// Discount already taken off.
    pub discount_amount: Major,
    /// The code of the discount, where the caller gave it.
    pub discount_code: Option<String>,
    /// Given back.
    pub refunded_amount: Major,
    /// Lost in disputes that are over.
    pub lost_amount: Major,
    /// Asked back by open disputes.
    pub disputed_amount: Major,
    /// Always 0.
    pub credit: u8,
    /// Always true.
    pub is_currency: bool,
    /// May it earn?
    pub rewardable: bool,
    /// `ok` or `archived`.
    pub status: String,
    /// How far the purchase is: `paid`, `awaiting_link`, …
    pub state: String,
    /// `api` or `stripe`: who knows its money.
    pub source: String,
    /// The id of the partner who earns, else of the customer's partner.
    pub partner: Option<String>,
    /// The customer's key.
    pub customer: Option<String>,
    /// When the money came.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
    /// When it was archived or voided.
    pub deleted_at: Option<String>,
    /// What was sold.
    pub product_type_data: ProductView,
    /// Its commissions.
    pub rewards: Vec<RewardView>,
}

/// What the caller gave, where the API wrote the transaction.
fn given(t: &Transaction) -> Result<Option<Item>, StoreError> {
    t.written.as_ref().map(|written| Kept::read(written)?.item()).transpose()
}

pub(crate) fn transaction(t: &Transaction) -> Result<TransactionView, ApiError> {
    let sale = &t.sale;
    let item = given(t)?;
    // A sale that Stripe has not described yet has no currency; the caller's stands in.
    let currency = match (&item, sale.currency.is_empty()) {
        (Some(item), true) => item.currency,
        (None, true) => Currency::parse("xxx").map_err(|e| StoreError::Inconsistent(e.to_string()))?,
        _ => stored_currency(&sale.currency)?,
    };
    let money = |minor| Major::new(minor, currency);
    let of_item = |pick: fn(&Item) -> Option<i64>, otherwise: i64| {
        let same = item.as_ref().filter(|item| item.currency == currency);
        same.and_then(pick).unwrap_or(otherwise)
    };
    let deleted_at = t.voided.as_ref().filter(|_| is_void(t)).map(|last| last.created_at);
    let product = ProductView {
        product_id: item.as_ref().and_then(|item| one_or_many(&item.product_id)),
        product_type: item.as_ref().and_then(|item| one_or_many(&item.product_type)),
    };
    let key = t.written.as_ref().map_or_else(|| sale.root_id.clone(), |written| written.key.clone());
    let action = item.as_ref().map_or_else(|| "sale".to_owned(), |item| item.action.clone());
    let rewards = t
        .rewards
        .iter()
        .map(|r| reward(r, &key, &action, deleted_at, &product))
        .collect::<Result<Vec<_>, _>>()?;
    let earning = t.rewards.iter().find(|reward| reward.target > 0).or_else(|| t.rewards.first());
    Ok(TransactionView {
        id: sale.sale_id.clone(),
        amount: money(sale.paid)?,
        amount_units: units(currency.as_str()),
        gross_amount: money(of_item(|item| item.gross_amount, sale.total))?,
        tax_amount: money(sale.tax)?,
        shipping_amount: money(sale.shipping)?,
        discount_amount: money(of_item(|item| item.discount_amount, sale.discount))?,
        discount_code: item.as_ref().and_then(|item| item.discount_code.clone()),
        refunded_amount: money(sale.refunded)?,
        lost_amount: money(sale.lost)?,
        disputed_amount: money(sale.disputed)?,
        credit: 0,
        is_currency: true,
        rewardable: sale.rewardable,
        status: if deleted_at.is_some() { "archived" } else { "ok" }.to_owned(),
        state: sale.state.clone(),
        source: if sale.root_id.starts_with("api:") { "api" } else { "stripe" }.to_owned(),
        partner: earning
            .map(|reward| reward.partner_external_id.clone())
            .or_else(|| sale.partner_external_id.clone()),
        customer: sale.customer_key.clone(),
        created_at: time(sale.occurred_at),
        updated_at: time(sale.updated_at),
        deleted_at: opt_time(deleted_at),
        product_type_data: product,
        rewards,
        key,
        action,
    })
}

fn reward(
    r: &Reward,
    key: &str,
    action: &str,
    deleted_at: Option<i64>,
    product: &ProductView,
) -> Result<RewardView, StoreError> {
    let currency = stored_currency(&r.currency)?;
    let state = match (r.target, r.matured_at) {
        (0, _) => "reversed",
        (_, None) => "pending",
        (_, Some(_)) => "payable",
    };
    Ok(RewardView {
        id: r.commission_id.clone(),
        key: key.to_owned(),
        action: action.to_owned(),
        status: "ok".to_owned(),
        state: state.to_owned(),
        reason: r.outcome.clone(),
        customer: r.customer_key.clone(),
        partner: r.partner_external_id.clone(),
        amount: Major::new(r.target, currency)?,
        gross_amount: Major::new(r.gross, currency)?,
        amount_units: units(&r.currency),
        is_currency: true,
        credit: 0,
        payable_at: time(r.payable_at),
        created_at: time(r.created_at),
        deleted_at: opt_time(deleted_at),
        product_type_data: product.clone(),
    })
}
