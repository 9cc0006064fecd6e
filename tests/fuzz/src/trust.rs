//! A trust policy of any content is judged or refused; what is allowed is not allowed without its statements.

use std::time::{Duration, SystemTime};

use causeway_identity::Claims;
use causeway_identity::trust::{Decision, Policy, Request, evaluate, remarks};

pub(super) const EXAMPLES: &[&str] = &[
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/vstoken.dev.azure.com/o"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"vstoken.dev.azure.com/o:sub":["sc://a/b/c"],"vstoken.dev.azure.com/o:aud":"api://AzureADTokenExchange"}}}]}"#,
    r#"{"Statement":{"Effect":"Deny","Principal":"*","NotAction":["sts:*"],"Condition":{"ForAllValues:StringNotLikeIfExists":{"a:b":"*?${x}"}}}}"#,
    r#"{"Role":{"Arn":"arn:aws:iam::123456789012:role/x","AssumeRolePolicyDocument":"%7B%22Statement%22%3A%5B%5D%7D"}}"#,
    r#"{"Statement":[{"Effect":"Allow","Principal":{"Federated":"*"},"Action":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"},"Bool":{"x":"true"},"NumericLessThan":{"y":"1e3"}}}]}"#,
];
const CLAIMS: &[u8] =
    br#"{"iss":"https://vstoken.dev.azure.com/o","sub":"sc://a/b/c","aud":"api://AzureADTokenExchange"}"#;

pub(super) fn run(data: &[u8]) {
    let text = crate::text(data);
    let Ok(policy) = Policy::parse(&text) else { return };
    let claims = Claims::from_json(CLAIMS).expect("claims");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000);
    let account = "123456789012".parse().expect("an account");
    let request = Request::new(&claims, "aws", &account, now);
    let decision = evaluate(&policy, &request);
    let _ = remarks(&policy, &request);
    if matches!(decision, Decision::Granted { .. }) {
        assert!(
            text.contains("llow") || text.contains('%') || text.contains('\\'),
            "allowed by nothing: {text}"
        );
    }
}
