//! Facts in any order, any number of times, joined from any provisional sales, end in the same sales; and these
//! end in the same commissions.

#![expect(clippy::unwrap_used, reason = "helpers of tests lie outside of test functions")]

mod common;

use common::{Ending, Sourced, Story, World, story};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tributary_domain::ledger::{AccountKind, correction};
use tributary_domain::money::{Currency, Rate};
use tributary_domain::sale::{Members, SaleState, SaleView, read_sale};
use tributary_domain::settlement::{Prefix, SettleSale, Target, settle};
use tributary_domain::terms::{Amount, Reward, Terms, TermsVersion};

fn sales(world: &World) -> BTreeMap<String, SaleView> {
    world.sales.iter().filter_map(read_sale).map(|sale| (sale.root_id.clone(), sale)).collect()
}

fn told(facts: &[Sourced]) -> World {
    let mut world = World::default();
    facts.iter().for_each(|fact| world.learn(fact));
    world
}

fn told_of(story: &Story) -> World {
    told(&story.facts())
}

fn settled(sale: &SaleView, terms: &Terms) -> Target {
    let sale = SettleSale {
        root_id: sale.root_id.clone(),
        occurred_at: sale.occurred_at,
        currency: Currency::parse(&sale.currency).unwrap(),
        total: sale.total,
        tax: sale.tax,
        shipping: sale.shipping,
        paid: sale.paid,
        captured: sale.captured,
        refunded: sale.refunded,
        lost: sale.lost,
        detail: sale.detail.clone(),
        partner_id: Some("ptr_1".into()),
        suspended: false,
        archived: false,
        rewardable: sale.rewardable,
        fixed_reward: sale.fixed_reward,
        voided: false,
    };
    let versions = [TermsVersion { version: 1, from_ms: None, terms: terms.clone() }];
    settle(&[sale], &versions, Prefix::default()).remove(0)
}

fn usd(amount: i64) -> Amount {
    Amount { amount, currency: Currency::parse("usd").unwrap() }
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let reward = prop_oneof![
        (0..=1_000_000_i64).prop_map(|ppm| Reward::Percent { rate: Rate::from_ppm(ppm).unwrap() }),
        (1..1_000_000_i64).prop_map(|amount| Reward::Fixed { amount, currency: usd(0).currency }),
    ];
    (reward, proptest::option::of(0..1_000_000_000_i64)).prop_map(|(reward, cap)| Terms {
        reward,
        cap: cap.map(usd),
        ..Terms::percent_for_life(Rate::from_ppm(0).unwrap())
    })
}

fn all(stories: &[Story]) -> Vec<Sourced> {
    stories.iter().flat_map(Story::facts).collect()
}

