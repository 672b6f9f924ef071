//! What is in the base, products with rules of their own, disputes, and money outside of Stripe.

use super::*;

fn settled(sale: &SettleSale, terms: Terms) -> Target {
    settle(std::slice::from_ref(sale), &always(terms), Prefix::default()).remove(0)
}

fn fee(fee: i64, currency: &str, of: i64) -> Option<Vec<Fee>> {
    let currency = currency.to_owned();
    Some(vec![Fee { charge: "ch_1".into(), fee, currency, of, part: 12_000, share: (1, 1) }])
}

#[test]
fn terms_choose_what_is_in_the_base() {
    let mut sold = SettleSale { shipping: 500, ..sale(12_000, 2_000) };
    sold.detail.shipping_tax = 100;
    sold.detail.fees = fee(378, "usd", 12_000);
    let terms = |tax: bool, shipping: bool, fee: bool| Terms {
        include_tax: tax,
        exclude_shipping: !shipping,
        exclude_fee: fee,
        ..percent(1_000_000)
    };
    for (tax, shipping, fee, base) in [
        (false, false, false, 9_500),
        (false, true, false, 10_000),
        (true, false, false, 11_400),
        (true, true, false, 12_000),
        (false, false, true, 9_122),
        (true, true, true, 11_622),
    ] {
        let target = settled(&sold, terms(tax, shipping, fee));
        assert_eq!(target.amount, base, "tax {tax}, shipping {shipping}, fee {fee}");
        assert_eq!(target.trace.base, base.to_string());
    }
}

#[test]
fn a_fee_in_the_settlement_currency_is_converted_exactly_and_one_that_is_not_known_waits() {
    let terms = Terms { exclude_fee: true, ..percent(1_000_000) };
    let mut sold = sale(12_000, 0);
    assert_eq!(settled(&sold, terms.clone()).outcome, Outcome::AwaitingFee);
    // 355 of 11,000 cents of EUR for 12,000 cents of USD: 387 3/11 cents.
    sold.detail.fees = fee(355, "eur", 11_000);
    let target = settled(&sold, terms.clone());
    assert_eq!((target.trace.fee.as_deref(), target.amount), (Some("4260/11"), 11_613));
    assert!(target.trace.fee_note.contains("EUR"), "{}", target.trace.fee_note);
    // No figure to convert by: kept in, and it says so.
    sold.detail.fees = fee(355, "", 0);
    let target = settled(&sold, terms.clone());
    assert_eq!(target.amount, 12_000);
    assert!(target.trace.fee_note.contains("kept in"));
    // A fee above the payment leaves nothing, never less.
    sold.detail.fees = fee(13_000, "usd", 12_000);
    assert_eq!(settled(&sold, terms).outcome, Outcome::NoBase);
}

#[test]
fn a_lost_dispute_nets_to_nothing_and_a_part_to_its_part() {
    let lost = |refunded, lost| SettleSale { refunded, lost, ..sale(10_000, 0) };
    let target = settled(&lost(0, 10_000), percent(200_000));
    assert_eq!((target.amount, target.gross, target.outcome), (0, 2_000, Outcome::LostInDispute));
    assert_eq!(settled(&lost(5_000, 2_500), percent(200_000)).amount, 500);
    assert_eq!(settled(&lost(5_000, 9_000), percent(200_000)).amount, 0);
    assert_eq!(settled(&lost(10_000, 0), percent(200_000)).outcome, Outcome::FullyRefunded);
}

#[test]
fn terms_may_leave_out_what_was_paid_outside_of_stripe() {
    let off = |off, refunded, credited| {
        let mut sold = SettleSale { refunded, ..sale(12_000, 2_000) };
        (sold.detail.off_stripe, sold.detail.off_captured, sold.detail.credited) = (off, off, credited);
        sold
    };
    let without = || Terms { exclude_off_stripe: true, ..percent(100_000) };
    assert_eq!(settled(&off(12_000, 0, 0), percent(100_000)).amount, 1_000);
    assert_eq!(settled(&off(12_000, 0, 0), without()).outcome, Outcome::PaidOffStripe);
    assert_eq!(settled(&off(6_000, 0, 0), without()).amount, 500);
    // What went back outside of Stripe was what came in outside of it, and takes nothing of the rest.
    assert_eq!(settled(&off(6_000, 6_000, 6_000), without()).amount, 500);
    assert_eq!(settled(&off(6_000, 6_000, 6_000), percent(100_000)).amount, 500);
    assert_eq!(settled(&off(6_000, 3_000, 0), without()).amount, 250);
    // Nobody has said how much it was: terms that leave it out wait, the others do not look.
    let mut unknown = off(0, 0, 0);
    unknown.detail.off_unknown = true;
    assert_eq!(settled(&unknown, percent(100_000)).amount, 1_000);
    let target = settled(&unknown, without());
    assert_eq!((target.outcome, target.amount), (Outcome::AwaitingOffStripe, 0));
}

