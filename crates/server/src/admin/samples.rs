//! Every page with made-up data: rendered by the tests, and written as files where `TRIBUTARY_SAMPLES` names
//! a folder, so that a person can look at them without a database.

use super::error::PageError;
use super::event::{ChangedSale, EventPage};
use super::events::{EventRow, EventsList, EventsPage};
use super::transaction::{EvidenceRow, Note, PostingRow, StoryStep, SumLine, TransactionPage};
use super::transactions::{Narrow, TransactionRow, TransactionsPage};
use crate::auth::login::LoginPage;
use crate::ui::Tone;
use crate::ui::badge::{Badge, Id};
use crate::ui::frame::{Frame, Head, ProgramCard, Section, Theme};
use crate::ui::lists::{Bar, Chip, Chips, Empty, Order, Pager, Search, SortHead};
use crate::ui::money::Money;
use crate::ui::when::{Ago, Instant};
use askama::Template;
use tributary_domain::money::Currency;

const NOW: i64 = 1_795_340_000_000;

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::parse("usd").unwrap())
}

fn frame(title: &str, section: Section) -> Frame {
    let program = |public_id: &str, name: &str, live| ProgramCard {
        public_id: public_id.into(),
        name: name.into(),
        kind: "affiliate".into(),
        currency: "usd".into(),
        live,
    };
    Frame {
        head: Head { title: title.into(), theme: Theme::System, here: "/".into() },
        section,
        program: program("CNPKWXED", "Acme affiliates", false),
        programs: vec![
            program("CNPKWXED", "Acme affiliates", false),
            program("AB23CD45", "Acme Studio partners", true),
        ],
        workspace: "Acme Inc.".into(),
        user: "jo.owner@acme.example".into(),
        form_token: "token".into(),
        bars: vec![Bar {
            tone: Tone::Warn,
            text: "3 events are parked: they failed 12 times and wait for you.".into(),
            action: Some(("Look at them".into(), "events.html".into())),
        }],
        parked: 3,
        search: String::new(),
    }
}

fn chips(label: &'static str, words: &[(&str, Option<i64>)]) -> Chips {
    let chip = |(index, (word, count)): (usize, &(&str, Option<i64>))| Chip {
        label: (*word).into(),
        href: "#".into(),
        chosen: index == 0,
        count: *count,
    };
    Chips { label, chips: words.iter().enumerate().map(chip).collect() }
}

fn transaction_filters() -> Chips {
    chips(
        "Filter",
        &[("All", None), ("Earning", None), ("Refunded", None), ("Unattributed", None), ("Waiting", None)],
    )
}

fn transactions(rows: usize) -> TransactionsPage {
    let people = [
        "dana@wolfe.example",
        "Priya Natarajan",
        "cus_QxYb81kLm20aBc",
        "user_8841",
        "a.very.long.address.of.a.person.with.patience@department.example",
    ];
    let partners = ["Maya Lindqvist", "Theo Brandt", "The Comparison Site of Northern Europe"];
    let row = |i: usize| {
        let (badge, refunded, earns, nothing, partner) = match i % 5 {
            0 => (Badge::new(Tone::Good, "Paid"), None, Some(usd(3000)), "", Some(partners[i % 3])),
            1 => (
                Badge::with(Tone::Warn, "undo-2", "Partly refunded"),
                Some(usd(1800)),
                Some(usd(900)),
                "",
                Some(partners[i % 3]),
            ),
            2 => (Badge::new(Tone::Good, "Paid"), None, None, "No partner", None),
            3 => (
                Badge::with(Tone::Bad, "undo-2", "Refunded"),
                Some(usd(7200)),
                Some(usd(0)),
                "",
                Some(partners[i % 3]),
            ),
            _ => (Badge::with(Tone::Plain, "hourglass", "Awaiting link"), None, None, "Not yet", None),
        };
        TransactionRow {
            href: "transaction.html".into(),
            at: Ago { at: NOW - 700_000 * (i as i64 * i as i64 + 1), now: NOW },
            root: Id::new("invoice", format!("in_1Qx9Ab{i:04}TuVwXyZ8Lk2")),
            customer: people[i % 5].into(),
            status: badge,
            partner: partner.map(Into::into),
            paid: usd(7200 + i as i64 * 12_345),
            refunded,
            earns,
            nothing: nothing.into(),
        }
    };
    TransactionsPage {
        frame: frame("Transactions", Section::Transactions),
        filters: transaction_filters(),
        search: Search { action: "#".into(), label: "Search transactions", ..Search::default() },
        narrow: Narrow::default(),
        csv_href: "transactions.csv".into(),
        by_date: SortHead {
            label: "Date",
            href: "?order=oldest".into(),
            order: Order::Descending,
            figures: false,
        },
        rows: (0..rows).map(row).collect(),
        empty: (rows == 0).then(|| Empty {
            icon: "receipt",
            title: "No transactions yet".into(),
            text: "A transaction appears here when a referred customer pays through Stripe.".into(),
            action: Some(("Look at the events".into(), "#".into())),
        }),
        pager: Pager {
            shown: format!("{rows} transactions"),
            newer: None,
            older: (rows > 10).then(|| "#".into()),
        },
    }
}

