//! The REST API on both databases: what it writes, what it answers, what it refuses, and to whom it says nothing.

use crate::support::story::commission;
use crate::support::{Answer, Engine, World, both_engines};
use serde_json::{Value, json};

both_engines!(
    partners_live_from_creation_to_deletion,
    customers_live_from_creation_to_deletion,
    transactions_earn_and_are_taken_back,
    a_reward_alone_is_explained_replayed_and_taken_back,
    amounts_are_exact_to_the_last_digit,
    lists_are_paged_and_filtered,
    the_same_twice_is_written_once,
    nobody_sees_another_program,
    bad_input_is_refused_field_by_field,
    the_key_is_asked_for_first,
    archived_is_not_forgotten,
    a_partner_has_room_for_so_many_keys,
);

fn created(answer: Answer) -> Value {
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    assert_eq!(answer.json["status"], 1, "{answer:?}");
    answer.data().clone()
}

/// Is this how times look on the wire?
fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == "2025-04-30T16:44:13.000000Z".len() && text.ends_with('Z') && text.as_bytes()[10] == b'T'
}

async fn partners_live_from_creation_to_deletion(engine: Engine) {
    let world = World::started(engine).await;
    let test = world.get("/v1/test").await.expect(200);
    assert_eq!(test.data()["program"]["pub_id"], world.program.as_str(), "{test:?}");

    let body = json!({ "email": "Ada@Example.com", "name": "Ada", "surname": "Lovelace", "id": "own-1", "key": "ADA",
        "tags": ["gold", "early"] });
    let made = created(world.post("/v1/partners", &body).await);
    assert_eq!(
        (&made["id"], &made["key"], &made["email"]),
        (&json!("own-1"), &json!("ADA"), &json!("ada@example.com"))
    );
    assert!(is_time(&made["created_at"]), "{made}");
    assert_eq!(made["tags"][0]["value"], "gold", "{made}");
    assert!(
        made["referral_link"]
            .as_str()
            .is_some_and(|link| link.contains("shop.example") && link.contains("aff=ADA"))
    );
    for list in ["paid", "pending", "not_paid"] {
        assert_eq!(made["commissions"][list], json!([]), "{made}");
    }
    let plain = created(world.post("/v1/partners", &json!({ "email": "bob@example.com" })).await);
    let key = plain["key"].as_str().expect("a key was made").to_owned();
    assert!(
        key.len() >= 6 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
        "{plain}"
    );
    assert_ne!(plain["id"], plain["key"], "the id is private, the key is public");

    for id in ["own-1", "ADA", "ada@example.com"] {
        let found = world.get(&format!("/v1/partners/{id}")).await.expect(200);
        assert_eq!(found.data()["id"], "own-1", "{found:?}");
    }
    assert_eq!(world.get("/v1/partner?email=ada@example.com").await.expect(200).data()["key"], "ADA");
    for query in ["key=ADA", "email=ADA@example.com", "id=own-1"] {
        let found = world.get(&format!("/v1/partners:search?{query}")).await.expect(200);
        assert_eq!(found.data().as_array().map(Vec::len), Some(1), "{query}: {found:?}");
        assert_eq!(found.data()[0]["key"], "ADA", "{query}: {found:?}");
    }
    let nothing = world.get("/v1/partners:search?key=NOBODY").await.expect(200);
    assert_eq!(nothing.data(), &json!([]));

    let changed =
        world.put("/v1/partners/ADA", &json!({ "name": "Augusta", "tags": ["silver"] })).await.expect(200);
    assert_eq!(
        (&changed.data()["name"], &changed.data()["surname"]),
        (&json!("Augusta"), &json!("Lovelace"))
    );
    let older = world
        .put("/v1/partners", &json!({ "key": "ADA", "update": { "surname": "King" } }))
        .await
        .expect(200);
    assert_eq!((&older.data()["name"], &older.data()["surname"]), (&json!("Augusta"), &json!("King")));
    let list = world.get("/v1/partners").await.expect(200);
    assert_eq!(list.data().as_array().map(Vec::len), Some(2), "{list:?}");

    assert_eq!(world.delete("/v1/partners/own-1").await.expect(200).json, json!({ "status": 1 }));
    world.get("/v1/partners/own-1").await.expect_error(404);
    world.delete("/v1/partners/own-1").await.expect_error(404);
    // The older form: parameters in the body of a DELETE.
    let body = json!({ "key": key }).to_string();
    assert_eq!(world.request("DELETE", "/v1/partners", Some(body)).await.expect(200).json["status"], 1);
    assert_eq!(world.get("/v1/partners").await.expect(200).data(), &json!([]));
    world.finish().await;
}

