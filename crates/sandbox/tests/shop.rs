//! The demo shop: from its forms to Stripe's objects, and what it lets into its pages.
#![allow(clippy::unwrap_used, reason = "a helper of these tests that fails should end its test")]

mod common;

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use common::{Bench, bench, bench_with};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tributary_sandbox::{Config, Error, ShopConfig, start};

fn with_shop(config: &mut Config) {
    config.shop = Some(ShopConfig { listen: "127.0.0.1:0".parse().unwrap(), url: None });
}

/// A visitor who follows no redirect by itself.
fn visitor() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).map_or("", |v| v.to_str().unwrap())
}

async fn link(bench: &Bench, plan: &str) -> String {
    let shop = bench.see("shop").await;
    let items = shop["items"].as_array().unwrap().clone();
    items.iter().find(|i| i["plan"] == plan).unwrap()["link"].as_str().unwrap().to_owned()
}

/// Opens a payment link and pays there; the session afterwards.
async fn buy(bench: &Bench, link: &str, email: &str) -> Value {
    let page = bench.http.get(link).send().await.unwrap();
    let at = page.url().clone();
    assert_eq!(page.status(), 200, "{}", page.text().await.unwrap());
    let paid =
        visitor().post(at.clone()).form(&[("email", email), ("name", "Lin Buyer")]).send().await.unwrap();
    assert_eq!(paid.status(), 303);
    let id = at.path().rsplit('/').next().unwrap().to_owned();
    let (_, shop) = bench.running.shop().unwrap();
    assert_eq!(header(paid.headers(), "location"), format!("{shop}/thanks?order={id}"));
    bench.get(&format!("checkout/sessions/{id}")).await.ok()
}

#[tokio::test]
async fn a_payment_link_sells_and_the_receipt_renews_and_refunds() {
    let bench = bench_with(with_shop).await;
    let (_, shop) = bench.running.shop().unwrap();
    let front = bench.http.get(shop).send().await.unwrap().text().await.unwrap();
    let monthly = link(&bench, "monthly").await;
    assert!(front.contains(&monthly), "the link stands on the first page");
    let session = buy(&bench, &format!("{monthly}?client_reference_id=ada"), "lin@buyer.example").await;
    assert_eq!((&session["client_reference_id"], &session["mode"]), (&json!("ada"), &json!("subscription")));
    let id = session["id"].as_str().unwrap();
    let order = format!("{shop}/orders/{id}");
    let renewed = visitor().post(format!("{order}/renew")).send().await.unwrap();
    assert_eq!(
        (renewed.status().as_u16(), header(renewed.headers(), "location")),
        (303, &*format!("/orders/{id}"))
    );
    let invoices = bench.get("invoices").await.ok();
    assert_eq!(invoices["data"].as_array().unwrap().len(), 2);
    let charges = bench.get("charges").await.ok();
    let first = charges["data"][1]["id"].as_str().unwrap();
    for (share, total) in [("half", 2000), ("rest", 4000)] {
        let form = [("charge", first), ("share", share)];
        let given = visitor().post(format!("{order}/refund")).form(&form).send().await.unwrap();
        assert_eq!(given.status(), 303);
        assert_eq!(bench.get(&format!("charges/{first}")).await.ok()["amount_refunded"], total);
    }
    let receipt = bench.http.get(&order).send().await.unwrap().text().await.unwrap();
    assert!(receipt.contains("$40.00 given back") && receipt.contains("Renew now"), "{receipt}");
    // Nothing is left; a payment of somebody else, an odd share and an unknown order are refused.
    for (form, status) in [
        ([("charge", first), ("share", "half")], 400),
        ([("charge", "ch_foreign"), ("share", "half")], 404),
        ([("charge", first), ("share", "double")], 400),
    ] {
        let refused = visitor().post(format!("{order}/refund")).form(&form).send().await.unwrap();
        assert_eq!(refused.status().as_u16(), status, "{form:?}");
    }
    assert_eq!(bench.http.get(format!("{shop}/orders/cs_test_none")).send().await.unwrap().status(), 404);
    bench.no_violations();
}