fn line(id: &str, product: &str, net: i64, tax: i64) -> Line {
    Line { id: id.into(), product: product.into(), net, tax }
}

fn rule(product: &str, reward: Option<Reward>) -> ProductRule {
    ProductRule { product: product.into(), reward }
}

fn share(ppm: i64) -> Option<Reward> {
    Some(Reward::Percent { rate: Rate::from_ppm(ppm).unwrap() })
}

fn by_product() -> Terms {
    let fixed = Some(Reward::Fixed { amount: 700, currency: usd() });
    let products = vec![rule("prod_a", share(100_000)), rule("prod_none", None), rule("prod_fix", fixed)];
    Terms { products, ..percent(200_000) }
}

#[test]
fn each_line_earns_by_its_product() {
    let mut sold = sale(12_000, 2_000);
    assert_eq!(settled(&sold, by_product()).outcome, Outcome::AwaitingLines);
    sold.detail.lines = Some(vec![
        line("il_1", "prod_a", 4_000, 800),
        line("il_2", "prod_none", 1_000, 200),
        line("il_3", "prod_fix", 2_000, 400),
        line("il_4", "prod_fix", 500, 100),
        line("il_5", "", 2_500, 500),
    ]);
    let target = settled(&sold, by_product());
    let parts: Vec<i64> = target.trace.lines.iter().map(|line| line.earned).collect();
    // 10 % of 40.00, nothing, 7.00 once, 20 % of 25.00.
    assert_eq!((parts, target.amount), (vec![400, 0, 700, 0, 500], 1_600));
    assert_eq!(target.trace.lines_differ, None);
    // Half of it went back.
    let half = SettleSale { refunded: 6_000, ..sold.clone() };
    let target = settled(&half, by_product());
    let parts: Vec<i64> = target.trace.lines.iter().map(|line| line.earned).collect();
    assert_eq!((parts, target.amount), (vec![200, 0, 350, 0, 250], 800));
    // Tax counts: each line with its own.
    let taxed = settled(&sold, Terms { include_tax: true, ..by_product() });
    assert_eq!(taxed.amount, 480 + 700 + 600);
    // Nobody says what was bought: the reward of the terms.
    let bare =
        SettleSale { detail: Detail { lines: Some(vec![]), ..Detail::default() }, ..sale(12_000, 2_000) };
    assert_eq!(settled(&bare, by_product()).amount, 2_000);
}

#[test]
fn a_line_that_earns_nothing_by_itself_uses_no_fixed_amount_up() {
    let of = |lines: &[(&str, i64)], terms: Terms| {
        let mut sold = sale(lines.iter().map(|(_, net)| net).sum(), 0);
        let made = |(n, (product, net)): (usize, &(&str, i64))| line(&format!("il_{n}"), product, *net, 0);
        sold.detail.lines = Some(lines.iter().enumerate().map(made).collect());
        settled(&sold, terms).amount
    };
    for first in [-1_000, 0] {
        for lines in [[("prod_fix", first), ("prod_fix", 3_000)], [("prod_fix", 3_000), ("prod_fix", first)]]
        {
            assert_eq!(of(&lines, by_product()), 700, "{lines:?}");
        }
        // The fixed reward of the terms, beside a product with a rule of its own.
        let terms = Terms {
            reward: Reward::Fixed { amount: 500, currency: usd() },
            products: vec![rule("prod_a", share(100_000))],
            ..percent(0)
        };
        assert_eq!(of(&[("prod_x", first), ("prod_y", 3_000)], terms), 500, "{first}");
    }
}

