//! Settings and Integration on both databases: what each form changes, and what it refuses.

use crate::support::browser::{Browser, Page};
use crate::support::world::{EMAIL, PASSWORD};
use crate::support::{Engine, World, both_engines};

both_engines!(
    every_form_needs_its_token_and_our_own_page,
    a_key_is_shown_once_and_kept_as_a_hash,
    terms_and_window_are_added_and_never_changed,
    a_new_password_obeys_the_rules_and_ends_the_sessions,
    sessions_and_e_mail_are_ones_own,
    letting_an_account_go_keeps_history_and_its_row,
    integration_shows_evidence_alone,
    behind_a_proxy_every_visitor_is_a_network_of_its_own,
    a_lost_password_is_replaced_by_whoever_runs_the_server,
);

async fn owner(world: &World) -> (Browser, String) {
    let mut browser = Browser::log_in(world, EMAIL, PASSWORD).await;
    let page = browser.get(world, &at(world, "settings")).await;
    assert_eq!(page.status, 200, "{page:?}");
    let token = page.token();
    (browser, token)
}

fn at(world: &World, path: &str) -> String {
    format!("/p/{}/{path}", world.program)
}

fn program<'f>(token: &'f str, field: &str, value: &'f str) -> Vec<(&'static str, &'f str)> {
    let mut form = vec![
        ("form_token", token),
        ("name", "Test program"),
        ("website", "https://shop.example/"),
        ("currency", "usd"),
        ("zone", "UTC"),
        ("parameter", "aff"),
        ("hosts", ""),
        ("payment_hosts", "buy.stripe.com"),
        ("visits", "committed"),
        ("match_email", "true"),
        ("window_days", "30"),
    ];
    for pair in &mut form {
        if pair.0 == field {
            pair.1 = value;
        }
    }
    form
}

fn terms<'f>(token: &'f str, value: &'f str) -> Vec<(&'static str, &'f str)> {
    vec![
        ("form_token", token),
        ("reward", "percent"),
        ("value", value),
        ("span", "months"),
        ("count", "12"),
        ("hold_days", "30"),
    ]
}

async fn every_form_needs_its_token_and_our_own_page(engine: Engine) {
    let world = World::connected(engine).await;
    let (mut browser, token) = owner(&world).await;
    let connection = connection_of(&world, &mut browser).await;
    let key = ("api_key", "rk_test_something_else_1");
    let forms: Vec<(String, Vec<(&str, &str)>)> = vec![
        (at(&world, "settings"), program("{}", "name", "Evil")),
        (at(&world, "settings/terms"), terms("{}", "99")),
        (at(&world, "settings/keys"), vec![("form_token", "{}"), ("name", "evil"), ("tab", "settings/keys")]),
        (at(&world, "settings/keys/key_x/revoke"), vec![("form_token", "{}")]),
        (at(&world, &format!("settings/stripe/{connection}/check")), vec![("form_token", "{}")]),
        (at(&world, &format!("settings/stripe/{connection}/disconnect")), vec![("form_token", "{}")]),
        (at(&world, &format!("settings/stripe/{connection}/key")), vec![("form_token", "{}"), key]),
        (at(&world, "settings/profile"), vec![("form_token", "{}"), ("name", "Eve"), ("email", EMAIL)]),
        (
            at(&world, "settings/password"),
            vec![("form_token", "{}"), ("current", PASSWORD), ("new", "six red hills 77")],
        ),
        (at(&world, "settings/sessions/others"), vec![("form_token", "{}")]),
        (at(&world, "settings/sessions/000000000000000000000000/end"), vec![("form_token", "{}")]),
        (at(&world, "integration/stripe"), vec![("form_token", "{}"), key]),
        ("/setup/done".to_owned(), vec![("form_token", "{}"), ("program", &world.program)]),
        ("/setup/stripe".to_owned(), vec![("form_token", "{}"), ("program", &world.program), key]),
    ];
    for (path, form) in &forms {
        let with = |token: &'static str| -> Vec<(&str, &str)> {
            form.iter().map(|(name, value)| (*name, if *value == "{}" { token } else { *value })).collect()
        };
        for wrong in ["", "00", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"] {
            assert_eq!(browser.post(&world, path, &with(wrong)).await.status, 403, "{path} with {wrong}");
        }
        let good: Vec<_> = form
            .iter()
            .map(|(name, value)| (*name, if *value == "{}" { token.as_str() } else { *value }))
            .collect();
        for headers in [vec![], vec![("origin", "https://evil.test")], vec![("sec-fetch-site", "cross-site")]]
        {
            assert_eq!(
                browser.post_from(&world, path, &good, &headers).await.status,
                403,
                "{path}: {headers:?}"
            );
        }
        let mut extra = good.clone();
        extra.push(("workspace_id", "wsp_other"));
        assert_eq!(browser.post(&world, path, &extra).await.status, 403, "{path}: unknown fields");
        let mut stranger = Browser::default();
        assert!(stranger.post(&world, path, &good).await.location.starts_with("/login"), "{path}");
    }
    let page = browser.get(&world, &at(&world, "settings")).await;
    assert!(page.status == 200 && page.body.contains("Test program") && !page.body.contains("Evil"));
    // What belongs to nobody here is not found, with the best of tokens.
    for path in [
        "settings/keys/key_other/revoke",
        "settings/stripe/con_other/disconnect",
        "settings/stripe/con_other/check",
    ] {
        let answer = browser.post(&world, &at(&world, path), &[("form_token", &token)]).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let answer = browser.post(&world, "/p/AAAAAAAA/settings/terms", &terms(&token, "50")).await;
    assert_eq!(answer.status, 404);
}

