//! Stripe's side: client, tolerant views, signature, source to facts