#[tokio::test]
async fn a_reference_that_stripe_would_drop_is_dropped_and_the_purchase_goes_on() {
    let bench = bench_with(with_shop).await;
    let handbook = link(&bench, "handbook").await;
    let long = "a".repeat(201);
    let hostile = [
        "a/b",
        "a%20b",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "ada%00",
        "%F0%9F%98%80",
        "a.b",
        "",
        long.as_str(),
    ];
    for (at, reference) in hostile.iter().enumerate() {
        let url = format!("{handbook}?client_reference_id={reference}");
        let session = buy(&bench, &url, &format!("b{at}@buyer.example")).await;
        assert_eq!(session["client_reference_id"], Value::Null, "{reference}");
        assert_eq!(session["payment_status"], "paid");
    }
    let fits = "Az0_-".repeat(40);
    let session = buy(&bench, &format!("{handbook}?client_reference_id={fits}"), "c@buyer.example").await;
    assert_eq!(session["client_reference_id"], fits);
    bench.no_violations();
}

#[tokio::test]
async fn a_promotion_code_lowers_what_is_paid_once() {
    let bench = bench_with(with_shop).await;
    let annual = link(&bench, "annual").await;
    let page = bench.http.get(&annual).send().await.unwrap();
    let at = page.url().clone();
    let type_in = |code: &'static str| visitor().post(format!("{at}/code")).form(&[("code", code)]).send();
    let wrong = type_in("<b>NOTHING").await.unwrap();
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("not known"));
    assert_eq!(type_in("welcome10").await.unwrap().status(), 303);
    let shown = bench.http.get(at.clone()).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("−$40.00") && shown.contains("Pay $360.00"), "{shown}");
    visitor().post(at.clone()).form(&[("email", "p@buyer.example")]).send().await.unwrap();
    let invoice = bench.get("invoices").await.ok()["data"][0].clone();
    assert_eq!((&invoice["amount_paid"], &invoice["status"]), (&json!(36_000), &json!("paid")));
    let late = type_in("welcome10").await.unwrap().text().await.unwrap();
    assert!(late.contains("purchase is complete"), "{late}");
    assert_eq!(bench.get("invoices").await.ok()["data"][0]["amount_paid"], 36_000);
    bench.no_violations();
}

/// Bearer and body of what reached Tributary's `POST /v1/customers`.
type Heard = Arc<Mutex<Vec<(String, Value)>>>;