async fn customers_live_from_creation_to_deletion(engine: Engine) {
    let world = World::connected(engine).await;
    world.partner("BOB").await;
    let body = json!({ "key": "u-1", "email": "C@Example.com", "name": "Cleo", "tags": ["x"], "partner": { "key": "ADA" } });
    let made = created(world.post("/v1/customers", &body).await);
    assert_eq!(
        (&made["key"], &made["email"], &made["deleted"]),
        (&json!("u-1"), &json!("c@example.com"), &json!(false))
    );
    let ada = world.get("/v1/partners/ADA").await.data()["id"].clone();
    assert_eq!(made["partner"], ada, "the customer names its partner by id: {made}");
    let id = made["id"].as_str().expect("an id").to_owned();
    for name in ["u-1", &id, "c@example.com"] {
        assert_eq!(
            world.get(&format!("/v1/customers/{name}")).await.expect(200).data()["key"],
            "u-1",
            "{name}"
        );
    }
    assert_eq!(
        world.get("/v1/customers:search?email=c@example.com").await.expect(200).data()[0]["key"],
        "u-1"
    );
    created(
        world
            .post("/v1/customers", &json!({ "key": "u-2", "partner": { "email": "bob@partners.example" } }))
            .await,
    );
    let of_ada = world.get("/v1/customers?partner[key]=ADA").await.expect(200);
    assert_eq!(of_ada.data().as_array().map(Vec::len), Some(1), "{of_ada:?}");

    let changed = world.put("/v1/customers/u-1", &json!({ "name": "Cleopatra" })).await.expect(200);
    assert_eq!(
        (&changed.data()["name"], &changed.data()["email"]),
        (&json!("Cleopatra"), &json!("c@example.com"))
    );
    world.put("/v1/customers", &json!({ "key": "u-1", "update": { "surname": "P" } })).await.expect(200);

    // Unknown or missing partners, and a key that exists.
    world
        .post("/v1/customers", &json!({ "key": "u-3", "partner": { "key": "NOBODY" } }))
        .await
        .expect_error(422);
    world.post("/v1/customers", &json!({ "key": "u-3" })).await.expect_error(422);
    world.post("/v1/customers", &body).await.expect_error(409);

    assert_eq!(world.delete("/v1/customers/u-1").await.expect(200).json["status"], 1);
    world.delete("/v1/customers/u-9").await.expect_error(404);
    let left = world.get("/v1/customers").await.expect(200);
    let keys: Vec<_> = left.data().as_array().expect("a list").iter().map(|c| c["key"].clone()).collect();
    assert_eq!(keys, [json!("u-2")]);
    world.finish().await;
}

