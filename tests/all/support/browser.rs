//! A browser as far as forms need one: cookies, form tokens, no scripts.

use super::World;
use std::collections::BTreeMap;

/// A page or an answer without one.
#[derive(Debug)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Where it leads, or empty.
    pub location: String,
    /// The text.
    pub body: String,
}

impl Page {
    /// The token of the page's forms.
    pub fn token(&self) -> String {
        let after = self.body.split("name=\"form_token\" value=\"").nth(1);
        after.and_then(|text| text.split('"').next()).unwrap_or_default().to_owned()
    }
}

/// Cookies by name.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// What the server set.
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    fn header(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let answer = request.header("cookie", self.header()).send().await.expect("an answer");
        for value in answer.headers().get_all("set-cookie") {
            let text = value.to_str().expect("text");
            let (name, rest) = text.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = answer.headers().get("location").map(|l| l.to_str().expect("text").to_owned());
        Page {
            status: answer.status().as_u16(),
            location: location.unwrap_or_default(),
            body: answer.text().await.expect("text"),
        }
    }

    /// Opens a page; redirects are not followed.
    pub async fn get(&mut self, world: &World, path: &str) -> Page {
        self.send(world.http.get(format!("{}{path}", world.base()))).await
    }

    /// Sends a form as a page of the server does.
    pub async fn post(&mut self, world: &World, path: &str, form: &[(&str, &str)]) -> Page {
        self.post_from(world, path, form, &[("sec-fetch-site", "same-origin")]).await
    }

    /// Sends a form with headers of one's own.
    pub async fn post_from(
        &mut self,
        world: &World,
        path: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Page {
        let body: Vec<_> = form.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mut request = world
            .http
            .post(format!("{}{path}", world.base()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// Logs in.
    pub async fn log_in(world: &World, email: &str, password: &str) -> Self {
        let mut browser = Self::default();
        let answer =
            browser.post(world, "/login", &[("email", email), ("password", password), ("next", "/")]).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        browser
    }
}

/// Percent-encodes a form's value.
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}
