//! The way of a payment on a real SQLite file, without HTTP: stories of nine eras in many orders.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as expected")]

use tributary_domain::money::Rate;
use tributary_domain::terms::{Duration, Terms};
use tributary_server::clock::Clock;
use tributary_server::pipeline::{self, explain, replay, verify};
use tributary_server::stripe::receive::new_event;
use tributary_server::{App, Settings};
use tributary_store::connections::{self, Connection};
use tributary_store::db::Location;
use tributary_store::pipeline::counters::{self, Counted};
use tributary_store::pipeline::inbox;
use tributary_store::vault::Key;
use tributary_store::workspaces::{self, Program};
use tributary_store::{Db, P, StoreError, Tx, Unit};
use tributary_stripe::event::Envelope;
use tributary_stripe::story::{self, Era, Plot};

const NOW: i64 = 1_900_000_000_000;

struct World {
    app: App,
    connection: Connection,
    _folder: tempfile::TempDir,
}

/// Runs a closure's statements as one unit.
struct Sql(&'static str, Vec<String>);
impl Unit for Sql {
    type Out = Vec<Vec<Option<String>>>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let params: Vec<P<'_>> = self.1.iter().map(|text| P::T(text)).collect();
        if self.0.starts_with("SELECT") {
            let rows = tx.rows(self.0, &params).await?;
            return Ok(rows.iter().map(|row| vec![row.opt_text(0).unwrap_or(None)]).collect());
        }
        tx.exec(self.0, &params).await?;
        Ok(Vec::new())
    }
}

struct Setup {
    master: Key,
    terms: Terms,
}

impl Unit for Setup {
    type Out = Connection;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Connection, StoreError> {
        workspaces::insert_workspace(tx, &self.master, "wsp_1", "Acme", NOW).await?;
        let program = Program {
            workspace_id: "wsp_1".into(),
            program_id: "prg_1".into(),
            public_id: "ABCDEFGH".into(),
            name: "Acme".into(),
            kind: "affiliate".into(),
            currency: "usd".into(),
            website: "https://acme.test".into(),
            created_at: NOW,
            ..Program::default()
        };
        let terms = serde_json::to_string(&self.terms).unwrap();
        workspaces::insert_program(tx, &program, &terms).await?;
        for key in ["maya", "theo"] {
            let sql = "INSERT INTO partner (workspace_id, partner_id, program_id, external_id, key, email, name, surname, \
                 status, tags, created_at, updated_at, deleted_at) VALUES ('wsp_1', $1, 'prg_1', $1, $1, $1, '', '', \
                 'active', '[]', 1, 1, NULL)";
            tx.exec(sql, &[P::T(key)]).await?;
        }
        let data_key = workspaces::data_key(tx, &self.master, "wsp_1").await?;
        let connection = Connection {
            workspace_id: "wsp_1".into(),
            connection_id: "con_1".into(),
            mode: "test".into(),
            account_id: "unknown_1".into(),
            account_name: String::new(),
            api_base: "http://127.0.0.1:9".into(),
            api_key: data_key.seal(&connections::api_key_place("con_1"), b"sk_test_0123456789abcdef")?,
            key_hint: String::new(),
            status: "connected".into(),
            status_reason: String::new(),
            warnings: "[]".into(),
            endpoint_id: None,
            endpoint_url: None,
            polling: false,
            cursor_at: 0,
            created_at: NOW,
            permissions: "[]".into(),
            checked_at: None,
            auth: "key".to_owned(),
            wiped: 0,
        };
        connections::insert(tx, &connection).await?;
        connections::attach(tx, "wsp_1", "con_1", "prg_1", NOW).await?;
        Ok(connection)
    }
}