/// Two purchases of one buyer, their facts shuffled with copies, and the part that each copy falls into.
fn arrival() -> impl Strategy<Value = (Vec<Story>, Vec<Sourced>, Vec<usize>)> {
    (story("a"), story("b")).prop_flat_map(|(a, b)| {
        let stories = vec![a, b];
        let facts = all(&stories);
        let copies = proptest::sample::subsequence(facts.clone(), 0..=facts.len());
        let arrived =
            copies.prop_flat_map(move |copies| Just([facts.clone(), copies].concat()).prop_shuffle());
        (Just(stories), arrived, proptest::collection::vec(0..5_usize, 1..80))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_copies_end_in_the_same_sales((stories, arrived, _) in arrival()) {
        prop_assert_eq!(sales(&told(&arrived)), sales(&told(&all(&stories))));
    }

    #[test]
    fn provisional_sales_join_in_any_order((stories, arrived, parts) in arrival()) {
        // Each part is understood alone; then its provisional sales are joined one by one.
        let mut worlds = vec![World::default(); 5];
        for (number, fact) in arrived.iter().enumerate() {
            worlds[parts[number % parts.len()]].learn(fact);
        }
        let mut pieces: Vec<Members> = worlds.into_iter().flat_map(|world| world.sales).collect();
        let turn = parts[0] % pieces.len();
        pieces.rotate_left(turn);
        let mut whole = World::default();
        pieces.into_iter().for_each(|piece| whole.join(piece));
        prop_assert_eq!(sales(&whole), sales(&told(&all(&stories))));
    }

    #[test]
    fn one_purchase_is_one_sale_with_the_figures_that_stripe_told((stories, arrived, _) in arrival()) {
        let got = sales(&told(&arrived));
        prop_assert_eq!(got.len(), 2);
        for story in &stories {
            let sale = got.values().find(|sale| sale.root_id.ends_with(&story.suffix)).unwrap();
            prop_assert_eq!(sale.state, SaleState::Paid);
            prop_assert_eq!((sale.total, sale.paid, sale.captured), (story.total, story.paid, story.paid));
            prop_assert_eq!(sale.tax, if story.tells_tax() { story.tax } else { 0 });
            prop_assert_eq!(sale.tax_unknown, !story.tells_tax());
            prop_assert_eq!(sale.refunded, story.refunded());
            prop_assert_eq!((sale.lost, sale.disputed > 0), (story.lost(), story.disputed()));
            prop_assert!(sale.refunded + sale.lost <= sale.captured, "never more than came");
            prop_assert_eq!(sale.detail.fees.is_some(), story.fee_told);
            prop_assert_eq!(&sale.needs, &[]);
        }
    }

    #[test]
    fn a_full_refund_nets_to_nothing(story in story("a"), terms in any_terms(), way in 0..3_u8) {
        let refunds = match way {
            0 => vec![(story.paid, false, true)],
            1 => vec![(story.paid, false, false)],
            _ => vec![(story.paid / 2, false, true), (story.paid - story.paid / 2, false, false)],
        };
        let story = Story { refunds, disputes: vec![], credited: 0, ..story };
        let sale = sales(&told(&story.facts())).into_values().next().unwrap();
        prop_assert_eq!(settled(&sale, &terms).amount, 0);
    }

    #[test]
    fn a_lost_dispute_nets_to_nothing_and_one_that_was_won_takes_nothing(
        story in story("a"), terms in any_terms(), told in any::<bool>(), refund in any::<bool>(),
    ) {
        let refunds = if refund { vec![(story.paid / 2, false, true)] } else { vec![] };
        let with = |ending| {
            let (refunds, disputes) = (refunds.clone(), vec![(story.paid, ending, told)]);
            let story = Story { refunds, disputes, credited: 0, ..story.clone() };
            let sale = sales(&told_of(&story)).into_values().next().unwrap();
            settled(&sale, &terms)
        };
        prop_assert_eq!(with(Ending::Lost).amount, 0);
        let (won, open, back) = (with(Ending::Won), with(Ending::Open), with(Ending::LostAndReinstated));
        prop_assert_eq!(won.amount, open.amount);
        prop_assert_eq!(won.amount, back.amount);
        prop_assert!(won.amount <= won.gross, "clawed back is never above what was earned");
    }

    #[test]
    fn postings_telescope_to_the_last_target(story in story("a"), terms in any_terms(), order in any::<u64>()) {
        let mut facts = story.facts();
        let turn = usize::try_from(order % facts.len() as u64).unwrap();
        facts.rotate_left(turn);
        let (mut world, mut posted, mut sum, mut last) = (World::default(), 0, 0, 0);
        for fact in &facts {
            world.learn(fact);
            let paid = sales(&world).into_values().find(|sale| sale.state == SaleState::Paid);
            last = paid.map_or(0, |sale| settled(&sale, &terms).amount);
            if let Some(posting) = correction(last, posted, false) {
                prop_assert!(posting.amount > 0);
                let up = posting.debit == AccountKind::Expense;
                sum += if up { posting.amount } else { -posting.amount };
                posted = last;
            }
            prop_assert_eq!(sum, last);
            prop_assert_eq!(correction(last, posted, false), None);
        }
        let end = sales(&told(&story.facts())).into_values().next().unwrap();
        prop_assert_eq!(last, settled(&end, &terms).amount);
    }
}
