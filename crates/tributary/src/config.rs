//! Configuration: the environment before `tributary.toml` before the defaults.

mod file;
mod settings;

pub(crate) use settings::SETTINGS;

use crate::failure::Failure;
use reqwest::header::HeaderName;
use secrecy::SecretString;
use settings::{Origin, Raw};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tributary_server::connect::flow::{self, Flow, Outside, Preset};
use tributary_store::db::Location;
use url::{Host, Url};

/// Where everything lies when nothing is configured.
pub(crate) const DATA: &str = "tributary-data";

/// Names that are ours and no settings: the configuration's place, and what the scripts in bin/ use.
const OTHERS: [&str; 4] = ["TRIBUTARY_CONFIG", "TRIBUTARY_TEST_", "TRIBUTARY_DEMO_", "TRIBUTARY_CHROMIUM"];

/// The settings, read and checked.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// `None`: as it listens.
    pub(crate) public_url: Option<Url>,
    pub(crate) database: Location,
    pub(crate) master_key: Option<SecretString>,
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) stripe_api_base: String,
    /// The operator's Apps and platforms, and where alerts go.
    pub(crate) outside: Outside,
    pub(crate) log: Option<String>,
    pub(crate) log_json: bool,
    pub(crate) poll_seconds: u64,
    pub(crate) link_delay_ms: i64,
    pub(crate) raw_payload_days: i64,
    /// The header in which a proxy names the visitor's address.
    pub(crate) client_address_header: Option<HeaderName>,
    /// Secrets with which calls of the app in Stripe's Dashboard must be signed; empty: they need not be.
    pub(crate) stripe_app_secrets: Vec<SecretString>,
    /// Names in the environment that look like ours and mean nothing.
    pub(crate) unknown_names: Vec<String>,
    /// The file that was read, if there is one.
    pub(crate) file: Option<PathBuf>,
}

impl Config {
    /// Reads `tributary.toml` (or the file given) and the environment.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let usual = Path::new("tributary.toml");
        let file = file.map(Path::to_owned).or_else(|| usual.exists().then(|| usual.to_owned()));
        let mut raw = Raw::default();
        if let Some(path) = &file {
            file::read(path, &mut raw)?;
        }
        let mut unknown_names = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.starts_with("TRIBUTARY_")) else { continue };
            match SETTINGS.iter().find(|setting| setting.env == name) {
                Some(setting) => raw.set(setting, &value.to_string_lossy(), Origin::Environment),
                None if OTHERS.iter().any(|other| name.starts_with(other)) => {}
                None => unknown_names.push(name.to_owned()),
            }
        }
        unknown_names.sort_unstable();
        Ok(Self { file, unknown_names, ..Self::of(&raw)? })
    }

    fn of(raw: &Raw) -> Result<Self, Failure> {
        Ok(Self {
            listen: raw.read("listen", |text| {
                SocketAddr::from_str(text).map_err(|_| "an address is IP:PORT, such as 127.0.0.1:8787".into())
            })?,
            public_url: raw.optional("public_url", public_url)?,
            database: raw.read("database_url", |text| Location::parse(text).map_err(|e| e.to_string()))?,
            master_key: raw.optional("master_key", |text| Ok(SecretString::from(text)))?,
            master_key_file: raw.optional("master_key_file", |text| Ok(PathBuf::from(text)))?,
            stripe_api_base: raw
                .read("stripe_api_base", |text| stripe_api_base(text).map(|()| text.to_owned()))?,
            outside: outside(raw)?,
            log: raw.optional("log", |text| Ok(text.to_owned()))?,
            log_json: raw.read("log_format", |text| match text {
                "text" => Ok(false),
                "json" => Ok(true),
                _ => Err("a log format is text or json".into()),
            })?,
            poll_seconds: raw.read("poll_seconds", |text| number(text, 1, 3_600))?.unsigned_abs(),
            link_delay_ms: raw.read("link_delay_ms", |text| number(text, 0, 600_000))?,
            raw_payload_days: raw.read("raw_payload_days", raw_payload_days)?,
            client_address_header: raw.optional("client_address_header", |text| {
                HeaderName::from_str(text).map_err(|_| "a header's name has letters and hyphens".into())
            })?,
            stripe_app_secrets: raw.optional("stripe_app_secrets", app_secrets)?.unwrap_or_default(),
            unknown_names: Vec::new(),
            file: None,
        })
    }

    /// The folder of keys and locks: beside an embedded database, else the usual one.
    pub(crate) fn folder(&self) -> PathBuf {
        match &self.database {
            Location::Sqlite(path) => match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
                _ => PathBuf::from("."),
            },
            Location::Postgres(_) => PathBuf::from(DATA),
        }
    }

    /// The database in words, without a password.
    pub(crate) fn database_words(&self) -> String {
        match &self.database {
            Location::Sqlite(path) => format!("SQLite, {}", path.display()),
            Location::Postgres(url) => Url::parse(url).map_or_else(
                |_| "PostgreSQL".to_owned(),
                |url| format!("PostgreSQL, {}{}", url.host_str().unwrap_or("local"), url.path()),
            ),
        }
    }

    /// How browsers and Stripe reach the server that listens at `listen`.
    pub(crate) fn public_url_at(&self, listen: SocketAddr) -> Result<Url, Failure> {
        if let Some(url) = &self.public_url {
            return Ok(url.clone());
        }
        let host = if listen.ip().is_unspecified() { "127.0.0.1".to_owned() } else { host_text(listen) };
        Url::parse(&format!("http://{host}:{}", listen.port()))
            .map_err(|e| Failure::usage(format!("TRIBUTARY_LISTEN gives no address: {e}.")))
    }
}

