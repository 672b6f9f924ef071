//! The signature: what passes, and what must never pass.

#![allow(clippy::unwrap_used, reason = "a test fails loudly, in its helpers too")]

use proptest::prelude::*;
use tributary_stripe::signature::{Secret, SignatureError, sign, verify};

const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
const NOW: i64 = 1_700_000_000;
const SECRET: &str = "whsec_test_5f2c";

fn check(header: &str) -> Result<usize, SignatureError> {
    verify(header, BODY, &[Secret::new(SECRET)], NOW, 300)
}

fn hex() -> String {
    sign(BODY, Secret::new(SECRET), NOW).split_once("v1=").unwrap().1.to_owned()
}

/// Made with another implementation (`openssl dgst -sha256 -hmac`), so that both sides cannot err together.
#[test]
fn a_known_vector_of_another_implementation_passes() {
    let header = "t=1700000000,v1=49050a565860ff5921dff3bc6b81d2b0f37a35e0c491f8ad3ca0a9f5aa8ac3b5";
    assert_eq!(verify(header, b"{\"id\":\"evt_known\"}", &[Secret::new("whsec_known")], NOW, 300), Ok(0));
}

#[test]
fn good_signatures_pass_and_tell_their_secret() {
    let good = hex();
    let secrets = [Secret::new("whsec_other"), Secret::new(SECRET), Secret::new("")];
    let header = sign(BODY, Secret::new(SECRET), NOW);
    assert_eq!(verify(&header, BODY, &secrets, NOW, 300), Ok(1));
    let zeros = "0".repeat(64);
    for header in [
        format!("t={NOW},v1={zeros},v1={good}"),
        format!("t={NOW},v1={good},v1={zeros}"),
        format!("v1={good},t={NOW}"),
        format!("t={NOW},v1={good},v0={zeros}"),
        format!("t={NOW},v2=abc,v1={good},x"),
        format!("t={NOW},,v1={good}"),
    ] {
        assert_eq!(check(&header), Ok(0), "{header}");
    }
}

#[test]
fn the_time_may_differ_by_300_seconds_both_ways() {
    for (offset, passes) in [(-301, false), (-300, true), (0, true), (300, true), (301, false), (-400, false)]
    {
        let header = sign(BODY, Secret::new(SECRET), NOW + offset);
        let verdict = check(&header);
        assert_eq!(verdict.is_ok(), passes, "{offset}");
        if !passes {
            let expected = SignatureError::OutsideTolerance { skew_s: -offset, tolerance_s: 300 };
            assert_eq!(verdict, Err(expected.clone()));
            let words = expected.to_string();
            assert!(words.contains(&offset.abs().to_string()), "{words}");
            assert!(words.contains(if offset < 0 { "before" } else { "after" }), "{words}");
        }
    }
}

#[test]
fn without_a_secret_everything_is_refused() {
    let of_empty = sign(BODY, Secret::new(""), NOW);
    for secrets in [vec![], vec![Secret::new("")], vec![Secret::new(""), Secret::new("")]] {
        assert_eq!(verify(&of_empty, BODY, &secrets, NOW, 300), Err(SignatureError::NoSecret));
    }
    let secrets = [Secret::new(""), Secret::new(SECRET)];
    assert_eq!(verify(&of_empty, BODY, &secrets, NOW, 300), Err(SignatureError::NoMatch));
}

