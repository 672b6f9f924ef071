//! Set-up by browser on both databases: what opens it, what it makes, and what it refuses.

use crate::support::browser::{Browser, Page};
use crate::support::{Engine, World, both_engines};

both_engines!(
    only_the_printed_link_opens_the_set_up,
    the_first_account_is_made_once_and_by_our_own_form_alone,
    every_step_is_made_by_its_form,
    a_command_line_set_up_ends_the_first_run,
    pages_are_for_the_public_host_alone,
);

const EMAIL: &str = "jo@acme.example";
const PASSWORD: &str = "four green rivers run 1";

/// The token in the newest link of the server's log.
fn token(world: &World) -> String {
    let log = std::fs::read_to_string(world.log()).unwrap_or_default();
    let link = log.lines().rev().find(|line| line.contains("/setup?token=")).expect("a link was printed");
    link.rsplit("token=").next().unwrap().trim().to_owned()
}

async fn world(engine: Engine) -> World {
    let world = World::empty(engine).await;
    world.serve().await;
    world
}

async fn opened(world: &World) -> (Browser, Page) {
    let mut browser = Browser::default();
    let link = format!("/setup?token={}", token(world));
    let answer = browser.get(world, &link).await;
    assert_eq!((answer.status, answer.location.as_str()), (303, "/setup"), "{answer:?}");
    let page = browser.get(world, "/setup").await;
    assert_eq!(page.status, 200, "{page:?}");
    (browser, page)
}

async fn with_account(world: &World) -> Browser {
    let (mut browser, page) = opened(world).await;
    let token = page.token();
    let form =
        [("form_token", token.as_str()), ("email", EMAIL), ("password", PASSWORD), ("company", "Acme Works")];
    let made = browser.post(world, "/setup/account", &form).await;
    assert_eq!(made.status, 303, "{made:?}");
    browser
}

async fn only_the_printed_link_opens_the_set_up(engine: Engine) {
    let world = world(engine).await;
    let mut stranger = Browser::default();
    for path in ["/", "/login", "/p/ABCD2345/transactions", "/p/ABCD2345/events"] {
        let answer = stranger.get(&world, path).await;
        assert_eq!((answer.status, answer.location.as_str()), (303, "/setup"), "{path}");
    }
    let closed = stranger.get(&world, "/setup").await;
    assert_eq!(closed.status, 403);
    assert!(
        closed.body.contains("tributary serve") && !closed.body.contains("<form class=\"form\""),
        "{closed:?}"
    );

    let good = token(&world);
    let mut guesses =
        vec![String::new(), "x".into(), "0".repeat(64), good[..63].to_owned(), format!("{good}0")];
    guesses.push(good.chars().rev().collect());
    for guess in &guesses {
        let answer = stranger.get(&world, &format!("/setup?token={guess}")).await;
        assert_eq!(answer.status, 403, "{guess}");
        stranger.cookies.insert("tributary_setup".into(), guess.clone());
        assert_eq!(stranger.get(&world, "/setup").await.status, 403, "{guess}");
        let form = [("form_token", ""), ("email", EMAIL), ("password", PASSWORD), ("company", "Evil")];
        assert_eq!(stranger.post(&world, "/setup/account", &form).await.status, 403, "{guess}");
    }
    assert!(stranger.get(&world, "/").await.location == "/setup", "nothing was made");

    // Another start prints another link, and the one before is worth nothing.
    assert_eq!(world.stop().await, 0);
    world.serve().await;
    assert_ne!(token(&world), good);
    assert_eq!(stranger.get(&world, &format!("/setup?token={good}")).await.status, 403);
    opened(&world).await;
}

