//! Every setting, declared once: its key in `tributary.toml`, its variable, its default and what it means.

use crate::failure::Failure;
use std::collections::BTreeMap;

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// In `tributary.toml`.
    pub(crate) key: &'static str,
    /// In the environment.
    pub(crate) env: &'static str,
    /// `None`: it may be absent.
    pub(crate) default: Option<&'static str>,
    /// Is it never printed?
    pub(crate) secret: bool,
    /// One sentence.
    pub(crate) help: &'static str,
}

const fn setting(
    key: &'static str,
    env: &'static str,
    default: Option<&'static str>,
    help: &'static str,
) -> Setting {
    Setting { key, env, default, secret: false, help }
}

/// All settings.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("listen", "TRIBUTARY_LISTEN", Some("127.0.0.1:8787"), "Address and port of the server."),
    setting(
        "public_url",
        "TRIBUTARY_PUBLIC_URL",
        None,
        "How browsers and Stripe reach the server; without it, as it listens.",
    ),
    Setting {
        secret: true, // may hold a password
        ..setting(
            "database_url",
            "TRIBUTARY_DATABASE_URL",
            Some("sqlite:./tributary-data/tributary.db"),
            "sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME.",
        )
    },
    Setting {
        secret: true,
        ..setting(
            "master_key",
            "TRIBUTARY_MASTER_KEY",
            None,
            "The key under which all secrets are encrypted: 32 bytes as 64 hex digits.",
        )
    },
    setting(
        "master_key_file",
        "TRIBUTARY_MASTER_KEY_FILE",
        None,
        "A file that holds the master key; without both, master.key in the data folder.",
    ),
    setting(
        "stripe_api_base",
        "TRIBUTARY_STRIPE_API_BASE",
        Some("https://api.stripe.com"),
        "Stripe's API for new connections; only a loopback address may be http.",
    ),
    setting(
        "stripe_app_client_id",
        "TRIBUTARY_STRIPE_APP_CLIENT_ID",
        None,
        "The client id (ca_…) of your own Stripe App, for every workspace.",
    ),
    Setting {
        secret: true,
        ..setting(
            "stripe_app_secret_key",
            "TRIBUTARY_STRIPE_APP_SECRET_KEY",
            None,
            "The secret key of the account that owns the Stripe App; it says the mode.",
        )
    },
    setting(
        "stripe_app_authorize_url",
        "TRIBUTARY_STRIPE_APP_AUTHORIZE_URL",
        None,
        "The page on which an account agrees to the Stripe App, if it is not Stripe's usual one.",
    ),
    setting(
        "stripe_connect_client_id",
        "TRIBUTARY_STRIPE_CONNECT_CLIENT_ID",
        None,
        "The client id (ca_…) of your own Connect platform, for every workspace.",
    ),
    Setting {
        secret: true,
        ..setting(
            "stripe_connect_secret_key",
            "TRIBUTARY_STRIPE_CONNECT_SECRET_KEY",
            None,
            "The secret key of the Connect platform; it says the mode.",
        )
    },
    setting(
        "stripe_connect_authorize_url",
        "TRIBUTARY_STRIPE_CONNECT_AUTHORIZE_URL",
        None,
        "The page on which an account agrees to the Connect platform, if it is not Stripe's usual one.",
    ),
    Setting {
        secret: true, // may hold a token
        ..setting(
            "alert_url",
            "TRIBUTARY_ALERT_URL",
            None,
            "Where alerts are posted as JSON: a connection that broke, was mended, or needs somebody.",
        )
    },
    setting("log", "TRIBUTARY_LOG", None, "What is logged: error, warn, info, debug, or a filter by module."),
    setting("log_format", "TRIBUTARY_LOG_FORMAT", Some("text"), "text, or json with one object a line."),
    setting(
        "poll_seconds",
        "TRIBUTARY_POLL_SECONDS",
        Some("10"),
        "Seconds between two polls of a connection without webhooks, 1 to 3600.",
    ),
    setting(
        "link_delay_ms",
        "TRIBUTARY_LINK_DELAY_MS",
        Some("2000"),
        "Milliseconds before a bare charge is looked up, 0 to 600000: its invoice or session may come by itself.",
    ),
    setting(
        "raw_payload_days",
        "TRIBUTARY_RAW_PAYLOAD_DAYS",
        Some("0"),
        "Days after which raw payloads of Stripe are purged, 30 to 36500; what was understood stays. 0 keeps them.",
    ),
    setting(
        "client_address_header",
        "TRIBUTARY_CLIENT_ADDRESS_HEADER",
        None,
        "The header in which your proxy names the visitor's address, such as X-Forwarded-For; only behind a proxy.",
    ),
    Setting {
        secret: true,
        ..setting(
            "stripe_app_secrets",
            "TRIBUTARY_STRIPE_APP_SECRETS",
            None,
            "Signing secrets of your Stripe App (absec_…), separated by commas; with them its calls must be signed.",
        )
    },
];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A variable.
    Environment,
    /// A line of the file.
    File(String, usize),
}

/// The values as texts.
#[derive(Debug, Default)]
pub(crate) struct Raw(BTreeMap<&'static str, (String, Origin)>);

impl Raw {
    /// Takes a value; a later one wins. An empty one counts as absent.
    pub(crate) fn set(&mut self, setting: &'static Setting, text: &str, origin: Origin) {
        if !text.is_empty() {
            self.0.insert(setting.key, (text.to_owned(), origin));
        }
    }

    /// Reads a value that is there or has a default.
    pub(crate) fn read<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        self.optional(key, read)?.ok_or_else(|| Failure::usage(format!("The setting {key} is missing.")))
    }

    /// Reads a value that may be absent.
    pub(crate) fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Failure> {
        let setting = SETTINGS.iter().find(|setting| setting.key == key);
        let (text, origin) = match self.0.get(key) {
            Some((text, origin)) => (text.as_str(), Some(origin)),
            None => match setting.and_then(|setting| setting.default) {
                Some(default) => (default, None),
                None => return Ok(None),
            },
        };
        let secret = setting.is_some_and(|setting| setting.secret);
        read(text).map(Some).map_err(|reason| {
            let env = setting.map_or(key, |setting| setting.env);
            let place = match origin {
                Some(Origin::File(file, line)) => format!("{file}, line {line} ({key}, {env})"),
                _ => env.to_owned(),
            };
            let shown = if secret { String::new() } else { format!(" {text:?}") };
            Failure::usage(format!("{place}:{shown} cannot be used: {reason}."))
        })
    }
}