impl World {
    async fn with(terms: Terms) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Location::Sqlite(folder.path().join("t.db"))).await.unwrap();
        db.migrate().await.unwrap();
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: "http://127.0.0.1".parse().unwrap(),
            stripe_api_base: "http://127.0.0.1:9".into(),
            poll_seconds: 10,
            link_delay_ms: 1_000_000,
            raw_payload_days: 0,
        };
        let master = Key::new([3; 32]);
        let connection = db.write(Setup { master: master.clone(), terms }).await.unwrap();
        Self { app: App::new(db, master, Clock::fixed(NOW), settings), connection, _folder: folder }
    }

    async fn new() -> Self {
        Self::with(Terms::percent_for_life(Rate::parse_percent("30%").unwrap())).await
    }

    async fn deliver(&self, events: &[serde_json::Value]) {
        let key = self.app.data_key("wsp_1").await.unwrap();
        for event in events {
            let raw = serde_json::to_vec(event).unwrap();
            let envelope = Envelope::parse(&raw).unwrap();
            let event = new_event(&key, &self.connection, &envelope, &raw, "webhook", NOW).unwrap();
            self.app.db.write(Keep(event)).await.unwrap();
        }
    }

    async fn settled(&self) -> verify::Report {
        pipeline::drain(&self.app).await.unwrap();
        let report = verify::run(&self.app, None).await.unwrap();
        assert!(report.ok, "{:#?}", report.problems);
        let replayed = replay::run(&self.app, &|_, _| {}).await.unwrap();
        assert_eq!(replayed.posted, 0, "{replayed:#?}");
        assert_eq!(replayed.digest, report.digest);
        report
    }

    async fn sum(&self, account: &str, partner: &str) -> i64 {
        let report = verify::run(&self.app, None).await.unwrap();
        report
            .balances
            .iter()
            .filter(|b| b.account == account && b.partner == partner)
            .map(|b| b.amount)
            .sum()
    }
}

struct Keep(inbox::NewEvent);
impl Unit for Keep {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        inbox::insert_event(tx, &self.0).await
    }
}

/// A small generator of orders, so that a failing seed can be named.
fn shuffled<T: Clone>(items: &[T], seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut out: Vec<T> = items.to_vec();
    for at in (1..out.len()).rev() {
        out.swap(at, (next() % (at as u64 + 1)) as usize);
    }
    out
}

fn plot() -> Plot {
    let mut plot = Plot::new("a1");
    plot.client_reference_id = Some("maya".into());
    plot
}

#[tokio::test]
async fn a_subscription_by_payment_link_earns_renews_and_is_half_refunded_in_every_era_and_order() {
    let mut digests = std::collections::BTreeSet::new();
    for (seed, era) in (1..).zip(Era::ALL.iter().copied()) {
        for round in 0..3 {
            let world = World::new().await;
            let mut events = story::subscription(era, &plot());
            if round > 0 {
                events.extend(events.clone());
                events = shuffled(&events, seed * 31 + round);
            }
            for chunk in events.chunks(2) {
                world.deliver(chunk).await;
                pipeline::drain(&world.app).await.unwrap();
            }
            let report = world.settled().await;
            let plot = plot();
            let net = plot.total - plot.tax;
            // 30 % of both payments, and of the first only what was kept.
            let whole = net * 3 / 10;
            let expected = whole + whole * (plot.total - plot.refund) / plot.total;
            assert_eq!(
                world.sum("pending", "maya").await + world.sum("payable", "maya").await,
                expected,
                "{era:?}"
            );
            digests.insert(report.digest);
        }
    }
    assert_eq!(digests.len(), 1, "{digests:?}");
}

#[tokio::test]
async fn a_one_time_purchase_by_payment_link_bears_its_customer_and_explains_itself() {
    for (seed, era) in (1..).zip(Era::ALL.iter().copied()) {
        let world = World::new().await;
        let events = story::payment_link(era, &plot());
        world.deliver(&shuffled(&events, seed)).await;
        world.settled().await;
        let purchase = plot().purchase(1);
        let why = explain::run(&world.app, &purchase.charge).await.unwrap().unwrap();
        assert!(why.settled, "{}", why.to_text());
        assert_eq!(why.partner.as_ref().map(|p| p.key.as_str()), Some("maya"));
        let target = why.target.as_ref().unwrap();
        let posted: i64 = why
            .postings
            .iter()
            .filter(|p| p.kind == "settled")
            .map(|p| if p.debit == "expense" { p.amount } else { -p.amount })
            .sum();
        assert_eq!(posted, target.amount, "{}", why.to_text());
        assert!(target.amount > 0 && why.to_text().contains("maya"));
    }
}

