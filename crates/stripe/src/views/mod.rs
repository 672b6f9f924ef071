//! Tolerant views of Stripe's objects, the old and the new places of each thing side by side.
//!
//! Every field may be absent, null or odd; enums are texts; amounts may be numbers or texts; references may be
//! ids or objects. What the API version says is never asked: an account may fill new places in an old version
//! and leave the old ones null.

mod charge;
mod customer;
mod invoice;
mod invoice_payment;
mod parts;
mod payment_intent;
mod refund;
mod session;

pub use charge::Charge;
pub use customer::Customer;
pub use invoice::{Invoice, Parent, StatusTransitions, SubscriptionDetails};
pub use invoice_payment::{InvoicePayment, Payment};
pub use parts::{AmountPart, Contact, Discount, Metadata, Page, ShippingCost, sum_of_parts};
pub use payment_intent::PaymentIntent;
pub use refund::Refund;
pub use session::{Session, TotalDetails};
