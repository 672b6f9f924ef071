//! From views to facts: one file per kind of object.

mod balance_transaction;
mod charge;
mod codes;
mod collector;
mod credit_note;
mod customer;
mod dispute;
mod invoice;
mod invoice_payment;
mod line;
mod payment_intent;
mod promotion_code;
mod refund;
mod session;
mod subscription;

pub(crate) use balance_transaction::balance_transaction;
pub(crate) use charge::{charge, refunded_charge};
pub(crate) use collector::Collector;
pub(crate) use credit_note::{credit_note, voided_credit_note};
pub(crate) use customer::{customer, deleted_customer};
pub(crate) use dispute::{closed_dispute, dispute};
pub(crate) use invoice::{invoice, paid_invoice};
pub(crate) use invoice_payment::invoice_payment;
pub(crate) use line::line;
pub(crate) use payment_intent::payment_intent;
pub(crate) use promotion_code::promotion_code;
pub(crate) use refund::refund;
pub(crate) use session::session;
pub(crate) use subscription::subscription;

use serde_json::value::RawValue;
use tributary_domain::fact::Kind;

/// A function that projects one object into the collector.
pub(crate) type Project = fn(&RawValue, &mut Collector<'_>);

/// The projection of a kind of Stripe object; `None` for what is not Stripe's.
pub(crate) const fn of_kind(kind: Kind) -> Option<Project> {
    match kind {
        Kind::Invoice => Some(invoice),
        Kind::PaymentIntent => Some(payment_intent),
        Kind::Charge => Some(charge),
        Kind::Session => Some(session),
        Kind::InvoicePayment => Some(invoice_payment),
        Kind::Refund => Some(refund),
        Kind::Dispute => Some(dispute),
        Kind::CreditNote => Some(credit_note),
        Kind::BalanceTransaction => Some(balance_transaction),
        Kind::Line => Some(line),
        Kind::Customer => Some(customer),
        Kind::Subscription => Some(subscription),
        Kind::PromotionCode => Some(promotion_code),
        Kind::ApiTransaction => None,
    }
}