#[tokio::test]
async fn journals_are_sealed_once_in_one_chain_and_a_damaged_link_is_named() {
    let world = World::new().await;
    let events = story::subscription(Era::ALL[8], &plot());
    let (early, late) = events.split_at(events.len() / 2);
    let mut sealed = 0;
    for events in [early, late] {
        world.deliver(events).await;
        world.settled().await;
        sealed += pipeline::seal::seal_all(&world.app, || None).await.unwrap();
        assert_eq!(pipeline::seal::seal_all(&world.app, || None).await.unwrap(), 0, "each is sealed once");
        world.settled().await;
    }
    let numbers =
        world.app.db.read(Sql("SELECT CAST(n AS TEXT) FROM seal ORDER BY n", vec![])).await.unwrap();
    let expected: Vec<_> = (1..=sealed).map(|n| vec![Some(n.to_string())]).collect();
    assert_eq!(numbers, expected);
    assert!(sealed > 2, "{sealed}");
    world.app.db.write(Sql("DROP TRIGGER seal_no_update", vec![])).await.unwrap();
    for (damage, row, words) in [
        ("UPDATE seal SET hash = 'x' WHERE n = 2", "number 2", "does not fit"),
        ("DELETE FROM seal WHERE n = 1", "number 2", "number 2 follows number 0"),
    ] {
        world.app.db.write(Sql(damage, vec![])).await.unwrap();
        let report = verify::run(&world.app, None).await.unwrap();
        assert!(!report.ok && report.problems.iter().all(|problem| problem.table == "seal"), "{report:#?}");
        let named = report
            .problems
            .iter()
            .any(|problem| problem.row.contains(row) && problem.problem.contains(words));
        assert!(named, "{report:#?}");
    }
}

#[tokio::test]
async fn a_partner_that_comes_later_gets_what_named_it_before() {
    let world = World::new().await;
    let mut plot = plot();
    plot.client_reference_id = Some("late".into());
    world.deliver(&story::subscription(Era::ALL[8], &plot)).await;
    world.settled().await;
    assert_eq!(world.sum("pending", "late").await, 0);
    let sql = "INSERT INTO partner (workspace_id, partner_id, program_id, external_id, key, email, name, surname, status, tags, \
         created_at, updated_at, deleted_at) VALUES ('wsp_1', $1, 'prg_1', $1, $1, $1, '', '', 'active', '[]', 1, 1, NULL)";
    world.app.db.write(Sql(sql, vec!["late".into()])).await.unwrap();
    world.app.db.write(PartnerChanged).await.unwrap();
    world.settled().await;
    assert!(world.sum("pending", "late").await + world.sum("payable", "late").await > 0);
}

struct PartnerChanged;
impl Unit for PartnerChanged {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        pipeline::partner_changed(tx, "wsp_1", "late", NOW).await
    }
}

#[tokio::test]
async fn a_sign_up_after_the_purchase_is_found_by_its_address_and_only_first_sales_earn_if_the_terms_say_so()
{
    let mut terms = Terms::percent_for_life(Rate::parse_percent("10%").unwrap());
    terms.duration = Duration::FirstSales { count: 1 };
    let world = World::with(terms).await;
    let mut plot = plot();
    plot.client_reference_id = None;
    let events = story::subscription(Era::ALL[6], &plot);
    world.deliver(&shuffled(&events, 7)).await;
    world.settled().await;
    let key = world.app.data_key("wsp_1").await.unwrap();
    let hash = tributary_server::state::email_hash(&key, &plot.email).unwrap().unwrap();
    world.app.db.write(SignUp(hash)).await.unwrap();
    world.settled().await;
    let whole = (plot.total - plot.tax) / 10;
    let kept = whole * (plot.total - plot.refund) / plot.total;
    assert_eq!(world.sum("pending", "theo").await + world.sum("payable", "theo").await, kept);
}