async fn tributary() -> (String, Heard) {
    async fn hear(State(heard): State<Heard>, headers: HeaderMap, Json(body): Json<Value>) -> &'static str {
        heard.lock().unwrap().push((header(&headers, "authorization").to_owned(), body));
        "{}"
    }
    let heard = Heard::default();
    let app = Router::new().route("/v1/customers", post(hear)).with_state(Arc::clone(&heard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (format!("http://tributary.test:{}", addr.port()), heard)
}

#[tokio::test]
async fn a_sign_up_becomes_a_customer_and_a_checkout_with_its_key() {
    let (api, heard) = tributary().await;
    let bench = bench_with(|config| {
        with_shop(config);
        config.resolve.insert("tributary.test".to_owned(), "127.0.0.1:0".parse().unwrap());
    })
    .await;
    let (_, shop) = bench.running.shop().unwrap();
    let post = |path: &str, cookie: &str, form: &[(&str, &str)]| {
        visitor().post(format!("{shop}{path}")).header("cookie", cookie.to_owned()).form(form).send()
    };
    let session_of = |headers: &HeaderMap| {
        let set = header(headers, "set-cookie").to_owned();
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
        set.split(';').next().unwrap().to_owned()
    };

    // By the browser: the page carries what the shop's script hands over, once.
    let grace = [("name", "Grace <b>"), ("email", "grace@buyer.example")];
    let made = post("/signup", "tributary_partner=ada", &grace).await.unwrap();
    let cookie = session_of(made.headers());
    let page = |path: &str| visitor().get(format!("{shop}{path}")).header("cookie", cookie.clone()).send();
    let welcome = page("/welcome").await.unwrap().text().await.unwrap();
    assert!(welcome.contains("id=\"signed-up\"") && welcome.contains("Grace &#60;b&#62;"), "{welcome}");
    assert!(!page("/welcome").await.unwrap().text().await.unwrap().contains("signed-up"));
    assert!(heard.lock().unwrap().is_empty());
    let again = post("/signup", "", &grace).await.unwrap();
    assert_eq!(again.status(), 422);
    for (name, email) in
        [("", "a@b.example"), ("A", "nobody"), ("A", "a b@c.example"), (&*"n".repeat(201), "l@b.example")]
    {
        assert_eq!(
            post("/signup", "", &[("name", name), ("email", email)]).await.unwrap().status(),
            422,
            "{email}"
        );
    }

    // The checkout's session and subscription carry the customer's key.
    let to_pay = post("/checkout", &cookie, &[("plan", "annual")]).await.unwrap();
    let url = header(to_pay.headers(), "location").to_owned();
    visitor().post(&url).form(&[("email", "grace@buyer.example")]).send().await.unwrap();
    let session = bench.get(&format!("checkout/sessions/{}", url.rsplit('/').next().unwrap())).await.ok();
    let key = session["metadata"]["customer_key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("acme_"));
    let subscription =
        bench.get(&format!("subscriptions/{}", session["subscription"].as_str().unwrap())).await.ok();
    assert_eq!(subscription["metadata"]["customer_key"], key);
    assert_eq!(post("/checkout", &cookie, &[("plan", "handbook")]).await.unwrap().status(), 404);
    let account = page("/account").await.unwrap().text().await.unwrap();
    assert!(
        account.contains(&key) && account.contains("Team, annual") && account.contains("$400.00"),
        "{account}"
    );

    // By the server, with the partner of the visitor's cookie, to a name that was said to be this machine.
    let settings = json!({ "signup": "server", "api": api, "api_key": "trb_key" });
    let kept = bench.control("shop", settings).await.ok();
    assert_eq!(kept["settings"]["api_key_set"], true);
    assert!(!kept.to_string().contains("trb_key"));
    let bob = [("name", "Bob"), ("email", "bob@buyer.example")];
    let told = post("/signup", "a=b; tributary_partner=ada; c=d", &bob).await.unwrap();
    let cookie = session_of(told.headers());
    let welcome = visitor().get(format!("{shop}/welcome")).header("cookie", cookie).send().await.unwrap();
    let welcome = welcome.text().await.unwrap();
    assert!(welcome.contains("answered 200") && !welcome.contains("signed-up"), "{welcome}");
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].0, "Bearer trb_key");
    assert_eq!(
        (&heard[0].1["partner"]["key"], &heard[0].1["email"]),
        (&json!("ada"), &json!("bob@buyer.example"))
    );
    bench.no_violations();
}

