//! The two ways to create a referred customer, as numbered steps: in a window over the page, or on a page of their own.

use super::snippets::Own;
use super::{Facts, Load};
use crate::App;
use crate::admin::error::PageError;
use crate::admin::visit::Visit;
use crate::ui::codes::Codes;
use crate::ui::frame::{Frame, Section};
use crate::ui::page::page;
use crate::ui::proof::Proof;
use crate::ui::when::Ago;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub title: &'static str,
    /// Why, or how.
    pub text: String,
    /// What to copy.
    pub codes: Vec<Codes>,
    /// Was it seen to work?
    pub proof: Option<Proof>,
    /// Words and address of a page that does it.
    pub action: Option<(String, String)>,
}

/// One guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guide {
    /// `payment-links`, `user-sign-up`.
    pub slug: &'static str,
    /// Its name.
    pub title: &'static str,
    /// For whom it is.
    pub lead: &'static str,
    /// Its page.
    pub href: String,
    /// Was a customer made this way?
    pub proven: bool,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A guide on a page of its own.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "integration/guide.html")]
pub struct GuidePage {
    frame: Frame,
    guide: Guide,
}

/// `GET /p/{program}/integration/guides/{guide}`
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path((public_id, slug)): Path<(String, String)>,
) -> Response {
    let shown = async {
        let facts = app.db.read(Load::new(&visit, &public_id)).await?;
        let frame = visit.frame(&facts.loaded, Section::Integration, "Integration");
        let program = &facts.loaded.shown.program;
        let own = Own {
            public_url: &app.settings.public_url,
            public_id: &program.public_id,
            website: &program.website,
        };
        let mut found = all(&own, &frame, &facts, visit.now);
        let at = found.iter().position(|guide| guide.slug == slug).ok_or(PageError::NotFound)?;
        Ok(page(StatusCode::OK, &GuidePage { frame, guide: found.swap_remove(at) }))
    };
    visit.answer(shown.await)
}

fn waiting(title: &str) -> Proof {
    Proof { title: title.to_owned(), detail: String::new(), seen: None, action: None }
}

fn proven(title: String, at: i64, now: i64) -> Proof {
    Proof { title, detail: String::new(), seen: Some(Ago { at, now }), action: None }
}

/// Both guides with the program's own data.
pub(super) fn all(own: &Own<'_>, frame: &Frame, facts: &Facts, now: i64) -> Vec<Guide> {
    let href = |slug: &str| frame.program.href(&format!("integration/guides/{slug}"));
    let bought = facts.newest.by_purchase;
    let signed = facts.newest.by_signup;
    vec![
        Guide {
            slug: "payment-links",
            title: "Stripe via Payment Links",
            lead: "For Payment Links, pricing tables and buy buttons. The purchase itself makes the customer.",
            href: href("payment-links"),
            proven: bought.is_some(),
            steps: vec![
                script(own, facts, now, "links-script"),
                Step {
                    title: "Leave your payment elements as they are.",
                    text: "The script adds the referral's reference by itself: to links that lead to your payment hosts, to pricing tables and to buy buttons, also to those that come later. What you set yourself stays.".to_owned(),
                    codes: vec![own.payment_elements()],
                    proof: Some(bought.map_or_else(
                        || waiting("Waiting for the first purchase by a referral link."),
                        |at| proven("A purchase made a customer".to_owned(), at, now),
                    )),
                    action: Some(("Payment hosts".to_owned(), frame.program.href("settings"))),
                },
                Step {
                    title: "Do you make Checkout Sessions on your server?",
                    text: "Then pass the partner on as metadata. It goes to the subscription or payment too, so that renewals carry it.".to_owned(),
                    codes: vec![own.checkout_metadata("links-metadata")],
                    proof: None,
                    action: None,
                },
                authorize(frame, facts, now),
            ],
        },
        Guide {
            slug: "user-sign-up",
            title: "Stripe via user sign-up",
            lead: "For products with accounts. The sign-up makes the customer, and Stripe reports what they pay.",
            href: href("user-sign-up"),
            proven: signed.is_some(),
            steps: vec![
                script(own, facts, now, "signup-script-tag"),
                Step {
                    title: "Tell of the sign-up.",
                    text: "By your server, which nobody can forge; the partner's key is in the cookie tributary_partner. Or by the script, where there is no server of yours.".to_owned(),
                    codes: vec![own.signup_server(), own.signup_script()],
                    proof: Some(signed.map_or_else(
                        || waiting("Waiting for the first sign-up."),
                        |at| proven("A sign-up arrived".to_owned(), at, now),
                    )),
                    action: Some(("API keys".to_owned(), frame.program.href("integration/api"))),
                },
                Step {
                    title: "Name the customer when they pay.",
                    text: "customer_key is the key of the sign-up. Without it customers are found by their e-mail address, if the program allows that.".to_owned(),
                    codes: vec![own.checkout_metadata("signup-metadata")],
                    proof: None,
                    action: None,
                },
                authorize(frame, facts, now),
            ],
        },
    ]
}

fn script(own: &Own<'_>, facts: &Facts, now: i64, id: &str) -> Step {
    Step {
        title: "Put the script on every page.",
        text: "Into the <head>. It loads beside the page and remembers who referred the visitor.".to_owned(),
        codes: vec![own.script(id)],
        proof: Some(facts.seen("script").map_or_else(
            || waiting("Not seen yet."),
            |(place, at)| proven(format!("Seen on {place}"), at, now),
        )),
        action: None,
    }
}

fn authorize(frame: &Frame, facts: &Facts, now: i64) -> Step {
    let alive = facts.connections.iter().find(|(one, _)| one.status == "connected");
    Step {
        title: "Authorize Stripe.",
        text: "From then on sales, renewals, refunds and disputes arrive by themselves.".to_owned(),
        codes: Vec::new(),
        proof: Some(alive.map_or_else(
            || waiting("Not connected yet."),
            |(one, _)| proven(format!("Connected in {} mode", one.mode), one.created_at, now),
        )),
        action: Some(("Stripe".to_owned(), frame.program.href("integration/stripe"))),
    }
}
