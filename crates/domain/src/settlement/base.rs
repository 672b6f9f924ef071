//! From what was paid to the base.

use super::{SettleSale, Trace};
use crate::money::{Fraction, MoneyError, in_range};
use crate::terms::{Terms, TermsVersion};

/// The trace of a sale before anything is computed: what the terms take off, and what was kept.
pub(super) fn trace(sale: &SettleSale, version: Option<&TermsVersion>, place: u32) -> Trace {
    let terms = version.map(|version| &version.terms);
    let include_tax = terms.is_some_and(|terms| terms.include_tax);
    let shipping = if terms.is_none_or(|terms| terms.exclude_shipping) { sale.shipping } else { 0 };
    // Where tax counts and shipping does not, the tax on the shipping goes with the shipping.
    let shipping_tax = if shipping > 0 { sale.detail.shipping_tax.clamp(0, sale.tax.max(0)) } else { 0 };
    let tax = if include_tax { shipping_tax } else { sale.tax };
    let excluded = terms.is_some_and(|terms| terms.exclude_off_stripe);
    let off_stripe = if excluded { sale.detail.off_stripe.clamp(0, sale.paid.max(0)) } else { 0 };
    // What was given back outside of Stripe was first of all what came in outside of it.
    let off_captured = if excluded { sale.detail.off_captured.clamp(0, sale.captured.max(0)) } else { 0 };
    let refunded = sale.refunded.saturating_sub(off_captured.min(sale.detail.credited.max(0)));
    let captured = sale.captured.saturating_sub(off_captured);
    let gone = refunded.max(0).saturating_add(sale.lost.max(0)).clamp(0, captured.max(0));
    Trace {
        total: sale.total,
        tax,
        tax_kept: sale.tax.saturating_sub(tax),
        shipping,
        paid: sale.paid.saturating_sub(off_stripe),
        off_stripe,
        fee: None,
        fee_note: String::new(),
        base: "0".to_owned(),
        terms_version: version.map(|version| version.version),
        terms_sentence: terms.map(Terms::sentence).unwrap_or_default(),
        rate_ppm: None,
        given: sale.fixed_reward,
        earned: "0".to_owned(),
        capped: false,
        kept: captured.saturating_sub(gone),
        captured,
        lost: sale.lost.clamp(0, gone),
        lines: Vec::new(),
        lines_differ: None,
        exact: "0".to_owned(),
        place,
    }
}

/// Are all figures within what is accepted?
pub(super) fn accepted(sale: &SettleSale) -> bool {
    let figures = [sale.total, sale.tax, sale.shipping, sale.paid, sale.captured, sale.refunded, sale.lost];
    figures.into_iter().chain(sale.fixed_reward).all(in_range)
}

/// (total − tax − shipping) × paid ÷ total − fee, exactly, and not below 0.
pub(super) fn base(sale: &SettleSale, terms: &Terms, trace: &mut Trace) -> Result<Fraction, MoneyError> {
    // Within the accepted range the difference of three figures is far from the ends of 64 bits.
    let net = sale.total - trace.tax - trace.shipping;
    let mut base = if net > 0 && sale.total > 0 {
        Fraction::whole(net).times(trace.paid.clamp(0, sale.total), sale.total)?
    } else {
        Fraction::whole(0)
    };
    if terms.exclude_fee {
        let fee = fee(sale, trace)?;
        trace.fee = Some(fee.to_text());
        base = base.minus(fee)?.not_below_zero();
    }
    Ok(base)
}

/// The fees in the sale's currency: each is the share that Stripe kept of its charge, times the charge.
fn fee(sale: &SettleSale, trace: &mut Trace) -> Result<Fraction, MoneyError> {
    let mut sum = Fraction::whole(0);
    for fee in sale.detail.fees.iter().flatten().filter(|fee| fee.part > 0) {
        if fee.of <= 0 {
            trace.fee_note = format!("the fee of {} is not known and was kept in", fee.charge);
            continue;
        }
        if fee.currency != sale.currency.as_str() {
            trace.fee_note = format!(
                "{} {} minor units of {}, converted by Stripe's own amounts",
                fee.fee,
                fee.currency.to_ascii_uppercase(),
                fee.of
            );
        }
        let converted = Fraction::whole(fee.fee).times(fee.part, fee.of)?;
        sum = sum.plus(converted.times(fee.share.0, fee.share.1)?)?;
    }
    Ok(sum)
}
