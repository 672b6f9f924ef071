//! Attribution does not depend on the order in which evidence came, and agrees with a slow oracle.

use proptest::prelude::*;
use tributary_domain::attribution::{
    Evidence, PolicyVersion, Rank, Reach, Verdict, attribute, click_reach, fingerprint, fixing, in_window,
    second_of, window_days,
};
use tributary_domain::sale::EvidenceKind;

const DAY: i64 = 86_400_000;

fn policy() -> impl Strategy<Value = Vec<PolicyVersion>> {
    proptest::collection::vec((0..100_i64, 1..60_i64), 0..3).prop_map(|versions| {
        (1..)
            .zip(versions)
            .map(|(version, (day, window_days))| PolicyVersion {
                version,
                from_ms: (version > 1).then_some(day * DAY),
                window_days,
                ..PolicyVersion::default()
            })
            .collect()
    })
}

fn piece(n: usize) -> impl Strategy<Value = Evidence> {
    let partner = proptest::option::weighted(0.8, prop_oneof![Just("ada"), Just("bob"), Just("cleo")]);
    let purchases = proptest::collection::vec(0..100 * DAY, 1..3);
    (0..3_u8, 0..100 * DAY, partner, purchases, policy()).prop_map(
        move |(way, at, partner, purchases, policy)| {
            let (kind, reach) = match way {
                0 => (EvidenceKind::PartnerMetadata, Reach::Always),
                1 => (EvidenceKind::BrowserSignUp, Reach::From { at: second_of(at) }),
                _ => (EvidenceKind::Visit, click_reach(at, &purchases, &policy)),
            };
            Evidence {
                rank: Rank::CameAlong,
                effective_at: at,
                source_id: format!("object_{n}"),
                kind,
                value: format!("value_{n}"),
                partner_id: partner.map(str::to_owned),
                reach,
                detail: String::new(),
                turn: None,
            }
        },
    )
}

fn pieces() -> impl Strategy<Value = Vec<Evidence>> {
    (piece(0), piece(1), piece(2), piece(3), 0..=4_usize)
        .prop_map(|(a, b, c, d, count)| [a, b, c, d].into_iter().take(count).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_copies_give_the_same_partner(
        (all, mixed) in pieces().prop_flat_map(|all| {
            let doubled = [all.clone(), all.clone()].concat();
            (Just(all), Just(doubled).prop_shuffle())
        }),
        at in 0..120 * DAY,
    ) {
        let (one, other) = (attribute(None, &[], &all, at, &PolicyVersion::default()), attribute(None, &[], &mixed, at, &PolicyVersion::default()));
        prop_assert_eq!(&one.partner_id, &other.partner_id);
        prop_assert_eq!(&one.because, &other.because);
        prop_assert_eq!(fingerprint(&all), fingerprint(&mixed));
        prop_assert_eq!(fixing(&all), fixing(&mixed));
    }

    #[test]
    fn the_earliest_that_counts_at_the_sale_decides(all in pieces(), at in 0..120 * DAY) {
        let got = attribute(None, &[], &all, at, &PolicyVersion::default());
        let mut counting: Vec<&Evidence> = all
            .iter()
            .filter(|piece| piece.partner_id.is_some())
            .filter(|piece| match piece.reach {
                Reach::Always => true,
                Reach::From { at: from } => from <= at,
                _ => false,
            })
            .collect();
        counting.sort_by_key(|piece| (piece.effective_at, piece.source_id.clone()));
        prop_assert_eq!(&got.partner_id, &counting.first().and_then(|piece| piece.partner_id.clone()));
        let decided = got.considered.iter().filter(|c| c.verdict == Verdict::Decided).count();
        prop_assert_eq!(decided, usize::from(!counting.is_empty()));
        prop_assert_eq!(got.considered.len(), all.len());
    }

    #[test]
    fn equal_fingerprints_give_equal_partners_at_every_time(a in pieces(), b in pieces(), at in 0..120 * DAY) {
        if fingerprint(&a) == fingerprint(&b) {
            prop_assert_eq!(attribute(None, &[], &a, at, &PolicyVersion::default()).partner_id, attribute(None, &[], &b, at, &PolicyVersion::default()).partner_id);
        }
        // And the text tells all that there is to tell: rebuilt from it, the partner is the same.
        let told = fingerprint(&a);
        let wanted = match told.split('|').collect::<Vec<_>>()[..] {
            [always] => always,
            [always, from, then] => if from.parse::<i64>().unwrap() <= at { then } else { always },
            _ => unreachable!("{told}"),
        };
        prop_assert_eq!(attribute(None, &[], &a, at, &PolicyVersion::default()).partner_id.unwrap_or_default(), wanted);
    }

    #[test]
    fn a_click_that_stood_once_gives_every_later_sale_and_none_before(
        click in 0..50 * DAY,
        after in proptest::collection::vec(-5 * DAY..80 * DAY, 1..4),
        policy in policy(),
        later in 0..1000 * DAY,
    ) {
        let purchases: Vec<i64> = after.iter().map(|after| click + after).collect();
        let reach = click_reach(click, &purchases, &policy);
        let stood = purchases.iter().any(|at| {
            let days = window_days(&policy, *at);
            second_of(click) <= *at && *at <= click + days * DAY
        });
        prop_assert_eq!(stood, purchases.iter().any(|at| in_window(click, *at, window_days(&policy, *at))));
        prop_assert_eq!(stood, reach == Reach::From { at: second_of(click) });
        let piece = Evidence {
            rank: Rank::CameAlong,
            effective_at: click,
            source_id: "cs".into(),
            kind: EvidenceKind::Visit,
            value: "vis".into(),
            partner_id: Some("ada".into()),
            reach,
            detail: String::new(),
            turn: None,
        };
        prop_assert_eq!(attribute(None, &[], std::slice::from_ref(&piece), click + later, &PolicyVersion::default()).partner_id.is_some(), stood);
        prop_assert_eq!(attribute(None, &[], &[piece], second_of(click) - 1, &PolicyVersion::default()).partner_id, None);
        let mut turned = purchases.clone();
        turned.reverse();
        prop_assert_eq!(click_reach(click, &turned, &policy), reach);
    }
}