struct SignUp(String);
impl Unit for SignUp {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let sql = "INSERT INTO customer (workspace_id, customer_id, mode, program_id, key, email, email_hash, name, surname, \
             status, tags, origin, partner_id, born_of, created_at, updated_at, deleted_at) VALUES ('wsp_1', 'ctm_1', 'test', \
             'prg_1', 'user_1', 'x', $1, '', '', 'active', '[]', 'api', 'theo', NULL, $2, $2, NULL)";
        tx.exec(sql, &[P::T(&self.0), P::I(NOW)]).await?;
        let counted = Counted {
            mode: "test",
            program_id: "prg_1",
            partner_id: Some("theo"),
            created_at: NOW,
            deleted: false,
        };
        counters::customer_changed(tx, "wsp_1", None, Some(counted)).await?;
        pipeline::customer_changed(tx, "wsp_1", "test", "ctm_1", NOW).await
    }
}

/// An event on the first purchase of the plot, `day` days after it.
fn later(
    era: Era,
    plot: &Plot,
    n: u8,
    type_: &str,
    day: i64,
    object: serde_json::Value,
) -> serde_json::Value {
    let at = plot.purchase(1).at_s + day * 86_400;
    story::wrap(&format!("evt_{}_d{n}", plot.tag), type_, era.api_version(), at, object)
}

#[tokio::test]
async fn a_dispute_keeps_the_hold_and_its_end_decides_in_every_order_and_era() {
    for (seed, era) in (1..).zip(Era::ALL.iter().copied()) {
        let plot = Plot { refund: 0, ..plot() };
        let objects = story::Objects { era, plot: &plot };
        let first = plot.purchase(1);
        let opened = later(
            era,
            &plot,
            1,
            "charge.dispute.created",
            1,
            objects.dispute(&first, "needs_response", false, false),
        );
        let away = later(
            era,
            &plot,
            2,
            "charge.dispute.funds_withdrawn",
            2,
            objects.dispute(&first, "needs_response", true, false),
        );
        let lost =
            later(era, &plot, 3, "charge.dispute.closed", 3, objects.dispute(&first, "lost", true, false));
        let back = later(
            era,
            &plot,
            4,
            "charge.dispute.funds_reinstated",
            4,
            objects.dispute(&first, "lost", true, true),
        );
        let won =
            later(era, &plot, 5, "charge.dispute.closed", 5, objects.dispute(&first, "won", true, true));
        let whole = (plot.total - plot.tax) * 3 / 10;
        // The first payment's hold is over by now; the second one's as well.
        for (name, told, payable, pending) in [
            ("none", vec![], 2 * whole, 0),
            ("open", vec![&opened, &away], whole, whole),
            ("lost", vec![&opened, &away, &lost], whole, 0),
            ("reinstated", vec![&opened, &away, &lost, &back], 2 * whole, 0),
            ("won", vec![&opened, &away, &won], 2 * whole, 0),
        ] {
            let world = World::new().await;
            let mut events = story::subscription(era, &plot);
            events.extend(told.into_iter().cloned());
            events.extend(events.clone());
            world.deliver(&shuffled(&events, seed)).await;
            world.settled().await;
            let got = (world.sum("payable", "maya").await, world.sum("pending", "maya").await);
            assert_eq!(got, (payable, pending), "{name} in {era:?}");
        }
    }
}

#[tokio::test]
async fn a_dispute_of_a_payable_commission_posts_nothing_until_it_is_lost_and_is_shown_at_risk() {
    let era = Era::ALL[8];
    let plot = Plot { refund: 0, ..plot() };
    let objects = story::Objects { era, plot: &plot };
    let first = plot.purchase(1);
    let world = World::new().await;
    world.deliver(&story::subscription(era, &plot)).await;
    world.settled().await;
    let whole = (plot.total - plot.tax) * 3 / 10;
    assert_eq!(world.sum("payable", "maya").await, 2 * whole);
    let open = objects.dispute(&first, "needs_response", true, false);
    world.deliver(&[later(era, &plot, 1, "charge.dispute.created", 1, open)]).await;
    world.settled().await;
    assert_eq!(world.sum("payable", "maya").await, 2 * whole);
    let why = explain::run(&world.app, &format!("dp_{}", plot.tag)).await.unwrap().unwrap();
    assert!(why.risk_words().unwrap().contains("at risk"), "{}", why.to_text());
    assert!(why.to_text().contains("Disputed 120.00 USD"), "{}", why.to_text());
    let lost = objects.dispute(&first, "lost", true, false);
    world.deliver(&[later(era, &plot, 2, "charge.dispute.closed", 2, lost)]).await;
    world.settled().await;
    assert_eq!(world.sum("payable", "maya").await, whole);
    let why = explain::run(&world.app, &first.charge).await.unwrap().unwrap();
    assert_eq!((why.risk_words(), why.lost), (None, plot.total));
    assert!(why.outcome_words.contains("lost in a dispute"), "{}", why.to_text());
    assert!(why.postings.iter().any(|p| p.reason.contains("lost in a dispute")), "{:?}", why.postings);
    let back = objects.dispute(&first, "lost", true, true);
    world.deliver(&[later(era, &plot, 3, "charge.dispute.funds_reinstated", 3, back)]).await;
    world.settled().await;
    assert_eq!(world.sum("payable", "maya").await, 2 * whole);
}

