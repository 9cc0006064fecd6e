use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::environment::Environment;

/// The GUID under which the agent files a service connection. Its case is kept: the agent's names are exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// The GUID as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConnectionId {
    type Err = ConnectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match uuid::Uuid::try_parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(ConnectionError::NotAnId { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A connection that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// The input holds something else than a GUID, for example a name that the agent did not resolve.
    #[error(
        "\"{text}\" is not the id of a service connection; give the name of a connection that exists in this project, and authorize the pipeline to use it"
    )]
    NotAnId {
        /// What was given.
        text: String,
    },
    /// The agent gave no such connection to this step.
    #[error(
        "the agent gave this step no service connection {id}; check that it exists in this project and that the pipeline is authorized to use it"
    )]
    Absent {
        /// The connection's GUID.
        id: String,
    },
    /// What the agent gave is not what agents give.
    #[error("the agent's description of service connection {id} is not JSON of the expected form")]
    Malformed {
        /// The connection's GUID.
        id: String,
    },
}

/// A service connection as the agent describes it to a task.
///
/// Authorization parameters may be secret and all are kept so; data is public. Names are matched without case.
#[derive(Debug, Clone)]
pub struct Connection {
    id: ConnectionId,
    scheme: String,
    parameters: BTreeMap<String, SecretString>,
    data: BTreeMap<String, String>,
}

impl Connection {
    /// Reads connection `id` from `ENDPOINT_AUTH_<id>` and `ENDPOINT_DATA_<id>`.
    ///
    /// # Errors
    /// [`ConnectionError::Absent`] when the agent did not hand it over, [`ConnectionError::Malformed`] when it is not
    /// JSON. The error never holds what stood there.
    pub fn read(environment: &Environment, id: ConnectionId) -> Result<Self, ConnectionError> {
        let malformed = || ConnectionError::Malformed { id: id.0.clone() };
        let authorization = environment
            .get(&format!("ENDPOINT_AUTH_{id}"))
            .ok_or_else(|| ConnectionError::Absent { id: id.0.clone() })?;
        let authorization: Map<String, Value> =
            serde_json::from_str(authorization).map_err(|_| malformed())?;
        let scheme = authorization.get("scheme").and_then(Value::as_str).ok_or_else(malformed)?.to_owned();
        let parameters = fields(authorization.get("parameters"))
            .ok_or_else(malformed)?
            .map(|(name, value)| (name, SecretString::from(value)))
            .collect();
        let data = match environment.get(&format!("ENDPOINT_DATA_{id}")) {
            Some(text) => {
                let data: Value = serde_json::from_str(text).map_err(|_| malformed())?;
                fields(Some(&data)).ok_or_else(malformed)?.collect()
            }
            None => BTreeMap::new(),
        };
        Ok(Self { id, scheme, parameters, data })
    }

    /// The connection's GUID.
    #[must_use]
    pub fn id(&self) -> &ConnectionId {
        &self.id
    }

    /// The authorization scheme, such as `UsernamePassword` or `None`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// An authorization parameter; an empty one counts as absent.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<SecretString> {
        self.parameters.get(&name.to_lowercase()).cloned()
    }

    /// Every authorization parameter, for masking.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// A data field; an empty one counts as absent.
    #[must_use]
    pub fn data(&self, name: &str) -> Option<&str> {
        self.data.get(&name.to_lowercase()).map(String::as_str)
    }
}

/// The non-empty fields of a JSON object, names in lower case, values trimmed. `None` when it is no object.
fn fields(value: Option<&Value>) -> Option<impl Iterator<Item = (String, String)>> {
    static EMPTY: Value = Value::Null;
    let object = match value.unwrap_or(&EMPTY) {
        Value::Null => Map::new(),
        Value::Object(object) => object.clone(),
        _ => return None,
    };
    Some(object.into_iter().filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then(|| (name.to_lowercase(), text))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    const ID: &str = "3B0A1c9e-1111-4222-8333-444455556666";

    fn read(auth: &str, data: Option<&str>) -> Result<Connection, ConnectionError> {
        let mut pairs = vec![(format!("ENDPOINT_AUTH_{ID}"), auth.to_owned())];
        pairs.extend(data.map(|data| (format!("ENDPOINT_DATA_{ID}"), data.to_owned())));
        Connection::read(&Environment::from_pairs(pairs), ID.parse().unwrap())
    }

    #[test]
    fn parameters_and_data_are_found_without_case_and_empty_ones_are_absent() {
        let connection = read(
            r#"{"scheme":"UsernamePassword","parameters":{"username":"AKIA ","Password":"p","useOIDC":true,"externalId":"","sessionToken":null}}"#,
            Some(r#"{"roleArn":"arn:aws:iam::123456789012:role/a"}"#),
        )
        .unwrap();
        assert_eq!(connection.scheme(), "UsernamePassword");
        assert_eq!(connection.parameter("USERNAME").unwrap().expose_secret(), "AKIA");
        assert_eq!(connection.parameter("password").unwrap().expose_secret(), "p");
        assert_eq!(connection.parameter("useOIDC").unwrap().expose_secret(), "true");
        assert!(
            connection.parameter("externalId").is_none() && connection.parameter("sessionToken").is_none()
        );
        assert_eq!(connection.data("RoleArn"), Some("arn:aws:iam::123456789012:role/a"));
        assert_eq!(connection.id().as_str(), ID, "the case of the GUID is kept");
    }

    #[test]
    fn a_connection_without_parameters_or_data_is_fine() {
        let connection = read(r#"{"scheme":"None","parameters":null}"#, None).unwrap();
        assert_eq!(connection.parameters().count(), 0);
        assert!(read(r#"{"scheme":"None"}"#, Some("{}")).is_ok());
    }

    #[test]
    fn what_is_no_connection_is_refused_without_showing_it() {
        for auth in ["s3cret", "[]", r#"{"parameters":{}}"#, r#"{"scheme":"None","parameters":"s3cret"}"#] {
            let error = read(auth, None).unwrap_err();
            assert!(matches!(error, ConnectionError::Malformed { .. }), "{error:?}");
            assert!(!error.to_string().contains("s3cret"));
        }
        assert!(matches!(
            Connection::read(&Environment::default(), ID.parse().unwrap()),
            Err(ConnectionError::Absent { .. })
        ));
        assert!("aws-prod".parse::<ConnectionId>().is_err());
    }

    #[test]
    fn debug_shows_no_parameter() {
        let connection =
            read(r#"{"scheme":"UsernamePassword","parameters":{"password":"s3cret"}}"#, None).unwrap();
        assert!(!format!("{connection:?}").contains("s3cret"));
    }
}
