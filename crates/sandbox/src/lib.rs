//! A Stripe double with a demo shop, checked against Stripe's OpenAPI document
