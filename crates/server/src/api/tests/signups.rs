//! Sign-ups that a browser told of, and server calls that outrank them.

use super::harness::Api;
use crate::pipeline::{Signup, SignupOutcome, record_browser_signup};
use tributary_store::api::Place;
use tributary_store::vault::Key;
use tributary_store::{P, StoreError, Tx, Unit};

struct Told {
    place: Place,
    data_key: Key,
    signup: Signup,
}

impl Unit for Told {
    type Out = SignupOutcome;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<SignupOutcome, StoreError> {
        record_browser_signup(tx, &self.place, &self.data_key, &self.signup).await
    }
}

fn signup(key: &str, partner_key: &str) -> Signup {
    Signup {
        key: key.into(),
        email: format!("{key}@shop.example"),
        name: "Ida".into(),
        surname: String::new(),
        partner_key: partner_key.into(),
        visitor: String::new(),
        page: "https://shop.example/join".into(),
        at: 0,
    }
}

async fn tell(api: &Api, signup: Signup) -> SignupOutcome {
    let place = Place {
        workspace_id: api.program.workspace_id.clone(),
        program_id: api.program.program_id.clone(),
        mode: "test".into(),
    };
    let data_key = api.app.data_key(&place.workspace_id).await.unwrap();
    let signup = Signup { at: api.app.now(), ..signup };
    api.app.db.write(Told { place, data_key, signup }).await.unwrap()
}

struct Counts;
impl Unit for Counts {
    type Out = Vec<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let sql = "SELECT r.key || ' ' || CAST(d.customers AS TEXT) || ' of ' || CAST(p.customers AS TEXT) \
             FROM partner_day d JOIN partner r ON r.workspace_id = d.workspace_id AND r.partner_id = d.partner_id \
             JOIN program_day p ON p.workspace_id = d.workspace_id AND p.mode = d.mode \
             AND p.program_id = d.program_id AND p.day = d.day WHERE d.customers <> $1 ORDER BY 1";
        tx.rows(sql, &[P::I(0)]).await?.iter().map(|row| row.text(0)).collect()
    }
}

async fn counts(api: &Api) -> Vec<String> {
    api.app.db.read(Counts).await.unwrap()
}

#[tokio::test]
async fn a_browser_makes_customers_and_changes_none_that_has_a_partner() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    api.partner("THEO").await;
    assert_eq!(tell(&api, signup("u1", "nobody")).await, SignupOutcome::NoPartner);
    assert_eq!(api.call("GET", "/v1/customers/u1", "").await.0, 404);
    assert_eq!(tell(&api, signup("u1", "MAYA")).await, SignupOutcome::Created);
    assert_eq!(counts(&api).await, ["MAYA 1 of 1"]);
    let (status, before) = api.call("GET", "/v1/customers/u1", "").await;
    assert_eq!((status, before["data"]["partner"].as_str()), (200, Some("id-MAYA")), "{before}");
    let again = Signup { email: "evil@shop.example".into(), name: "Evil".into(), ..signup("u1", "THEO") };
    assert_eq!(tell(&api, again).await, SignupOutcome::Kept);
    assert_eq!(api.call("GET", "/v1/customers/u1", "").await.1, before);
    // Customers of server calls, archived and deleted ones.
    let body = r#"{"key":"u2","partner":{"key":"MAYA"}}"#;
    assert_eq!(api.call("POST", "/v1/customers", body).await.0, 201);
    let u2 = api.call("GET", "/v1/customers/u2", "").await.1;
    assert_eq!(tell(&api, signup("u2", "THEO")).await, SignupOutcome::Kept);
    assert_eq!(api.call("GET", "/v1/customers/u2", "").await.1, u2);
    assert_eq!(api.call("POST", "/v1/customers/u2/archive", "").await.0, 200);
    assert_eq!(tell(&api, signup("u2", "THEO")).await, SignupOutcome::Kept);
    assert_eq!(api.call("DELETE", "/v1/customers/u2", "").await.0, 200);
    assert_eq!(tell(&api, signup("u2", "THEO")).await, SignupOutcome::Kept);
    assert_eq!(api.call("GET", "/v1/customers/u2", "").await.0, 404);
    assert_eq!(counts(&api).await, ["MAYA 1 of 1"]);
}

#[tokio::test]
async fn a_server_call_takes_the_place_of_what_a_browser_told() {
    let api = Api::new().await;
    api.partner("MAYA").await;
    api.partner("THEO").await;
    tell(&api, signup("u1", "MAYA")).await;
    let before = api.call("GET", "/v1/customers/u1", "").await.1["data"].clone();
    api.wait(5_000);
    let body = r#"{"key":"u1","email":"ida@shop.example","partner":{"key":"THEO"}}"#;
    let (status, after) = api.call("POST", "/v1/customers", body).await;
    let after = &after["data"];
    assert_eq!(status, 201, "{after}");
    assert_eq!((&after["id"], &after["created_at"]), (&before["id"], &before["created_at"]));
    assert_eq!(after["partner"], "id-THEO");
    // Nothing that the browser said is left.
    assert_eq!((after["email"].as_str(), after["name"].as_str()), (Some("ida@shop.example"), Some("")));
    assert_eq!(counts(&api).await, ["THEO 1 of 1"]);
    // Once taken over it is like any other.
    assert_eq!(api.call("POST", "/v1/customers", body).await.0, 409);
    assert_eq!(tell(&api, signup("u1", "MAYA")).await, SignupOutcome::Kept);
    // A change of the partner outranks the browser too.
    tell(&api, signup("u2", "MAYA")).await;
    let (status, changed) = api.call("PUT", "/v1/customers/u2", r#"{"partner":{"key":"THEO"}}"#).await;
    assert_eq!((status, changed["data"]["partner"].as_str()), (200, Some("id-THEO")));
    assert_eq!(api.call("POST", "/v1/customers", r#"{"key":"u2","partner":{"key":"MAYA"}}"#).await.0, 409);
    assert_eq!(counts(&api).await, ["THEO 2 of 2"]);
}
