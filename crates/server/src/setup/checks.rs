//! What may be typed: addresses, names, sites, hosts. Each refusal is a sentence.

use url::Url;

/// Longest name of a program, a company or a person, letters.
pub const NAME_MAX: usize = 100;
/// Longest e-mail address, bytes.
const EMAIL_MAX: usize = 254;
/// Most hosts in one list.
const HOSTS_MAX: usize = 50;

/// An e-mail address in lower case.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn email(text: &str) -> Result<String, String> {
    let text = text.trim().to_lowercase();
    let good = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && !host.is_empty()
            && !host.contains('@')
            && !host.starts_with('.')
            && !host.ends_with('.')
    });
    let plain = text.chars().all(|letter| !letter.is_whitespace() && !letter.is_control());
    if good && plain && text.len() <= EMAIL_MAX {
        return Ok(text);
    }
    Err("This is not an e-mail address, such as ada@example.com.".to_owned())
}

/// A name of 1 to 100 letters, without those that cannot be seen.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let letters = text.chars().count();
    if (1..=NAME_MAX).contains(&letters) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(format!("A name has 1 to {NAME_MAX} letters."))
}

/// The URL of a site; `https://` is put before it where it is missing.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn website(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&whole).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.filter(|url| url.host_str().is_some() && url.username().is_empty() && url.password().is_none())
        .filter(|url| url.as_str().len() <= 2_000)
        .ok_or_else(|| "This is not the URL of a site, such as https://example.com.".to_owned())
}

/// The parameter of referral links: letters, digits, `-` and `_`, at most 32.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn parameter(text: &str) -> Result<String, String> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if plain && (1..=32).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err("A parameter has 1 to 32 letters, digits, - or _, such as aff.".to_owned())
}

/// Hosts, one a line or with commas between: `shop.example.com`, and `*.example.com` where `wild` allows it.
///
/// # Errors
/// The first that is wrong, as a sentence.
pub fn hosts(text: &str, wild: bool) -> Result<Vec<String>, String> {
    let mut hosts: Vec<String> = Vec::new();
    for part in text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty()) {
        let host = host(part, wild)?;
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    if hosts.len() > HOSTS_MAX {
        return Err(format!("There are {} hosts; at most {HOSTS_MAX} are taken.", hosts.len()));
    }
    Ok(hosts)
}

fn host(text: &str, wild: bool) -> Result<String, String> {
    let shown: String = text.chars().take(80).collect();
    let lower = text.to_lowercase();
    let plain = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest).trim_end_matches('/');
    let (star, name) = plain.strip_prefix("*.").map_or((false, plain), |name| (true, name));
    let example = if wild { "shop.example.com or *.example.com" } else { "buy.stripe.com" };
    let wrong = || format!("“{shown}” is not a host, such as {example}.");
    let good = !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte))
        && !name.split(':').next().unwrap_or_default().split('.').any(str::is_empty)
        && (!star || (wild && name.contains('.')));
    let url = Url::parse(&format!("https://{name}/")).ok().filter(|_| good).ok_or_else(wrong)?;
    let parsed = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}{parsed}{port}", if star { "*." } else { "" }))
}

/// A time zone by its IANA name.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn zone(text: &str) -> Result<String, String> {
    let text = text.trim();
    let known = jiff::tz::TimeZone::get(text).is_ok() && text.len() <= 64;
    if known {
        Ok(text.to_owned())
    } else {
        Err("This is not a time zone, such as Europe/Berlin.".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        assert_eq!(email(" Ada@Example.com ").unwrap(), "ada@example.com");
        for bad in ["", "ada", "@x", "a@", "a@b@c", "a b@c.d", "a@.x", "a@b\nc", "a@b\u{0}"] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_site_may_come_without_its_scheme() {
        assert_eq!(website("acme.test/shop").unwrap().as_str(), "https://acme.test/shop");
        for bad in ["", "ftp://x", "https://", "https://u:p@x.test", "javascript:alert(1)"] {
            assert!(website(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_are_taken_apart_and_checked() {
        let some = hosts("Shop.example.com, *.example.com\nhttps://pay.acme.test/ shop.example.com", true);
        assert_eq!(some.unwrap(), ["shop.example.com", "*.example.com", "pay.acme.test"]);
        assert_eq!(hosts("127.0.0.1:8080 localhost", true).unwrap(), ["127.0.0.1:8080", "localhost"]);
        assert!(hosts("", true).unwrap().is_empty());
        for bad in ["*", "*.com", "a b/c", "a.com/path", "<b>", "*.x.com.*", "ex ample..", "a@b.c"] {
            assert!(hosts(bad, true).is_err(), "{bad}");
        }
        assert!(hosts("*.stripe.com", false).is_err());
    }

    #[test]
    fn parameters_and_zones_are_checked() {
        assert_eq!(parameter(" via ").unwrap(), "via");
        for bad in ["", "a b", "ä", "a=b", &"x".repeat(33)] {
            assert!(parameter(bad).is_err(), "{bad}");
        }
        assert_eq!(zone("Europe/Berlin").unwrap(), "Europe/Berlin");
        assert!(zone("Mars/Olympus").is_err());
    }
}