fn step(
    class: &'static str,
    icon: &'static str,
    what: &str,
    rest: &str,
    ago: i64,
    notes: &[(&str, &str)],
) -> StoryStep {
    StoryStep {
        class,
        icon,
        what: what.into(),
        rest: rest.into(),
        at: Some(Instant { at: NOW - ago * 1000 }),
        notes: notes
            .iter()
            .map(|(word, id)| Note {
                word: (*word).into(),
                id: (!id.is_empty()).then(|| Id::new(*word, *id)),
            })
            .collect(),
    }
}

fn line(class: &'static str, label: &str, why: &str, value: &str) -> SumLine {
    SumLine { class, label: label.into(), why: why.into(), value: value.into() }
}

fn transaction() -> TransactionPage {
    let evidence = |won, what: &str, says: &str, ago: i64, source: &str, verdict| EvidenceRow {
        won,
        what: what.into(),
        says: says.into(),
        at: Some(Instant { at: NOW - ago * 1000 }),
        source: Some(Id::new("object", source)),
        verdict,
    };
    TransactionPage {
        frame: Frame { bars: vec![], ..frame("$72.00 from dana@wolfe.example", Section::Transactions) },
        root: Id::new("invoice", "in_1Qx9AbCdEfGhIjKlMn8Lk2"),
        customer: "dana@wolfe.example".into(),
        paid: usd(7200),
        badges: vec![Badge::new(Tone::Good, "Paid"), Badge::with(Tone::Warn, "undo-2", "Partly refunded")],
        lead: "Maya Lindqvist earns $9.00, payable on 21 Dec 2026.".into(),
        story: vec![
            step(
                "calm",
                "user",
                "Signed up",
                "with Maya Lindqvist's key",
                864_000,
                &[("by server call", ""), ("customer", "user_8841")],
            ),
            step(
                "plus",
                "receipt",
                "Paid $72.00",
                "by invoice",
                90_000,
                &[
                    ("invoice", "in_1Qx9AbCdEfGhIjKlMn8Lk2"),
                    ("charge", "ch_3Qx9AbCdEfGhIjKlMn8Lk2"),
                    ("payment", "pi_3Qx9AbCdEfGhIjKlMn8Lk2"),
                ],
            ),
            step(
                "minus",
                "undo-2",
                "Refunded $18.00",
                "25 % of what was paid",
                9_000,
                &[("refund", "re_3Qx9AbCdEfGhIjKlMn8Lk2")],
            ),
        ],
        sum_title: "Why $9.00".into(),
        sum: vec![
            line("", "Paid", "", "$72.00"),
            line("", "Tax", "not part of the base", "−$12.00"),
            line("", "Shipping", "", "$0.00"),
            line("total", "Base", "", "$60.00"),
            line("step", "× 20 %", "20 % of every sale, for life; held 30 days · version 1", "$12.00"),
            line("step", "× 75 % kept", "$18.00 of $72.00 was refunded", "$9.00"),
            line("step", "Rounding", "half to even, once", "$0.00"),
            line("result", "Maya Lindqvist earns", "", "$9.00"),
        ],
        sum_note: "Held until 21 Dec 2026, then payable.".into(),
        why_title: "Why Maya Lindqvist".into(),
        because: "Attributed by sign-up with the partner's key “maya”.".into(),
        decide_href: "/p/ABCD2345/transactions/in_1Qx9AbCdEfGhIjKlMn8Lk2/decide".into(),
        policy: tributary_domain::attribution::PolicyVersion::default().sentence(),
        evidence: vec![
            evidence(
                true,
                "Sign-up with the partner's key",
                "maya",
                864_000,
                "user_8841",
                Badge::new(Tone::Good, "Decided"),
            ),
            evidence(
                false,
                "client_reference_id of the checkout",
                "theo",
                90_000,
                "cs_test_a1B2c3D4e5F6g7H8",
                Badge::with(Tone::Plain, "clock", "Later"),
            ),
            evidence(
                false,
                "partner_key in the metadata of the payment",
                "unknown-key",
                90_000,
                "in_1Qx9AbCdEfGhIjKlMn8Lk2",
                Badge::with(Tone::Plain, "circle-minus", "Fits nobody"),
            ),
        ],
        postings: vec![
            PostingRow {
                day: "21 Nov 2026".into(),
                from: "expense".into(),
                to: "pending".into(),
                reason: "earned".into(),
                amount: usd(1200),
            },
            PostingRow {
                day: "22 Nov 2026".into(),
                from: "pending".into(),
                to: "expense".into(),
                reason: "corrected after a refund".into(),
                amount: usd(300),
            },
        ],
        no_postings: String::new(),
        json_href: "#".into(),
    }
}

