//! The public tracking surface from outside: hostile input changes nothing, and links go on while the database is away.

use crate::support::postgres::{Server, empty_database};
use crate::support::{self, database::Database};
use crate::support::{Engine, World, both_engines, eventually, repository};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

both_engines!(
    a_visit_and_a_sign_up_leave_what_they_should,
    hostile_targets_lead_nowhere_else,
    hostile_visits_and_sign_ups_change_nothing,
    a_slug_belongs_to_one_program,
    programs_are_counted_apart_from_people,
    queued_visits_outlive_the_end_of_the_server,
);

const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// A world behind a proxy that names the visitor's address, so that limits by address do not hide what is tested.
async fn world(engine: Engine) -> World {
    let mut world = World::empty(engine).await;
    world.set("TRIBUTARY_CLIENT_ADDRESS_HEADER", "X-Forwarded-For");
    world.setup().await;
    world.serve().await;
    world.partner("ada").await;
    world
}

fn corpus(part: &str) -> Vec<String> {
    let text = std::fs::read_to_string(repository().join("tests/data/hostile.json")).expect("the corpus");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let list = all[part].as_array().expect("a list");
    list.iter().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

impl World {
    /// Follows a link as the n-th visitor; answers the status and the Location.
    async fn follow(&self, path: &str, n: usize) -> (u16, Option<reqwest::Url>) {
        let request = self.http.get(format!("{}{path}", self.base())).header("user-agent", BROWSER);
        let request = request.header("accept", "text/html,*/*;q=0.8").header("x-forwarded-for", address(n));
        let answer = request.send().await.unwrap_or_else(|error| panic!("{path}: {error:?}"));
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
        let url = location.map(|text| text.parse().unwrap_or_else(|_| panic!("{path}: {text}")));
        (answer.status().as_u16(), url)
    }

    /// Sends a body to the script's address as the n-th visitor; answers the status and the body.
    async fn tell(&self, call: &str, body: &str, n: usize) -> (u16, String) {
        let url = format!("{}/t/{}/{call}", self.base(), self.program);
        let request =
            self.http.post(url).header("user-agent", BROWSER).header("origin", "https://shop.example");
        let answer = request.header("x-forwarded-for", address(n)).body(body.to_owned()).send().await;
        let answer = answer.unwrap_or_else(|error| panic!("{call} {body}: {error:?}"));
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }

    async fn counted(&self, sql: &str, wanted: i64) {
        eventually(&format!("{sql}: {wanted}"), Duration::from_secs(30), || async {
            (self.database.number(sql).await == wanted).then_some(())
        })
        .await;
    }
}

fn address(n: usize) -> String {
    format!("10.{}.{}.{}", n / 62_500 % 250, n / 250 % 250, n % 250)
}

fn parameter(url: &reqwest::Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

const VISITS: &str = "SELECT COUNT(*) FROM visit";

async fn a_visit_and_a_sign_up_leave_what_they_should(engine: Engine) {
    let world = world(engine).await;
    let (status, url) = world.follow("/r/ada?utm_source=x", 1).await;
    let url = url.expect("a location");
    assert_eq!((status, url.host_str()), (302, Some("shop.example")));
    let id = parameter(&url, "tributary_visit").expect("a visit");
    // It was committed before the answer left.
    assert_eq!(world.database.text("SELECT visit_id FROM visit").await, id);
    let (_, again) = world.follow(&format!("/r/{}/ada", world.program), 1).await;
    assert_eq!(parameter(&again.expect("a location"), "tributary_visit"), Some(id.clone()));
    let (_, other) = world.follow("/r/ada", 2).await;
    assert_ne!(parameter(&other.expect("a location"), "tributary_visit"), Some(id.clone()));
    let by_script = json!({"key": "ada", "visitor": id, "page": "https://shop.example/x?y=1"}).to_string();
    assert_eq!(world.tell("visit", &by_script, 3).await, (200, json!({ "visit": id }).to_string()));
    let body = json!({"key": "u1", "email": "Mia@customers.example", "visitor": id, "partner": "ada",
        "page": "https://shop.example/join"});
    for n in 0..3 {
        assert_eq!(world.tell("signup", &body.to_string(), n).await, (204, String::new()));
    }
    world.counted("SELECT COUNT(*) FROM browser_signup WHERE visit_id IS NOT NULL", 1).await;
    world
        .counted(
            "SELECT COUNT(*) FROM customer WHERE partner_by = 'browser' AND email = 'mia@customers.example'",
            1,
        )
        .await;
    let day = world.database.rows("SELECT visits, repeats, bots FROM link_day").await;
    assert_eq!(day, [["2", "2", "0"].map(|one| Some(one.to_owned()))]);
    assert_eq!(world.database.number("SELECT visits FROM program_day").await, 2);
    assert_eq!(world.database.number("SELECT visits FROM partner_day").await, 2);
    world.counted("SELECT COUNT(*) FROM sighting WHERE kind IN ('script', 'visit', 'signup')", 3).await;
    // No address lies anywhere: neither in the rows nor in the log.
    let rows = world.database.rows("SELECT visitor, landing, referrer FROM visit").await;
    let log = std::fs::read_to_string(world.log()).expect("a log");
    assert!(!format!("{rows:?}{log}").contains("10.0.0."), "an address was kept");
    if engine == Engine::Postgres {
        let strays = world.database.number("SELECT COUNT(*) FROM visit_default").await;
        assert_eq!(strays, 0, "this month's part was there before the first visit");
    }
}

/// Two public lists: what crawlers call themselves, and the browsers that most people use.
async fn user_agents() -> (BTreeSet<String>, BTreeSet<String>) {
    support::tools::node().await;
    let read = |path: &str| -> Value {
        let file = repository().join("tests/node/node_modules").join(path);
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_str(&text).expect("JSON")
    };
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let crawlers = read("crawler-user-agents/crawler-user-agents.json");
    let programs = crawlers.as_array().into_iter().flatten().flat_map(|one| texts(&one["instances"]));
    let people = ["index", "desktop", "mobile"]
        .iter()
        .flat_map(|name| texts(&read(&format!("top-user-agents/src/{name}.json"))));
    let sendable = |text: &String| reqwest::header::HeaderValue::from_str(text).is_ok();
    (programs.filter(sendable).collect(), people.collect())
}

/// No filter is complete. This one takes nobody's visit away, and lets less than one program in forty through.
async fn programs_are_counted_apart_from_people(engine: Engine) {
    let world = world(engine).await;
    let (programs, people) = user_agents().await;
    assert!(
        programs.len() >= 500 && people.len() >= 50,
        "{} programs, {} people",
        programs.len(),
        people.len()
    );
    for (n, agent) in programs.iter().chain(&people).enumerate() {
        let request = world.http.get(format!("{}/r/ada", world.base())).header("user-agent", agent);
        let request = request.header("accept", "text/html,*/*;q=0.8").header("x-forwarded-for", address(n));
        let answer = request.send().await.unwrap_or_else(|error| panic!("{agent}: {error:?}"));
        assert_eq!(answer.status(), 302, "a redirect always works: {agent}");
        if n + 1 == programs.len() {
            world
                .counted("SELECT SUM(visits + repeats + bots + prefetches) FROM link_day", to_i64(n + 1))
                .await;
            let found = world.database.number("SELECT SUM(bots) FROM link_day").await;
            println!("{found} of {} programs were known for what they are", programs.len());
            assert!(found * 40 >= to_i64(programs.len()) * 39, "only {found} of {} programs", programs.len());
        }
    }
    let all = to_i64(programs.len() + people.len());
    world.counted("SELECT SUM(visits + repeats + bots + prefetches) FROM link_day", all).await;
    let bots = "SELECT SUM(bots) FROM link_day";
    let (visits, bots) = (world.database.number(VISITS).await, world.database.number(bots).await);
    assert_eq!(visits + bots, all, "every person was counted once: {visits} visits, {bots} programs");
    assert!(visits >= to_i64(people.len()), "{visits} visits of {} people", people.len());
}

fn to_i64(count: usize) -> i64 {
    i64::try_from(count).expect("a small count")
}

/// By deep links of requests, and by destinations that somebody wrote into the database.
async fn hostile_targets_lead_nowhere_else(engine: Engine) {
    let world = world(engine).await;
    let targets = corpus("targets");
    assert!(targets.len() >= 250, "{} targets", targets.len());
    let links = world.database.rows("SELECT workspace_id, program_id, partner_id FROM referral_link").await;
    let ids: Vec<&str> = links[0].iter().map(|id| id.as_deref().expect("an id")).collect();
    let mut sql = String::new();
    for (n, target) in targets.iter().enumerate().filter(|(_, target)| !target.contains('\0')) {
        let target = target.replace('\'', "''");
        let (ws, program, partner) = (ids[0], ids[1], ids[2]);
        sql.push_str(&format!(
            "INSERT INTO referral_link (workspace_id, link_id, program_id, partner_id, key, destination, is_default, \
             created_at) VALUES ('{ws}', 'lnk_{n}', '{program}', '{partner}', 'h{n}', '{target}', FALSE, 0);"
        ));
    }
    world.database.damage(sql.trim_end_matches(';')).await;
    let at_home = |what: &str, status: u16, url: Option<reqwest::Url>| {
        let url = url.unwrap_or_else(|| panic!("{what}: {status}"));
        assert_eq!(status, 302, "{what}");
        assert_eq!((url.scheme(), url.port()), ("https", None), "{what}: {url}");
        let host = url.host_str().unwrap_or_default();
        assert!(host == "shop.example" || host.ends_with(".shop.example"), "{what}: {url}");
        assert!(url.username().is_empty() && url.password().is_none(), "{what}: {url}");
    };
    for (n, target) in targets.iter().enumerate() {
        let mut url: reqwest::Url = "http://x/r/ada".parse().expect("a URL");
        url.query_pairs_mut().append_pair("to", target);
        let path = format!("/r/ada?{}", url.query().expect("a query"));
        let (status, url) = world.follow(&path, n).await;
        at_home(target, status, url);
        let (status, url) = world.follow(&format!("/r/{}/h{n}", world.program), n).await;
        at_home(target, status, url);
    }
    // A good one still works.
    let (_, url) = world.follow("/r/ada?to=https://shop.example/deep%3Fa%3D1", 1).await;
    let url = url.expect("a location");
    assert!(url.as_str().starts_with("https://shop.example/deep?a=1&aff=ada&tributary_visit=vis_"), "{url}");
}

async fn hostile_visits_and_sign_ups_change_nothing(engine: Engine) {
    let world = world(engine).await;
    let (visits, signups) = (corpus("visits"), corpus("signups"));
    for (n, body) in visits.iter().enumerate() {
        let (status, text) = world.tell("visit", body, n).await;
        assert!(matches!(status, 202 | 204 | 400 | 413), "{body}: {status} {text}");
    }
    for (n, body) in signups.iter().enumerate() {
        let (status, text) = world.tell("signup", body, n).await;
        assert!(matches!(status, 204 | 400 | 413 | 422), "{body}: {status} {text}");
        assert!(status != 204 || text.is_empty(), "{body}: {text}");
    }
    // A sign-up from another program's page, and to a program that is not there.
    assert_eq!(world.tell("signup", r#"{"key":"last","partner":"ada"}"#, 9_999).await.0, 204);
    world.counted("SELECT COUNT(*) FROM customer WHERE key = 'last'", 1).await;
    assert_eq!(
        world.database.number("SELECT COUNT(*) FROM customer").await,
        1,
        "only the last one was meant well"
    );
    assert_eq!(world.database.number("SELECT COUNT(*) FROM browser_signup").await, 1);
    assert_eq!(world.database.number(VISITS).await, 0);
    // A customer of the merchant's own saying is never touched, whoever a browser names.
    world.partner("eve").await;
    world.customer("u7", Some("u7@customers.example"), "ada").await;
    assert_eq!(world.tell("signup", r#"{"key":"u7","name":"Mallory","partner":"eve"}"#, 1).await.0, 204);
    assert_eq!(world.tell("signup", r#"{"key":"end","partner":"eve"}"#, 2).await.0, 204);
    world.counted("SELECT COUNT(*) FROM customer WHERE key = 'end'", 1).await;
    let owner = "SELECT COUNT(*) FROM customer c JOIN partner p ON p.workspace_id = c.workspace_id \
         AND p.partner_id = c.partner_id WHERE c.key = 'u7' AND p.key = 'ada' AND c.name <> 'Mallory'";
    assert_eq!(world.database.number(owner).await, 1);
}

async fn a_slug_belongs_to_one_program(engine: Engine) {
    let world = world(engine).await;
    let second = world.setup_program("Second", "usd", "10%").await.ok().json();
    let (key, public_id) = (second["api_key"].as_str().expect("a key"), second["program_public_id"].as_str());
    let public_id = public_id.expect("an id");
    let body = json!({"email": "ada@others.example", "key": "ada"}).to_string();
    world.request_as(key, "POST", "/v1/partners", Some(body)).await.expect(201);
    let slugs = world.database.column("SELECT slug FROM referral_link ORDER BY created_at, slug").await;
    assert_eq!(slugs[0], "ada");
    assert!(slugs[1].starts_with("ada") && slugs[1].len() == 7, "{slugs:?}");
    for (path, counted) in
        [(format!("/r/{}", slugs[1]), 1), (format!("/r/{public_id}/ada"), 1), ("/r/ada".to_owned(), 0)]
    {
        let (status, _) = world.follow(&path, 1).await;
        assert_eq!(status, 302, "{path}");
        let sql = "SELECT COUNT(*) FROM visit v JOIN program p ON p.workspace_id = v.workspace_id \
             AND p.program_id = v.program_id WHERE p.name = 'Second'";
        assert!(world.database.number(sql).await >= counted, "{path}");
    }
    assert_eq!(world.database.number(VISITS).await, 2);
}

async fn queued_visits_outlive_the_end_of_the_server(engine: Engine) {
    let world = world(engine).await;
    let sql = "UPDATE program SET visits_queued = TRUE";
    world.database.damage(sql).await;
    assert_eq!(world.stop().await, 0);
    world.serve().await;
    for n in 0..60 {
        let (_, url) = world.follow("/r/ada", n).await;
        assert!(parameter(&url.expect("a location"), "tributary_visit").is_some());
    }
    assert_eq!(world.stop().await, 0);
    assert_eq!(world.database.number(VISITS).await, 60);
    assert_eq!(world.database.number("SELECT visits FROM link_day").await, 60);
}

/// What works while the database is away.
async fn works_from_memory(world: &World, from: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..5 {
        let began = Instant::now();
        let (status, url) = world.follow(if n % 2 == 0 { "/r/ada" } else { "/r/ada?x=1" }, from + n).await;
        assert_eq!(status, 302);
        let id = parameter(&url.expect("a location"), "tributary_visit").expect("an id");
        ids.push(id);
        assert!(began.elapsed() < Duration::from_secs(3), "visitor {n} waited {:?}", began.elapsed());
    }
    let script = world.page(&format!("/t/{}.js", world.program)).await.expect(200);
    assert!(script.text.contains("tributary_"));
    let (status, _) = world.tell("visit", r#"{"key":"ada","visitor":"0.7"}"#, from + 7).await;
    assert_eq!(status, 200);
    ids
}

async fn all_written(world: &World, ids: &[String]) {
    let list = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    world.counted(&format!("SELECT COUNT(*) FROM visit WHERE visit_id IN ({list})"), 5).await;
    // With the one of before and the one that the script told of.
    world.counted(VISITS, 7).await;
    world.counted("SELECT visits FROM link_day", 7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_postgres_down_links_still_lead_and_visits_are_written_later() {
    let server = Server::start().await;
    let url = empty_database(&server.address()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = World::on(Engine::Postgres, folder, Database::Postgres(url)).await;
    world.set("TRIBUTARY_CLIENT_ADDRESS_HEADER", "X-Forwarded-For");
    world.setup().await;
    world.serve().await;
    world.partner("ada").await;
    assert_eq!(world.follow("/r/ada", 1).await.0, 302);
    server.down().await;
    let ids = works_from_memory(&world, 10).await;
    assert_eq!(world.page("/readyz").await.status, 503);
    server.up().await;
    all_written(&world, &ids).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_sqlite_locked_links_still_lead_and_visits_are_written_later() {
    let world = world(Engine::Sqlite).await;
    assert_eq!(world.follow("/r/ada", 1).await.0, 302);
    let Database::Sqlite(path) = &world.database else { unreachable!("an embedded database") };
    let other = rusqlite::Connection::open(path).expect("the file opens");
    other.busy_timeout(Duration::from_secs(10)).expect("a time limit");
    other.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    let ids = works_from_memory(&world, 10).await;
    other.execute_batch("ROLLBACK").expect("the lock goes");
    all_written(&world, &ids).await;
}
