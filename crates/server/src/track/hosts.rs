//! Which hosts belong to a program, and where its links may lead.

use url::{Host, Url};

/// A pattern of hosts: exact, or every name below one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// Lower case, without a dot at the end; an IPv6 address in brackets.
    host: String,
    /// Does it cover what is below `host`, too?
    below: bool,
    /// Does it cover `host` itself?
    itself: bool,
    /// The port, where it is not the scheme's own.
    port: Option<u16>,
}

/// The hosts of one program: its website's and those that it lists.
#[derive(Debug, Clone)]
pub struct Hosts {
    patterns: Vec<Pattern>,
    home: Url,
}

/// Why a text cannot be a link's destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// No URL.
    #[error("A destination is a whole address, such as https://shop.example/pricing.")]
    NoUrl,
    /// Another scheme.
    #[error("A destination starts with https://.")]
    Scheme,
    /// A name or password before the host.
    #[error("A destination has no name or password before its host.")]
    UserInfo,
    /// A host of others.
    #[error("A destination is on the website's host, or on a host that the program's settings list.")]
    Host,
    /// Beyond 2,048 bytes.
    #[error("A destination has at most 2,048 characters.")]
    TooLong,
}

/// The longest destination, bytes.
pub const TARGET_MAX: usize = 2_048;

impl Hosts {
    /// Reads a program's website and its JSON list of hosts. `None` where the website is no http or https URL.
    #[must_use]
    pub fn read(website: &str, listed: &str) -> Option<Self> {
        let listed: Vec<String> = serde_json::from_str(listed).unwrap_or_default();
        Self::new(website, &listed)
    }

    /// Puts a program's website and its other hosts together. `None` where the website is no http or https URL.
    #[must_use]
    pub fn new(website: &str, listed: &[String]) -> Option<Self> {
        let home = Url::parse(website).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let own = name_of(&home)?;
        // What is below a registrable name is the same company's; an address or a bare name has nothing below.
        let named =
            matches!(home.host(), Some(Host::Domain(name)) if name.trim_end_matches('.').contains('.'));
        let base = own.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(&own).to_owned();
        let mut patterns = vec![Pattern { host: base, below: named, itself: true, port: home.port() }];
        patterns.extend(listed.iter().filter_map(|text| pattern(text)));
        Some(Self { patterns, home })
    }

    /// The program's website.
    #[must_use]
    pub const fn home(&self) -> &Url {
        &self.home
    }

    /// May the script of this program work on the page at this URL, or send from this origin?
    #[must_use]
    pub fn owns(&self, page: &str) -> bool {
        let url = Url::parse(page).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let name = url.as_ref().and_then(name_of);
        name.is_some_and(|name| self.patterns.iter().any(|pattern| pattern.covers(&name)))
    }

    /// Reads the destination of a link.
    ///
    /// # Errors
    /// Why it cannot be one.
    pub fn target(&self, text: &str) -> Result<Url, BadTarget> {
        if text.len() > TARGET_MAX {
            return Err(BadTarget::TooLong);
        }
        let url = Url::parse(text).map_err(|_| BadTarget::NoUrl)?;
        self.check(url)
    }

    /// Reads a deep link given in a request: a whole address, or one that starts at the website's root.
    ///
    /// # Errors
    /// Why it cannot be one.
    pub fn deep(&self, text: &str) -> Result<Url, BadTarget> {
        if text.len() > TARGET_MAX {
            return Err(BadTarget::TooLong);
        }
        // Browsers read past these; nobody who means well writes them.
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err(BadTarget::NoUrl);
        }
        let url = self.home.join(text).map_err(|_| BadTarget::NoUrl)?;
        self.check(url)
    }

    fn check(&self, url: Url) -> Result<Url, BadTarget> {
        let scheme = url.scheme();
        if scheme != "https" && !(scheme == "http" && self.home.scheme() == "http") {
            return Err(BadTarget::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadTarget::UserInfo);
        }
        let name = name_of(&url).filter(|_| !url.host_str().is_some_and(|host| host.ends_with('.')));
        let name = name.ok_or(BadTarget::Host)?;
        let fits =
            |pattern: &Pattern| pattern.covers(&name) && (url.port().is_none() || url.port() == pattern.port);
        if self.patterns.iter().any(fits) { Ok(url) } else { Err(BadTarget::Host) }
    }
}

