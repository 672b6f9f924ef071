//! The way of a payment, in the order in which it happens:
//! receive (in `stripe::receive`) → project → place → settle → ledger.
