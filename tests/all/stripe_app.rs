//! What the app in Stripe's Dashboard reads, on both databases: what it says, to whom, and from which pages.

use crate::support::browser::Browser;
use crate::support::story::{Story, commission};
use crate::support::webhook::sign;
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Answer, Engine, World, both_engines, now_s};
use serde_json::{Value, json};
use tributary_stripe::story::{Era, Plot};

both_engines!(
    the_app_says_who_referred_a_customer_and_what_was_earned,
    a_token_opens_its_workspace_and_nothing_else,
    only_stripes_pages_may_read_it,
    a_signature_is_asked_for_where_the_installation_says_so,
);

const APP_SECRET: &str = "absec_0123456789abcdef";

fn path(customer: &str, account: &str, mode: &str) -> String {
    format!("/v1/integrations/stripe/app/customers/{customer}?account={account}&mode={mode}")
}

/// Makes an app token on the page of the keys, as a person does.
async fn app_token(world: &World) -> String {
    let mut browser = Browser::log_in(world, EMAIL, PASSWORD).await;
    let keys = format!("/p/{}/settings/keys", world.program);
    let token = browser.get(world, &keys).await.token();
    let form = [
        ("form_token", token.as_str()),
        ("name", "Dashboard"),
        ("tab", "settings/keys"),
        ("opens", "stripe_app"),
    ];
    let made = browser.post(world, &keys, &form).await;
    assert_eq!(made.status, 303, "{made:?}");
    let page = browser.get(world, &made.location).await;
    assert!(page.body.contains("App token"), "the list says what it is");
    let after = page.body.split("data-copy=\"tra_").nth(1).expect("the token is shown");
    format!("tra_{}", after.split('"').next().unwrap())
}

async fn look(world: &World, token: &str, customer: &str) -> Answer {
    world.request_as(token, "GET", &path(customer, "acct_fake", "test"), None).await
}

/// Ada's subscription with a half refund, and somebody whom nobody referred.
async fn two_customers(world: &World) -> (Plot, Plot) {
    let known = Plot { partner_key: Some("ADA".to_owned()), ..Plot::new("known") };
    let alone = Plot {
        client_reference_id: None,
        refund: 0,
        email: "alone@customers.example".into(),
        ..Plot::new("alone")
    };
    for (plot, partner) in [(&known, Some("ADA")), (&alone, None)] {
        let story = Story { plot: plot.clone(), era: Era::Dahlia, subscription: true, partner };
        story.put(&world.stripe);
        world.deliver_all(&story.events()).await;
    }
    world.settled().await;
    (known, alone)
}

