//! The texts that a merchant takes to the site: script, calls, links.

use url::Url;

/// The script tag of a program.
#[must_use]
pub fn script_tag(public_url: &Url, public_id: &str) -> String {
    let base = public_url.as_str().trim_end_matches('/');
    format!("<script async src=\"{base}/t/{public_id}.js\"></script>")
}

/// A referral link: the destination with the program's parameter.
#[must_use]
pub fn link_url(destination: &str, parameter: &str, key: &str) -> String {
    match Url::parse(destination) {
        Ok(mut url) => {
            url.query_pairs_mut().append_pair(parameter, key);
            url.into()
        }
        Err(_) => format!("{destination}?{parameter}={key}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_the_program() {
        let tag = script_tag(&"https://go.acme.test/".parse().unwrap(), "ABCD2345");
        assert_eq!(tag, "<script async src=\"https://go.acme.test/t/ABCD2345.js\"></script>");
    }

    #[test]
    fn the_key_goes_behind_what_is_there() {
        for (destination, parameter, url) in [
            ("https://a.test/x?b=1#c", "aff", "https://a.test/x?b=1&aff=ma-ya_1#c"),
            ("https://a.test", "via", "https://a.test/?via=ma-ya_1"),
        ] {
            assert_eq!(link_url(destination, parameter, "ma-ya_1"), url);
        }
    }
}