impl Pattern {
    fn covers(&self, name: &str) -> bool {
        if self.itself && name == self.host {
            return true;
        }
        self.below
            && name.strip_suffix(self.host.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    }
}

/// A URL's host, lower case, without a dot at the end.
fn name_of(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.');
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// Reads `shop.example.com`, `*.example.com` or `localhost:3000`. A star alone, or before a bare name, is none.
fn pattern(text: &str) -> Option<Pattern> {
    let text = text.trim();
    let (rest, star) = text.strip_prefix("*.").map_or((text, false), |rest| (rest, true));
    if rest.is_empty() || rest.contains(['/', '@', '*', '\\', '?', '#']) {
        return None;
    }
    let url = Url::parse(&format!("https://{rest}/")).ok()?;
    let host = name_of(&url)?;
    // The names that stand in the script: letters, digits and a few signs.
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte)) {
        return None;
    }
    if star && !(matches!(url.host(), Some(Host::Domain(_))) && host.contains('.')) {
        return None;
    }
    Some(Pattern { host, below: star, itself: !star, port: url.port() })
}

/// The payment hosts as the source of a regular expression over a link's `host` (name and port). `None`: there are
/// none.
#[must_use]
pub fn payment_pattern(listed: &str) -> Option<String> {
    let listed: Vec<String> = serde_json::from_str(listed).unwrap_or_default();
    let (mut free, mut fixed) = (Vec::new(), Vec::new());
    for pattern in listed.iter().filter_map(|text| pattern(text)) {
        let escaped = escape(&pattern.host);
        let name = if pattern.below { format!(r"[^/]+\.{escaped}") } else { escaped };
        match pattern.port {
            Some(port) => fixed.push(format!("{name}:{port}")),
            None => free.push(name),
        }
    }
    let mut parts = Vec::new();
    if !free.is_empty() {
        parts.push(format!(r"(?:{})(?::\d+)?", free.join("|")));
    }
    parts.append(&mut fixed);
    (!parts.is_empty())
        .then(|| if parts.len() == 1 { parts.concat() } else { format!("(?:{})", parts.join("|")) })
}

/// A host in a regular expression: only these signs stand in one.
fn escape(host: &str) -> String {
    let mut out = String::with_capacity(host.len() + 8);
    for c in host.chars() {
        if !(c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == ':') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(website: &str, listed: &[&str]) -> Hosts {
        let listed: Vec<String> = listed.iter().map(|text| (*text).to_owned()).collect();
        Hosts::new(website, &listed).unwrap()
    }

    #[test]
    fn a_website_covers_itself_and_what_is_below_it() {
        let acme = hosts(
            "https://www.acme.example/start",
            &["*.acme-shop.example", "other.example", "*", "*.example", ""],
        );
        for good in [
            "https://acme.example/",
            "https://www.acme.example/x",
            "https://a.b.acme.example",
            "https://x.acme-shop.example",
            "https://other.example:443/",
        ] {
            assert!(acme.target(good).is_ok(), "{good}");
        }
        for bad in [
            "https://evilacme.example",
            "https://acme.example.evil.example",
            "https://acme-shop.example",
            "https://sub.other.example",
            "http://acme.example",
            "https://acme.example:8443",
            "https://u@acme.example",
            "//acme.example",
            "javascript:alert(1)",
            "",
        ] {
            assert!(acme.target(bad).is_err(), "{bad}");
        }
        let local = hosts("http://localhost:3000", &["127.0.0.1:9000"]);
        assert!(local.target("http://localhost:3000/x").is_ok());
        assert!(local.target("http://127.0.0.1:9000/x").is_ok());
        assert!(local.target("http://127.0.0.1:9001/x").is_err());
        assert!(local.target("http://a.localhost:3000/x").is_err());
        assert!(local.owns("http://localhost:3000") && !local.owns("null"));
    }

    #[test]
    fn a_deep_link_stays_at_home() {
        let acme = hosts("https://acme.example/start", &[]);
        assert_eq!(acme.deep("/pricing?x=1").unwrap().as_str(), "https://acme.example/pricing?x=1");
        // Relative by the rules that browsers follow: a path of the website.
        assert_eq!(acme.deep("https:evil.example").unwrap().as_str(), "https://acme.example/evil.example");
        let bad = [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "http://acme.example/",
        ];
        for bad in bad {
            assert!(acme.deep(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn payment_hosts_become_one_pattern() {
        assert_eq!(payment_pattern(r#"["buy.stripe.com"]"#).unwrap(), r"(?:buy\.stripe\.com)(?::\d+)?");
        assert_eq!(
            payment_pattern(r#"["*.pay.example","127.0.0.1:99"]"#).unwrap(),
            r"(?:(?:[^/]+\.pay\.example)(?::\d+)?|127\.0\.0\.1:99)"
        );
        assert_eq!(payment_pattern("[]"), None);
        assert_eq!(payment_pattern(r#"["a/b", "x\"y"]"#), None);
    }
}