fn events(rows: usize) -> EventsPage {
    let kinds = [
        (
            "invoice.paid",
            "in",
            Badge::new(Tone::Good, "Processed"),
            "Sale of $72.00 by dana@wolfe.example; Maya Lindqvist earns $12.00.",
        ),
        (
            "customer.subscription.trial_will_end",
            "sub",
            Badge::new(Tone::Plain, "Ignored"),
            "This type changes no sale.",
        ),
        (
            "charge.refunded",
            "ch",
            Badge::new(Tone::Good, "Processed"),
            "$18.00 given back; Maya Lindqvist earns $9.00.",
        ),
        (
            "charge.succeeded",
            "ch",
            Badge::with(Tone::Accent, "hourglass", "Waiting"),
            "Second try in 4 s: Stripe did not answer in time.",
        ),
        (
            "checkout.session.async_payment_succeeded",
            "cs",
            Badge::with(Tone::Bad, "circle-alert", "Parked"),
            "Failed 12 times: the amount is not a whole number.",
        ),
    ];
    let row = |i: usize| {
        let (kind, prefix, badge, words) = &kinds[i % 5];
        EventRow {
            key: format!("evt_{i}"),
            href: "event.html".into(),
            at: Ago { at: NOW - 20_000 * (i as i64 * i as i64 + 1), now: NOW },
            kind: (*kind).into(),
            object: Id::new("object", format!("{prefix}_3Qx9Ab{i:04}TuVwXyZ8Lk2")),
            badge: badge.clone(),
            words: (*words).into(),
        }
    };
    EventsPage {
        frame: frame("Events", Section::Events),
        filters: chips(
            "Outcome",
            &[
                ("All", None),
                ("Processed", None),
                ("Ignored", None),
                ("Waiting", Some(1)),
                ("Parked", Some(3)),
            ],
        ),
        rows: (0..rows).map(row).collect(),
        empty: (rows == 0).then(|| Empty {
            icon: "zap",
            title: "No events yet".into(),
            text: "Stripe has not reported anything to this program.".into(),
            action: None,
        }),
        pager: Pager { shown: format!("{rows} events"), newer: None, older: Some("#".into()) },
        narrow: super::events_wish::Wish::default().narrow("#", &[]),
        csv_href: "#".into(),
        test_href: "#".into(),
        scenarios_href: Some("#".into()),
        notice: None,
        live: true,
        live_href: "?part=list".into(),
    }
}