#[tokio::test]
async fn the_policy_allows_the_pasted_script_and_nothing_else() {
    let bench = bench_with(with_shop).await;
    let (_, shop) = bench.running.shop().unwrap();
    let policy = || async {
        let page = bench.http.get(shop).send().await.unwrap();
        let policy = header(page.headers(), "content-security-policy").to_owned();
        (policy, page.text().await.unwrap())
    };
    let save = |form: &'static [(&'static str, &'static str)]| {
        visitor().post(format!("{shop}/settings")).form(form).send()
    };
    let (before, _) = policy().await;
    assert!(
        before.starts_with("default-src 'none'") && !before.contains("unsafe") && !before.contains('*'),
        "{before}"
    );
    assert!(!before.contains("tributary.test"));
    let snippet =
        "<script>window.x=1</script><script async src=\"http://tributary.test/t/ABCDEFGH.js\"></script>";
    let saved = save(&[
        (
            "head",
            "<script>window.x=1</script><script async src=\"http://tributary.test/t/ABCDEFGH.js\"></script>",
        ),
        ("signup", "browser"),
    ]);
    assert_eq!(saved.await.unwrap().status(), 303);
    let (after, html) = policy().await;
    assert!(html.contains(snippet), "the snippet stands in the head as it was pasted");
    let scripts = after.split("; ").find(|d| d.starts_with("script-src")).unwrap();
    assert!(scripts.contains("http://tributary.test ") && scripts.contains("'sha256-"), "{scripts}");
    assert!(after.split("; ").any(|d| d.starts_with("connect-src") && d.contains("http://tributary.test")));
    assert!(!after.contains("unsafe"));
    for bad in [
        &[("head", "just words")][..],
        &[("head", "<script src='//x/y.js'></script>")],
        &[("signup", "server")],
        &[("api", "http://example.com")],
        &[("signup", "carrier pigeon")],
    ] {
        assert_eq!(save(bad).await.unwrap().status(), 422, "{bad:?}");
    }
    assert_eq!(policy().await.0, after, "what is refused changes nothing");
    let foreign =
        visitor().post(format!("{shop}/settings")).header("origin", "http://evil.test").form(&[("head", "")]);
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    assert_eq!(bench.control("shop", json!({"script": "javascript:1"})).await.status, 400);
}

#[tokio::test]
async fn buttons_and_tables_show_what_their_ids_name() {
    let bench = bench_with(with_shop).await;
    let shop = bench.see("shop").await;
    let ask = |id: String, key: &'static str| {
        bench.send(bench.http.get(format!("{}/embed/{id}?key={key}", bench.base)))
    };
    let table = shop["pricing_table"].as_str().unwrap().to_owned();
    let shown = ask(table.clone(), "pk_test_acmeworksShop").await;
    assert_eq!(header(&shown.headers, "access-control-allow-origin"), "*");
    let names: Vec<Value> =
        shown.ok()["items"].as_array().unwrap().iter().map(|i| i["name"].clone()).collect();
    assert_eq!(names, ["Team, monthly", "Team, annual"]);
    let button = shop["items"][2]["buy_button"].as_str().unwrap().to_owned();
    assert_eq!(
        ask(button.clone(), "pk_test_acmeworksShop").await.ok()["items"][0]["name"],
        "Workshop handbook"
    );
    assert_eq!(ask(button, "pk_test_other").await.status, 404);
    assert_eq!(ask("buy_btn_none".to_owned(), "pk_test_acmeworksShop").await.status, 404);
}

#[tokio::test]
async fn without_a_shop_nothing_is_sold_and_odd_addresses_are_refused() {
    let closed = bench().await;
    assert!(closed.running.shop().is_none());
    assert_eq!(closed.see("state").await["counts"], json!({}));
    let shop = |url: &str| {
        let listen = "127.0.0.1:0".parse().unwrap();
        Config { listen, shop: Some(ShopConfig { listen, url: Some(url.to_owned()) }), ..Config::default() }
    };
    for odd in
        ["shop.test", "http://shop.test/", "http://shop.test/x", "ftp://shop.test", "http://u:p@shop.test"]
    {
        assert!(matches!(start(shop(odd)).await, Err(Error::Address(_))), "{odd}");
    }
    let far = Config {
        resolve: [("a.test".to_owned(), "10.0.0.1:80".parse().unwrap())].into(),
        ..shop("http://shop.test")
    };
    assert!(matches!(start(far).await, Err(Error::NotLoopback(_))));
    let named = Config { pay_url: Some("http://pay.test".to_owned()), ..shop("http://shop.test") };
    let running = start(named).await.unwrap();
    assert_eq!((running.shop().unwrap().1, running.pay_url()), ("http://shop.test", "http://pay.test"));
}
