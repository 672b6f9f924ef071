//! Tolerant views of Stripe's objects, the old and the new places of each thing side by side.
//!
//! Every field may be absent, null or odd; enums are texts; amounts may be numbers or texts; references may be
//! ids or objects. What the API version says is never asked: an account may fill new places in an old version
//! and leave the old ones null.

mod balance_transaction;
mod charge;
mod credit_note;
mod customer;
mod dispute;
mod invoice;
mod invoice_payment;
mod line;
mod parts;
mod payment_intent;
mod promotion_code;
mod refund;
mod session;
mod subscription;

pub use balance_transaction::{BalanceTransaction, Decimal};
pub use charge::Charge;
pub use credit_note::{CreditNote, CreditedRefund};
pub use customer::Customer;
pub use dispute::Dispute;
pub use invoice::{Invoice, Parent, StatusTransitions, SubscriptionDetails};
pub use invoice_payment::{InvoicePayment, Payment};
pub use line::{Line, LineCredit, LineTax, Price, Pricing};
pub use parts::{
    AmountPart, Contact, Discount, DiscountPart, Metadata, Page, Presentment, ShippingCost, Tagged,
    sum_of_parts,
};
pub use payment_intent::PaymentIntent;
pub use promotion_code::PromotionCode;
pub use refund::Refund;
pub use session::{Breakdown, Session, TotalDetails};
pub use subscription::Subscription;
