//! What the books say, read in several independent ways.

use super::World;
use super::database::Row;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What one partner has, by currency, in minor units: what is in hold and what is payable together.
pub type Totals = BTreeMap<(String, String), i64>;

impl World {
    /// Waits until nothing is left to do: every event has its outcome, every sale its place, every scope is settled,
    /// and no sale waits for a look-up.
    pub async fn settled(&self) {
        self.settled_within(Duration::from_secs(60)).await;
    }

    /// [`Self::settled`] with another limit.
    pub async fn settled_within(&self, limit: Duration) {
        let end = tokio::time::Instant::now() + limit;
        // A long history is not counted over and over while it settles.
        let look = (limit / 1_000).clamp(Duration::from_millis(40), Duration::from_secs(2));
        while self.unfinished().await > 0 {
            if tokio::time::Instant::now() > end {
                panic!("the pipeline does not come to rest within {limit:?}: {}", self.what_waits().await);
            }
            tokio::time::sleep(look).await;
        }
    }

    /// What waits, for the report of a failed test.
    async fn what_waits(&self) -> String {
        let mut all = Vec::new();
        for sql in [
            "SELECT event_id, type, attempts, reason FROM event WHERE outcome = 'pending' LIMIT 20",
            "SELECT sale_id, root_id, state, awaiting_since, place_reason, outcome FROM sale \
             WHERE merged_into IS NULL AND (unplaced OR unsettled OR awaiting_since IS NOT NULL) LIMIT 20",
            "SELECT program_id, customer_id, generation, settled_generation FROM scope \
             WHERE generation > settled_generation LIMIT 20",
            "SELECT kind, dedup, state, attempts, last_error FROM job LIMIT 20",
        ] {
            all.push(format!("{:?}", self.database.rows(sql).await));
        }
        all.join("\n")
    }

    /// How many things still wait in the pipeline.
    pub async fn unfinished(&self) -> i64 {
        let sql = "SELECT (SELECT COUNT(*) FROM event WHERE outcome = 'pending') \
             + (SELECT COUNT(*) FROM sale WHERE merged_into IS NULL AND (unplaced OR awaiting_since IS NOT NULL)) \
             + (SELECT COUNT(*) FROM sale WHERE unsettled AND merged_into IS NULL) \
             + (SELECT COUNT(*) FROM scope WHERE generation > settled_generation)";
        self.database.number(sql).await
    }

    /// `tributary verify --json`, which had to find nothing.
    pub async fn verify(&self) -> Value {
        let output = self.command(&["verify", "--json"], "").await;
        assert_eq!(output.code, 0, "verify found something: {output:?}");
        let said = output.json();
        assert_eq!(said["ok"], true, "{said}");
        assert_eq!(said["problems"], serde_json::json!([]), "{said}");
        assert_eq!(said["waiting"], 0, "{said}");
        let digest = said["digest"].as_str().unwrap_or_default();
        assert_eq!(digest.len(), 64, "a digest is 64 hex digits: {said}");
        said
    }

    /// The digest of the books.
    pub async fn digest(&self) -> String {
        self.verify().await["digest"].as_str().expect("a digest").to_owned()
    }

    /// `tributary replay --json`: it must find nothing to post, and the same digest as verify.
    pub async fn replay(&self) -> Value {
        let output = self.command(&["replay", "--json"], "").await;
        assert_eq!(output.code, 0, "replay found something to post: {output:?}");
        let said = output.json();
        assert_eq!(said["posted"], 0, "{said}");
        said
    }

    /// Ends a scenario: the books verify, and deriving everything again posts nothing.
    pub async fn finish(&self) {
        self.settled().await;
        let verified = self.verify().await;
        let replayed = self.replay().await;
        assert_eq!(replayed["digest"], verified["digest"], "replay and verify tell of different books");
        let events = self.database.number("SELECT COUNT(*) FROM event").await;
        assert_eq!(replayed["events"], events, "replay reads every event");
    }