#[test]
fn every_forged_or_odd_header_is_refused() {
    let good = hex();
    let zeros = "0".repeat(64);
    let mut headers: Vec<String> = [
        "",
        " ",
        ",",
        "=",
        "t",
        "t=",
        "v1",
        "v1=",
        "t=,v1=",
        "t=1700000000",
        "t=1700000000,",
        "t=1700000000,v1",
        "t=1700000000,v1=",
        "t=1700000000,v0=",
        "v0=",
        "t=abc,v1=00",
        "t=-1,v1=00",
        "null",
        "undefined",
        "\0",
        "t=1700000000,v1=\0",
        "🦀",
        "t=１７０００００００００,v1=00",
    ]
    .map(str::to_owned)
    .to_vec();
    headers.extend([
        format!("v1={good}"),
        format!("t={NOW},v0={good}"),
        format!("t={NOW},V1={good}"),
        format!("T={NOW},v1={good}"),
        format!("t={NOW};v1={good}"),
        format!("t={NOW}, v1={good}"),
        format!(" t={NOW},v1={good}"),
        format!("t={NOW} ,v1={good}"),
        format!("t= {NOW},v1={good}"),
        format!("t=+{NOW},v1={good}"),
        format!("t=0{NOW},v1={good}"),
        format!("t={NOW}.0,v1={good}"),
        format!("t={NOW}000,v1={good}"),
        format!("t=0x65531f00,v1={good}"),
        format!("t=99999999999999999999,v1={good}"),
        format!("t={NOW},t={NOW},v1={good}"),
        format!("t={NOW},v1={good},t={NOW}"),
        format!("t=1,t={NOW},v1={good}"),
        format!("t={},v1={good}", NOW + 1),
        format!("t={},v1={good}", NOW - 1),
        format!("t={NOW},v1={}", good.to_uppercase()),
        format!("t={NOW},v1={}", &good[..63]),
        format!("t={NOW},v1={}", &good[1..]),
        format!("t={NOW},v1={good}0"),
        format!("t={NOW},v1=0{good}"),
        format!("t={NOW},v1={good} "),
        format!("t={NOW},v1= {good}"),
        format!("t={NOW},v1=\"{good}\""),
        format!("t={NOW},v1={good}\n"),
        format!("t={NOW},v1=0x{good}"),
        format!("t={NOW},v1=={good}"),
        format!("t={NOW},v1={zeros}"),
        format!("t={NOW},v1={}", "f".repeat(64)),
        format!("t={NOW},v1={zeros},v1={zeros}"),
        format!("t={NOW},v1 ={good}"),
        format!("t={NOW},v11={good}"),
        format!("t={NOW},v={good}"),
        format!("t={NOW},sha256={good}"),
        format!("t={NOW},v1:{good}"),
        format!("{NOW},{good}"),
        format!("Stripe-Signature: t={NOW},v1={good}"),
        format!("t={NOW},v1={}", SECRET),
        format!("t={NOW}{}", ",v1=00".repeat(10_000)),
        format!("t={NOW},v1={good}{}", ",v1=00".repeat(15)),
        format!("t={NOW},v1={good},x={}", "y".repeat(4096)),
        format!("{},t={NOW},v1={good}", ["a=b"; 15].join(",")),
    ]);
    for at in 0..64 {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        headers.push(format!("t={NOW},v1={}", String::from_utf8(changed).unwrap()));
    }
    assert!(headers.len() >= 60);
    for header in &headers {
        let verdict = check(header);
        assert!(verdict.is_err(), "{header:?} passed");
        let words = verdict.unwrap_err().to_string();
        assert!(!words.contains(SECRET) && words.ends_with('.'), "{words}");
    }
}

#[test]
fn a_changed_body_is_refused() {
    let header = sign(BODY, Secret::new(SECRET), NOW);
    for at in 0..BODY.len() {
        let mut body = BODY.to_vec();
        body[at] ^= 1;
        assert_eq!(verify(&header, &body, &[Secret::new(SECRET)], NOW, 300), Err(SignatureError::NoMatch));
    }
    for body in [&b""[..], &BODY[1..], b"{\"id\": \"evt_1\",\"object\":\"event\"}"] {
        assert_eq!(verify(&header, body, &[Secret::new(SECRET)], NOW, 300), Err(SignatureError::NoMatch));
    }
}

#[test]
fn each_refusal_has_its_own_reason() {
    use SignatureError as E;
    let good = hex();
    let cases = [
        (String::new(), E::Empty),
        ("x".repeat(5000), E::HeaderTooLong { len: 5000 }),
        (["a=b"; 17].join(","), E::TooManyParts),
        (format!("v1={good}"), E::NoTimestamp),
        (format!("t=1,t=1,v1={good}"), E::TwoTimestamps),
        (format!("t=soon,v1={good}"), E::BadTimestamp),
        (format!("t={NOW},v0={good}"), E::OnlyV0),
        (format!("t={NOW}"), E::NoV1),
        (format!("t={NOW},v1=00"), E::NoMatch),
    ];
    for (header, error) in cases {
        assert_eq!(check(&header), Err(error));
    }
}

proptest! {
    #[test]
    fn no_header_panics_or_passes(header in ".{0,200}", body in proptest::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(verify(&header, &body, &[Secret::new(SECRET)], NOW, 300).is_err());
    }

    #[test]
    fn odd_parts_never_panic(
        parts in proptest::collection::vec(("(t|v0|v1|v2| )", "=?", "[0-9a-f-]{0,70}"), 0..20),
        now in any::<i64>(),
        tolerance in any::<i64>(),
    ) {
        let header = parts.iter().map(|(a, b, c)| format!("{a}{b}{c}")).collect::<Vec<_>>().join(",");
        prop_assert!(verify(&header, BODY, &[Secret::new(SECRET)], now, tolerance).is_err());
    }

    #[test]
    fn what_was_signed_passes_unless_its_time_is_off(
        body in proptest::collection::vec(any::<u8>(), 0..256),
        secret in "whsec_[a-zA-Z0-9]{8,40}",
        offset in -400_i64..400,
    ) {
        let header = sign(&body, Secret::new(&secret), NOW + offset);
        let verdict = verify(&header, &body, &[Secret::new(&secret)], NOW, 300);
        prop_assert_eq!(verdict.is_ok(), offset.abs() <= 300);
    }
}