fn host_text(listen: SocketAddr) -> String {
    if listen.is_ipv6() { format!("[{}]", listen.ip()) } else { listen.ip().to_string() }
}

fn number(text: &str, least: i64, most: i64) -> Result<i64, String> {
    let number = text.parse::<i64>().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("it is a whole number from {least} to {most}"))
}

/// At most four, so that old and new ones overlap while they are rolled.
fn app_secrets(text: &str) -> Result<Vec<SecretString>, String> {
    let all: Vec<_> = text.split(',').map(str::trim).collect();
    let good = all.iter().all(|one| one.starts_with("absec_") && one.len() > 12);
    if good && all.len() <= 4 {
        return Ok(all.into_iter().map(SecretString::from).collect());
    }
    Err("signing secrets of an app begin with absec_; one to four, separated by commas".to_owned())
}

/// Stripe resends events for three days and lists them for thirty: what is younger must be there.
fn raw_payload_days(text: &str) -> Result<i64, String> {
    match number(text, 0, 36_500)? {
        days if days == 0 || days >= 30 => Ok(days),
        _ => Err("it is 0 (keep them) or a whole number from 30 to 36500".to_owned()),
    }
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "it is a URL, such as https://partners.example.com".to_owned())?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err("it begins with https:// (or http:// on your own machine)".into());
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err("it has no user, password, query or fragment".into());
    }
    Ok(url)
}

/// What the installation says to the world outside.
fn outside(raw: &Raw) -> Result<Outside, Failure> {
    let page = |text: &str| {
        stripe_api_base(text)?;
        Url::parse(text).map_err(|_| "it is a URL".to_owned())
    };
    let mut presets = Vec::new();
    for (flow, id, key) in [
        (Flow::App, "stripe_app_client_id", "stripe_app_secret_key"),
        (Flow::Connect, "stripe_connect_client_id", "stripe_connect_secret_key"),
    ] {
        let client_id = raw.optional(id, |text| flow::client_id(text).map_err(said))?;
        let secret = raw.optional(key, |text| {
            flow::developer_key(&SecretString::from(text)).map_err(|words| said(&words))
        })?;
        match (client_id, secret) {
            (Some(client_id), Some(secret)) => presets.push(Preset { flow, client_id, secret }),
            (None, None) => {}
            _ => return Err(Failure::usage(format!("{id} and {key} are set together or not at all."))),
        }
    }
    Ok(Outside {
        presets,
        app_authorize_url: raw.optional("stripe_app_authorize_url", page)?,
        connect_authorize_url: raw.optional("stripe_connect_authorize_url", page)?,
        alert_url: raw.optional("alert_url", page)?,
    })
}

/// A sentence as the reason within another one.
fn said(words: &str) -> String {
    words.trim_end_matches('.').to_owned()
}

/// https, or http on this machine itself.
pub(crate) fn stripe_api_base(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|_| "it is a URL, such as https://api.stripe.com".to_owned())?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => Err("only a loopback address may be http".into()),
        _ => Err("it begins with https://".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_every_setting() {
        let manual = include_str!("../../../docs/OPERATIONS.md");
        for setting in SETTINGS {
            let row = format!("| `{}` | `{}` |", setting.env, setting.key);
            assert!(manual.contains(&row), "{row}");
        }
    }

    fn with(key: &str, text: &str) -> Result<Config, Failure> {
        let mut raw = Raw::default();
        let setting = SETTINGS.iter().find(|setting| setting.key == key).unwrap();
        raw.set(setting, text, Origin::Environment);
        Config::of(&raw)
    }

    #[test]
    fn the_defaults_are_good() {
        let config = Config::of(&Raw::default()).unwrap();
        assert_eq!(config.listen.port(), 8787);
        assert_eq!(config.folder(), PathBuf::from("./tributary-data"));
        assert_eq!(config.public_url_at(config.listen).unwrap().as_str(), "http://127.0.0.1:8787/");
        assert_eq!(config.stripe_api_base, "https://api.stripe.com");
    }

    #[test]
    fn a_bad_value_names_its_variable_and_not_a_secret() {
        for (key, text) in [
            ("listen", "8787"),
            ("public_url", "partners.example.com"),
            ("database_url", "mysql://root:hush@x"),
            ("stripe_api_base", "http://api.stripe.com"),
            ("poll_seconds", "0"),
            ("link_delay_ms", "-1"),
            ("stripe_app_secrets", "absec_1234567890,hush"),
            ("raw_payload_days", "7"),
        ] {
            let failure = with(key, text).unwrap_err();
            assert!(failure.message.contains(&key.to_uppercase()), "{}", failure.message);
            assert!(!failure.message.contains("hush"), "{}", failure.message);
        }
        assert!(with("stripe_api_base", "http://127.0.0.1:8788").is_ok());
    }

    #[test]
    fn a_password_of_the_database_is_not_said() {
        let config = with("database_url", "postgres://ann:hush@db.example.com:5432/tributary").unwrap();
        assert_eq!(config.database_words(), "PostgreSQL, db.example.com/tributary");
    }
}
