//! What the sandbox says, over HTTP, and what of it travels in the page's address.

use crate::ui::text::sentence_case;
use serde_json::{Value, json};
use std::time::Duration;
use tributary_stripe::client::plain::{Answer, PlainError, ask};
use url::Url;

/// A list is there at once.
const LOOK: Duration = Duration::from_secs(3);
/// A story takes seconds; its deliveries are waited for.
const PLAY: Duration = Duration::from_secs(60);
/// Purchases of one story that are shown.
const MOST: usize = 20;

/// A story that can be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Its name in addresses.
    pub name: String,
    /// The same in words.
    pub title: String,
    /// What it tells, in one sentence.
    pub about: String,
}

/// What a purchase must bring the partner by the sandbox's own reckoning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The purchase: invoice, PaymentIntent or charge.
    pub root: String,
    /// Lower case.
    pub currency: String,
    /// Minor units.
    pub net: i64,
}

impl Expected {
    /// Reads what [`Self::write`] wrote; what is odd is left out.
    pub fn read(text: &str) -> Vec<Self> {
        let one = |part: &str| {
            let mut fields = part.split('~');
            let (root, currency, net) = (fields.next()?, fields.next()?, fields.next()?.parse().ok()?);
            let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let fits =
                plain(root) && (1..=255).contains(&root.len()) && plain(currency) && currency.len() == 3;
            fits.then(|| Self { root: root.to_owned(), currency: currency.to_owned(), net })
        };
        text.split(',').filter_map(one).take(MOST).collect()
    }

    /// For the page's address.
    pub fn write(all: &[Self]) -> String {
        let one = |Self { root, currency, net }: &Self| format!("{root}~{currency}~{net}");
        all.iter().take(MOST).map(one).collect::<Vec<_>>().join(",")
    }
}

/// A name in words: "Dispute won", "SEPA delay".
pub fn title(name: &str) -> String {
    const ACRONYMS: [&str; 3] = ["jpy", "kwd", "sepa"];
    let word =
        |word: &str| if ACRONYMS.contains(&word) { word.to_ascii_uppercase() } else { word.to_owned() };
    sentence_case(&name.split('_').map(word).collect::<Vec<_>>().join(" "))
}

fn address(base: &str, path: &str) -> Result<Url, String> {
    Url::parse(base)
        .and_then(|base| base.join(path))
        .map_err(|_| "The sandbox's address cannot be read.".to_owned())
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
}

fn silent(error: &PlainError) -> String {
    format!("The sandbox cannot be asked: {error} Is “tributary sandbox” running?")
}

/// The stories that need nothing but Stripe's side.
///
/// # Errors
/// A sentence, if the sandbox does not answer or is none.
pub async fn stories(base: &str) -> Result<Vec<Story>, String> {
    let answer = ask(&address(base, "/_sandbox/stories")?, None, &[], LOOK).await.map_err(|e| silent(&e))?;
    let said = json_of(&answer);
    let Some(list) = said["stories"].as_array().filter(|_| answer.status == 200) else {
        return Err("What this program is connected to is no sandbox that knows scenarios.".to_owned());
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(list
        .iter()
        .filter(|story| story["needs_api"] != true)
        .map(|story| Story {
            title: title(&text(&story["name"])),
            name: text(&story["name"]),
            about: text(&story["about"]),
        })
        .filter(|story| is_name(&story.name))
        .collect())
}

/// Can it be a story's name?
pub fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Plays a story and answers what it must bring.
///
/// # Errors
/// A sentence that says which step failed.
pub async fn play(base: &str, name: &str, partner: &str, ppm: Option<i64>) -> Result<Vec<Expected>, String> {
    let body = json!({ "partner_key": partner, "percent_ppm": ppm }).to_string().into_bytes();
    let url = address(base, &format!("/_sandbox/stories/{name}"))?;
    let answer = ask(&url, Some(body), &[], PLAY).await.map_err(|e| silent(&e))?;
    let said = json_of(&answer);
    if answer.status != 200 || !said["failed"].is_null() {
        let why = said["failed"]["message"].as_str().or_else(|| said["error"]["message"].as_str());
        let why: String = why.unwrap_or("it gave no reason").chars().take(300).collect();
        return Err(format!("The scenario stopped: {why}"));
    }
    let sales = said["expected"]["sales"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(sales
        .iter()
        .map(|sale| Expected {
            root: text(&sale["root"]),
            currency: text(&sale["currency"]),
            net: if sale["partner"] == partner { sale["net"].as_i64().unwrap_or(0) } else { 0 },
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_travels_in_the_address() {
        let all = vec![
            Expected { root: "in_1".into(), currency: "usd".into(), net: 1500 },
            Expected { root: "pi_2".into(), currency: "jpy".into(), net: -3 },
        ];
        assert_eq!(Expected::read(&Expected::write(&all)), all);
        assert_eq!(Expected::read("<b>~usd~1,in_1~usd,in_1~us~1,in_1~usd~x,,in_9~eur~7").len(), 1);
        assert_eq!(title("dispute_won"), "Dispute won");
        assert_eq!(title("sepa_delay"), "SEPA delay");
        assert!(is_name("coupon_100") && !is_name("../state") && !is_name(""));
    }
}
