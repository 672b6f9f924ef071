use super::*;

fn usual() -> PolicyVersion {
    PolicyVersion::default()
}

fn piece(at: i64, id: &str, kind: EvidenceKind, partner: Option<&str>) -> Evidence {
    Evidence {
        rank: Rank::CameAlong,
        effective_at: at,
        source_id: id.into(),
        kind,
        value: "k".into(),
        partner_id: partner.map(Into::into),
        reach: Reach::Always,
        detail: String::new(),
        turn: None,
    }
}

#[test]
fn who_was_given_expressly_goes_before_links_and_codes_but_not_before_what_the_payment_names() {
    let given = Evidence { rank: Rank::Assigned, ..piece(9, "c", EvidenceKind::SignUp, Some("bob")) };
    let on_customer = [given, piece(1, "a", EvidenceKind::ClientReference, Some("ada"))];
    for kind in [EvidenceKind::ClientReference, EvidenceKind::Visit, EvidenceKind::PromotionCode] {
        let on_sale = [piece(1, "a", kind, Some("ada"))];
        let found = attribute(None, &on_sale, &on_customer, 5, &usual());
        assert_eq!(found.partner_id.as_deref(), Some("bob"), "{kind:?}");
        let verdict = found.considered.iter().find(|one| one.evidence.kind == kind).unwrap().verdict;
        assert_eq!(verdict, Verdict::Reassigned, "{kind:?}");
    }
    let named = [piece(1, "a", EvidenceKind::PartnerMetadata, Some("ada"))];
    assert_eq!(attribute(None, &named, &on_customer, 5, &usual()).partner_id.as_deref(), Some("ada"));
    // The same partner, but now it goes before what sales carry: they are computed anew.
    let alone = |rank| fingerprint(&[Evidence { rank, ..piece(1, "a", EvidenceKind::SignUp, Some("bob")) }]);
    assert_ne!(alone(Rank::Assigned), alone(Rank::CameAlong));
}

#[test]
fn the_earliest_valid_evidence_fixes_the_customers_partner() {
    let late = piece(20, "a", EvidenceKind::ClientReference, Some("maya"));
    let early = piece(10, "b", EvidenceKind::SignUp, Some("theo"));
    let foreign = piece(1, "c", EvidenceKind::ClientReference, None);
    let got = attribute(None, &[], &[late, early, foreign], 0, &usual());
    assert_eq!(got.partner_id.as_deref(), Some("theo"));
    let verdicts: Vec<_> = got.considered.iter().map(|c| c.verdict).collect();
    assert_eq!(verdicts, [Verdict::FitsNobody, Verdict::Decided, Verdict::Later]);
}

#[test]
fn evidence_on_the_sale_outranks_the_customer_and_a_decision_outranks_both() {
    let of_customer = [piece(1, "a", EvidenceKind::SignUp, Some("theo"))];
    let of_sale = [piece(9, "b", EvidenceKind::PartnerMetadata, Some("maya"))];
    assert_eq!(attribute(None, &of_sale, &of_customer, 0, &usual()).partner_id.as_deref(), Some("maya"));
    let decided = attribute(
        Some(&Ruling { partner_id: Some("ida".into()), words: "So it was decided.".into() }),
        &of_sale,
        &of_customer,
        0,
        &usual(),
    );
    assert_eq!(decided.partner_id.as_deref(), Some("ida"));
    assert!(decided.considered.iter().all(|c| c.verdict == Verdict::Overruled));
}

#[test]
fn metadata_of_the_transaction_outranks_an_older_client_reference_of_the_same_sale() {
    let link = piece(1, "cs_1", EvidenceKind::ClientReference, Some("theo"));
    let metadata = piece(2, "pi_1", EvidenceKind::PartnerMetadata, Some("maya"));
    let got = attribute(None, &[link, metadata], &[], 0, &usual());
    assert_eq!(got.partner_id.as_deref(), Some("maya"));
    let verdicts: Vec<_> = got.considered.iter().map(|c| c.verdict).collect();
    assert_eq!(verdicts, [Verdict::SecondOnSale, Verdict::Decided]);
}