async fn connection_of(world: &World, browser: &mut Browser) -> String {
    let page = browser.get(world, &at(world, "settings/stripe")).await;
    let after = page.body.split("/settings/stripe/con_").nth(1).expect("a connection is listed");
    format!("con_{}", after.split(['/', '"']).next().unwrap())
}

fn shown_key(page: &Page) -> Option<String> {
    let after = page.body.split("data-copy=\"trb_").nth(1)?;
    Some(format!("trb_{}", after.split('"').next()?))
}

async fn a_key_is_shown_once_and_kept_as_a_hash(engine: Engine) {
    let world = World::started(engine).await;
    let (mut browser, token) = owner(&world).await;
    let path = at(&world, "settings/keys");
    let form = |name| [("form_token", token.as_str()), ("name", name), ("tab", "settings/keys")];
    assert_eq!(browser.post(&world, &path, &form(" ")).await.status, 422);
    let made = browser.post(&world, &path, &form("Shop <b>server</b>")).await;
    assert!(made.status == 303 && !made.location.contains("trb_"), "the key is in no address: {made:?}");
    let mut other = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let page = browser.get(&world, &made.location).await;
    let key = shown_key(&page).expect("the key is shown");
    assert!(!page.body.contains("<b>server</b>"), "names are escaped");
    for browser in [&mut browser, &mut other] {
        let again = browser.get(&world, &made.location).await;
        assert!(again.status == 200 && !again.body.contains(&key), "never again");
        assert!(again.body.contains(&format!("trb_…{}", &key[key.len() - 4..])), "{}", again.body);
    }
    let call = async || {
        let request = world.http.get(format!("{}/v1/test", world.base())).bearer_auth(&key);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(call().await, 200);
    let id = page.body.split("/settings/keys/key_").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let revoke = at(&world, &format!("settings/keys/key_{id}/revoke"));
    assert_eq!(browser.post(&world, &revoke, &[("form_token", &token)]).await.status, 303);
    assert_eq!(call().await, 401);
    let log = std::fs::read_to_string(world.log()).unwrap_or_default();
    assert!(!log.contains(&key), "the key is in no log");
    if engine == Engine::Sqlite {
        let file = std::fs::read(world.folder.path().join("tributary.db")).unwrap();
        assert!(!file.windows(key.len()).any(|part| part == key.as_bytes()), "the key is in no table");
    }
}

async fn terms_and_window_are_added_and_never_changed(engine: Engine) {
    let world = World::started(engine).await;
    let (mut browser, token) = owner(&world).await;
    let path = at(&world, "settings/terms");
    for bad in ["", "101", "x"] {
        assert_eq!(browser.post(&world, &path, &terms(&token, bad)).await.status, 422, "{bad}");
    }
    let mut preview = terms(&token, "11");
    preview.push(("go", "preview"));
    let shown = browser.post(&world, &path, &preview).await;
    assert!(shown.status == 200 && shown.body.contains("A partner earns 11 % of"), "{shown:?}");
    let saved = browser.post(&world, &path, &terms(&token, "12")).await;
    assert!(saved.location.ends_with("notice=terms"), "{saved:?}");
    let same = browser.post(&world, &path, &terms(&token, "12")).await;
    assert!(same.location.ends_with("notice=same"), "{same:?}");
    let page = browser.get(&world, &path).await;
    assert!(
        page.body.contains("A partner earns 12 % of") && page.body.contains("A partner earns 30 % of"),
        "{}",
        page.body
    );
    assert!(page.body.contains("from the beginning") && page.body.matches("In force</span>").count() == 1);
    assert!(!page.body.contains("earns 11 %"), "a preview is not kept");

    let settings = at(&world, "settings");
    for (field, value, words) in [
        ("name", "", "1 to 100 letters"),
        ("website", "ftp://x", "not the URL"),
        ("currency", "xxx", "not a currency"),
        ("zone", "Mars/Base", "not a time zone"),
        ("parameter", "a b", "letters, digits"),
        ("hosts", "a/b", "is not a host"),
        ("payment_hosts", "*.stripe.com", "is not a host"),
        ("visits", "never", "Choose how visits are written"),
        ("window_days", "0", "from 1 to 3650"),
        ("window_days", "4000", "from 1 to 3650"),
    ] {
        let answer = browser.post(&world, &settings, &program(&token, field, value)).await;
        assert!(answer.status == 422 && answer.body.contains(words), "{field}={value}: {}", answer.status);
    }
    let same = browser.post(&world, &settings, &program(&token, "name", "Test program")).await;
    assert!(same.location.ends_with("notice=same"), "{same:?}");
    let saved = browser.post(&world, &settings, &program(&token, "window_days", "60")).await;
    assert!(saved.location.ends_with("notice=saved"), "{saved:?}");
    let page = browser.get(&world, &settings).await;
    assert!(page.body.contains("name=\"window_days\" type=\"text\" value=\"60\""), "{}", page.body);
    world.command(&["verify", "--json"], "").await.ok();
}

async fn a_new_password_obeys_the_rules_and_ends_the_sessions(engine: Engine) {
    let world = World::started(engine).await;
    let (mut browser, token) = owner(&world).await;
    let mut elsewhere = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let path = at(&world, "settings/password");
    let form = |current, new| [("form_token", token.as_str()), ("current", current), ("new", new)];
    for (current, new, words) in [
        ("not it", "five blue mountains 2", "not your current password"),
        (PASSWORD, "short", "8 to 1024"),
        (PASSWORD, "password1", "among the first"),
        (PASSWORD, EMAIL, "among the first"),
    ] {
        let answer = browser.post(&world, &path, &form(current, new)).await;
        assert!(answer.status == 422 && answer.body.contains(words), "{new}: {answer:?}");
        assert!(!answer.body.contains(new) || new == EMAIL, "no password is written back");
    }
    assert_eq!(elsewhere.get(&world, &at(&world, "settings")).await.status, 200, "nothing happened so far");
    let before = browser.cookies.clone();
    let changed = browser.post(&world, &path, &form(PASSWORD, "five blue mountains 2")).await;
    assert_eq!(changed.status, 303, "{changed:?}");
    assert_ne!(before, browser.cookies, "a new session");
    assert_eq!(browser.get(&world, &at(&world, "settings")).await.status, 200);
    let mut old = Browser { cookies: before };
    for ended in [&mut elsewhere, &mut old] {
        assert!(ended.get(&world, &at(&world, "settings")).await.location.starts_with("/login"));
    }
    Browser::log_in(&world, EMAIL, "five blue mountains 2").await;
    let mut none = Browser::default();
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", "/")];
    assert_eq!(none.post(&world, "/login", &form).await.status, 401);
    let log = std::fs::read_to_string(world.log()).unwrap_or_default();
    assert!(!log.contains("five blue mountains"), "no password in the log");
}

async fn sessions_and_e_mail_are_ones_own(engine: Engine) {
    let world = World::started(engine).await;
    let (mut browser, token) = owner(&world).await;
    let mut elsewhere = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let sessions = at(&world, "settings/sessions");
    let page = browser.get(&world, &sessions).await;
    assert_eq!(page.body.matches("This one").count(), 1, "{}", page.body);
    let handle =
        page.body.split("/settings/sessions/").find_map(|part| part.split_once("/end\"").map(|(id, _)| id));
    let handle = handle.expect("another session is listed").to_owned();
    for wrong in ["0".repeat(24), handle[..8].to_owned(), format!("{handle}0")] {
        let path = at(&world, &format!("settings/sessions/{wrong}/end"));
        assert_eq!(browser.post(&world, &path, &[("form_token", &token)]).await.status, 404, "{wrong}");
    }
    let path = at(&world, &format!("settings/sessions/{handle}/end"));
    assert_eq!(browser.post(&world, &path, &[("form_token", &token)]).await.status, 303);
    assert!(elsewhere.get(&world, &sessions).await.location.starts_with("/login"));
    let mut third = Browser::log_in(&world, EMAIL, PASSWORD).await;
    let path = at(&world, "settings/sessions/others");
    assert_eq!(browser.post(&world, &path, &[("form_token", &token)]).await.status, 303);
    assert!(third.get(&world, &sessions).await.location.starts_with("/login"));
    assert_eq!(browser.get(&world, &sessions).await.status, 200, "this one stays");

    let profile = at(&world, "settings/profile");
    let form = |email, confirm| {
        [("form_token", token.as_str()), ("name", "Jo Owner"), ("email", email), ("confirm", confirm)]
    };
    let refused = browser.post(&world, &profile, &form("new@example.com", "wrong")).await;
    assert!(refused.status == 422 && refused.body.contains("not your current password"), "{refused:?}");
    assert_eq!(browser.post(&world, &profile, &form("jo", PASSWORD)).await.status, 422);
    assert_eq!(browser.post(&world, &profile, &form("New@Example.com", PASSWORD)).await.status, 303);
    Browser::log_in(&world, "new@example.com", PASSWORD).await;
    let mut none = Browser::default();
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", "/")];
    assert_eq!(none.post(&world, "/login", &form).await.status, 401, "the old address logs nobody in");
}

async fn letting_an_account_go_keeps_history_and_its_row(engine: Engine) {
    let world = World::connected(engine).await;
    let (mut browser, token) = owner(&world).await;
    let connection = connection_of(&world, &mut browser).await;
    let path = at(&world, &format!("settings/stripe/{connection}/disconnect"));
    let asks = browser.get(&world, &path).await;
    assert!(asks.status == 200 && asks.body.contains("Keep it"), "{asks:?}");

    // Stripe does not answer: it is let go here, and said.
    let dead = "UPDATE connection SET api_base = 'http://127.0.0.1:1', endpoint_id = 'we_ours'";
    world.database.damage(dead).await;
    let left = browser.post(&world, &path, &[("form_token", &token)]).await;
    assert!(left.location.ends_with("notice=disconnected-left"), "{left:?}");
    let page = browser.get(&world, &left.location).await;
    assert!(
        page.body.contains("Disconnected</span>") && page.body.contains("Remove the endpoint"),
        "{}",
        page.body
    );
    let event = serde_json::json!({ "id": "evt_late", "object": "event", "type": "charge.succeeded",
        "created": 1, "livemode": false, "data": { "object": { "id": "ch_1", "object": "charge" } } });
    let body = crate::support::webhook::print(&event);
    let header = crate::support::webhook::sign(&world.secret, crate::support::now_s(), &body);
    let refused = world.send(body, Some(&header)).await;
    assert!(refused.status >= 400, "what it still sends is refused: {refused:?}");

    // The same account again is the same row.
    world.connect().await;
    let page = browser.get(&world, &at(&world, "settings/stripe")).await;
    assert_eq!(connection_of(&world, &mut browser).await, connection);
    assert!(
        page.body.contains("Connected</span>") && !page.body.contains("Disconnected</span>"),
        "{}",
        page.body
    );
    world.deliver(&event).await;
}

async fn integration_shows_evidence_alone(engine: Engine) {
    let world = World::connected(engine).await;
    let (mut browser, _) = owner(&world).await;
    let page = browser.get(&world, &at(&world, "integration")).await;
    assert!(page.body.contains("0 of 4 proven") && page.body.contains("no event yet"), "{}", page.body);
    let sql = "INSERT INTO sighting (workspace_id, program_id, kind, url, at) \
         SELECT workspace_id, program_id, 'script', 'https://shop.example/<b>pricing', 1795340000000 FROM program";
    world.database.damage(sql).await;
    world.customer("user-1", None, "ADA").await;
    let page = browser.get(&world, &at(&world, "integration")).await;
    assert!(page.body.contains("2 of 4 proven") && page.body.contains("A sign-up arrived"), "{}", page.body);
    assert!(
        page.body.contains("seen on shop.example/") && !page.body.contains("<b>pricing"),
        "{}",
        page.body
    );
    for guide in ["payment-links", "user-sign-up"] {
        let page = browser.get(&world, &at(&world, &format!("integration/guides/{guide}"))).await;
        assert!(
            page.status == 200 && page.body.contains(&format!("/t/{}.js", world.program)),
            "{}",
            page.body
        );
    }
    assert_eq!(browser.get(&world, &at(&world, "integration/guides/other")).await.status, 404);
    let api = browser.get(&world, &at(&world, "integration/api")).await;
    assert!(api.body.contains(&format!("{}/v1/partners/ADA", world.base())), "{}", api.body);
    assert_eq!(browser.get(&world, "/v1/openapi.json").await.status, 200);
}

async fn behind_a_proxy_every_visitor_is_a_network_of_its_own(engine: Engine) {
    let mut world = World::empty(engine).await;
    world.set("TRIBUTARY_CLIENT_ADDRESS_HEADER", "X-Forwarded-For");
    world.setup().await;
    world.serve().await;
    let (mut known, _) = owner(&world).await;
    let world = &world;
    let guess = async |n: usize, from: String| {
        let account = format!("nobody{n}@else.example");
        let form = [("email", account.as_str()), ("password", "not the one"), ("next", "/")];
        let headers = [("sec-fetch-site", "same-origin"), ("x-forwarded-for", from.as_str())];
        Browser::default().post_from(world, "/login", &form, &headers).await.status
    };
    for n in 0..42 {
        assert_eq!(guess(n, format!("203.0.113.{n}")).await, 401, "try {n}, each from an address of its own");
    }
    let mut refused = 0;
    for n in 0..45 {
        refused += usize::from(guess(100 + n, format!("198.51.100.1, 192.0.2.{}", 7)).await == 429);
    }
    assert!((1..=5).contains(&refused), "one network has 40 tries, the last address counts: {refused}");
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", "/")];
    let headers = [("sec-fetch-site", "same-origin"), ("x-forwarded-for", "192.0.2.7")];
    let stranger = Browser::default().post_from(world, "/login", &form, &headers).await;
    assert_eq!(stranger.status, 429, "{stranger:?}");
    let own = known.post_from(world, "/login", &form, &headers).await;
    assert_eq!(own.status, 303, "the owner's own browser is not locked out: {own:?}");
}

async fn a_lost_password_is_replaced_by_whoever_runs_the_server(engine: Engine) {
    let mut world = World::empty(engine).await;
    world.setup().await;
    world.serve().await;
    let (mut browser, _) = owner(&world).await;
    let new = "a quite different sentence";
    let command = async |email: &str, password: &str| {
        let arguments = ["password", "--email", email, "--password-stdin", "--json"];
        world.command(&arguments, &format!("{password}\n")).await
    };
    assert_eq!(command(EMAIL, "password").await.code, 2, "what is easy to guess is refused");
    assert_eq!(command("nobody@else.example", new).await.code, 1);
    assert_eq!(command("nobody", new).await.code, 2);
    assert_eq!(browser.get(&world, &at(&world, "settings")).await.status, 200, "nothing has changed");
    let said = command(&EMAIL.to_uppercase(), new).await.ok().json();
    assert_eq!(said["sessions_ended"], 1, "{said}");
    assert_eq!(browser.get(&world, &at(&world, "settings")).await.status, 303, "the session has ended");
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", "/")];
    assert_eq!(Browser::default().post(&world, "/login", &form).await.status, 401, "the old one is gone");
    let mut browser = Browser::log_in(&world, EMAIL, new).await;
    let page = browser.get(&world, &at(&world, "settings/audit?action=access")).await;
    assert!(page.body.contains("every session ended") && page.body.contains(EMAIL), "{}", page.body);
    assert!(!page.body.contains(new), "{}", page.body);
}