async fn transactions_earn_and_are_taken_back(engine: Engine) {
    let world = World::connected(engine).await;
    world.customer("u-1", None, "ADA").await;
    let body = json!({ "customer": { "key": "u-1" }, "key": "pay-1", "amount": 99.99, "action": "sale" });
    let made = world.post("/v1/transactions", &body).await;
    assert!(matches!(made.status, 200 | 201), "{made:?}");
    assert!(made.text.contains("\"amount\":99.99"), "the amount comes back as it was sent: {made:?}");
    assert_eq!((&made.data()["key"], &made.data()["customer"]), (&json!("pay-1"), &json!("u-1")));
    assert_eq!(
        made.data()["amount_units"].as_str().map(str::to_lowercase).as_deref(),
        Some("usd"),
        "{made:?}"
    );
    world.settled().await;
    // 29.997 is 30.00 to the cent, half to even.
    world.expect_totals(&[("ADA", "usd", commission(9999, 1, 1))]).await;
    let found = world.get("/v1/transactions/pay-1").await.expect(200);
    let rewards = found.data()["rewards"].as_array().expect("rewards").clone();
    assert_eq!(rewards.len(), 1, "{found:?}");
    assert!(found.text.contains("\"amount\":30"), "{found:?}");
    let of_customer = world.get("/v1/customers/u-1/transactions").await.expect(200);
    assert_eq!(of_customer.data()[0]["key"], "pay-1", "{of_customer:?}");

    // A reward that is set directly, one that earns nothing, and several at once for a new customer.
    let direct = json!({ "customer": { "key": "u-1" }, "key": "pay-2", "amount": 10, "reward": 1.23 });
    created(world.post("/v1/transactions", &direct).await);
    let free = json!({ "customer": { "key": "u-1" }, "key": "pay-3", "amount": 10, "rewardable": false });
    created(world.post("/v1/transactions", &free).await);
    let bulk = json!({ "customer": { "key": "u-2", "email": "new@example.com", "partner": { "key": "ADA" } },
        "options": { "create_customer": true },
        "transactions": [{ "key": "pay-4", "amount": 1 }, { "key": "pay-5", "amount": "2.50" }] });
    let several = created(world.post("/v1/transactions", &bulk).await);
    assert_eq!(several.as_array().map(Vec::len), Some(2), "{several}");
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 3000 + 123 + 30 + 75)]).await;

    // Deleted is void: what it earned is taken back, once.
    assert_eq!(world.delete("/v1/transactions/pay-1").await.expect(200).json["status"], 1);
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 123 + 30 + 75)]).await;
    let gone = world.delete("/v1/transactions/pay-1").await;
    assert!(matches!(gone.status, 200 | 404), "{gone:?}");
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 123 + 30 + 75)]).await;
    world.delete("/v1/transactions/pay-99").await.expect_error(404);
    world.finish().await;
}

async fn a_reward_alone_is_explained_replayed_and_taken_back(engine: Engine) {
    let world = World::connected(engine).await;
    world.customer("u-1", None, "ADA").await;
    let body = json!({ "customer": { "key": "u-1" }, "key": "lead-1", "action": "lead", "reward": "7.50" });
    let made = created(world.post("/v1/transactions", &body).await);
    assert_eq!((&made["state"], &made["rewards"][0]["state"]), (&json!("paid"), &json!("pending")), "{made}");
    // Several at once may mix what was paid with what is only rewarded; yen have no digits.
    let bulk = json!({ "customer": { "key": "u-1" }, "amount_units": "jpy",
        "transactions": [{ "key": "lead-2", "reward": 900 }, { "key": "pay-1", "amount": 1000 }] });
    created(world.post("/v1/transactions", &bulk).await);
    world.settled().await;
    let owed = [("ADA", "usd", 750), ("ADA", "jpy", 900 + commission(1000, 1, 1))];
    world.expect_totals(&owed).await;

    let said = world.command(&["explain", "lead-1"], "").await.ok().stdout;
    assert!(said.contains("reward given by the API") && said.contains("7.50 USD"), "{said}");
    let json = world.command(&["explain", "lead-1", "--json"], "").await.ok().json();
    assert_eq!(json["target"]["trace"]["given"], 750, "{json}");
    // Nothing is guessed about a sale that Stripe does not know: all of it is derived from the call once more.
    assert_eq!(world.verify().await["digest"], world.replay().await["digest"]);
    world.expect_totals(&owed).await;

    for (key, field) in
        [("bad", json!({})), ("bad", json!({ "reward": -1 })), ("bad", json!({ "reward": "1.005" }))]
    {
        let mut body = json!({ "customer": { "key": "u-1" }, "key": key });
        body.as_object_mut().expect("an object").extend(field.as_object().expect("an object").clone());
        world.post("/v1/transactions", &body).await.expect_error(422);
    }
    world.get("/v1/transactions/bad").await.expect_error(404);

    assert_eq!(world.delete("/v1/transactions/lead-1").await.expect(200).json["status"], 1);
    world.settled().await;
    world.expect_totals(&owed[1..]).await;
    world.finish().await;
}

