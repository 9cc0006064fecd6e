//! A service connection of any content is read or refused, and no message holds its password.

use causeway_agent::{Connection, Environment};
use causeway_identity::{CausewayConnection, ToolkitConnection};

pub(super) const EXAMPLES: &[&str] = &[
    r#"{"scheme":"UsernamePassword","parameters":{"username":"AKIAIOSFODNN7EXAMPLE","password":"p4ssw0rd-p4ssw0rd"}}"#,
    r#"{"scheme":"None","parameters":{"useOIDC":"True","assumeRoleArn":"arn:aws:iam::123456789012:role/x"}}"#,
    r#"{"parameters":null,"scheme":7}"#,
    r#"{"scheme":"None","parameters":{"identitySource":"federated","roleArn":"arn:aws:iam::1:role/y","regionName":"eu-west-1"}}"#,
    "[]",
];
const ID: &str = "5ab7e0b3-b6a0-4f5e-9d16-6f5d1c9f2a10";
const PASSWORD: &str = "p4ssw0rd-p4ssw0rd";

pub(super) fn run(data: &[u8]) {
    let text = crate::text(data).replace('\0', "");
    let name = |start: &str| format!("{start}_{ID}");
    let pairs = [(name("ENDPOINT_AUTH"), text.clone()), (name("ENDPOINT_DATA"), text)];
    let id = ID.parse().expect("a GUID");
    let connection = match Connection::read(&Environment::from_pairs(pairs), id) {
        Ok(connection) => connection,
        Err(error) => return assert!(!error.to_string().contains(PASSWORD), "{error}"),
    };
    let parameter = |name: &str| connection.parameter(name);
    let data = |name: &str| connection.data(name).map(str::to_owned);
    let toolkit = ToolkitConnection {
        username: parameter("username"),
        password: parameter("password"),
        session_token: parameter("sessionToken"),
        assume_role_arn: parameter("assumeRoleArn"),
        role_session_name: parameter("roleSessionName"),
        external_id: parameter("externalId"),
        use_oidc: parameter("useOIDC"),
    };
    let causeway = CausewayConnection {
        scheme: connection.scheme().to_owned(),
        identity_source: data("identitySource"),
        username: parameter("username"),
        password: parameter("password"),
        session_token: parameter("sessionToken"),
        role_arn: data("roleArn"),
        role_session_name: data("roleSessionName"),
        external_id: data("externalId"),
        region_name: data("regionName"),
    };
    for said in [
        format!("{:?}", toolkit.identity(false).map_err(|error| error.to_string())),
        format!("{:?}", causeway.identity().map_err(|error| error.to_string())),
    ] {
        // Data fields are public, whatever a user writes into them.
        let is_public = connection.data("roleArn").is_some() || connection.scheme().contains(PASSWORD);
        assert!(is_public || !said.contains(PASSWORD), "{said}");
    }
}
