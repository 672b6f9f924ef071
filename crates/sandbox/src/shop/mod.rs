//! A demo shop on a host of its own: a small software company that sells by payment links, a buy button, a pricing
//! table and its own sign-up. Its pages behave as a customer's site would: the tracking script is pasted into its
//! settings, and its server talks to Stripe by the API like any other.

mod account;
mod catalog;
mod frame;
mod head;
mod order;
mod pages;
mod settings;
mod tell;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;

use account::Accounts;
pub use catalog::{Catalog, Item, show_money};
pub use settings::{Change, Settings};

use crate::error::{ApiError, Res};
use crate::shared::{Shared, WorldKey};

/// The key by which the shop's own server talks to Stripe.
const SECRET: &str = "sk_test_acmeworksShop";
/// The name of the shop, as its buyers know it.
pub const NAME: &str = "AcmeWorks";

/// Everything that the shop remembers.
#[derive(Debug)]
pub struct Shop {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where visitors find it, without a slash at the end.
    pub url: String,
    /// Where people sign up and have their account: a sub-domain where the shop has a name of its own.
    pub app_url: String,
    catalog: OnceLock<Catalog>,
    settings: Mutex<Settings>,
    accounts: Mutex<Accounts>,
}

impl Shop {
    /// A shop with empty shelves; [`Shop::open`] fills them.
    pub fn new(addr: SocketAddr, url: &str) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        Self {
            addr,
            app_url: app_url(&url),
            url,
            catalog: OnceLock::new(),
            settings: Mutex::default(),
            accounts: Mutex::default(),
        }
    }

    /// What is sold.
    ///
    /// # Errors
    /// 500 before the shop was opened.
    pub fn catalog(&self) -> Res<&Catalog> {
        self.catalog.get().ok_or_else(|| ApiError::internal("the shop has not been opened"))
    }

    /// What the shop's owner set.
    pub fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True for an origin that belongs to the shop.
    fn owns(&self, origin: &str) -> bool {
        origin == self.url || origin == self.app_url
    }
}

/// The account in which the shop sells: the one that keys without a note in their text open.
pub fn world() -> WorldKey {
    ("default".to_owned(), false)
}

/// Makes what the shop sells, once.
///
/// # Errors
/// If the sandbox takes other keys only, or is full.
pub fn open(shared: &Shared) -> Res<()> {
    let Some(shop) = &shared.shop else { return Ok(()) };
    let catalog = catalog::stock(shared, shop)?;
    shop.catalog.set(catalog).map_err(|_| ApiError::internal("the shop is open already"))
}

/// What a page of the shop works on.
#[derive(Debug, Clone)]
pub struct Front {
    /// The sandbox around it.
    pub shared: Arc<Shared>,
    /// The shop.
    pub shop: Arc<Shop>,
}

/// The shop's pages.
pub fn router(front: Front) -> Router {
    pages::router(front)
}

/// A request of the shop's server to Stripe.
fn stripe(shared: &Shared, method: &str, path: &str, form: &[(&str, &str)]) -> Res {
    crate::http::own_request(shared, SECRET, method, path, form)
}

/// `http://shop.test` has its accounts at `http://app.shop.test`; an address or a single word has no sub-domains.
fn app_url(url: &str) -> String {
    let Ok(parsed) = url::Url::parse(url) else { return url.to_owned() };
    let Some(url::Host::Domain(name)) = parsed.host() else { return url.to_owned() };
    if !name.contains('.') {
        return url.to_owned();
    }
    let mut app = parsed.clone();
    match app.set_host(Some(&format!("app.{}", name.strip_prefix("www.").unwrap_or(name)))) {
        Ok(()) => app.as_str().trim_end_matches('/').to_owned(),
        Err(_) => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::app_url;

    #[test]
    fn accounts_live_on_a_sub_domain_where_there_can_be_one() {
        assert_eq!(app_url("http://shop.test"), "http://app.shop.test");
        assert_eq!(app_url("http://www.shop.test:8080"), "http://app.shop.test:8080");
        assert_eq!(app_url("http://localhost:81"), "http://localhost:81");
        assert_eq!(app_url("http://127.0.0.1:81"), "http://127.0.0.1:81");
    }
}