async fn amounts_are_exact_to_the_last_digit(engine: Engine) {
    let world = World::connected(engine).await;
    world.customer("u-1", None, "ADA").await;
    let post = async |key: &str, amount: &str, units: &str| {
        let body = format!(
            "{{\"customer\":{{\"key\":\"u-1\"}},\"key\":\"{key}\",\"amount\":{amount},\"amount_units\":\"{units}\"}}"
        );
        world.request("POST", "/v1/transactions", Some(body)).await
    };
    let mut expected = std::collections::BTreeMap::new();
    for (n, (amount, units, minor)) in [
        ("0.1", "usd", 10),
        ("0.10", "USD", 10),
        ("4503599627370.53", "usd", 450_359_962_737_053),
        ("0.07", "usd", 7),
        ("1.005", "kwd", 1005),
        ("1500", "jpy", 1500),
        ("\"19.99\"", "eur", 1999),
        ("1.2e1", "eur", 1200),
        ("100.000", "eur", 10_000),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = post(&format!("ok-{n}"), amount, units).await;
        if amount.contains('e') && answer.status == 422 {
            // An exponent may be refused; it may not be misread.
            continue;
        }
        assert!(matches!(answer.status, 200 | 201), "{amount} {units}: {answer:?}");
        let stored = world
            .database
            .number(&format!("SELECT total FROM sale WHERE root_id = 'ok-{n}' OR root_id LIKE '%ok-{n}'"))
            .await;
        assert_eq!(stored, minor, "{amount} {units}");
        *expected.entry(units.to_lowercase()).or_insert(0) += commission(minor, 1, 1);
    }
    for (amount, units) in [
        ("0.001", "usd"),
        ("1.0005", "kwd"),
        ("0.5", "jpy"),
        ("-1", "usd"),
        ("1e400", "usd"),
        ("92233720368547758.08", "usd"),
        ("99999999999999999999999999", "usd"),
        ("\"12,50\"", "usd"),
        ("\"\"", "usd"),
        ("true", "usd"),
        ("[1]", "usd"),
        ("{}", "usd"),
        ("null", "usd"),
        ("1", "xxx"),
        ("1", "dollars"),
    ] {
        post("bad", amount, units).await.expect_error(422);
    }
    for broken in ["NaN", "01", "1.", ".5", "0x10", "1 2", "--1"] {
        post("bad", broken, "usd").await.expect_error(400);
    }
    world.get("/v1/transactions/bad").await.expect_error(404);
    world.settled().await;
    let expected: Vec<_> = expected.into_iter().map(|(currency, sum)| ("ADA", currency, sum)).collect();
    world.expect_totals(&expected).await;
    world.finish().await;
}

async fn lists_are_paged_and_filtered(engine: Engine) {
    let world = World::started(engine).await;
    for n in 0..23 {
        world.partner(&format!("P{n:02}")).await;
    }
    let first = world.get("/v1/partners?limit=10&sort=asc").await.expect(200);
    let links = &first.json["links"];
    assert_eq!(first.data().as_array().map(Vec::len), Some(10));
    assert_eq!((&links["prev"], &links["last"]), (&Value::Null, &Value::Null), "{links}");
    assert_eq!(first.json["meta"]["current_page"], 1);
    assert_eq!((&first.json["meta"]["from"], &first.json["meta"]["to"]), (&json!(1), &json!(10)));
    // A client follows links.next until there is none, and has seen every partner once.
    let (mut seen, mut next, mut pages) = (Vec::new(), Some("/v1/partners?limit=10&sort=asc".to_owned()), 0);
    while let Some(path) = next {
        let page = world.get(&path).await.expect(200);
        seen.extend(
            page.data()
                .as_array()
                .expect("a list")
                .iter()
                .map(|p| p["key"].as_str().expect("a key").to_owned()),
        );
        next = page.json["links"]["next"].as_str().map(|url| url.replace(&world.base(), ""));
        pages += 1;
    }
    assert_eq!(pages, 3);
    let wanted: Vec<String> = (0..23).map(|n| format!("P{n:02}")).collect();
    let mut sorted = seen.clone();
    sorted.sort();
    assert_eq!(sorted, wanted, "every one once");
    let usual = world.get("/v1/partners").await.expect(200);
    assert_eq!(usual.data().as_array().map(Vec::len), Some(15), "15 is the usual page");
    let beyond = world.get("/v1/partners?page=900").await.expect(200);
    assert_eq!(beyond.data(), &json!([]));
    for bad in
        ["limit=0", "limit=251", "limit=x", "page=0", "page=-1", "sort=sideways", "page=99999999999999999999"]
    {
        world.get(&format!("/v1/partners?{bad}")).await.expect_error(422);
    }
    world.finish().await;
}

