//! The snippet that the shop's owner pastes for the head of every page, and the content security policy that allows
//! exactly what it names.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Letters of a snippet.
const MAX_SNIPPET: usize = 10_000;

/// A snippet that can go into a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// As pasted; empty for none.
    pub html: String,
    /// Origins of the scripts that it loads, each once.
    pub origins: Vec<String>,
    /// Hashes of the scripts that stand in it, as a policy names them.
    pub hashes: Vec<String>,
}

impl Head {
    /// Reads a pasted snippet; nothing at all is fine and means no script.
    ///
    /// # Errors
    /// A sentence for the person who pasted it.
    pub fn read(pasted: &str) -> Result<Self, String> {
        let html = pasted.trim().to_owned();
        if html.chars().count() > MAX_SNIPPET {
            return Err(format!("A snippet has at most {MAX_SNIPPET} letters."));
        }
        let mut head = Self { html: html.clone(), ..Self::default() };
        let mut rest = html.as_str();
        while let Some(start) = find(rest, "<script") {
            let tag = rest.get(start..).unwrap_or_default();
            let unended = || "A <script> in the snippet has no end. Copy the snippet whole.".to_owned();
            let open = tag.find('>').ok_or_else(unended)?;
            let inside = tag.get(open + 1..).unwrap_or_default();
            let end = find(inside, "</script>").ok_or_else(unended)?;
            let body = inside.get(..end).unwrap_or_default();
            match attribute(tag.get(..open).unwrap_or_default(), "src") {
                Some(src) => head.allow(&src)?,
                None => head.hashes.push(format!("'sha256-{}'", STANDARD.encode(Sha256::digest(body)))),
            }
            rest = inside.get(end + "</script>".len()..).unwrap_or_default();
        }
        if !html.is_empty() && head.origins.is_empty() && head.hashes.is_empty() {
            return Err("There is no <script> in the snippet.".to_owned());
        }
        Ok(head)
    }

    fn allow(&mut self, src: &str) -> Result<(), String> {
        let url = url::Url::parse(src).map_err(|_| {
            format!("The script's address {src} is not a whole URL such as https://example.com/a.js.")
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("The script's address {src} has to begin with http:// or https://."));
        }
        let origin = url.origin().ascii_serialization();
        if !origin.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:/[]".contains(&b)) {
            return Err(format!("The script's address {src} has an odd host."));
        }
        if !self.origins.contains(&origin) {
            self.origins.push(origin);
        }
        Ok(())
    }

    /// The policy of the shop's pages: its own files, the pay host's, and what the snippet names.
    pub fn policy(&self, pay: &str, app: &str, shop: &str) -> String {
        let scripts = self.origins.join(" ");
        let hashes = self.hashes.join(" ");
        format!(
            "default-src 'none'; script-src 'self' {pay} {scripts} {hashes}; connect-src {pay} {scripts}; \
             style-src 'self'; img-src 'self' data:; form-action 'self' {shop} {app} {pay}; base-uri 'none'; \
             frame-ancestors 'none'"
        )
    }
}

/// Where an ASCII word begins, whatever its case.
fn find(text: &str, word: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(word)
}

/// The value of an attribute of an opening tag, quoted or not.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut from = 0;
    while let Some(found) = find(tag.get(from..)?, name) {
        let at = from + found;
        let before = tag.get(..at)?.chars().next_back()?;
        let after = tag.get(at + name.len()..)?.trim_start();
        from = at + name.len();
        let Some(value) = after.strip_prefix('=').filter(|_| before.is_whitespace()) else { continue };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|q| matches!(q, '"' | '\''));
        let value = match quote {
            Some(quote) => value.get(1..)?.split(quote).next()?,
            None => value.split(|c: char| c.is_whitespace() || c == '>').next()?,
        };
        return Some(value.replace("&amp;", "&"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_names_its_hosts_and_its_own_scripts() {
        let head = Head::read(
            "<script>window.a=1</script>\n<SCRIPT async src='http://tributary.test:81/t/ABCDEFGH.js'></SCRIPT>",
        )
        .unwrap();
        assert_eq!(head.origins, ["http://tributary.test:81"]);
        assert_eq!(head.hashes, [format!("'sha256-{}'", STANDARD.encode(Sha256::digest("window.a=1")))]);
        let policy = head.policy("http://pay.test", "http://app.shop.test", "http://shop.test");
        assert!(policy.contains("script-src 'self' http://pay.test http://tributary.test:81 'sha256-"));
        assert!(!policy.contains("unsafe"));
    }

    #[test]
    fn what_cannot_work_is_said() {
        for (snippet, word) in [
            ("hello", "no <script>"),
            ("<script src=/t/A.js></script>", "not a whole URL"),
            ("<script src='javascript:alert(1)'></script>", "http://"),
            ("<script async src=\"http://a.test/a.js\">", "no end"),
        ] {
            assert!(Head::read(snippet).unwrap_err().contains(word), "{snippet}");
        }
        assert_eq!(Head::read("  ").unwrap(), Head::default());
        let odd = Head::read("<script data-src=\"http://b.test/\" src=http://a.test/a.js></script>").unwrap();
        assert_eq!(odd.origins, ["http://a.test"]);
        for bad in ["http://a.test; script-src *", "http://a;b.test/x.js"] {
            assert!(Head::read(&format!("<script src='{bad}'></script>")).is_err(), "{bad}");
        }
    }
}
