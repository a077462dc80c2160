//! The parameters of a GraphQL request, from whichever place a transport finds them in: `query`,
//! `operationName`, `variables`, `extensions`. Each wrong one is refused by its name.

use async_graphql::{Name, Value, Variables, indexmap::IndexMap};
use percent_encoding::percent_decode_str;

use super::{error::Refusal, json};
use crate::config::Limits;

/// A request as a client sent it.
#[derive(Debug, Default)]
pub(super) struct Params {
    pub(super) query: Option<String>,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
    pub(super) extensions: IndexMap<Name, Value>,
}

impl Params {
    /// From a JSON body.
    pub(super) fn from_body(bytes: &[u8], limits: &Limits) -> Result<Self, Refusal> {
        Self::from_value(json::parse(bytes, "body", limits)?)
    }

    /// From a JSON object.
    pub(super) fn from_value(value: Value) -> Result<Self, Refusal> {
        let mut fields = match value {
            Value::Object(fields) => fields,
            Value::List(_) => {
                return Err(Refusal::bad_request("Batches are not accepted: send one operation a request."));
            }
            _ => return Err(Refusal::bad_request("The request must be a JSON object.")),
        };
        let mut take = |name: &str| fields.swap_remove(name);
        Ok(Self {
            query: string("query", take("query"))?,
            operation_name: string("operationName", take("operationName"))?.filter(|name| !name.is_empty()),
            variables: Variables::from_value(Value::Object(object("variables", take("variables"))?)),
            extensions: object("extensions", take("extensions"))?,
        })
    }

    /// From the query part of a URL.
    pub(super) fn from_url(query: &str, limits: &Limits) -> Result<Self, Refusal> {
        let mut params = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name, "URL")?;
            match name.as_str() {
                "query" => params.query = Some(decode(value, &name)?),
                "operationName" => {
                    params.operation_name = Some(decode(value, &name)?).filter(|name| !name.is_empty());
                }
                "variables" => {
                    let fields = object(&name, parse(value, &name, limits)?)?;
                    params.variables = Variables::from_value(Value::Object(fields));
                }
                "extensions" => params.extensions = object(&name, parse(value, &name, limits)?)?,
                _ => {}
            }
        }
        Ok(params)
    }
}

fn parse(value: &str, name: &str, limits: &Limits) -> Result<Option<Value>, Refusal> {
    let text = decode(value, name)?;
    if text.is_empty() { Ok(None) } else { json::parse(text.as_bytes(), name, limits).map(Some) }
}

fn decode(text: &str, name: &str) -> Result<String, Refusal> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(String::from).map_err(|_| Refusal::bad_request(format!("The {name} is not UTF-8.")))
}

fn string(name: &str, value: Option<Value>) -> Result<Option<String>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::bad_request(format!("\"{name}\" must be a string."))),
    }
}

fn object(name: &str, value: Option<Value>) -> Result<IndexMap<Name, Value>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(IndexMap::new()),
        Some(Value::Object(fields)) => Ok(fields),
        Some(_) => Err(Refusal::bad_request(format!("\"{name}\" must be an object."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_decoded_strictly() {
        let limits = Limits::default();
        let url = "query=%7B+a%2Bb%20%7D&operationName=&variables=%7B%22n%22%3A1%7D&extensions=&other=1";
        let params = Params::from_url(url, &limits).unwrap();
        assert_eq!(params.query.as_deref(), Some("{ a+b }"));
        assert_eq!(params.operation_name, None);
        assert_eq!(params.variables.get("n"), Some(&Value::from(1)));
        for bad in ["query=%ff", "variables=%7B", "variables=[]", "extensions=1"] {
            assert!(Params::from_url(bad, &limits).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let limits = Limits::default();
        for (body, name) in [
            (r#"{"query":1}"#, "\"query\""),
            (r#"{"operationName":[]}"#, "\"operationName\""),
            (r#"{"variables":"x"}"#, "\"variables\""),
            (r#"{"extensions":false}"#, "\"extensions\""),
            ("[{}]", "Batches"),
            ("7", "object"),
        ] {
            let refused = Params::from_body(body.as_bytes(), &limits).unwrap_err();
            assert!(refused.message.contains(name), "{}", refused.message);
        }
    }
}