async fn the_same_twice_is_written_once(engine: Engine) {
    let world = World::connected(engine).await;
    world.customer("u-1", None, "ADA").await;
    let body = json!({ "customer": { "key": "u-1" }, "key": "pay-1", "amount": 50 });
    let sends = (0..20).map(|_| world.post("/v1/transactions", &body));
    for answer in futures_util::future::join_all(sends).await {
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    }
    let other = json!({ "customer": { "key": "u-1" }, "key": "pay-1", "amount": 51 });
    world.post("/v1/transactions", &other).await.expect_error(409);
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 1500)]).await;

    let body = json!({ "email": "many@example.com", "key": "MANY" });
    let sends = (0..10).map(|_| world.post("/v1/partners", &body));
    let answers = futures_util::future::join_all(sends).await;
    let made = answers.iter().filter(|a| a.status < 300).count();
    assert_eq!(made, 1, "{answers:?}");
    assert!(answers.iter().all(|a| matches!(a.status, 200 | 201 | 409 | 422)), "{answers:?}");
    assert_eq!(world.database.number("SELECT COUNT(*) FROM partner WHERE key = 'MANY'").await, 1);
    world.finish().await;
}

async fn nobody_sees_another_program(engine: Engine) {
    let world = World::connected(engine).await;
    world.customer("u-1", Some("u1@example.com"), "ADA").await;
    created(
        world
            .post("/v1/transactions", &json!({ "customer": { "key": "u-1" }, "key": "pay-1", "amount": 50 }))
            .await,
    );
    let second = world.setup_program("Second", "eur", "10%").await.ok().json();
    let key = second["api_key"].as_str().expect("a key").to_owned();
    let ada = world.get("/v1/partners/ADA").await.data()["id"].as_str().expect("an id").to_owned();
    let customer = world.get("/v1/customers/u-1").await.data()["id"].as_str().expect("an id").to_owned();
    let body = Some(json!({ "name": "Taken over" }).to_string());
    for path in [
        format!("/v1/partners/{ada}"),
        "/v1/partners/ADA".to_owned(),
        "/v1/customers/u-1".to_owned(),
        format!("/v1/customers/{customer}"),
        "/v1/transactions/pay-1".to_owned(),
    ] {
        world.request_as(&key, "GET", &path, None).await.expect_error(404);
        world.request_as(&key, "DELETE", &path, None).await.expect_error(404);
        world.request_as(&key, "POST", &format!("{path}/archive"), None).await.expect_error(404);
        if !path.contains("transactions") {
            world.request_as(&key, "PUT", &path, body.clone()).await.expect_error(404);
        }
    }
    for list in
        ["partners", "customers", "transactions", "partners:search?key=ADA", "customers:search?key=u-1"]
    {
        let answer = world.request_as(&key, "GET", &format!("/v1/{list}"), None).await.expect(200);
        assert_eq!(answer.data(), &json!([]), "{list}: {answer:?}");
    }
    // Naming the other program's people in one's own writes does not reach them either.
    let customer = json!({ "key": "mine", "partner": { "key": "ADA" } }).to_string();
    world.request_as(&key, "POST", "/v1/customers", Some(customer)).await.expect_error(422);
    let transaction = json!({ "customer": { "key": "u-1" }, "key": "theirs", "amount": 1 }).to_string();
    world.request_as(&key, "POST", "/v1/transactions", Some(transaction)).await.expect_error(422);
    // The same keys may be used in both.
    let partner = json!({ "email": "ada@partners.example", "key": "ADA" }).to_string();
    assert!(world.request_as(&key, "POST", "/v1/partners", Some(partner)).await.status < 300);
    assert_eq!(world.get("/v1/partners/ADA").await.expect(200).data()["id"], ada.as_str());
    world.settled().await;
    world.expect_totals_of_both(1500).await;
    world.finish().await;
}