#[test]
fn nobody_has_a_reason_too() {
    assert!(attribute(None, &[], &[], 0, &usual()).because.contains("Nothing links"));
    let foreign = piece(1, "c", EvidenceKind::ClientReference, None);
    assert!(attribute(None, &[], &[foreign], 0, &usual()).because.contains("None of the evidence"));
}

fn click(at: i64, id: &str, partner: &str, purchases: &[i64], policy: &[PolicyVersion]) -> Evidence {
    let reach = click_reach(at, purchases, policy);
    Evidence { reach, ..piece(at, id, EvidenceKind::Visit, Some(partner)) }
}

#[test]
fn a_click_counts_inside_of_its_window_and_in_the_second_of_the_sale() {
    let day = DAY_MS;
    assert_eq!(click_reach(1_500, &[1_000], &[]), Reach::From { at: 1_000 });
    assert_eq!(click_reach(1_500, &[999], &[]), Reach::AfterSale);
    assert_eq!(click_reach(0, &[30 * day], &[]), Reach::From { at: 0 });
    assert_eq!(click_reach(0, &[30 * day + 1], &[]), Reach::TooOld { days: 30 });
    let policy = |version, from_ms, window_days| PolicyVersion { version, from_ms, window_days, ..usual() };
    let versions = [policy(1, None, 1), policy(2, Some(50 * day), 90)];
    assert_eq!(click_reach(0, &[2 * day], &versions), Reach::TooOld { days: 1 });
    assert_eq!(click_reach(0, &[50 * day], &versions), Reach::From { at: 0 });
    let got = attribute(None, &[], &[click(0, "cs", "maya", &[31 * day], &[])], 31 * day, &usual());
    assert_eq!(got.considered[0].words(), "older than the program's 30 days");
    assert_eq!(got.because, "Nobody: the click on a referral link is older than the program's 30 days.");
    let got = attribute(None, &[], &[click(5_000, "cs", "maya", &[4_000], &[])], 4_000, &usual());
    assert_eq!((got.partner_id, got.considered[0].words().as_str()), (None, "after the sale"));
}

#[test]
fn a_click_that_stood_at_the_first_sale_gives_the_renewals_too_but_nothing_before_it() {
    let day = DAY_MS;
    let first = click(10 * day, "cs_1", "maya", &[11 * day], &[]);
    let second = click(200 * day, "cs_2", "theo", &[201 * day], &[]);
    let all = [second, first];
    for renewal in [11 * day, 100 * day, 201 * day, 900 * day] {
        assert_eq!(attribute(None, &[], &all, renewal, &usual()).partner_id.as_deref(), Some("maya"));
    }
    let before = attribute(None, &[], &all, 9 * day, &usual());
    assert_eq!(before.partner_id, None);
    assert!(before.considered.iter().all(|c| c.verdict == Verdict::AfterSale));
    assert_eq!(fixing(&all).unwrap().partner_id.as_deref(), Some("maya"));
    assert_eq!(fingerprint(&all), format!("|{}|maya", 10 * day));
    let metadata = piece(50 * day, "pi", EvidenceKind::PartnerMetadata, Some("ida"));
    let all = [all.to_vec(), vec![metadata]].concat();
    assert_eq!(attribute(None, &[], &all, 9 * day, &usual()).partner_id.as_deref(), Some("ida"));
    assert_eq!(fingerprint(&all), format!("ida|{}|maya", 10 * day));
}

#[test]
fn a_visit_id_is_told_from_a_key() {
    assert!(is_visit_id("vis_0123456789abcdef0123456789abcdef"));
    for other in
        ["vis_0123456789ABCDEF0123456789abcdef", "vis_", "maya", "vis_0123456789abcdef0123456789abcde"]
    {
        assert!(!is_visit_id(other), "{other}");
    }
}
