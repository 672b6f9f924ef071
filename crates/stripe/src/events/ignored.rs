//! Why an event of some other type is ignored, in words for the Events page.

/// A thin event without its object.
pub(super) const NO_RELATED: &str = "The thin event names no related object, so there is nothing to fetch.";
/// A snapshot event without its object.
pub(super) const NO_OBJECT: &str = "The event has no data.object.";

/// Families of types, the longest prefix first where one begins like another.
const FAMILIES: &[(&str, &str)] = &[
    ("charge.dispute.", "This change of a dispute moves no money and opens or ends nothing."),
    (
        "tributary.test",
        "A test event that Tributary sent to itself: the address, the signing secret and the pipeline work.",
    ),
    ("charge.failed", "A failed charge brings no money."),
    ("charge.", "This change of a charge moves no money."),
    ("checkout.session.expired", "An expired session was not paid."),
    ("credit_note.", "This change of a credit note moves no money."),
    ("customer.subscription.", "The end of a subscription moves no money; what was earned stays."),
    ("customer.discount.", "A discount shows on the invoice or session that it lowers."),
    ("customer.", "This change of a buyer has no bearing on sales."),
    ("invoice.", "This state of an invoice brings no money; the sale is made by invoice.paid."),
    ("invoiceitem.", "An invoice item counts with its invoice."),
    ("payment_intent.", "This state of a PaymentIntent brings no money."),
    ("payout.", "A payout moves the merchant's own money."),
    ("balance.", "The merchant's balance is not a sale."),
    (
        super::DEAUTHORIZED,
        "The account withdrew its authorisation. The connection says so; no sale is changed by it.",
    ),
    ("account.", "A change of the account itself is not a sale."),
    ("product.", "A change of the catalogue is not a sale."),
    ("price.", "A change of the catalogue is not a sale."),
    ("plan.", "A change of the catalogue is not a sale."),
    ("coupon.deleted", "A deleted coupon changes nothing of what was bought with it."),
    ("coupon.", "A change of a coupon is not a sale."),
    ("promotion_code.", "A change of a promotion code is not a sale."),
];

/// The reason to ignore a type that is not in the table.
pub(super) fn reason(type_: &str) -> String {
    if type_.is_empty() {
        return "The event names no type.".to_owned();
    }
    let family = FAMILIES.iter().find(|(prefix, _)| type_.starts_with(prefix));
    match family {
        Some((_, reason)) => (*reason).to_owned(),
        None => format!("Tributary does not use events of the type {type_}."),
    }
}