async fn bad_input_is_refused_field_by_field(engine: Engine) {
    let world = World::connected(engine).await;
    world.customer("u-1", None, "ADA").await;
    let long = "x".repeat(300);
    let partner = |field: &str, value: Value| {
        let mut body = json!({ "email": "new@example.com" });
        body[field] = value;
        ("/v1/partners", field.to_owned(), body)
    };
    let customer = |field: &str, value: Value| {
        let mut body = json!({ "key": "new", "partner": { "key": "ADA" } });
        body[field] = value;
        ("/v1/customers", field.to_owned(), body)
    };
    let transaction = |field: &str, value: Value| {
        let mut body = json!({ "customer": { "key": "u-1" }, "amount": 1 });
        body[field] = value;
        ("/v1/transactions", field.to_owned(), body)
    };
    let cases = [
        ("/v1/partners", "email".to_owned(), json!({})),
        partner("email", json!("no address")),
        partner("email", json!("two@example.com,three@example.com")),
        partner("email", json!("a@b\r\nBcc: c@d.example")),
        partner("email", json!(["a@b.example"])),
        partner("email", json!("ada@partners.example")),
        partner("key", json!("ADA")),
        partner("key", json!("a b")),
        partner("key", json!("ä")),
        partner("key", json!("x/../y")),
        partner("key", json!("k".repeat(65))),
        partner("name", json!(long)),
        partner("name", json!({ "first": "x" })),
        partner("name", json!("nul\u{0}byte")),
        partner("tags", json!({ "a": 1 })),
        partner("status", json!("emperor")),
        partner("workspace_id", json!("wsp_other")),
        partner("balance", json!(1_000_000)),
        customer("partner", json!({ "key": "NOBODY" })),
        customer("partner", json!("ADA")),
        customer("partner", json!({})),
        customer("email", json!("nope")),
        customer("key", json!("")),
        customer("key", json!("k".repeat(65))),
        customer("status", json!("deleted")),
        transaction("customer", json!({ "key": "stranger" })),
        transaction("customer", json!("u-1")),
        transaction("customer", Value::Null),
        transaction("amount", json!("one")),
        transaction("amount_units", json!("zzz")),
        transaction("created_at", json!("the day before")),
        transaction("rewardable", json!("perhaps")),
        transaction("key", json!(long)),
        transaction("amout", json!(1)),
    ];
    for (path, field, body) in cases {
        let answer = world.post(path, &body).await;
        assert_eq!(answer.status, 422, "{path} {field}: {body}: {answer:?}");
        let answer = answer.expect_error(422);
        let named = answer.json["errors"]
            .as_object()
            .is_some_and(|errors| errors.keys().any(|k| k.starts_with(&field)));
        assert!(named, "{path}: the error does not name {field}: {answer:?}");
    }
    // All mistakes are told at once.
    let answer =
        world.post("/v1/partners", &json!({ "email": "x", "key": "a b", "tags": 7 })).await.expect_error(422);
    assert_eq!(answer.json["errors"].as_object().map(serde_json::Map::len), Some(3), "{answer:?}");

    for body in
        ["{", "nonsense", "\"text\"", "7", "[1]", "{\"email\":\"a@b.example\"", "{\"email\":\"\\ud800\"}"]
    {
        let answer = world.request("POST", "/v1/partners", Some(body.to_owned())).await;
        assert!(matches!(answer.status, 400 | 422), "{body}: {answer:?}");
        assert!(answer.json["message"].is_string(), "{body}: {answer:?}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = world.request("POST", "/v1/partners", Some(format!("{{\"tags\":{deep}}}"))).await;
    assert!(matches!(answer.status, 400 | 422), "{}", answer.status);
    let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    world.request("POST", "/v1/partners", Some(huge)).await.expect_error(413);
    for path in ["/v1/nothing", "/v1/partners/NOBODY", "/v1/customers/nobody", "/v1/transactions/none"] {
        world.get(path).await.expect_error(404);
    }
    let odd = "/v1/partners/%00%0d%0a%F0%9F%A6%80";
    let answer = world.get(odd).await;
    assert!(matches!(answer.status, 400 | 404), "{answer:?}");
    let method = world.request("PATCH", "/v1/partners", None).await;
    assert_eq!(method.status, 405, "{method:?}");
    // After all that, only the harness' own partner is there.
    assert_eq!(world.database.number("SELECT COUNT(*) FROM partner").await, 1);
    assert_eq!(world.database.number("SELECT COUNT(*) FROM sale").await, 0);
    world.finish().await;
}

async fn the_key_is_asked_for_first(engine: Engine) {
    let world = World::started(engine).await;
    let url = |path: &str| format!("{}{path}", world.base());
    let paths = [
        "/v1/test",
        "/v1/partners",
        "/v1/partners/x",
        "/v1/customers",
        "/v1/transactions",
        "/v1/customers:search?key=x",
    ];
    for path in paths {
        let bare =
            crate::support::rest::read(world.http.get(url(path)).send().await.expect("an answer")).await;
        bare.expect_error(401);
        for key in ["wrong", "", &world.api_key[..world.api_key.len() - 1], &format!("{}x", world.api_key)] {
            let answer = world.request_as(key, "GET", path, None).await.expect_error(401);
            assert!(key.len() < 8 || !answer.text.contains(key), "the key is repeated: {answer:?}");
        }
    }
    // Without a key even a bad body is not looked at.
    let answer = world.request_as("wrong", "POST", "/v1/partners", Some("{".to_owned())).await;
    answer.expect_error(401);
    let basic =
        world.http.get(url("/v1/test")).basic_auth(&world.api_key, Some("")).send().await.expect("an answer");
    assert_eq!(basic.status().as_u16(), 401);
    // The mode that a call asks for must be one.
    let request = world.http.get(url("/v1/partners")).bearer_auth(&world.api_key);
    let odd = request.header("Tributary-Mode", "both").send().await.expect("an answer");
    assert_eq!(odd.status().as_u16(), 422);
    let request = world.http.get(url("/v1/customers")).bearer_auth(&world.api_key);
    let live = request.header("Tributary-Mode", "live").send().await.expect("an answer");
    assert_eq!(live.status().as_u16(), 200);
}

async fn archived_is_not_forgotten(engine: Engine) {
    let world = World::connected(engine).await;
    world.customer("u-1", None, "ADA").await;
    created(
        world
            .post("/v1/transactions", &json!({ "customer": { "key": "u-1" }, "key": "pay-1", "amount": 50 }))
            .await,
    );
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 1500)]).await;
    created(world.post("/v1/transactions/pay-1/archive", &json!({})).await);
    world.settled().await;
    world.expect_totals::<&str>(&[]).await;
    created(world.post("/v1/transactions/pay-1/revoke-archive", &json!({})).await);
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 1500)]).await;
    for path in ["/v1/partners/ADA", "/v1/customers/u-1"] {
        let archived = created(world.post(&format!("{path}/archive"), &json!({})).await);
        assert_eq!(archived["status"], "archived", "{archived}");
        let back = created(world.post(&format!("{path}/revoke-archive"), &json!({})).await);
        assert_eq!(back["status"], "active", "{back}");
    }
    world.settled().await;
    world.expect_totals(&[("ADA", "usd", 1500)]).await;
    world.finish().await;
}

/// Each key that a partner has had is a link that still works.
async fn a_partner_has_room_for_so_many_keys(engine: Engine) {
    let world = World::started(engine).await;
    world.partner("K0").await;
    for n in 1..250 {
        let answer = world.put(&format!("/v1/partners/K{}", n - 1), &json!({ "key": format!("K{n}") })).await;
        answer.expect(200);
    }
    let refused = world.put("/v1/partners/K249", &json!({ "key": "K250" })).await.expect_error(422);
    assert!(
        refused.json["errors"]["key"][0].as_str().is_some_and(|words| words.contains("250")),
        "{refused:?}"
    );
    assert_eq!(world.get("/v1/partners/K0").await.expect(200).data()["key"], "K249");
    world.put("/v1/partners/K249", &json!({ "name": "Ann" })).await.expect(200);
}