async fn the_first_account_is_made_once_and_by_our_own_form_alone(engine: Engine) {
    let world = world(engine).await;
    let (mut browser, page) = opened(&world).await;
    let token_of_form = page.token();
    let good = [
        ("form_token", token_of_form.as_str()),
        ("email", EMAIL),
        ("password", PASSWORD),
        ("company", "Acme Works"),
    ];
    let with = |field: usize, value: &'static str| {
        let mut form = good;
        form[field].1 = value;
        form
    };
    for headers in [
        vec![],
        vec![("origin", "https://evil.test")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site"), ("origin", "null")],
    ] {
        let answer = browser.post_from(&world, "/setup/account", &good, &headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    assert_eq!(browser.post(&world, "/setup/account", &with(0, "00")).await.status, 403);
    assert_eq!(browser.post(&world, "/setup/account", &[("email", EMAIL)]).await.status, 403);
    for (field, value, words) in [
        (1, "jo", "not an e-mail address"),
        (2, "short", "8 to 1024"),
        (2, "password1", "among the first"),
        (2, "jo@acme.example", "among the first"),
        (3, " ", "1 to 100 letters"),
    ] {
        let answer = browser.post(&world, "/setup/account", &with(field, value)).await;
        assert_eq!(answer.status, 422, "{value}");
        assert!(answer.body.contains(words), "{value}: {}", answer.body);
        assert!(!answer.body.contains("value=\"password1\""), "a password is never written back");
    }
    let made = browser.post(&world, "/setup/account", &good).await;
    assert_eq!(made.status, 303, "{made:?}");
    assert!(!browser.cookies.contains_key("tributary_setup"), "the token's cookie is gone");
    assert!(browser.get(&world, "/setup").await.body.contains("1 of 5 done"));

    // Used up: the link, the cookie and the form.
    let mut late = Browser::default();
    let link = format!("/setup?token={}", token(&world));
    assert_eq!(late.get(&world, &link).await.location, "/setup");
    assert_eq!(late.get(&world, "/setup").await.location, "/login?next=%2Fsetup");
    late.cookies.insert("tributary_setup".into(), token(&world));
    let again = with(1, "eve@evil.test");
    assert_eq!(late.post(&world, "/setup/account", &again).await.location, "/setup");
    let mut eve = Browser::default();
    let form = [("email", "eve@evil.test"), ("password", PASSWORD), ("next", "/")];
    assert_eq!(eve.post(&world, "/login", &form).await.status, 401);

    let log = std::fs::read_to_string(world.log()).unwrap_or_default();
    assert!(!log.contains(PASSWORD), "no password in the log");
    assert_eq!(world.stop().await, 0);
    world.serve().await;
    let log = std::fs::read_to_string(world.log()).unwrap_or_default();
    assert_eq!(log.matches("/setup?token=").count(), 1, "no link is printed once there is an account");
}

async fn every_step_is_made_by_its_form(engine: Engine) {
    let world = world(engine).await;
    let mut browser = with_account(&world).await;
    let page = browser.get(&world, "/setup").await;
    let token = page.token();
    let good = [
        ("form_token", token.as_str()),
        ("name", "Acme partners"),
        ("website", "acme.example"),
        ("currency", "eur"),
        ("kind", "affiliate"),
        ("match_email", "true"),
        ("reward", "percent"),
        ("value", "12.5"),
        ("span", "months"),
        ("count", "6"),
        ("hold_days", "14"),
    ];
    for (field, value, words) in [
        (1, "", "1 to 100 letters"),
        (2, "javascript:alert(1)", "not the URL of a site"),
        (7, "120", "from 0 to 100"),
        (9, "0", "from 1 to 1200"),
        (10, "x", "from 0 to 730"),
    ] {
        let mut form = good;
        form[field].1 = value;
        let answer = browser.post(&world, "/setup/program", &form).await;
        assert_eq!(answer.status, 422, "{value}");
        assert!(answer.body.contains(words), "{value}: {}", answer.body);
    }
    assert_eq!(browser.post(&world, "/setup/program", &[("form_token", &token)]).await.status, 403);
    let mut forged = good;
    forged[0].1 = "00";
    assert_eq!(browser.post(&world, "/setup/program", &forged).await.status, 403);
    let mut extra = good.to_vec();
    extra.push(("setup_done_at", "1"));
    assert_eq!(browser.post(&world, "/setup/program", &extra).await.status, 403, "unknown fields");
    let sentence = "12.5 % of every sale in a customer&#39;s first 6 months";
    let mut preview = good.to_vec();
    preview.push(("go", "preview"));
    let shown = browser.post(&world, "/setup/program", &preview).await;
    assert!(
        shown.status == 200 && shown.body.contains(sentence) && shown.body.contains("1 of 5"),
        "{shown:?}"
    );

    let made = browser.post(&world, "/setup/program", &good).await;
    assert_eq!(made.status, 303, "{made:?}");
    let program = made.location.split("program=").nth(1).unwrap().split('#').next().unwrap().to_owned();
    assert_eq!(browser.post(&world, "/setup/program", &good).await.status, 422, "the name is taken");
    let page = browser.get(&world, &format!("/setup?program={program}")).await;
    assert!(page.body.contains(sentence) && page.body.contains(&format!("/t/{program}.js")), "{}", page.body);
    assert_eq!(browser.get(&world, "/setup?program=AAAAAAAA").await.status, 404);

    let partner = |program: &'static str, email: &'static str| {
        [
            ("form_token", token.clone()),
            ("program", program.to_owned()),
            ("name", "Ada Lovelace".into()),
            ("email", email.into()),
        ]
    };
    let add = |form: [(&'static str, String); 4]| form.map(|(name, value)| (name, value));
    let foreign = add(partner("AAAAAAAA", "ada@partners.example"));
    let pairs: Vec<_> = foreign.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.post(&world, "/setup/partner", &pairs).await.status, 404);
    for (email, status) in [("ada", 422), ("Ada@partners.example", 303), ("ada@partners.example", 422)] {
        let form = [
            ("form_token", token.as_str()),
            ("program", program.as_str()),
            ("name", "Ada Lovelace"),
            ("email", email),
        ];
        let answer = browser.post(&world, "/setup/partner", &form).await;
        assert_eq!(answer.status, status, "{email}: {}", answer.body);
    }
    let page = browser.get(&world, "/setup").await;
    assert!(
        page.body.contains("https://acme.example/?aff=") && page.body.contains("Ada Lovelace"),
        "{}",
        page.body
    );
    assert!(page.body.contains("3 of 5 done"), "{}", page.body);
    assert!(page.body.contains("Not seen yet"), "the script is green on evidence alone");

    // Evidence turns it green, with time and place.
    let sql = "INSERT INTO sighting (workspace_id, program_id, kind, url, at) \
         SELECT workspace_id, program_id, 'script', 'https://acme.example/pricing?x=1', 1795340000000 FROM program";
    world.database.damage(sql).await;
    let page = browser.get(&world, "/setup").await;
    assert!(page.body.contains("seen on acme.example/pricing"), "{}", page.body);

    assert_eq!(browser.get(&world, "/").await.location, "/setup", "it goes on until it is left");
    let form = [("form_token", token.as_str()), ("program", program.as_str())];
    let done = browser.post(&world, "/setup/done", &form).await;
    assert_eq!(done.location, format!("/p/{program}"));
    assert_eq!(browser.get(&world, "/").await.location, format!("/p/{program}"), "it is left");
    assert_eq!(
        browser.post(&world, "/setup/done", &[("form_token", "00"), ("program", &program)]).await.status,
        403
    );
}

async fn a_command_line_set_up_ends_the_first_run(engine: Engine) {
    let mut world = world(engine).await;
    let (mut browser, page) = opened(&world).await;
    world.setup().await;
    assert!(browser.get(&world, "/").await.location.starts_with("/login"));
    let token = page.token();
    let form =
        [("form_token", token.as_str()), ("email", EMAIL), ("password", PASSWORD), ("company", "Acme")];
    assert_eq!(browser.post(&world, "/setup/account", &form).await.location, "/setup");
    let mut owner =
        Browser::log_in(&world, crate::support::world::EMAIL, crate::support::world::PASSWORD).await;
    let home = owner.get(&world, "/").await;
    assert_eq!(home.location, format!("/p/{}", world.program), "{home:?}");
}

async fn pages_are_for_the_public_host_alone(engine: Engine) {
    let mut world = World::empty(engine).await;
    world.set("TRIBUTARY_PUBLIC_URL", "https://partners.acme.test");
    world.setup().await;
    world.serve().await;
    let ask = async |path: &str, host: &str| {
        let request = world.http.get(format!("{}{path}", world.base())).header("host", host);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for host in ["evil.test", "127.0.0.1", "localhost:8787", "partners.acme.test.evil.test"] {
        for path in ["/login", "/", "/p/AAAAAAAA/events", "/nothing"] {
            let (status, body) = ask(path, host).await;
            assert_eq!(status, 421, "{host}{path}");
            assert!(body.contains(host) && body.contains("https://partners.acme.test"), "{host}: {body}");
        }
        assert_eq!(ask("/healthz", host).await.0, 200, "{host}");
        assert_eq!(ask("/readyz", host).await.0, 200, "{host}");
        assert_eq!(ask("/v1/test", host).await.0, 401, "the API asks for its key, not for a host");
        let webhook = world.http.post(world.webhook_url(&world.program)).header("host", host).body("{}");
        assert_ne!(webhook.send().await.unwrap().status().as_u16(), 421, "{host}");
    }
    assert_eq!(ask("/login", "Partners.Acme.Test:443").await.0, 200);

    // A session's cookie that does not come back is explained, and the password is not asked for in a circle.
    let (status, body) = ask("/login?entered=1&next=%2F", "partners.acme.test").await;
    assert_eq!(status, 200);
    assert!(
        body.contains("did not send the session back") && body.contains("https://partners.acme.test"),
        "{body}"
    );
}
