//! A look-up that is done, and a sale that needs it once more at the same moment.

use super::*;
use crate::api::tests::harness::{Api, START};
use tributary_domain::fact::{Fact, Field};
use tributary_domain::sale::SaleState;
use tributary_store::P;
use tributary_store::pipeline::waiting;

/// Takes in facts of the connection `con_1`.
struct Say(String, Vec<Fact>);
impl Unit for Say {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let ctx = Context::load(tx, &self.0, "con_1", "test", START, 0).await?;
        let source = Source { source_id: format!("evt_{}", self.1[0].at), facts: self.1.clone() };
        ingest(tx, &ctx, &[source], &People::new()).await
    }
}

/// (state, awaiting?) of the only sale, and how many jobs there are.
struct Look(String);
impl Unit for Look {
    type Out = (String, bool, usize);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let sales = tx
            .rows("SELECT state, awaiting_since FROM sale WHERE workspace_id = $1", &[P::T(&self.0)])
            .await?;
        assert_eq!(sales.len(), 1);
        let jobs = tx.rows("SELECT 1 FROM job WHERE workspace_id = $1", &[P::T(&self.0)]).await?;
        Ok((sales[0].text(0)?, sales[0].opt_int(1)?.is_some(), jobs.len()))
    }
}

struct DropJobs(String);
impl Unit for DropJobs {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.exec("DELETE FROM job WHERE workspace_id = $1", &[P::T(&self.0)]).await?;
        assert_eq!(waiting::unasked(tx, &self.0).await?.len(), 1, "it is named");
        Ok(())
    }
}

struct Desk {
    api: Api,
    ws: String,
}

impl Desk {
    async fn new() -> Self {
        let api = Api::new().await;
        api.connection().await;
        let ws = api.program.workspace_id.clone();
        Self { api, ws }
    }

    async fn say(&self, facts: Vec<Fact>) -> (String, bool, usize) {
        self.api.app.db.write(Say(self.ws.clone(), facts)).await.unwrap();
        self.look().await
    }

    async fn look(&self) -> (String, bool, usize) {
        self.api.app.db.read(Look(self.ws.clone())).await.unwrap()
    }

    async fn claim(&self) -> Job {
        let claim = Claim { workspace_id: self.ws.clone(), now: self.api.app.now() };
        self.api.app.db.write(claim).await.unwrap().pop().unwrap()
    }
}

fn charge() -> Fact {
    Fact::new(Kind::Charge, "ch_1", 1_000)
        .with(Field::ChargeStatus, "succeeded")
        .with(Field::AmountCaptured, 5_000)
        .with(Field::Currency, "usd")
        .with(Field::PaymentIntent, None::<&str>)
        .with(Field::Invoice, "in_1")
}

fn missing(kind: Kind, id: &str, at: i64) -> Fact {
    Fact::new(kind, id, at).with(Field::Missing, true)
}

#[tokio::test]
async fn a_look_up_that_is_needed_once_more_is_not_dropped() {
    let desk = Desk::new().await;
    let waits = SaleState::AwaitingParent.as_str().to_owned();
    assert_eq!(desk.say(vec![charge()]).await, (waits.clone(), true, 1));
    let job = desk.claim().await;
    // Whoever believes that it is done is wrong: the need is open.
    close(&desk.api.app, &desk.ws, job, None, None).await.unwrap();
    assert_eq!(desk.look().await, (waits, true, 1));
    let job = desk.claim().await;
    assert_eq!(job.attempts, 0, "it is due at once");
    let paid = SaleState::Paid.as_str().to_owned();
    assert_eq!(desk.say(vec![missing(Kind::Invoice, "in_1", 2_000)]).await, (paid.clone(), false, 1));
    close(&desk.api.app, &desk.ws, job, None, None).await.unwrap();
    assert_eq!(desk.look().await, (paid, false, 0));
}

#[tokio::test]
async fn a_look_up_that_another_process_holds_is_seen_until_it_is_done() {
    let desk = Desk::new().await;
    let held = async || under_way(&desk.api.app, &desk.ws).await.unwrap();
    desk.say(vec![charge()]).await;
    assert!(!held().await, "it waits, and nobody has taken it");
    let job = desk.claim().await;
    assert!(held().await);
    let retry = Some(desk.api.app.now() + 60_000);
    close(&desk.api.app, &desk.ws, job, Some("Stripe did not answer".to_owned()), retry).await.unwrap();
    assert!(!held().await, "it waits for its next try");
}

#[tokio::test]
async fn a_purchase_that_stripe_denies_waits_for_nothing() {
    let desk = Desk::new().await;
    // A thin event named it, and Stripe has none: nobody will say more.
    let unknown = SaleState::Unknown.as_str().to_owned();
    assert_eq!(desk.say(vec![missing(Kind::Invoice, "in_1", 2_000)]).await, (unknown, false, 0));
    // Its own event comes late, and counts.
    let paid = Fact::new(Kind::Invoice, "in_1", 1_000)
        .with(Field::InvoiceStatus, "paid")
        .with(Field::Currency, "usd")
        .with(Field::Total, 5_000)
        .with(Field::TotalExcludingTax, 5_000)
        .with(Field::AmountPaid, 5_000);
    assert_eq!(desk.say(vec![paid]).await, (SaleState::Paid.as_str().to_owned(), false, 0));
}

#[tokio::test]
async fn a_sale_that_waits_while_nobody_asks_is_read_again() {
    let desk = Desk::new().await;
    let before = desk.say(vec![charge()]).await;
    desk.api.app.db.write(DropJobs(desk.ws.clone())).await.unwrap();
    assert_eq!(super::super::waiting::ask_again(&desk.api.app).await.unwrap(), 1);
    assert_eq!(desk.look().await, before, "somebody asks again");
    assert_eq!(super::super::waiting::ask_again(&desk.api.app).await.unwrap(), 0);
}

#[tokio::test]
async fn what_stripe_was_asked_before_a_wipe_is_not_written_after_it() {
    let desk = Desk::new().await;
    let (app, before) = (&desk.api.app, desk.api.connection().await);
    let other = SaleState::AwaitingParent.as_str().to_owned();
    assert_eq!(desk.say(vec![charge()]).await, (other, true, 1));
    crate::connect::wipe::test_data(app, &desk.ws, "somebody").await.unwrap();
    assert_eq!(desk.api.number("SELECT COUNT(*) FROM job WHERE workspace_id = $1").await, 0, "look-ups go");
    for (connection, kept) in [(before, 0), (desk.api.connection().await, 1)] {
        let observation = Observation {
            observation_id: new_id(IdKind::Observation).unwrap(),
            request: "charge".to_owned(),
            subject: "ch_1".to_owned(),
            http_status: 200,
            fetched_at: START,
            body: Vec::new(),
        };
        let source = Source { source_id: observation.observation_id.clone(), facts: vec![charge()] };
        let people = People::new();
        let unit = Observe { connection, observation, source, people, now: START, link_delay_ms: 0 };
        app.db.write(unit).await.unwrap();
        for table in [
            "SELECT COUNT(*) FROM observation WHERE workspace_id = $1",
            "SELECT COUNT(*) FROM fact WHERE workspace_id = $1",
        ] {
            assert_eq!(desk.api.number(table).await, kept, "{table}");
        }
    }
}
