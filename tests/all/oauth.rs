//! Authorisation by OAuth, with the sandbox as Stripe: a Stripe App whose tokens are renewed, a Connect platform, and
//! every way in which an authorisation must come to nothing.

use crate::support::browser::{Browser, Page, encode};
use crate::support::sandbox::Sandbox;
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines, eventually};
use serde_json::json;
use std::time::Duration;

both_engines!(
    an_app_is_authorised_and_its_tokens_are_renewed,
    a_late_renewal_does_not_replace_a_new_grant,
    a_platform_lets_an_account_in_and_lets_it_go,
    an_authorisation_counts_once_and_for_who_began_it,
    an_endpoint_of_the_account_may_live_on_beside_the_platform_s,
);

const APP: (&str, &str, &str) = ("app", "ca_sandboxapp1", "sk_test_acct-owner_12345678");
const PLATFORM: (&str, &str, &str) = ("connect", "ca_platform001", "sk_test_acct-platform_12345678");

fn at(world: &World, path: &str) -> String {
    format!("/p/{}/{path}", world.program)
}

/// Somebody who is logged in, and the token of the forms.
async fn owner(world: &World) -> (Browser, String) {
    let mut browser = Browser::log_in(world, EMAIL, PASSWORD).await;
    let token = browser.get(world, &at(world, "settings/stripe")).await.token();
    (browser, token)
}

async fn enter(world: &World, browser: &mut Browser, token: &str, what: (&str, &str, &str)) {
    let form = [("form_token", token), ("flow", what.0), ("client_id", what.1), ("secret", what.2)];
    let saved = browser.post(world, &at(world, "settings/stripe/oauth"), &form).await;
    assert!(saved.location.ends_with("notice=saved"), "{saved:?}");
}

/// Begins an authorisation; gives where the browser has to go.
async fn start(world: &World, browser: &mut Browser, token: &str, flow: &str, connection: &str) -> String {
    let form = [("form_token", token), ("flow", flow), ("mode", "test"), ("connection", connection)];
    let page = browser.post(world, &at(world, "integration/stripe/authorize"), &form).await;
    assert_eq!(page.status, 200, "{page:?}");
    let url = page.body.split("content=\"0; url=").nth(1).and_then(|text| text.split('"').next());
    url.expect("the page leads on").replace("&#38;", "&").replace("&amp;", "&")
}

fn part(url: &str, name: &str) -> String {
    let after = url.split(&format!("{name}=")).nth(1).unwrap_or_default();
    after.split('&').next().unwrap_or_default().to_owned()
}

/// Decides on the sandbox's page; gives the path to which it leads back.
async fn decide(world: &World, sandbox: &Sandbox, url: &str, flow: &str, go: &str, mode: &str) -> String {
    decide_as(world, sandbox, url, flow, go, mode, "default").await
}

async fn decide_as(
    world: &World,
    sandbox: &Sandbox,
    url: &str,
    flow: &str,
    go: &str,
    mode: &str,
    account: &str,
) -> String {
    let page = world.http.get(url).send().await.expect("the page of the sandbox");
    assert_eq!(page.status().as_u16(), 200, "{url}");
    let body = format!(
        "flow={flow}&client_id={}&redirect_uri={}&state={}&mode={mode}&account={account}&go={go}",
        part(url, "client_id"),
        part(url, "redirect_uri"),
        part(url, "state"),
    );
    let request = world.http.post(format!("{}/oauth/decide", sandbox.base));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 303, "the sandbox leads back");
    let location = answer.headers()["location"].to_str().expect("text").to_owned();
    location.strip_prefix(&world.base()).expect("back to where it began").to_owned()
}

