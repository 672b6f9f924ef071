//! The forms in which a referral link is given away.

use crate::tracking::link_url;
use crate::ui::text::encode;
use tributary_store::pages::links::Line;
use url::Url;

/// Longest destination, characters.
const LONGEST: usize = 2_000;

/// The two forms of a link.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkUrls {
    /// The destination with the program's parameter.
    pub query: String,
    /// The short form on this server.
    pub short: String,
}

impl LinkUrls {
    /// Of a link of a program.
    #[must_use]
    pub fn of(line: &Line, public_url: &Url, public_id: &str, parameter: &str) -> Self {
        let base = public_url.as_str().trim_end_matches('/');
        let short = match line.slug.as_str() {
            "" => format!("{base}/r/{}/{}", encode(public_id), encode(&line.key)),
            slug => format!("{base}/r/{}", encode(slug)),
        };
        Self { query: link_url(&line.destination, parameter, &line.key), short }
    }
}

/// Reads a destination that a person typed: http or https, with a host, without a password, at most 2,000 characters.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn destination(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().count() > LONGEST {
        return Err(format!("An address has at most {LONGEST} characters."));
    }
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&text).map_err(|_| "This is no address. It begins with https://.".to_owned())?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err("An address begins with https:// or http://.".to_owned());
    }
    if url.host_str().is_none_or(|host| host.is_empty()) {
        return Err("The address has no host.".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("An address must not hold a name or a password.".to_owned());
    }
    Ok(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_web_addresses() {
        assert_eq!(
            destination(" acme.example/pricing?a=1#top ").unwrap(),
            "https://acme.example/pricing?a=1#top"
        );
        assert_eq!(destination("http://localhost:3000").unwrap(), "http://localhost:3000/");
        for odd in [
            "",
            "https://",
            "javascript://x/%0aalert(1)",
            "ftp://a.test",
            "https://u:p@a.test",
            "https://a b",
        ] {
            assert!(destination(odd).is_err(), "{odd}");
        }
        assert!(destination(&format!("https://a.test/{}", "x".repeat(2_000))).is_err());
    }
}