/// Minor units as the wire writes dollars.
fn dollars(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

async fn the_app_says_who_referred_a_customer_and_what_was_earned(engine: Engine) {
    let world = World::connected(engine).await;
    let (known, alone) = two_customers(&world).await;
    let token = app_token(&world).await;

    let answer = look(&world, &token, &known.customer()).await.expect(200);
    let report = answer.data();
    assert_eq!((&report["referred"], &report["reason"]), (&json!(true), &Value::Null), "{report}");
    let [program] = report["programs"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!(program["id"], world.program.as_str());
    assert_eq!((&program["partner"]["key"], &program["partner"]["name"]), (&json!("ADA"), &json!("ADA")));
    assert!(program["partner"]["link"].as_str().unwrap().contains("aff=ADA"), "{program}");
    assert!(program["since"].as_str().is_some_and(|at| at.ends_with('Z')), "{program}");
    assert!(program["evidence"]["words"].as_str().is_some_and(|words| words.contains("ADA")), "{program}");
    assert!(program["because"].as_str().unwrap().starts_with("ADA brought this customer"), "{program}");

    let (base, paid) = (known.total - known.tax, known.total);
    let whole = commission(base, paid, paid);
    let half = commission(base, paid - known.refund, paid);
    assert!(half < whole && half > 0);
    // All are older than their hold, or all are in it: the sum is the same.
    let earned = &program["earned"][0];
    let money = |name: &str| earned[name].as_str().unwrap().to_owned();
    assert_eq!(program["earned"].as_array().map(Vec::len), Some(1), "{program}");
    assert_eq!((earned["currency"].as_str(), money("paid")), (Some("USD"), "0.00".to_owned()));
    assert_eq!(money("reversed"), dollars(whole - half));
    let mut standing = [money("pending"), money("payable")];
    standing.sort();
    assert_eq!(standing, ["0.00".to_owned(), dollars(whole + half)], "{earned}");

    let sales = program["sales"].as_array().unwrap();
    assert_eq!((sales.len(), &program["more_sales"]), (2, &json!(false)), "{program}");
    let refunded = sales.iter().find(|sale| sale["id"] == known.purchase(1).invoice.as_str()).unwrap();
    assert_eq!(refunded["refunded"], dollars(known.refund));
    assert_eq!((&refunded["earned"], &refunded["earned_currency"]), (&json!(dollars(half)), &json!("USD")));
    // Every page that it leads to is there.
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    for url in [&program["url"], &program["partner"]["url"], &sales[0]["url"], &sales[1]["url"]] {
        let path =
            url.as_str().and_then(|url| url.strip_prefix(&world.base())).unwrap_or_else(|| panic!("{url}"));
        assert_eq!(browser.get(&world, path).await.status, 200, "{path}");
    }

    // Nobody referred her, and Tributary keeps no customer of such a purchase.
    let nobody = look(&world, &token, &alone.customer()).await.expect(404);
    assert_eq!(nobody.data()["reason"], "unknown_customer", "{nobody:?}");
    assert!(nobody.data()["message"].as_str().unwrap().contains("nobody referred it"), "{nobody:?}");
    let unknown = look(&world, &token, "cus_nobody_knows").await.expect(404);
    assert_eq!(
        (&unknown.data()["referred"], &unknown.data()["reason"]),
        (&json!(false), &json!("unknown_customer"))
    );
    for (account, mode) in [("acct_other", "test"), ("acct_fake", "live")] {
        let answer = world.request_as(&token, "GET", &path(&known.customer(), account, mode), None).await;
        let answer = answer.expect(404);
        assert_eq!(answer.data()["reason"], "not_connected", "{account} {mode}");
        assert_eq!(answer.data()["programs"], json!([]), "{account} {mode}");
    }
    // A customer that is known, but whose partner is gone.
    world.database.damage("UPDATE customer SET partner_id = NULL").await;
    let gone = look(&world, &token, &known.customer()).await.expect(200);
    assert_eq!(
        (&gone.data()["referred"], &gone.data()["reason"]),
        (&json!(false), &json!("nobody")),
        "{gone:?}"
    );
    let program = &gone.data()["programs"][0];
    assert_eq!(
        (&program["partner"], &program["evidence"], &program["since"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(program["sales"].as_array().map(Vec::len), Some(2), "{program}");
    for (customer, account, mode, field) in [
        ("ada", "acct_fake", "test", "customer"),
        ("cus_%27%20OR%201", "acct_fake", "test", "customer"),
        ("cus_x", "fake", "test", "account"),
        ("cus_x", "acct_", "test", "account"),
        ("cus_x", "acct_fake", "both", "mode"),
        ("cus_x", "acct_fake", "test&user=root", "user"),
    ] {
        let answer =
            world.request_as(&token, "GET", &path(customer, account, mode), None).await.expect_error(422);
        assert!(answer.json["errors"][field].is_array(), "{customer} {account} {mode}: {answer:?}");
    }
}

async fn a_token_opens_its_workspace_and_nothing_else(engine: Engine) {
    let world = World::connected(engine).await;
    let (known, _) = two_customers(&world).await;
    let customer = known.customer();
    let token = app_token(&world).await;

    // The token is no API key, and an API key is no token.
    for path in ["/v1/test", "/v1/partners", "/v1/customers"] {
        let answer = world.request_as(&token, "GET", path, None).await.expect_error(401);
        assert!(answer.text.contains("app token"), "{answer:?}");
    }
    let body = json!({ "email": "eve@partners.example" }).to_string();
    world.request_as(&token, "POST", "/v1/partners", Some(body)).await.expect_error(401);
    let answer = look(&world, &world.api_key.clone(), &customer).await.expect_error(401);
    assert!(answer.text.contains("tra_"), "{answer:?}");
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let answer = world.request_as(&token, method, &path(&customer, "acct_fake", "test"), None).await;
        assert_eq!(answer.status, 405, "{method}: {answer:?}");
    }
    let url = format!("{}{}", world.base(), path(&customer, "acct_fake", "test"));
    assert_eq!(world.http.get(&url).send().await.unwrap().status().as_u16(), 401);

    // A workspace beside it: same account, same mode, same customer, another merchant.
    let other = app_token(&world).await;
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(other.as_bytes()));
    let (ws, columns) = (
        "wsp_other",
        "mode, account_id, account_name, api_base, api_key, key_hint, status, \
         status_reason, warnings, endpoint_id, endpoint_url, polling, cursor_at, created_at, updated_at",
    );
    world
        .database
        .damage(&format!(
            "INSERT INTO workspace (workspace_id, name, data_key, created_at) \
               SELECT '{ws}', 'Other', data_key, created_at FROM workspace; \
             UPDATE api_key SET workspace_id = '{ws}' WHERE token_hash = '{hash}'; \
             UPDATE route SET workspace_id = '{ws}' WHERE kind = 'app_token' AND token = '{hash}'; \
             INSERT INTO connection (workspace_id, connection_id, {columns}) \
               SELECT '{ws}', connection_id, {columns} FROM connection WHERE workspace_id <> '{ws}'"
        ))
        .await;
    assert_eq!(look(&world, &token, &customer).await.expect(200).data()["referred"], true);
    let foreign = look(&world, &other, &customer).await.expect(404);
    assert_eq!(
        (&foreign.data()["reason"], &foreign.data()["programs"]),
        (&json!("unknown_customer"), &json!([]))
    );
    assert!(!foreign.text.contains("ADA"), "{foreign:?}");

    // Revoked, it opens nothing; and it is in no table and no log.
    let mut browser = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let keys = format!("/p/{}/settings/keys", world.program);
    let page = browser.get(&world, &keys).await;
    let id = world
        .database
        .text("SELECT key_id FROM api_key WHERE scope = 'stripe_app' AND workspace_id <> 'wsp_other'")
        .await;
    let revoke = format!("{keys}/{id}/revoke");
    assert_eq!(browser.post(&world, &revoke, &[("form_token", &page.token())]).await.status, 303);
    let answer = look(&world, &token, &customer).await.expect_error(401);
    assert!(answer.text.contains("unknown or was revoked"), "{answer:?}");
    assert!(!std::fs::read_to_string(world.log()).unwrap_or_default().contains(&token), "no log holds it");
    assert_eq!(
        world.database.number(&format!("SELECT COUNT(*) FROM api_key WHERE token_hash = '{token}'")).await,
        0
    );

    // Guessing is slowed down: what opens nothing is refused before long, and a good token of the same network is not.
    let mut refused = 0;
    for _ in 0..40 {
        refused += usize::from(look(&world, &token, &customer).await.status == 429);
    }
    assert!(refused > 0, "guesses have a limit");
    let mut limited = None;
    for _ in 0..80 {
        let answer = world.http.get(&url).bearer_auth(&other).send().await.unwrap();
        if answer.status().as_u16() == 429 {
            limited = answer.headers().get("retry-after").cloned();
            break;
        }
        assert_eq!(answer.status().as_u16(), 404);
    }
    assert!(limited.is_some(), "calls have a limit, and it says when to come back");
}

async fn only_stripes_pages_may_read_it(engine: Engine) {
    let world = World::connected(engine).await;
    let token = app_token(&world).await;
    let url = format!("{}{}", world.base(), path("cus_x", "acct_fake", "test"));
    let origins = [
        (Some("null"), true),
        (Some("https://dashboard.stripe.com"), true),
        (Some("http://dashboard.stripe.com"), false),
        (Some("https://dashboard.stripe.com.evil.test"), false),
        (Some("https://evil.test"), false),
        (Some("*"), false),
        (Some(""), false),
        (None, false),
    ];
    for (origin, allowed) in origins {
        for (method, status) in [("GET", 404), ("OPTIONS", 204)] {
            for bearer in [Some(token.as_str()), None] {
                let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                let mut request = world.http.request(method.clone(), &url);
                if let Some(origin) = origin {
                    request = request.header("origin", origin);
                }
                if let Some(bearer) = bearer {
                    request = request.bearer_auth(bearer);
                }
                let answer = request.send().await.unwrap();
                let case = format!("{method} from {origin:?} with a token: {}", bearer.is_some());
                let wanted = if bearer.is_none() && method == "GET" { 401 } else { status };
                assert_eq!(answer.status().as_u16(), wanted, "{case}");
                let header =
                    |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
                let said = header("access-control-allow-origin");
                assert_eq!(said.as_deref(), origin.filter(|_| allowed), "{case}");
                assert_eq!(header("access-control-allow-credentials"), None, "{case}");
                assert_eq!(header("vary").as_deref(), Some("Origin"), "{case}");
                assert_eq!(header("cache-control").as_deref(), Some("no-store"), "{case}");
                assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"), "{case}");
                assert_eq!(header("set-cookie"), None, "{case}");
                let preflight = method == "OPTIONS";
                assert_eq!(header("access-control-allow-methods").is_some(), preflight, "{case}");
                if preflight {
                    assert_eq!(header("access-control-allow-methods").as_deref(), Some("GET"));
                    let headers = header("access-control-allow-headers").unwrap();
                    assert!(
                        headers.contains("authorization") && headers.contains("stripe-signature"),
                        "{headers}"
                    );
                }
            }
        }
    }
    // Nothing else of the API lets another page read it.
    for path in ["/v1/test", "/v1/partners", "/v1/openapi.json"] {
        let request = world.http.get(format!("{}{path}", world.base())).header("origin", "null");
        let answer = request.bearer_auth(&world.api_key).send().await.unwrap();
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
    }
}

async fn a_signature_is_asked_for_where_the_installation_says_so(engine: Engine) {
    let mut world = World::empty(engine).await;
    world.set("TRIBUTARY_STRIPE_APP_SECRETS", &format!("absec_the_new_one_123, {APP_SECRET}"));
    world.setup().await;
    world.serve().await;
    world.connect().await;
    let token = app_token(&world).await;
    let ask = async |user: &str, account: &str, signature: Option<String>| {
        let url = format!("{}{}&user={user}", world.base(), path("cus_x", account, "test"));
        let mut request = world.http.get(url).bearer_auth(&token);
        if let Some(signature) = signature {
            request = request.header("Stripe-Signature", signature);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let signed = |user: &str, account: &str, secret: &str, at: i64| {
        let payload = format!("{{\"user_id\":\"{user}\",\"account_id\":\"{account}\"}}");
        Some(sign(secret, at, payload.as_bytes()))
    };
    let now = now_s();
    assert_eq!(ask("usr_1", "acct_fake", signed("usr_1", "acct_fake", APP_SECRET, now)).await, 404);
    assert_eq!(
        ask("usr_1", "acct_fake", signed("usr_1", "acct_fake", "absec_the_new_one_123", now)).await,
        404
    );
    for (case, user, account, signature) in [
        ("none", "usr_1", "acct_fake", None),
        ("empty", "usr_1", "acct_fake", Some(String::new())),
        ("another user", "usr_2", "acct_fake", signed("usr_1", "acct_fake", APP_SECRET, now)),
        ("another account", "usr_1", "acct_other", signed("usr_1", "acct_fake", APP_SECRET, now)),
        ("another secret", "usr_1", "acct_fake", signed("usr_1", "acct_fake", "absec_of_somebody_else", now)),
        ("a webhook's secret", "usr_1", "acct_fake", signed("usr_1", "acct_fake", &world.secret, now)),
        ("too old", "usr_1", "acct_fake", signed("usr_1", "acct_fake", APP_SECRET, now - 400)),
        ("from the future", "usr_1", "acct_fake", signed("usr_1", "acct_fake", APP_SECRET, now + 400)),
    ] {
        assert_eq!(ask(user, account, signature).await, 401, "{case}");
    }
    let log = std::fs::read_to_string(world.log()).unwrap_or_default();
    assert!(!log.contains(APP_SECRET) && !log.contains("absec_"), "the secrets are in no log");
}
