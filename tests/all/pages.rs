//! The merchant's pages on both databases: what they show of real sales, what their forms change, and that nothing
//! that somebody typed becomes markup.

use crate::support::{Engine, World, both_engines};
use serde_json::json;

both_engines!(
    every_page_shows_what_happened,
    partners_are_added_changed_and_suspended_by_forms,
    links_are_added_and_archived_by_forms,
    lists_are_narrowed_and_exported,
    hostile_names_stay_text,
    a_nul_finds_nothing_and_breaks_nothing,
);

/// Somebody who is logged in.
struct Person<'w> {
    world: &'w World,
    cookies: String,
}

/// Status, `Location`, `Content-Disposition`, body.
type Seen = (u16, String, String, String);

async fn read(response: reqwest::Response) -> Seen {
    let header = |name: &str| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (status, location, disposition) =
        (response.status().as_u16(), header("location"), header("content-disposition"));
    (status, location, disposition, response.text().await.unwrap())
}

fn url_encoded(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect()
    };
    pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

impl<'w> Person<'w> {
    async fn log_in(world: &'w World) -> Self {
        use crate::support::world::{EMAIL, PASSWORD};
        let body = url_encoded(&[("email", EMAIL), ("password", PASSWORD), ("next", "/")]);
        let request = world
            .http
            .post(format!("{}/login", world.base()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 303);
        let all = response.headers().get_all("set-cookie").iter();
        let cookies = all.map(|value| value.to_str().unwrap().split(';').next().unwrap().to_owned());
        Self { world, cookies: cookies.collect::<Vec<_>>().join("; ") }
    }

    fn at(&self, path: &str) -> String {
        format!("{}/p/{}{path}", self.world.base(), self.world.program)
    }

    async fn get(&self, path: &str) -> Seen {
        read(self.world.http.get(self.at(path)).header("cookie", &self.cookies).send().await.unwrap()).await
    }

    /// A page that must be there.
    async fn page(&self, path: &str) -> String {
        let (status, _, _, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        assert_eq!(body.matches("<h1").count(), 1, "{path}");
        body
    }

    async fn post(&self, from: &str, path: &str, pairs: &[(&str, &str)]) -> Seen {
        let page = self.page(from).await;
        let token =
            page.split("name=\"form_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let mut all = vec![("form_token", token.as_str())];
        all.extend_from_slice(pairs);
        let request = self
            .world
            .http
            .post(self.at(path))
            .header("cookie", &self.cookies)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(url_encoded(&all));
        read(request.send().await.unwrap()).await
    }
}

/// A partner, a customer of it, and a sale of $100.00 with half of it given back.
async fn sold(engine: Engine) -> World {
    let world = World::started(engine).await;
    let partner =
        json!({ "email": "ada@partners.example", "name": "Ada", "surname": "Lovelace", "key": "ada" });
    world.post("/v1/partners", &partner).await.expect(201);
    let customer = json!({ "key": "user-1", "email": "dana@buyers.example", "partner": { "key": "ada" } });
    world.post("/v1/customers", &customer).await.expect(201);
    let sale = json!({ "key": "pay-1", "amount": 100, "action": "sale", "customer": { "key": "user-1" } });
    let made = world.post("/v1/transactions", &sale).await;
    assert!(matches!(made.status, 200 | 201), "{made:?}");
    crate::support::eventually("the sale is settled", std::time::Duration::from_secs(20), || async {
        let earned = world.database.number("SELECT COUNT(*) FROM commission WHERE target = 3000").await;
        (earned == 1).then_some(())
    })
    .await;
    world
}

async fn every_page_shows_what_happened(engine: Engine) {
    let world = sold(engine).await;
    let person = Person::log_in(&world).await;
    let overview = person.page("").await;
    for words in ["Ada Lovelace", "$30.00", "dana@buyers.example", "Nothing waits", "Stripe is not connected"]
    {
        let there = overview.contains(words);
        assert_eq!(there, words != "Nothing waits", "{words}");
    }
    for path in ["?range=7d", "?range=90d&chart=visits", "?range=12m", "?from=2026-01-01&to=2026-02-01"] {
        person.page(path).await;
    }
    assert!(person.page("?from=x").await.contains("A date is written"));
    let partners = person.page("/partners").await;
    assert!(partners.contains("Ada Lovelace") && partners.contains("$30.00"), "{partners}");
    for sort in ["oldest", "name", "name-down", "revenue", "revenue-up", "earned", "earned-up"] {
        assert!(
            person.page(&format!("/partners?sort={sort}&page=1")).await.contains("Ada Lovelace"),
            "{sort}"
        );
    }
    assert!(person.page("/partners?state=suspended").await.contains("No partner is in this state"));
    assert!(person.page("/partners?q=love").await.contains("Ada Lovelace"));
    assert!(person.page("/partners?page=99").await.contains("Show all partners"));
    let found = person.get("/search?q=ada@partners.example").await;
    assert_eq!(found.0, 303, "a whole address leads to its partner");
    let partner = found.1.split_once(&world.program).unwrap().1.to_owned();
    assert!(person.page(&partner).await.contains("dana@buyers.example"));
    for (tab, words) in [("commissions", "$30.00"), ("links", "/r/"), ("terms", "30"), ("timeline", "Joined")]
    {
        assert!(person.page(&format!("{partner}?tab={tab}")).await.contains(words), "{tab}");
    }
    let found = person.get("/search?q=user-1").await;
    let customer = found.1.split_once(&world.program).unwrap().1.to_owned();
    let shown = person.page(&customer).await;
    assert!(shown.contains("Ada Lovelace") && shown.contains("$100.00"), "{shown}");
    assert!(person.page("/customers?state=referred").await.contains("dana@buyers.example"));
    assert!(person.page("/customers?state=nobody").await.contains("No customer is left"));
    assert!(person.page("/links").await.contains("/r/"));
    assert!(person.page("/search?q=lovelace").await.contains("Partners"));
    assert!(person.page("/search?q=%25_%5C").await.contains("Nothing was found"));
    let (status, _, _, _) =
        person.post(&customer, &format!("{customer}/archive"), &[("archived", "true")]).await;
    assert_eq!(status, 303);
    assert!(person.page("/customers?state=archived").await.contains("dana@buyers.example"));
    for path in ["/partners/ptr_nobody", "/customers/ctm_nobody", "/partners/ptr_nobody/edit"] {
        assert_eq!(person.get(path).await.0, 404, "{path}");
    }
}

async fn partners_are_added_changed_and_suspended_by_forms(engine: Engine) {
    let world = World::started(engine).await;
    let person = Person::log_in(&world).await;
    assert!(person.page("/partners").await.contains("No partners yet"));
    let (from, to) = ("/partners/new", "/partners");
    let wrong = person.post(from, to, &[("name", "Ada"), ("email", "nonsense"), ("key", "a b")]).await;
    assert_eq!(wrong.0, 422);
    assert!(wrong.3.contains("must be an e-mail address") && wrong.3.contains("only letters"), "{}", wrong.3);
    assert!(
        wrong.3.contains("value=\"nonsense\"") && wrong.3.contains("value=\"Ada\""),
        "what was typed is kept"
    );
    let added = person.post(from, to, &[("name", "Ada"), ("email", "ada@p.example"), ("key", "ada")]).await;
    assert_eq!(added.0, 303, "{}", added.3);
    let partner = added.1.split_once(&world.program).unwrap().1.to_owned();
    let again = person.post(from, to, &[("email", "ada@p.example"), ("key", "ada")]).await;
    assert_eq!(again.0, 422);
    assert_eq!(again.3.matches("has already been taken").count(), 2, "{}", again.3);

    let edit = format!("{partner}/edit");
    let empty = person.post(&edit, &edit, &[("name", ""), ("email", ""), ("key", "ada")]).await;
    assert_eq!(empty.0, 422);
    let pairs = [("name", "Augusta"), ("surname", "King"), ("email", "ada@p.example"), ("key", "augusta")];
    assert_eq!(person.post(&edit, &edit, &pairs).await.0, 303);
    let links = person.page(&format!("{partner}?tab=links")).await;
    assert!(links.contains("aff=ada") && links.contains("aff=augusta"), "the old link keeps working");

    let status = format!("{partner}/status");
    for (wish, shown) in
        [("suspended", "Suspended"), ("active", "Active"), ("archived", "Archived"), ("active", "Active")]
    {
        assert_eq!(person.post(&partner, &status, &[("status", wish)]).await.0, 303, "{wish}");
        assert!(person.page(&partner).await.contains(shown), "{wish}");
    }
    let versions = world.database.number("SELECT COUNT(*) FROM partner_status").await;
    assert!(versions >= 4, "each change is dated: {versions}");
    assert_eq!(person.post(&partner, &status, &[("status", "deleted")]).await.0, 403);
}

async fn links_are_added_and_archived_by_forms(engine: Engine) {
    let world = sold(engine).await;
    let person = Person::log_in(&world).await;
    let (from, to) = ("/links/new", "/links");
    for (partner, destination, key) in [
        ("nobody", "https://shop.example/a", ""),
        ("ada", "javascript:alert(1)", ""),
        ("ada", "https://user:pass@shop.example", ""),
        ("ada", "https://shop.example/a", "a b"),
        ("ada", "https://shop.example/a", "ada"),
        ("", "", ""),
    ] {
        let pairs = [("partner", partner), ("destination", destination), ("key", key)];
        let answer = person.post(from, to, &pairs).await;
        assert_eq!(answer.0, 422, "{pairs:?}");
        assert!(answer.3.contains("aria-invalid"), "{pairs:?}");
    }
    assert_eq!(world.database.number("SELECT COUNT(*) FROM referral_link").await, 1);
    let pairs = [("partner", "ada"), ("destination", "https://shop.example/pricing?x=1"), ("key", "spring")];
    assert_eq!(person.post(from, to, &pairs).await.0, 303);
    let list = person.page("/links").await;
    assert!(list.contains("https://shop.example/pricing?x=1&#38;aff=spring"), "{list}");
    let link = world.database.text("SELECT link_id FROM referral_link WHERE key = 'spring'").await;
    let archive = format!("/links/{link}/archive");
    assert_eq!(person.post(to, &archive, &[("archived", "true")]).await.0, 303);
    assert!(!person.page("/links").await.contains("aff=spring"));
    assert!(person.page("/links?state=archived").await.contains("aff=spring"));
    let own = world.database.text("SELECT link_id FROM referral_link WHERE key = 'ada'").await;
    let refused = person.post(to, &format!("/links/{own}/archive"), &[("archived", "true")]).await;
    assert_eq!(refused.0, 403, "a default link cannot be archived");
}

async fn lists_are_narrowed_and_exported(engine: Engine) {
    let world = sold(engine).await;
    let person = Person::log_in(&world).await;
    let key = world.database.text("SELECT root_id FROM sale").await;
    for query in ["?partner=ada", "?partner=ada@partners.example", "?currency=usd", "?state=earning&q=dana"] {
        assert!(person.page(&format!("/transactions{query}")).await.contains("$30.00"), "{query}");
    }
    for query in ["?partner=nobody", "?currency=eur", "?from=2020-01-01&to=2020-01-02", "?state=refunded"] {
        let page = person.page(&format!("/transactions{query}")).await;
        assert!(page.contains("No transaction is left") && !page.contains("$30.00"), "{query}");
        let (_, _, _, csv) = person.get(&format!("/transactions.csv{query}")).await;
        assert_eq!(csv.lines().count(), 1, "{query}: {csv}");
    }
    let (status, _, disposition, csv) = person.get("/transactions.csv?partner=ada").await;
    assert_eq!(status, 200);
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let line = csv.lines().nth(1).unwrap();
    assert!(
        line.contains(&key) && line.contains(",USD,100.00,0.00,0.00,0.00,ada,Ada Lovelace,30.00,USD"),
        "{csv}"
    );
    let foreign = world.http.get(format!("{}/p/AAAAAAAA/transactions.csv", world.base()));
    let foreign = read(foreign.header("cookie", &person.cookies).send().await.unwrap()).await;
    assert_eq!(foreign.0, 404);
}

async fn a_nul_finds_nothing_and_breaks_nothing(engine: Engine) {
    let world = World::started(engine).await;
    world.partner("ADA").await;
    let partner = world.database.text("SELECT partner_id FROM partner").await;
    let person = Person::log_in(&world).await;
    for path in [
        "/customers?q=%00",
        "/customers?partner=%00",
        "/links?q=a%00b",
        "/partners?q=%00",
        "/transactions?q=%00",
        "/search?q=%00",
        "/settings/audit?q=%00",
        "/settings/audit.csv?q=%00",
    ] {
        let (status, _, _, body) = person.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    for path in [
        "/customers/%00",
        "/customers/%00/erase",
        "/partners/%00",
        "/partners/%00/edit",
        "/transactions/%00",
        "/transactions/%00/decide",
    ] {
        let (status, _, _, body) = person.get(path).await;
        assert_eq!(status, 404, "{path}: {body}");
    }
    let pairs = [("name", "A\0B"), ("surname", "\0"), ("email", "nul@p.example"), ("key", "a\0b")];
    for (from, to) in [("/partners/new", "/partners"), ("/links", "/links")] {
        let (status, _, _, body) = person.post(from, to, &pairs).await;
        assert!(status < 500, "{to}: {status} {body}");
    }
    let (status, _, _, body) =
        person.post("/partners/new", &format!("/partners/{partner}/edit"), &pairs).await;
    assert!(status < 500, "{status} {body}");
}

async fn hostile_names_stay_text(engine: Engine) {
    let world = World::started(engine).await;
    let person = Person::log_in(&world).await;
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "{{7*7}}</title><svg onload=alert(1)>",
        "' onfocus='alert(1)' autofocus='",
    ];
    for (n, name) in hostile.iter().enumerate() {
        let email = format!("p{n}@p.example");
        let key = format!("p{n}");
        let pairs = [("name", *name), ("surname", *name), ("email", email.as_str()), ("key", key.as_str())];
        assert_eq!(person.post("/partners/new", "/partners", &pairs).await.0, 303, "{name}");
        let customer = json!({ "key": format!("c{n}{name}"), "name": name, "partner": { "key": key } });
        world.post("/v1/customers", &customer).await.expect(201);
    }
    let mut paths: Vec<String> = ["", "/partners", "/customers", "/links", "/transactions", "/partners/new"]
        .map(str::to_owned)
        .to_vec();
    for table in ["partner", "customer"] {
        for id in world.database.column(&format!("SELECT {table}_id FROM {table}")).await {
            paths.push(format!("/{table}s/{id}"));
            if table == "partner" {
                paths.extend(["edit".to_owned()].map(|page| format!("/partners/{id}/{page}")));
                paths.extend(["links", "timeline"].map(|tab| format!("/partners/{id}?tab={tab}")));
            }
        }
    }
    for text in hostile {
        let encoded = url_encoded(&[("q", text)]);
        for list in ["search", "partners", "customers", "links", "transactions"] {
            paths.push(format!("/{list}?{encoded}"));
        }
    }
    for path in paths {
        let page = person.page(&path).await;
        for bad in
            ["<script>alert", "<img src=x", "<svg onload", "' onfocus='", "\" onfocus=", "</title><svg"]
        {
            assert!(!page.contains(bad), "{path} holds {bad}");
        }
    }
}