#[tokio::test]
async fn products_with_rules_and_terms_that_leave_the_fee_out_wait_for_what_stripe_has_not_said() {
    let mut terms = Terms::percent_for_life(Rate::parse_percent("30%").unwrap());
    terms.products =
        tributary_server::setup::base::product_rules("prod_half 15%\nprod_none nothing".lines()).unwrap();
    let era = Era::ALL[8];
    let plot = Plot { refund: 0, ..plot() };
    let net = plot.total - plot.tax;
    let line = |id: &str, product: &str, amount: i64| {
        serde_json::json!({ "id": id, "object": "line_item", "amount": amount, "discount_amounts": [], "taxes": [],
            "pricing": { "type": "price_details", "price_details": { "product": product, "price": "price_1" } } })
    };
    let lines = serde_json::json!({ "object": "list", "has_more": false, "data": [
        line("il_1", "prod_half", net / 2), line("il_2", "prod_none", net / 4), line("il_3", "prod_else", net / 4) ] });
    let mut events = story::subscription(era, &plot);
    let invoices = |event: &&mut serde_json::Value| event["type"] == "invoice.paid";
    events.iter_mut().filter(invoices).for_each(|event| event["data"]["object"]["lines"] = lines.clone());
    let world = World::with(terms.clone()).await;
    world.deliver(&events).await;
    world.settled().await;
    let each = net / 2 * 15 / 100 + net / 4 * 30 / 100;
    assert_eq!(world.sum("payable", "maya").await, 2 * each);
    let why = explain::run(&world.app, &plot.purchase(1).invoice).await.unwrap().unwrap();
    let parts: i64 = why.target.as_ref().unwrap().trace.lines.iter().map(|line| line.earned).sum();
    assert_eq!(parts, each, "{}", why.to_text());
    assert!(why.to_text().contains("prod_half"), "{}", why.to_text());

    terms.products.clear();
    terms.exclude_fee = true;
    let world = World::with(terms).await;
    world.deliver(&events).await;
    world.settled().await;
    assert_eq!(world.sum("payable", "maya").await, 0, "the fee is not known yet");
    let jobs = world.app.db.read(Sql("SELECT body FROM job WHERE kind = 'fetch'", vec![])).await.unwrap();
    assert!(jobs.iter().flatten().flatten().any(|body| body.contains("fee_of")), "{jobs:?}");
    // Stripe's answer comes as the charge with its balance transaction.
    let mut told = Vec::new();
    for (n, day) in [(1, 0), (2, 30)] {
        let purchase = plot.purchase(n);
        let mut charge = story::Objects { era, plot: &plot }.charge(&purchase, true, 0);
        charge["balance_transaction"] = serde_json::json!({ "id": format!("txn_fee{n}"), "object": "balance_transaction",
            "amount": plot.total, "fee": 400, "currency": "usd", "exchange_rate": null, "created": purchase.at_s });
        told.push(later(era, &plot, n + 6, "charge.captured", day, charge));
    }
    world.deliver(&told).await;
    world.settled().await;
    assert_eq!(world.sum("payable", "maya").await, 2 * (net - 400) * 3 / 10);
}
