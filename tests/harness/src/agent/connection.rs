use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A service connection with its fields.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its GUID.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its type, such as `AWS` or `Causeway`.
    pub kind: String,
    /// Its address.
    pub url: String,
    /// Its scheme, such as `UsernamePassword` or `None`.
    pub scheme: String,
    /// The authorization parameters. The agent masks all but a few names that are none of ours.
    pub parameters: Vec<(String, String)>,
    /// The data fields, which are public.
    pub data: Vec<(String, String)>,
}

impl Connection {
    /// A connection without fields.
    #[must_use]
    pub fn new(name: &str, kind: &str, scheme: &str) -> Self {
        Self {
            id: Uuid::new_v4(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            url: "https://aws.amazon.com/".to_owned(),
            scheme: scheme.to_owned(),
            parameters: Vec::new(),
            data: Vec::new(),
        }
    }

    /// The same with an authorization parameter.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a data field.
    #[must_use]
    pub fn with_data(mut self, name: &str, value: &str) -> Self {
        self.data.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The environment that a step which references it gets (`Handler.cs`, `AddEndpointsToEnvironment`).
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let id = self.id.to_string();
        let mut all = authorization(&id, &self.url, &self.scheme, &self.parameters);
        all.push((format!("ENDPOINT_DATA_{id}"), object(&self.data).to_string()));
        for (name, value) in &self.data {
            all.push((
                format!("ENDPOINT_DATA_{id}_{}", super::variables::environment_name(name)),
                value.clone(),
            ));
        }
        all
    }
}

/// The job's own connection to the organization.
pub(super) fn system_connection(url: &str, token: &str) -> Vec<(String, String)> {
    let parameters = [("AccessToken".to_owned(), token.to_owned())];
    authorization("SYSTEMVSSCONNECTION", url, "OAuth", &parameters)
}

fn authorization(
    key: &str,
    url: &str,
    scheme: &str,
    parameters: &[(String, String)],
) -> Vec<(String, String)> {
    let whole = json!({ "parameters": object(parameters), "scheme": scheme });
    let mut all = vec![
        (format!("ENDPOINT_URL_{key}"), url.to_owned()),
        (format!("ENDPOINT_AUTH_{key}"), whole.to_string()),
        (format!("ENDPOINT_AUTH_SCHEME_{key}"), scheme.to_owned()),
    ];
    for (name, value) in parameters {
        let name = super::variables::environment_name(name);
        all.push((format!("ENDPOINT_AUTH_PARAMETER_{key}_{name}"), value.clone()));
    }
    all
}

fn object(fields: &[(String, String)]) -> Value {
    Value::Object(fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>())
}
