//! What arrives and is no person: programs by what they say of themselves, and pages loaded for nobody.

use axum::http::{HeaderMap, Method, header};
use tributary_store::track::visits::Kind;

/// Parts of the names by which crawlers, link previews, uptime checks, libraries and headless browsers go, lower case.
const TOKENS: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "slurp",
    "scan",
    "fetch",
    "preview",
    "monitor",
    "uptime",
    "pingdom",
    "statuscake",
    "curl/",
    "wget",
    "python",
    "java/",
    "okhttp",
    "go-http",
    "libwww",
    "httpclient",
    "http_client",
    "http-client",
    "axios",
    "node",
    "undici",
    "got (",
    "ruby",
    "perl",
    "php",
    "guzzle",
    "headless",
    "phantomjs",
    "puppeteer",
    "playwright",
    "selenium",
    "lighthouse",
    "pagespeed",
    "gtmetrix",
    "validator",
    "checker",
    "archive",
    "feed",
    "reader",
    "rss",
    "facebookexternalhit",
    "facebookcatalog",
    "meta-external",
    "embedly",
    "quora link",
    "pinterest/0",
    "vkshare",
    "outbrain",
    "flipboardproxy",
    "bitly",
    "nuzzel",
    "qwantify",
    "mediapartners",
    "adsbot",
    "apis-google",
    "google-",
    "googleother",
    "bingpreview",
    "yandex",
    "baidu",
    "duckduck",
    "sogou",
    "exabot",
    "ia_archiver",
    "ahrefs",
    "semrush",
    "mj12",
    "dotbot",
    "petal",
    "bytespider",
    "gptbot",
    "chatgpt",
    "claude",
    "anthropic",
    "perplexity",
    "ccbot",
    "cohere",
    "dataforseo",
    "censys",
    "zgrab",
    "masscan",
    "nmap",
    "nikto",
    "sqlmap",
    "nessus",
    "qualys",
    "burp",
    "postman",
    "insomnia",
    "apache-",
    "cfnetwork",
    "dalvik",
    "winhttp",
    "w3c",
    "wordpress",
    "drupal",
    "proofpoint",
    "mimecast",
    "barracuda",
    "urlscan",
    "virustotal",
    "safelinks",
    "whatweb",
    "wpscan",
    "heritrix",
    "scrapy",
    "colly",
    "aiohttp",
    "httpx",
    "reqwest",
    "hyper/",
    "superagent",
    "mechanize",
    "nutch",
    "screaming frog",
    "sitebulb",
    "newrelic",
    "datadog",
    "site24x7",
    "kube-probe",
    "elb-health",
    "healthcheck",
    "prometheus",
    "blackbox",
    "nagios",
    "zabbix",
];

/// Words of agents that otherwise write themselves like a browser, lower case.
const DISGUISED: &[&str] = &[
    "ptst/",
    "google favicon",
    "google-safety",
    "webpagetest",
    "dareboost",
    "datanyze",
    "ips-agent",
    "hardenize",
    "collapsify",
    "checkly",
    "brandverity",
    "cookiehub",
    "-agent",
    "optimizer",
    "verify/",
    "scraper",
    "synthetic",
    "manus-user",
    "deep-research",
    "newsai",
    "survey",
    "appinsights",
    "linkcheck",
    "siteimprove",
];

/// How browsers begin to speak of themselves; phones of old did not say Mozilla.
const BROWSERS: &[&str] = &[
    "mozilla/",
    "opera/",
    "opera ",
    "blackberry",
    "nokia",
    "sonyericsson",
    "samsung-",
    "lg-",
    "mot-",
    "docomo/",
    "kddi-",
    "ucweb",
    "j-phone",
    "softbank",
    "vodafone",
    "dooble/",
    "lynx/",
    "w3m/",
    "links (",
    "elinks/",
];

/// Phones whose names hold one of the parts.
const PEOPLE: &[&str] = &["cubot"];

/// Is it a program by its own words? One that says nothing is one.
#[must_use]
pub fn is_bot(user_agent: &str) -> bool {
    if user_agent.len() < 12 {
        return true;
    }
    let mut text = user_agent.to_ascii_lowercase();
    for name in PEOPLE {
        text = text.replace(name, "");
    }
    let named = |list: &[&str]| list.iter().any(|part| text.contains(part));
    // No browser for people writes an address or where to ask, and only those of Microsoft were ever "compatible".
    let introduces = named(&["http://", "https://", "www.", "@"]);
    let compatible = text.contains("compatible;") && !named(&["msie ", "trident/"]);
    let other = !BROWSERS.iter().any(|start| text.starts_with(start));
    other || introduces || compatible || named(TOKENS) || named(DISGUISED)
}

/// What kind of arrival a request is, by what the browser says.
#[must_use]
pub fn kind(method: &Method, headers: &HeaderMap) -> Kind {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    if method == Method::HEAD {
        return Kind::Head;
    }
    let ahead = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
    let ahead = ahead.iter().any(|name| text(name).contains("prefetch") || text(name).contains("preview"));
    let dest = text("sec-fetch-dest");
    let mode = text("sec-fetch-mode");
    // Browsers tell the purpose to https only; else a page is what asks for HTML.
    let accepted = text("accept");
    let no_page = dest.is_empty() && !accepted.is_empty() && !accepted.contains("text/html");
    if ahead
        || (no_page && !is_bot(text(header::USER_AGENT.as_str())))
        || !(dest.is_empty() || dest == "document")
        || !(mode.is_empty() || mode == "navigate")
    {
        return Kind::Prefetch;
    }
    if is_bot(text(header::USER_AGENT.as_str())) { Kind::Bot } else { Kind::Visit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_in_the_browser_of_an_app_are_people() {
        let people = [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.31",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Snapchat/13.40 (like Safari/8619)",
            "Mozilla/5.0 (Linux; Android 15; SM-S921B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/520.0.0.44.99;]",
            "Mozilla/5.0 (Linux; Android 15; SM-S921B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36 Telegram-Android/11.14",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [Pinterest/iOS]",
            "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36 musical_ly_2024 BytedanceWebview/d8a21c6",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.45.64 Chrome/138.0.0.0 Electron/37.2.3 Safari/537.36",
            "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; WOW64; Trident/6.0)",
            "Opera/9.80 (Android; Opera Mini/86.0/191.334; U; en) Presto/2.12.423 Version/12.16",
        ];
        for text in people {
            assert!(!is_bot(text), "{text}");
        }
    }

    #[test]
    fn people_and_programs() {
        let people = [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Mozilla/5.0 (Linux; Android 12; CUBOT KINGKONG 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 390.0.0.28.85",
        ];
        for text in people {
            assert!(!is_bot(text), "{text}");
        }
        for text in [
            "",
            "-",
            "curl/8.9.1",
            "Mozilla/5.0 (compatible; Googlebot/2.1)",
            "facebookexternalhit/1.1",
            "python-requests/2.32",
            "Mozilla/5.0 HeadlessChrome/140.0",
        ] {
            assert!(is_bot(text), "{text}");
        }
    }
}