/// Waits for the check that follows.
async fn connected(world: &World, browser: &mut Browser, back: &Page) {
    assert!(back.status == 303 && back.location.contains("check="), "{back:?}");
    for _ in 0..200 {
        let page = browser.get(world, &back.location).await;
        if page.body.contains("is connected.") {
            return;
        }
        assert!(!page.body.contains("class=\"error\""), "{}", page.body);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not connected in time");
}

async fn connection_id(world: &World) -> String {
    world.database.text("SELECT connection_id FROM connection").await
}

async fn an_app_is_authorised_and_its_tokens_are_renewed(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    let (mut browser, token) = owner(&world).await;
    for (client, secret, word) in [
        ("not it", APP.2, "bad-client"),
        (APP.1, "rk_test_12345678", "bad-secret"),
        (APP.1, "whsec_1", "bad-secret"),
    ] {
        let form =
            [("form_token", token.as_str()), ("flow", "app"), ("client_id", client), ("secret", secret)];
        let refused = browser.post(&world, &at(&world, "settings/stripe/oauth"), &form).await;
        assert!(refused.location.contains(word), "{refused:?}");
    }
    enter(&world, &mut browser, &token, APP).await;
    let page = browser.get(&world, &at(&world, "settings/stripe")).await;
    assert!(page.body.contains(APP.1) && !page.body.contains("12345678"), "the key goes in and never out");

    let url = start(&world, &mut browser, &token, "app", "").await;
    assert!(url.starts_with(&format!("{}/oauth/v2/authorize?", sandbox.base)), "{url}");
    let back = decide(&world, &sandbox, &url, "app", "authorise", "test").await;
    assert!(back.starts_with("/oauth/stripe/app/callback?"), "{back}");
    let landed = browser.get(&world, &back).await;
    connected(&world, &mut browser, &landed).await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM connection WHERE auth = 'app'").await, 1);

    world.partner("ADA").await;
    sandbox.play(&world, "signup").await;
    sandbox.agree(&world).await;

    // The token is over: the next call renews it first.
    let renew = "UPDATE connection_token SET access_until = 0";
    world.database.damage(renew).await;
    assert_eq!(world.command(&["doctor", "--json"], "").await.code, 0);
    assert_eq!(world.database.number("SELECT version FROM connection_token").await, 2);
    // Many at once: one of them renews.
    world.database.damage(renew).await;
    let doctors = (0..4).map(|_| world.command(&["doctor", "--json"], ""));
    for said in futures_util::future::join_all(doctors).await {
        assert_eq!(said.code, 0, "{said:?}");
    }
    assert_eq!(world.database.number("SELECT version FROM connection_token").await, 3);
    // The answer is lost after Stripe did it: nothing is given up, and the same token works again.
    let lost = json!({ "faults": [{ "path_prefix": "/v1/oauth/token", "status": 500, "after_work": true }] });
    sandbox.control("api_faults", &lost).await;
    world.database.damage(renew).await;
    world.command(&["doctor", "--json"], "").await;
    assert_eq!(world.database.text("SELECT status FROM connection").await, "connected");
    eventually("the token is renewed after all", Duration::from_secs(60), || async {
        (world.command(&["doctor", "--json"], "").await.code == 0).then_some(())
    })
    .await;

    // The account ends it: shown at the next look, told once, and nothing is lost.
    sandbox.control("oauth/revoke", &json!({ "account": "default" })).await;
    world.database.damage("UPDATE connection SET looked_at = 0").await;
    eventually("the connection is seen to be broken", Duration::from_secs(60), || async {
        (world.database.text("SELECT status FROM connection").await == "broken").then_some(())
    })
    .await;
    let page = browser.get(&world, &at(&world, "settings/stripe")).await;
    assert!(
        page.body.contains("Authorise again") && page.body.contains("withdrawn or is over"),
        "{}",
        page.body
    );
    let told = "SELECT COUNT(*) FROM alert WHERE kind = 'connection_broken'";
    assert_eq!(world.database.number(told).await, 1);

    // Another account may not take its place; the same one may.
    let id = connection_id(&world).await;
    let url = start(&world, &mut browser, &token, "app", &id).await;
    let back = decide_as(&world, &sandbox, &url, "app", "authorise", "test", "other").await;
    let landed = browser.get(&world, &back).await;
    assert_eq!(landed.status, 303, "{landed:?}");
    let looking = browser.clone();
    eventually("the other account is refused", Duration::from_secs(30), || async {
        let page = looking.clone().get(&world, &landed.location).await;
        page.body.contains("belongs to another Stripe account").then_some(())
    })
    .await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM connection").await, 1);
    let url = start(&world, &mut browser, &token, "app", &id).await;
    let back = decide(&world, &sandbox, &url, "app", "authorise", "test").await;
    let landed = browser.get(&world, &back).await;
    connected(&world, &mut browser, &landed).await;
    assert_eq!(world.database.text("SELECT status FROM connection").await, "connected");

    let log = std::fs::read_to_string(world.log()).unwrap_or_default();
    for secret in [APP.2, "_oat", "rt_"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    if engine == Engine::Sqlite {
        let file = std::fs::read(world.folder.path().join("tributary.db")).unwrap();
        for secret in [APP.2.as_bytes(), b"_oat"] {
            assert!(
                !file.windows(secret.len()).any(|part| part == secret),
                "a secret lies open in the database"
            );
        }
    }
    world.finish().await;
    sandbox.stop().await;
}

/// Stripe takes its time to renew, and meanwhile the account is authorised anew: the new grant stays.
async fn a_late_renewal_does_not_replace_a_new_grant(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    let (mut browser, token) = owner(&world).await;
    enter(&world, &mut browser, &token, APP).await;
    let url = start(&world, &mut browser, &token, "app", "").await;
    let back = decide(&world, &sandbox, &url, "app", "authorise", "test").await;
    let landed = browser.get(&world, &back).await;
    connected(&world, &mut browser, &landed).await;
    let id = connection_id(&world).await;
    let url = start(&world, &mut browser, &token, "app", &id).await;
    let back = decide(&world, &sandbox, &url, "app", "authorise", "test").await;
    let slow = json!({ "faults": [{ "path_prefix": "/v1/oauth/token", "delay_ms": 6_000 }] });
    sandbox.control("api_faults", &slow).await;
    world.database.damage("UPDATE connection_token SET access_until = 0").await;
    let doctor = world.command(&["doctor", "--json"], "");
    let again = async {
        let renewing = "SELECT COUNT(*) FROM connection_token WHERE lease_until > 0";
        eventually("the token is being renewed", Duration::from_secs(20), || async {
            (world.database.number(renewing).await == 1).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let landed = browser.get(&world, &back).await;
        connected(&world, &mut browser, &landed).await;
        let row = "SELECT CAST(version AS TEXT) || ' ' || CAST(granted_at AS TEXT) FROM connection_token";
        (row, world.database.text(row).await)
    };
    let (_, (row, granted)) = tokio::join!(doctor, again);
    assert_eq!(world.database.text(row).await, granted, "the grant is what is in use");
    assert!(granted.starts_with("2 "), "{granted}");
    assert_eq!(world.command(&["doctor", "--json"], "").await.code, 0);
    sandbox.stop().await;
}

async fn a_platform_lets_an_account_in_and_lets_it_go(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    let (mut browser, token) = owner(&world).await;
    enter(&world, &mut browser, &token, PLATFORM).await;
    let url = start(&world, &mut browser, &token, "connect", "").await;
    assert!(url.contains("/oauth/authorize?") && url.contains("scope=read_write"), "{url}");
    let back = decide(&world, &sandbox, &url, "connect", "authorise", "test").await;
    let landed = browser.get(&world, &back).await;
    connected(&world, &mut browser, &landed).await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM connection WHERE auth = 'connect'").await, 1);
    assert_eq!(world.database.number("SELECT COUNT(*) FROM connection_token").await, 0);
    // The endpoint lies at the platform, and hears of the account.
    let at_platform = sandbox.stripe(PLATFORM.2, "GET", "webhook_endpoints", &[]).await.expect(200);
    assert_eq!(at_platform.data().as_array().map(Vec::len), Some(1), "{at_platform:?}");
    assert!(sandbox.endpoints().await.is_empty(), "none at the account");
    world.partner("ADA").await;
    sandbox.play(&world, "signup").await;
    sandbox.agree(&world).await;
    assert!(world.database.number("SELECT COUNT(*) FROM event WHERE via = 'webhook'").await > 0);
    // What the platform itself sells is no sale of the account.
    sandbox.stripe(PLATFORM.2, "POST", "customers", &[("email", "own@platform.example")]).await.expect(200);
    let doctor = world.command(&["doctor", "--json"], "").await;
    assert_eq!(doctor.code, 0, "{doctor:?}");
    // The merchant ends it in Stripe: an event says so.
    sandbox.control("oauth/revoke", &json!({ "account": "default" })).await;
    eventually("the event breaks the connection", Duration::from_secs(60), || async {
        (world.database.text("SELECT status FROM connection").await == "broken").then_some(())
    })
    .await;
    let url = start(&world, &mut browser, &token, "connect", "").await;
    let back = decide(&world, &sandbox, &url, "connect", "authorise", "test").await;
    let landed = browser.get(&world, &back).await;
    connected(&world, &mut browser, &landed).await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM connection").await, 1, "the same row again");
    // Disconnecting removes the endpoint and ends the platform's access.
    let id = connection_id(&world).await;
    let path = at(&world, &format!("settings/stripe/{id}/disconnect"));
    let gone = browser.post(&world, &path, &[("form_token", &token)]).await;
    assert!(gone.location.ends_with("notice=disconnected"), "{gone:?}");
    let at_platform = sandbox.stripe(PLATFORM.2, "GET", "webhook_endpoints", &[]).await.expect(200);
    assert_eq!(at_platform.data().as_array().map(Vec::len), Some(0), "{at_platform:?}");
    let account = world.database.text("SELECT account_id FROM connection").await;
    let form = format!("client_id={}&stripe_user_id={account}", PLATFORM.1);
    let again = world.http.post(format!("{}/oauth/deauthorize", sandbox.base)).bearer_auth(PLATFORM.2);
    let again =
        again.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
    assert_eq!(again.status().as_u16(), 400, "the platform was not connected any more");
    sandbox.stop().await;
}

async fn an_authorisation_counts_once_and_for_who_began_it(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    let (mut browser, token) = owner(&world).await;
    let none = async || {
        assert_eq!(world.database.number("SELECT COUNT(*) FROM connection").await, 0);
    };
    let refused = |page: &Page, words: &str| {
        assert!(page.status == 400 && page.location.is_empty(), "{words}: {page:?}");
        assert!(
            page.body.contains(words) && page.body.contains("Nothing was changed"),
            "{words}: {}",
            page.body
        );
    };
    // Nothing is entered yet; a GET begins nothing; a form needs its token.
    let form = [("form_token", token.as_str()), ("flow", "app"), ("mode", "test"), ("connection", "")];
    let path = at(&world, "integration/stripe/authorize");
    refused(&browser.post(&world, &path, &form).await, "not entered any more");
    assert_eq!(browser.get(&world, &path).await.status, 405);
    enter(&world, &mut browser, &token, APP).await;
    enter(&world, &mut browser, &token, PLATFORM).await;
    let wrong = [("form_token", "00"), ("flow", "app"), ("mode", "test"), ("connection", "")];
    assert_eq!(browser.post(&world, &path, &wrong).await.status, 403);
    let odd = [("form_token", token.as_str()), ("flow", "other"), ("mode", "test"), ("connection", "")];
    assert_eq!(browser.post(&world, &path, &odd).await.status, 403);
    let strange =
        [("form_token", token.as_str()), ("flow", "app"), ("mode", "test"), ("connection", "con_x")];
    assert_eq!(browser.post(&world, &path, &strange).await.status, 404);

    let callback = "/oauth/stripe/app/callback";
    let unknown = "0123456789abcdef0123456789abcdef";
    for (query, words) in [
        (String::new(), "has no state"),
        ("?code=ac_1".to_owned(), "has no state"),
        ("?code=ac_1&state=short".to_owned(), "has no state"),
        (format!("?code=ac_1&state={unknown}&state={unknown}"), "has no state"),
        (format!("?code=ac_1&state={unknown}"), "was not begun in your workspace"),
        (format!("?code=ac_1&state={}", encode("<script>alert(1)</script>aaaaaaa")), "has no state"),
    ] {
        refused(&browser.get(&world, &format!("{callback}{query}")).await, words);
    }
    assert_eq!(browser.get(&world, "/oauth/stripe/other/callback?code=a&state=b").await.status, 404);
    none().await;

    // Denied, ended for another reason, and an answer without a code.
    let url = start(&world, &mut browser, &token, "app", "").await;
    let back = decide(&world, &sandbox, &url, "app", "deny", "test").await;
    refused(&browser.get(&world, &back).await, "was denied in Stripe");
    refused(&browser.get(&world, &back).await, "counts once only");
    let state = |url: &str| part(url, "state");
    let url = start(&world, &mut browser, &token, "app", "").await;
    let page =
        browser.get(&world, &format!("{callback}?error=%3Cb%3Einvalid_scope&state={}", state(&url))).await;
    refused(&page, "binvalid_scope");
    let url = start(&world, &mut browser, &token, "app", "").await;
    refused(&browser.get(&world, &format!("{callback}?state={}", state(&url))).await, "holds no code");
    // A code that somebody made up, and one of the other application.
    let url = start(&world, &mut browser, &token, "app", "").await;
    let made_up = format!("{callback}?code=ac_made_up&state={}", state(&url));
    refused(&browser.get(&world, &made_up).await, "does not take the code");
    let foreign = start(&world, &mut browser, &token, "connect", "").await;
    let back = decide(&world, &sandbox, &foreign, "connect", "authorise", "test").await;
    let code = part(&back, "code");
    let url = start(&world, &mut browser, &token, "app", "").await;
    let mixed = format!("{callback}?code={code}&state={}", state(&url));
    refused(&browser.get(&world, &mixed).await, "does not take the code");
    // The right answer by the other way's address.
    let url = start(&world, &mut browser, &token, "app", "").await;
    let back = decide(&world, &sandbox, &url, "app", "authorise", "test").await;
    let other_way = back.replace("/stripe/app/", "/stripe/connect/");
    refused(&browser.get(&world, &other_way).await, "by another way");
    refused(&browser.get(&world, &back).await, "counts once only");
    // A live account for what was begun in test mode.
    let url = start(&world, &mut browser, &token, "app", "").await;
    let back = decide(&world, &sandbox, &url, "app", "authorise", "live").await;
    refused(&browser.get(&world, &back).await, "does not take the code");
    // Too late.
    let url = start(&world, &mut browser, &token, "app", "").await;
    let back = decide(&world, &sandbox, &url, "app", "authorise", "test").await;
    world.database.damage("UPDATE oauth_state SET expires_at = 1").await;
    refused(&browser.get(&world, &back).await, "longer than ten minutes");
    none().await;

    // Two browsers: what one began, the other cannot end; nor can somebody who is not logged in.
    let url = start(&world, &mut browser, &token, "app", "").await;
    let back = decide(&world, &sandbox, &url, "app", "authorise", "test").await;
    let stranger = Browser::default().get(&world, &back).await;
    assert!(stranger.status == 403 && stranger.body.contains("not logged in here"), "{stranger:?}");
    let mut second = Browser::log_in(&world, EMAIL, PASSWORD).await;
    refused(&second.get(&world, &back).await, "in another browser or log-in");
    refused(&browser.get(&world, &back).await, "counts once only");
    none().await;
    // The App is taken away meanwhile.
    let url = start(&world, &mut browser, &token, "app", "").await;
    let back = decide(&world, &sandbox, &url, "app", "authorise", "test").await;
    let form = [("form_token", token.as_str()), ("flow", "app"), ("mode", "test")];
    browser.post(&world, &at(&world, "settings/stripe/oauth/remove"), &form).await;
    refused(&browser.get(&world, &back).await, "not entered any more");
    enter(&world, &mut browser, &token, APP).await;
    // Stripe does not answer: a code counts once, so it begins anew.
    let url = start(&world, &mut browser, &token, "app", "").await;
    let back = decide(&world, &sandbox, &url, "app", "authorise", "test").await;
    let lost = json!({ "faults": [{ "path_prefix": "/v1/oauth/token", "status": 500, "after_work": true }] });
    sandbox.control("api_faults", &lost).await;
    refused(&browser.get(&world, &back).await, "begin again");
    none().await;

    // And the good one: once.
    let url = start(&world, &mut browser, &token, "app", "").await;
    let back = decide(&world, &sandbox, &url, "app", "authorise", "test").await;
    let landed = browser.get(&world, &back).await;
    connected(&world, &mut browser, &landed).await;
    refused(&browser.get(&world, &back).await, "counts once only");
    // Its code with another state brings nothing.
    let url = start(&world, &mut browser, &token, "app", "").await;
    let replay = format!("{callback}?code={}&state={}", part(&back, "code"), state(&url));
    refused(&browser.get(&world, &replay).await, "does not take the code");
    assert_eq!(world.database.number("SELECT COUNT(*) FROM connection").await, 1);
    sandbox.stop().await;
}

/// Each event comes twice then: by the account's own endpoint without a word about the account, and by the platform's.
async fn an_endpoint_of_the_account_may_live_on_beside_the_platform_s(engine: Engine) {
    let (world, sandbox) = Sandbox::with_world(engine).await;
    world.connect_with(&world.program, "rk_test_the_usual_one", Some(&world.secret)).await.ok();
    let (mut browser, token) = owner(&world).await;
    enter(&world, &mut browser, &token, PLATFORM).await;
    let url = start(&world, &mut browser, &token, "connect", "").await;
    let back = decide(&world, &sandbox, &url, "connect", "authorise", "test").await;
    let landed = browser.get(&world, &back).await;
    connected(&world, &mut browser, &landed).await;
    assert_eq!(world.database.number("SELECT COUNT(*) FROM connection WHERE auth = 'connect'").await, 1);
    world.partner("ADA").await;
    // The one comes before the other.
    sandbox.control("delivery", &json!({ "hold": true })).await;
    let told = sandbox.control("stories/payment_link", &json!({ "partner_key": "ADA" })).await;
    assert!(told["failed"].is_null(), "{told}");
    let list = sandbox.stripe("rk_test_the_usual_one", "GET", "events?limit=100", &[]).await.expect(200).json;
    for event in list["data"].as_array().expect("events") {
        assert!(event["account"].is_null(), "{event}");
        world.deliver(event).await;
    }
    world.settled().await;
    sandbox.control("delivery", &json!({})).await;
    sandbox.control("delivery/flush", &json!({})).await;
    sandbox.agree(&world).await;
    // Signed for the platform and naming no account, it is the platform's own.
    let sql = "UPDATE connection_secret SET platform = TRUE";
    world.database.damage(sql).await;
    let mut own = list["data"][0].clone();
    own["id"] = json!("evt_of_the_platform");
    world.stop().await;
    world.serve().await;
    world.deliver(&own).await;
    let outcome = "SELECT outcome FROM event WHERE event_id = 'evt_of_the_platform'";
    assert_eq!(world.database.text(outcome).await, "ignored");
    world.finish().await;
    sandbox.stop().await;
}
