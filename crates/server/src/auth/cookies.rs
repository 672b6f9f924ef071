//! Cookies: read by name, written with every protection that the address allows.

use axum::http::{HeaderMap, HeaderValue, header};

/// Longest cookie value that is looked at, bytes.
const MAX: usize = 512;

/// The name of the session's cookie. Browsers accept `__Host-` only over https, for one host, on all paths.
#[must_use]
pub const fn session_name(https: bool) -> &'static str {
    if https { "__Host-tributary" } else { "tributary_session" }
}

/// The name of the cookie by which a browser that logged in before is known again.
#[must_use]
pub const fn device_name(https: bool) -> &'static str {
    if https { "__Host-tributary-device" } else { "tributary_device" }
}

/// The name of the cookie that carries the set-up's one-time token until the first account exists.
#[must_use]
pub const fn setup_name(https: bool) -> &'static str {
    if https { "__Host-tributary-setup" } else { "tributary_setup" }
}

/// The first cookie with a name; too long a value counts as none.
#[must_use]
pub fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .filter(|value| value.len() <= MAX)
}

/// A cookie that scripts cannot read. `max_age` in seconds; 0 takes it away. `None` for a value that is no
/// header text, which no value of ours is.
#[must_use]
pub fn private(name: &str, value: &str, max_age: i64, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others_and_bounded() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; tributary_session=abc ; b=2".parse().unwrap());
        headers.append(header::COOKIE, "c=3".parse().unwrap());
        assert_eq!(read(&headers, "tributary_session"), Some("abc"));
        assert_eq!(read(&headers, "c"), Some("3"));
        assert_eq!(read(&headers, "session"), None);
        headers.insert(header::COOKIE, format!("a={}", "x".repeat(600)).parse().unwrap());
        assert_eq!(read(&headers, "a"), None);
    }

    #[test]
    fn https_adds_what_only_https_can_keep() {
        let text = |https| private(session_name(https), "v", 60, https).unwrap().to_str().unwrap().to_owned();
        assert_eq!(text(true), "__Host-tributary=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure");
        assert_eq!(text(false), "tributary_session=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
    }
}