    /// Every partner's money by the ledger's entries alone: credits minus debits of what is pending or payable.
    pub async fn ledger_totals(&self) -> Totals {
        let sql = "SELECT p.key, a.currency, SUM(CASE WHEN e.credit_account = a.account_id THEN e.amount ELSE -e.amount END) \
             FROM entry e JOIN account a ON a.workspace_id = e.workspace_id AND a.mode = e.mode \
             AND a.currency = e.currency AND a.account_id IN (e.debit_account, e.credit_account) \
             JOIN partner p ON p.workspace_id = a.workspace_id AND p.partner_id = a.partner_id \
             WHERE a.kind IN ('pending', 'payable') GROUP BY p.key, a.currency ORDER BY p.key, a.currency";
        totals(&self.database.rows(sql).await)
    }

    /// Every partner's money by the targets of its commissions.
    pub async fn target_totals(&self) -> Totals {
        let sql = "SELECT p.key, c.currency, SUM(c.target) FROM commission c \
             JOIN partner p ON p.workspace_id = c.workspace_id AND p.partner_id = c.partner_id \
             GROUP BY p.key, c.currency ORDER BY p.key, c.currency";
        totals(&self.database.rows(sql).await)
    }

    /// A partner's money by the REST API: `pending` and `not_paid` together, read from the digits on the wire.
    pub async fn api_totals(&self, partner_key: &str) -> BTreeMap<String, i64> {
        let answer = self.get(&format!("/v1/partners/{partner_key}")).await.expect(200);
        let mut sums = BTreeMap::new();
        for part in ["pending", "not_paid"] {
            let list = &answer.data()["commissions"][part];
            for item in list.as_array().unwrap_or_else(|| panic!("commissions.{part} is no list: {answer:?}"))
            {
                let currency = item["currency"].as_str().expect("a currency").to_lowercase();
                *sums.entry(currency.clone()).or_insert(0) += minor(&item["amount"], &currency);
            }
        }
        sums
    }

    /// The sum over all partners of the workspace, in US dollars, whatever program they are in.
    pub async fn expect_totals_of_both(&self, expected: i64) {
        let sums =
            |totals: Totals| totals.into_iter().filter(|((_, c), _)| c == "usd").map(|(_, n)| n).sum::<i64>();
        assert_eq!(sums(self.ledger_totals().await), expected, "the ledger's entries");
        assert_eq!(sums(self.target_totals().await), expected, "the commissions' targets");
    }

    /// The expected money of partners, checked in the ledger, in the targets and through the API.
    pub async fn expect_totals<C: AsRef<str>>(&self, expected: &[(&str, C, i64)]) {
        let expected: Totals = expected
            .iter()
            .map(|(key, currency, amount)| ((key.to_string(), currency.as_ref().to_owned()), *amount))
            .collect();
        let nonzero =
            |totals: Totals| -> Totals { totals.into_iter().filter(|(_, amount)| *amount != 0).collect() };
        let expected = nonzero(expected);
        assert_eq!(nonzero(self.ledger_totals().await), expected, "the ledger's entries");
        assert_eq!(nonzero(self.target_totals().await), expected, "the commissions' targets");
        for ((key, currency), amount) in &expected {
            assert_eq!(self.api_totals(key).await.get(currency), Some(amount), "{key} by the API");
        }
    }
}

fn totals(rows: &[Row]) -> Totals {
    let text = |row: &Row, at: usize| row[at].clone().expect("not NULL");
    rows.iter().map(|row| ((text(row, 0), text(row, 1)), text(row, 2).parse().expect("a number"))).collect()
}

/// A decimal in major units as minor units. Written here once more on purpose: it checks the product's own reading.
pub fn minor(amount: &Value, currency: &str) -> i64 {
    const NONE: &[&str] = &["jpy", "krw", "clp", "vnd"];
    const THREE: &[&str] = &["kwd", "bhd", "jod", "omr", "tnd"];
    let exponent = if NONE.contains(&currency) { 0 } else { 2 + usize::from(THREE.contains(&currency)) };
    let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
    let (negative, text) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = part.trim_end_matches('0');
    assert!(part.len() <= exponent && !text.contains('e'), "{text} has too many digits for {currency}");
    let digits = format!("{whole}{part:0<exponent$}");
    let number: i64 = digits.parse().unwrap_or_else(|_| panic!("{text} is no amount"));
    if negative { -number } else { number }
}
