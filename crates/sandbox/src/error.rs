//! What can go wrong: when the sandbox starts, and in one answer.

use serde_json::{Map, Value, json};

use crate::openapi::Breach;
use crate::openapi::validate::BreachKind;

/// Why the sandbox could not start or keep running.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sandbox holds no secret and checks no origin, so it never listens beyond this machine.
    #[error("the sandbox listens on a loopback address only; {0} is not one")]
    NotLoopback(std::net::SocketAddr),
    /// The address is taken or not allowed.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The wanted address.
        addr: std::net::SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A site's address is its origin and nothing more.
    #[error("{0} is not the address of a site, such as http://shop.test, without a slash at the end")]
    Address(String),
    /// The demo shop could not make what it sells.
    #[error("the demo shop cannot open: {0}")]
    Shop(String),
    /// The HTTP client for deliveries and stories could not be built.
    #[error("cannot build the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The server ended by itself.
    #[error("the server stopped: {0}")]
    Serve(std::io::Error),
    /// A task of the sandbox died.
    #[error("a part of the sandbox died: {0}")]
    Died(String),
}

/// An answer that is an error, in Stripe's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// Stripe's `type`.
    pub kind: &'static str,
    /// Stripe's `code`, where there is one.
    pub code: Option<&'static str>,
    /// A sentence for the developer.
    pub message: String,
    /// The parameter at fault.
    pub param: Option<String>,
}

/// What a handler gives.
pub type Res<T = Value> = Result<T, ApiError>;

impl ApiError {
    /// 400 without a code.
    pub fn bad(message: impl Into<String>) -> Self {
        Self { status: 400, kind: "invalid_request_error", code: None, message: message.into(), param: None }
    }

    /// 400 with a code and the parameter at fault.
    pub fn param(code: &'static str, param: &str, message: impl Into<String>) -> Self {
        Self { code: Some(code), param: Some(param.to_owned()), ..Self::bad(message) }
    }

    /// 404 for an id that names nothing.
    pub fn missing(kind: &str, id: &str, param: &str) -> Self {
        let kind = kind.rsplit('.').next().unwrap_or(kind);
        Self { status: 404, ..Self::param("resource_missing", param, format!("No such {kind}: '{id}'")) }
    }

    /// A fault of the sandbox itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { status: 500, kind: "api_error", code: None, message: message.into(), param: None }
    }

    /// With another status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Without the code.
    pub fn without_code(mut self) -> Self {
        self.code = None;
        self
    }

    /// The first breach of a request as Stripe would say it.
    pub fn breach(breach: &Breach) -> Self {
        let within = |name: &str| {
            let mut at = breach.at.clone();
            at.push(name.to_owned());
            bracketed(&at)
        };
        let here = bracketed(&breach.at);
        match &breach.kind {
            BreachKind::Unknown(name) => {
                let name = within(name);
                Self::param("parameter_unknown", &name, format!("Received unknown parameter: {name}"))
            }
            BreachKind::Missing(name) => {
                let name = within(name);
                Self::param("parameter_missing", &name, format!("Missing required param: {name}."))
            }
            BreachKind::NotListed(options) => Self {
                code: None,
                ..Self::param("", &here, format!("Invalid {here}: must be one of {}", listed(options)))
            },
            BreachKind::TooLong(limit) => Self {
                code: None,
                ..Self::param(
                    "",
                    &here,
                    format!("Invalid string for {here}: must be at most {limit} characters"),
                )
            },
            BreachKind::WrongType(text) if text.contains("integer") => {
                Self::param("parameter_invalid_integer", &here, format!("Invalid integer for {here}: {text}"))
            }
            BreachKind::WrongType(text) => {
                Self { code: None, ..Self::param("", &here, format!("Invalid value for {here}: {text}")) }
            }
            BreachKind::Other => {
                Self { code: None, ..Self::param("", &here, format!("Invalid {here}: {}", breach.message)) }
            }
        }
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let mut error = Map::new();
        error.insert("type".into(), json!(self.kind));
        error.insert("message".into(), json!(self.message));
        if let Some(code) = self.code {
            error.insert("code".into(), json!(code));
            error.insert(
                "doc_url".into(),
                json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))),
            );
        }
        if let Some(param) = &self.param {
            error.insert("param".into(), json!(param));
        }
        json!({ "error": error })
    }
}

/// `["line_items", "0", "price"]` as a form writes it: `line_items[0][price]`.
fn bracketed(at: &[String]) -> String {
    let mut text = String::new();
    for (index, part) in at.iter().enumerate() {
        if index == 0 {
            text.push_str(part);
        } else {
            text.push('[');
            text.push_str(part);
            text.push(']');
        }
    }
    text
}

fn listed(options: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<&str> = options.iter().take(SHOWN).map(String::as_str).collect();
    let rest = options.len().saturating_sub(SHOWN);
    if rest == 0 { shown.join(", ") } else { format!("{} and {rest} more", shown.join(", ")) }
}