#[test]
fn the_sales_own_figure_counts_where_lines_add_up_to_another() {
    let mut sold = sale(9_000, 0);
    sold.detail.lines = Some(vec![line("il_1", "prod_a", 6_000, 0), line("il_2", "prod_b", 4_000, 0)]);
    let target = settled(&sold, by_product());
    assert_eq!(target.trace.lines_differ, Some(10_000));
    // 10 % of 54.00 and 20 % of 36.00.
    assert_eq!(target.amount, 540 + 720);
    // An upgrade: the credit for the old product takes nothing back, the base is what was paid.
    let mut upgrade = sale(2_000, 0);
    upgrade.detail.lines = Some(vec![line("il_1", "prod_a", -1_000, 0), line("il_2", "prod_b", 3_000, 0)]);
    let target = settled(&upgrade, by_product());
    assert_eq!((target.amount, target.trace.lines_differ), (400, None));
    assert!(target.trace.lines[0].rule.contains("credit") && target.trace.lines[0].earned == 0);
}

#[test]
fn parts_are_shown_by_largest_remainder_and_ties_go_to_the_smaller_id() {
    let mut sold = sale(300, 0);
    sold.detail.lines = Some(["il_c", "il_a", "il_b"].map(|id| line(id, "prod_x", 100, 0)).to_vec());
    // A third of 1 % of 3.00 each is 1; of 1.33 % it is 4 in all.
    let terms = Terms { products: vec![rule("prod_y", None)], ..percent(13_333) };
    let target = settled(&sold, terms);
    let parts: Vec<_> = target.trace.lines.iter().map(|line| (line.id.as_str(), line.earned)).collect();
    assert_eq!((target.amount, parts), (4, vec![("il_c", 1), ("il_a", 2), ("il_b", 1)]));
}

#[test]
fn rewards_in_two_currencies_are_never_added() {
    let mut sold = sale(10_000, 0);
    sold.detail.lines = Some(vec![line("il_1", "prod_a", 5_000, 0), line("il_2", "prod_b", 5_000, 0)]);
    let fixed = Some(Reward::Fixed { amount: 700, currency: eur() });
    let terms = Terms { products: vec![rule("prod_a", fixed)], ..percent(200_000) };
    let target = settled(&sold, terms);
    assert_eq!((target.amount, target.currency), (1_000, usd()));
    assert!(target.trace.lines[0].rule.contains("another currency"));
}

#[test]
fn a_cap_cuts_the_sum_of_all_lines() {
    let mut sold = sale(10_000, 0);
    sold.detail.lines = Some(vec![line("il_1", "prod_a", 5_000, 0), line("il_2", "prod_b", 5_000, 0)]);
    let cap = Some(Amount { amount: 750, currency: usd() });
    let target = settled(&sold, Terms { cap, ..by_product() });
    let parts: Vec<i64> = target.trace.lines.iter().map(|line| line.earned).collect();
    assert_eq!((target.amount, target.gross, parts), (750, 750, vec![250, 500]));
}

proptest! {
    #[test]
    fn parts_of_lines_add_up_to_the_commission(
        nets in proptest::collection::vec(-50_000..200_000_i64, 1..8),
        ppm in 0..=1_000_000_i64,
        refunded in 0..500_000_i64,
        lost in 0..500_000_i64,
    ) {
        let total = nets.iter().sum::<i64>().max(1);
        let mut sold = SettleSale { refunded: refunded.min(total), ..sale(total, 0) };
        sold.lost = lost.min(total - sold.refunded);
        let lines = nets.iter().enumerate();
        sold.detail.lines = Some(lines.map(|(n, net)| line(&format!("il_{n}"), ["prod_a", "prod_b"][n % 2], *net, 0)).collect());
        let terms = Terms { products: vec![rule("prod_a", share(ppm))], ..percent(123_457) };
        let target = settled(&sold, terms);
        if matches!(target.outcome, Outcome::Earns) && !target.trace.lines.is_empty() {
            prop_assert_eq!(target.trace.lines.iter().map(|line| line.earned).sum::<i64>(), target.amount);
            prop_assert!(target.trace.lines.iter().all(|line| line.earned >= 0));
        }
        prop_assert!(target.amount <= target.gross, "clawed back is never above what was earned");
    }
}
