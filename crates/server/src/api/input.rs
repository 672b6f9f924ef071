//! Where a call's parameters come from: the query, and for GET and DELETE also a JSON body, as Partnero's PHP
//! client sends them.

use super::error::ApiError;
use super::fields::text_problem;
use crate::body::{BodyError, read_whole};
use crate::state::App;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use std::collections::BTreeMap;

/// The largest body: 1 MiB.
pub const BODY_MAX: usize = 1024 * 1024;

/// The raw body of a POST or PUT.
pub struct Body(pub Bytes);

impl FromRequest<App> for Body {
    type Rejection = ApiError;
    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        match read_whole(request.into_body(), BODY_MAX).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(BodyError::TooLarge) => Err(ApiError::TooLarge("The body is larger than 1 MiB.".into())),
            Err(BodyError::Broken) => Err(ApiError::Unreadable("The body did not arrive whole.".into())),
        }
    }
}

/// The id in the path.
pub struct Id(pub String);

impl FromRequestParts<App> for Id {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match Path::<String>::from_request_parts(parts, app).await {
            Ok(Path(id)) if text_problem(&id, 255).is_none() => Ok(Self(id)),
            _ => Err(ApiError::NotFound("There is nothing with such an id.".into())),
        }
    }
}

/// Named parameters; `partner[key]`, `partner.key`, `partner_key` and a nested object mean the same.
#[derive(Debug, Default)]
pub struct Params {
    given: BTreeMap<String, String>,
    /// The path and the query as they came, for the links of a list.
    pub path: String,
}

impl FromRequest<App> for Params {
    type Rejection = ApiError;
    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let Body(body) = Body::from_request(request, app).await?;
        Self::read(path, &query, &body)
    }
}

impl Params {
    fn read(path: String, query: &str, body: &[u8]) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|e| ApiError::Unreadable(format!("The query cannot be read: {e}.")))?;
        let mut given = of_body(body)?;
        given.extend(pairs.into_iter().map(|(name, value)| (plain_name(&name), value)));
        given.retain(|_, value| !value.is_empty());
        for (name, value) in &given {
            if let Some(why) = text_problem(value, 255).or_else(|| text_problem(name, 64)) {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
                return Err(ApiError::field(&shown, format!("The {shown} {why}.")));
            }
        }
        Ok(Self { given, path })
    }

    /// A parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// Refuses every parameter that is not among the known: a filter that is misspelt would let all through.
    ///
    /// # Errors
    /// [`ApiError::Invalid`].
    pub fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        let unknown = self.given.keys().filter(|name| !known.contains(&name.as_str()));
        let problems: super::error::Problems = unknown
            .map(|name| {
                let sentence = format!("The parameter {name} is not known; known are {}.", known.join(", "));
                (name.clone(), vec![sentence])
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(ApiError::Invalid(problems)) }
    }

    /// All parameters but some, as a query.
    pub(crate) fn query_without(&self, left_out: &[&str]) -> Vec<(&str, &str)> {
        let kept = self.given.iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
        kept.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

/// `partner[key]` and `partner_key` as `partner.key`.
fn plain_name(name: &str) -> String {
    let name = name.replace('[', ".").replace(']', "");
    for head in ["partner", "customer"] {
        if let Some(rest) = name.strip_prefix(head).and_then(|rest| rest.strip_prefix('_')) {
            return format!("{head}.{rest}");
        }
    }
    name
}

/// Parameters in a JSON body, one level of objects deep.
fn of_body(body: &[u8]) -> Result<BTreeMap<String, String>, ApiError> {
    use serde_json::Value;
    let mut given = BTreeMap::new();
    let mut put = |name: String, value: &Value| match value {
        Value::Null => Ok(()),
        Value::String(text) => {
            given.insert(plain_name(&name), text.trim().to_owned());
            Ok(())
        }
        Value::Number(number) => {
            given.insert(plain_name(&name), number.to_string());
            Ok(())
        }
        _ => Err(ApiError::field(&name, format!("The {name} must be a text."))),
    };
    if body.trim_ascii().is_empty() {
        return Ok(given);
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(object)) => {
            for (name, value) in object {
                match value {
                    Value::Object(inner) => {
                        for (field, value) in inner {
                            put(format!("{name}.{field}"), &value)?;
                        }
                    }
                    Value::Array(items) if items.is_empty() => {}
                    value => put(name, &value)?,
                }
            }
        }
        Ok(Value::Array(items)) if items.is_empty() => {}
        Ok(_) => return Err(ApiError::Unreadable("The body is not a JSON object.".into())),
        Err(error) => {
            return Err(ApiError::Unreadable(format!("The body is not a JSON object: {error}.")));
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_nested_parameter_mean_the_same() {
        for (query, body) in [
            ("partner%5Bkey%5D=maya", ""),
            ("partner.key=maya", ""),
            ("partner_key=maya", ""),
            ("", r#"{"partner":{"key":"maya"}}"#),
            ("", r#"{"partner_key":"maya","email":null}"#),
        ] {
            let params = Params::read("/v1/x".into(), query, body.as_bytes()).unwrap();
            assert_eq!(params.get("partner.key"), Some("maya"), "{query}{body}");
            assert!(params.only(&["partner.key"]).is_ok());
            assert!(params.only(&["key"]).is_err());
        }
    }

    #[test]
    fn odd_parameters_are_refused() {
        for (query, body) in [("a=%00", ""), ("", "[1]"), ("", "{"), ("", r#"{"a":[1]}"#)] {
            assert!(Params::read("/".into(), query, body.as_bytes()).is_err(), "{query}{body}");
        }
        assert!(Params::read("/".into(), "", b"[]").is_ok());
        let deep = "[".repeat(100_000);
        assert!(Params::read("/".into(), "", deep.as_bytes()).is_err());
    }
}
