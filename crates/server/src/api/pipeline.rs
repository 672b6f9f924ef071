//! The pipeline as the API sees it: every call that changes a source goes through here.

pub(crate) use crate::pipeline::{
    ApiSale, Decision, customer_changed, decide, partner_changed, settle_customer, write_transaction,
};
