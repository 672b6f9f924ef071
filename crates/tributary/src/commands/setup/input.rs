//! Checking what was typed before anything is made.

use super::reward;
use crate::cli::{Kind, SetupArgs};
use crate::failure::Failure;
use tributary_domain::money::Currency;
use tributary_domain::terms::Terms;
use url::Url;

/// Longest program name, letters.
const NAME_MAX: usize = 100;
/// Longest e-mail address, bytes.
const EMAIL_MAX: usize = 254;

/// Checked input.
#[derive(Debug)]
pub(super) struct Input {
    /// Lower case.
    pub(super) email: String,
    pub(super) program: String,
    pub(super) kind: Kind,
    pub(super) currency: Currency,
    pub(super) website: Url,
    pub(super) match_email: bool,
    pub(super) terms: Terms,
}

impl Input {
    pub(super) fn read(args: &SetupArgs) -> Result<Self, Failure> {
        let terms = Terms {
            reward: reward::reward(&args.commission)
                .map_err(|e| Failure::usage(format!("--commission: {e}.")))?,
            duration: reward::duration(&args.duration)
                .map_err(|e| Failure::usage(format!("--duration: {e}.")))?,
            hold_days: args.hold_days,
            exclude_shipping: true,
            minimum: None,
            cap: None,
        };
        terms.check().map_err(|e| Failure::usage(format!("The terms: {e}.")))?;
        Ok(Self {
            email: email(&args.email)?,
            program: name(&args.program)?,
            kind: args.kind,
            currency: reward::known(&args.currency)
                .map_err(|e| Failure::usage(format!("--currency: {e}.")))?,
            website: website(&args.website)?,
            match_email: !args.no_match_email,
            terms,
        })
    }

    /// The site's host, without `www.`.
    pub(super) fn workspace_name(&self) -> String {
        let host = self.website.host_str().unwrap_or("workspace");
        host.strip_prefix("www.").unwrap_or(host).to_owned()
    }
}

fn email(text: &str) -> Result<String, Failure> {
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
    Err(Failure::usage("--email: this is not an e-mail address, such as ada@example.com."))
}

fn name(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    let letters = text.chars().count();
    if (1..=NAME_MAX).contains(&letters) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Failure::usage(format!("--program: a name has 1 to {NAME_MAX} letters.")))
}

fn website(text: &str) -> Result<Url, Failure> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&whole).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.filter(|url| url.host_str().is_some() && url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| {
            Failure::usage("--website: this is not the URL of a site, such as https://example.com.")
        })
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
}
