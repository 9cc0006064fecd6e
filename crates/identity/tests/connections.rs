//! Connections and plans: what is taken, and what is refused with which words.

#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use causeway_identity::{
    Authentication, CausewayConnection, ConnectionCredential, IdentityPlan, RoleRequest, SessionDuration,
    SessionName, ToolkitConnection,
};
use secrecy::SecretString;

const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

fn secret(text: &str) -> Option<SecretString> {
    (!text.is_empty()).then(|| SecretString::from(text))
}

/// Fields in the order: username, password, sessionToken, assumeRoleArn, externalId, useOIDC.
fn toolkit(fields: [&str; 6]) -> ToolkitConnection {
    let [username, password, session_token, role, external_id, use_oidc] = fields.map(secret);
    ToolkitConnection {
        username,
        password,
        session_token,
        assume_role_arn: role,
        external_id,
        use_oidc,
        role_session_name: None,
    }
}

#[test]
fn the_toolkits_connections_are_read_as_what_they_ask_for() {
    let kind = |fields| match toolkit(fields).identity(false).unwrap().credential {
        ConnectionCredential::Federated => "federated",
        ConnectionCredential::AccessKey(_) => "key",
        ConnectionCredential::Agent => "agent",
    };
    for use_oidc in ["true", "True", "TRUE"] {
        assert_eq!(kind(["", "", "", ROLE, "", use_oidc]), "federated");
    }
    assert_eq!(kind(["AKIA", "s", "", "", "", ""]), "key");
    assert_eq!(kind(["AKIA", "s", "t", ROLE, "contoso", "false"]), "key");
    assert_eq!(kind(["", "", "", ROLE, "contoso", "False"]), "agent");
}

#[test]
fn contradictions_are_refused_naming_the_field() {
    for (fields, words) in [
        (["AKIA", "s", "", ROLE, "", "true"], "clear \"Access Key ID\""),
        (["AKIA", "", "", ROLE, "", ""], "an access key id is given but a secret access key is not"),
        (["", "s", "", ROLE, "", ""], "a secret access key is given but an access key id is not"),
        (["AKIA", "", "", ROLE, "", "true"], "an access key id is given"),
        (["", "", "t", ROLE, "", "true"], "a session token is given"),
        (["", "", "", ROLE, "contoso", "true"], "clear the external ID"),
        (["", "", "", ROLE, "", "yes"], "useOIDC is \"yes\""),
        (["", "", "", "", "", ""], "tick \"Use OIDC\""),
        (["", "", "", "", "", "false"], "tick \"Use OIDC\""),
        (["", "", "", "arn:aws:iam::123456789012:role/my role", "", "true"], "spaces"),
        (["AKIA", "s", "", ROLE, "a b", ""], "external ID"),
    ] {
        let message = toolkit(fields).identity(false).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
        assert!(!message.contains("AKIA"), "{message}");
    }
}

#[test]
fn a_causeway_connection_follows_its_scheme() {
    let keyless = |source: Option<&str>| CausewayConnection {
        scheme: "None".to_owned(),
        identity_source: source.map(str::to_owned),
        role_arn: Some(ROLE.to_owned()),
        region_name: Some("EU-west-1".to_owned()),
        ..Default::default()
    };
    let identity = keyless(None).identity().unwrap();
    assert!(matches!(identity.credential, ConnectionCredential::Federated));
    assert_eq!(identity.region.unwrap().as_str(), "eu-west-1");
    assert!(matches!(keyless(Some("Agent")).identity().unwrap().credential, ConnectionCredential::Agent));
    assert!(keyless(Some("magic")).identity().unwrap_err().to_string().contains("federated or agent"));

    let with_key = |scheme: &str| CausewayConnection {
        scheme: scheme.to_owned(),
        username: secret("AKIA"),
        password: secret("s"),
        ..Default::default()
    };
    assert!(matches!(
        with_key("UsernamePassword").identity().unwrap().credential,
        ConnectionCredential::AccessKey(_)
    ));
    assert!(with_key("None").identity().is_err(), "a key under the keyless scheme");
    assert!(with_key("Token").identity().unwrap_err().to_string().contains("Token"));
    let no_key = CausewayConnection { scheme: "UsernamePassword".to_owned(), ..Default::default() };
    assert!(no_key.identity().unwrap_err().to_string().contains("holds none"));
}

fn role(arn: &str, external_id: Option<&str>) -> RoleRequest {
    let mut request = RoleRequest::new(arn.parse().unwrap(), SessionName::unnamed());
    request.external_id = external_id.map(|id| id.parse().unwrap());
    request
}

#[test]
fn plans_that_aws_could_not_carry_out_are_refused() {
    let plan = |region: &str, authentication, roles| {
        IdentityPlan::new(region.parse().unwrap(), authentication, roles).map_err(|error| error.to_string())
    };
    let federated = || Authentication::Federated;
    assert!(plan("eu-west-1", federated(), vec![]).unwrap_err().contains("no role is named"));
    assert!(
        plan("eu-west-1", federated(), vec![role(ROLE, Some("contoso"))])
            .unwrap_err()
            .contains("external ID")
    );
    assert!(plan("cn-north-1", federated(), vec![role(ROLE, None)]).unwrap_err().contains("aws-cn"));
    let second = role("arn:aws:iam::210987654321:role/prod", Some("contoso"));
    assert!(plan("eu-west-1", federated(), vec![role(ROLE, None), second.clone()]).is_ok());
    let chinese = role("arn:aws-cn:iam::123456789012:role/deploy", None);
    assert!(plan("eu-west-1", Authentication::Agent, vec![second, chinese]).unwrap_err().contains("aws-cn"));
    assert!(plan("eu-west-1", Authentication::Agent, vec![]).is_ok());
}

#[test]
fn what_a_token_cannot_carry_is_refused_with_what_does_its_work() {
    let plan = |change: fn(&mut RoleRequest)| {
        let mut request = role(ROLE, None);
        change(&mut request);
        IdentityPlan::new("eu-west-1".parse().unwrap(), Authentication::Federated, vec![request])
            .map_err(|error| error.to_string())
    };
    let tags = plan(|role| role.tags.push("team=shop".parse().unwrap())).unwrap_err();
    assert!(tags.contains("session tags") && tags.contains("claims"), "{tags}");
    let source = plan(|role| role.source_identity = Some("run-7".parse().unwrap())).unwrap_err();
    assert!(source.contains("source identity"), "{source}");
    assert!(plan(|role| role.policy = Some(r#"{"Statement":[]}"#.parse().unwrap())).is_ok());
    let foreign = plan(|role| role.managed_policies.push("arn:aws-cn:iam::aws:policy/A".parse().unwrap()));
    assert!(foreign.unwrap_err().contains("aws-cn"));
}

#[test]
fn a_chained_session_is_shortened_to_an_hour_and_that_is_told() {
    let long = |arn| {
        let mut request = role(arn, None);
        request.duration = "43200".parse().unwrap();
        request
    };
    let plan =
        |roles| IdentityPlan::new("eu-west-1".parse().unwrap(), Authentication::Federated, roles).unwrap();
    let single = plan(vec![long(ROLE)]);
    assert_eq!((single.roles()[0].duration.seconds(), single.shortened_from()), (43200, None));
    let chain = plan(vec![role(ROLE, None), long("arn:aws:iam::210987654321:role/prod")]);
    assert_eq!(chain.roles()[1].duration, SessionDuration::MOST_CHAINED);
    assert_eq!(chain.shortened_from().unwrap().seconds(), 43200);
    assert_eq!(chain.final_account().unwrap().as_str(), "210987654321");
}
