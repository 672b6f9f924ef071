//! Who comes: an address that is used and never kept, and what is kept instead.

use super::Track;
use super::limits::network;
use axum::extract::FromRequestParts;
use axum::extract::connect_info::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use tributary_store::StoreError;
use tributary_store::vault::{Key, random};

/// The address of the connection, where it is known.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(peer.map(|ConnectInfo(address)| address.ip())))
    }
}

impl Track {
    /// The visitor's address: the connection's, or, where the installation stands behind a proxy and says so, the last
    /// one in the proxy's header.
    #[must_use]
    pub fn address(&self, headers: &HeaderMap, peer: Peer) -> Option<IpAddr> {
        let Some(name) = self.address_header.get() else { return peer.0 };
        let value = headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok());
        let last = value.and_then(|value| value.rsplit(',').next()).map(str::trim);
        last.and_then(|text| text.parse().ok()).or(peer.0)
    }
}

/// A visitor of a short link: an HMAC of network and browser under the workspace's key.
///
/// # Errors
/// Never in practice.
pub fn by_network(key: &Key, ip: Option<IpAddr>, user_agent: &str) -> Result<String, StoreError> {
    key.keyed_hash("visitor", &format!("{}:{user_agent}", hex::encode(network(ip))))
}

/// A visitor that the script knows: an HMAC of the id in its cookie.
///
/// # Errors
/// Never in practice.
pub fn by_cookie(key: &Key, id: &str) -> Result<String, StoreError> {
    key.keyed_hash("visitor-cookie", id)
}

/// A fresh visit id: 128 random bits that fit `client_reference_id`.
///
/// # Errors
/// No randomness.
pub fn new_visit_id() -> Result<String, StoreError> {
    Ok(format!("vis_{}", hex::encode(random::<16>()?)))
}

/// Is it the id of a visit by its form?
#[must_use]
pub fn is_visit_id(text: &str) -> bool {
    text.len() == 36
        && text.strip_prefix("vis_").is_some_and(|rest| {
            rest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        })
}

/// A page as it is kept: scheme, host and path, at most 500 bytes. What people type into queries stays out.
#[must_use]
pub fn page(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return String::new() };
    if !matches!(url.scheme(), "http" | "https") {
        return String::new();
    }
    url.set_query(None);
    url.set_fragment(None);
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        return String::new();
    }
    let mut text = String::from(url);
    // A URL is ASCII: any place is between two characters.
    text.truncate(500);
    text
}
