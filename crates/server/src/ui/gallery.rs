//! All components on one page, for tests and for looking at them.

use super::badge::{Avatar, Badge, Status};
use super::controls::{Button, Checkbox, Code, CopyField, DateRange, Field, Segmented, Select, Tabs, Tip};
use super::figures::{Kpi, Progress};
use super::frame::{Head, Theme};
use super::lists::{Bar, Empty};
use super::{Icon, Tone};
use askama::Template;

/// One of each.
#[derive(Template)]
#[template(path = "pages/gallery.html")]
pub struct Gallery {
    head: Head,
    bars: Vec<Bar>,
    badges: Vec<Badge>,
    status: Status,
    buttons: Vec<Button>,
    fields: Vec<Field>,
    select: Select,
    checkbox: Checkbox,
    range: DateRange,
    segmented: Segmented,
    tabs: Tabs,
    copy: CopyField,
    code: Code,
    tip: Tip,
    kpis: Vec<Kpi>,
    progress: Vec<Progress>,
    empty: Empty,
    avatar: Avatar,
    icon: Icon,
}

impl Gallery {
    /// Made-up data.
    pub fn sample() -> Self {
        let tones = [Tone::Plain, Tone::Good, Tone::Warn, Tone::Bad, Tone::Accent];
        let links = |words: &[&str]| {
            words.iter().enumerate().map(|(i, w)| ((*w).into(), "#".into(), i == 1)).collect()
        };
        Self {
            head: Head { title: "Components".into(), theme: Theme::System, here: "/".into() },
            bars: tones
                .iter()
                .map(|tone| Bar {
                    tone: *tone,
                    text: "Something is so.".into(),
                    action: Some(("Do it".into(), "#".into())),
                })
                .collect(),
            badges: tones.iter().map(|tone| Badge::new(*tone, format!("{tone:?}"))).collect(),
            status: Status { badge: Badge::new(Tone::Warn, "On hold"), reason: "until 21 Dec 2026".into() },
            buttons: ["primary", "", "danger", "quiet", "small"]
                .map(|look| Button { label: "Approve 12", icon: "check", look, href: String::new() })
                .into_iter()
                .chain([Button { label: "A link", icon: "", look: "", href: "#".into() }])
                .collect(),
            fields: vec![
                Field {
                    name: "name",
                    label: "Name",
                    kind: "text",
                    value: "Acme".into(),
                    help: "As partners see it.",
                    ..Field::default()
                },
                Field {
                    name: "site",
                    label: "Website",
                    kind: "url",
                    value: "acme".into(),
                    error: "A website begins with https://".into(),
                    ..Field::default()
                },
            ],
            select: Select {
                name: "kind",
                label: "Kind",
                options: vec![("a".into(), "Affiliate".into()), ("b".into(), "Refer-a-friend".into())],
                value: "b".into(),
                help: "It cannot be changed later.",
            },
            checkbox: Checkbox { name: "ok", label: "Match customers by e-mail", checked: true },
            range: DateRange { action: "#".into(), from: "2026-11-01".into(), to: String::new() },
            segmented: Segmented { label: "Range", choices: links(&["7 d", "30 d", "90 d"]) },
            tabs: Tabs { label: "Parts", tabs: links(&["Customers", "Commissions", "Payouts"]) },
            copy: CopyField { what: "link", value: "https://acme.example/?aff=maya".into() },
            code: Code {
                id: "snippet",
                title: "HTML".into(),
                languages: vec![],
                text: "<script async src=\"…\"></script>".into(),
            },
            tip: Tip { text: "k".into(), explained: "The share that was kept after refunds.".into() },
            kpis: vec![
                Kpi {
                    label: "Revenue referred".into(),
                    value: "$48,120.00".into(),
                    compared: "12 % more than before".into(),
                    tone: Tone::Good,
                },
                Kpi {
                    label: "Refund rate".into(),
                    value: "2.1 %".into(),
                    compared: "0.4 points more than before".into(),
                    tone: Tone::Bad,
                },
                Kpi {
                    label: "Visits".into(),
                    value: "2,114".into(),
                    compared: "as before".into(),
                    tone: Tone::Plain,
                },
            ],
            progress: vec![
                Progress { label: "Events read".into(), done: 40, total: Some(120) },
                Progress { label: "Events read".into(), done: 40, total: None },
            ],
            empty: Empty {
                icon: "receipt",
                title: "Nothing here".into(),
                text: "It comes with the first sale.".into(),
                action: Some(("Connect Stripe".into(), "#".into())),
            },
            avatar: Avatar::of("Maya Lindqvist"),
            icon: super::icon("clock"),
        }
    }
}