fn event() -> EventPage {
    let payload = crate::ui::json::masked_html(
        br#"{"id":"evt_1Qx9AbCdEfGhIjKlMn8Lk2","object":"event","type":"charge.refunded","api_version":"2026-05-27.dahlia","livemode":false,
        "data":{"object":{"id":"ch_3Qx9","object":"charge","amount":7200,"amount_refunded":1800,"currency":"usd","customer":"cus_Q1",
        "billing_details":{"email":"dana@wolfe.example","name":"Dana"},"metadata":{"partner_key":"maya","note":"x"},"payment_intent":"pi_3Qx9","refunded":false,"receipt_url":"https://x.example/1"}}}"#,
    );
    EventPage {
        frame: Frame { bars: vec![], ..frame("charge.refunded", Section::Events) },
        id: Id::new("event", "evt_1Qx9AbCdEfGhIjKlMn8Lk2"),
        kind: "charge.refunded".into(),
        badge: Badge::new(Tone::Good, "Processed"),
        words: "Changed one sale.".into(),
        about: vec![
            ("Object", Id::new("charge", "ch_3Qx9AbCdEfGhIjKlMn8Lk2").to_string()),
            ("Happened", Instant { at: NOW - 9_000_000 }.to_string()),
            ("Received", Instant { at: NOW - 8_998_000 }.to_string()),
            ("Way", "webhook".into()),
            ("API version", "2026-05-27.dahlia".into()),
            ("Attempts", "1".into()),
        ],
        changed: vec![ChangedSale {
            href: "transaction.html".into(),
            what: "$72.00 from dana@wolfe.example".into(),
            detail: "Maya Lindqvist earns $9.00.".into(),
            badge: Badge::with(Tone::Warn, "undo-2", "Partly refunded"),
        }],
        nothing_changed: String::new(),
        payload,
        reveal_href: "#".into(),
        revealed: false,
        rerun_href: "#".into(),
    }
}

fn login(problem: &str) -> LoginPage {
    let head = Head { title: "Log in".into(), theme: Theme::System, here: "/login".into() };
    LoginPage::new(head, if problem.is_empty() { "" } else { "jo@acme.example" }, "/", problem, true)
}

/// Every page in every state that looks different: (file, markup).
fn all() -> Vec<(&'static str, String)> {
    let wrong = "This e-mail address and password do not belong together.";
    vec![
        ("transactions", transactions(12).render().unwrap()),
        ("transactions-empty", transactions(0).render().unwrap()),
        ("transaction", transaction().render().unwrap()),
        ("events", events(14).render().unwrap()),
        ("events-empty", events(0).render().unwrap()),
        ("event", event().render().unwrap()),
        ("login", login("").render().unwrap()),
        ("login-wrong", login(wrong).render().unwrap()),
        ("404", PageError::NotFound.page(Theme::System, "").render().unwrap()),
        ("403", PageError::FormRefused.page(Theme::System, "").render().unwrap()),
        ("500", PageError::Internal("x".into()).page(Theme::Dark, "9f31c2aa").render().unwrap()),
        ("503", PageError::Unavailable("x".into()).page(Theme::Light, "9f31c2aa").render().unwrap()),
        ("gallery", crate::ui::gallery::Gallery::sample().render().unwrap()),
    ]
}

#[test]
fn every_page_renders_and_keeps_the_policy() {
    let folder = std::env::var_os("TRIBUTARY_SAMPLES").map(std::path::PathBuf::from);
    for (name, html) in all() {
        assert!(
            html.starts_with("<!doctype html>") || html.trim_start().starts_with("<!doctype html>"),
            "{name}"
        );
        assert_eq!(html.matches("<h1").count(), 1, "{name} has one title");
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert!(!html.contains(" style=") && !html.contains("<style"), "{name} has no inline style");
        assert!(!html.contains(" onclick") && !html.contains("javascript:"), "{name} has no inline script");
        for part in html.split("<script").skip(1) {
            assert!(part.starts_with(" src=\"/assets/"), "{name}: every script is a file of ours");
        }
        for kind in ["src=\"", "href=\"", "action=\"", "hx-get=\""] {
            for part in html.split(kind).skip(1) {
                assert!(
                    !part.starts_with("http") && !part.starts_with("//"),
                    "{name} loads nothing from outside"
                );
            }
        }
        assert!(html.len() < 60_000, "{name} weighs {}", html.len());
        if let Some(folder) = &folder {
            std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
        }
    }
}

#[test]
fn the_live_part_is_the_list_alone() {
    let html = EventsList::from(events(3)).render().unwrap();
    assert!(html.trim_start().starts_with("<div id=\"events\"") && !html.contains("<html"));
    assert_eq!(html.matches("data-key=").count(), 3);
}

#[test]
fn hostile_names_stay_text() {
    let mut page = transactions(1);
    page.rows[0].customer = "<img src=x onerror=alert(1)>".into();
    page.rows[0].partner = Some("\"><script>alert(1)</script>".into());
    page.frame.search = "\" autofocus onfocus=\"alert(1)".into();
    let html = page.render().unwrap();
    assert!(
        !html.contains("<img src=x") && !html.contains("<script>alert") && !html.contains("\" autofocus")
    );
}
