use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::Builder;
use aws_sdk_sts::types::{Credentials as StsCredentials, PolicyDescriptorType, Tag};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::SdkConfig;
use causeway_types::{ServiceError, TooManyRequests, account_of_arn};
use secrecy::ExposeSecret;
use url::{Position, Url};

use crate::access_key::AccessKey;
use crate::claims::OidcToken;
use crate::limits::{ManagedPolicyArn, SessionTag};
use crate::plan::RoleRequest;
use crate::resolve::{Caller, Session};
use crate::safe_address::is_safe_for_tokens;

/// What STS answered that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StsError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("{operation}: the answer lacks {what}")]
    Incomplete { operation: &'static str, what: &'static str },
}

/// `AssumeRoleWithWebIdentity`: unsigned, the token itself is the proof.
pub(crate) async fn assume_with_token(
    config: &SdkConfig,
    role: &RoleRequest,
    token: &OidcToken,
) -> Result<Session, StsError> {
    const OPERATION: &str = "AssumeRoleWithWebIdentity";
    let answer = client_of(config)
        .assume_role_with_web_identity()
        .role_arn(role.arn.as_str())
        .role_session_name(role.session_name.as_str())
        .duration_seconds(role.duration.seconds())
        .web_identity_token(token.secret().expose_secret())
        .set_policy(policy(role))
        .set_policy_arns(policy_arns(role))
        .customize()
        .interceptor(SafeAddress)
        .send()
        .await
        .map_err(|error| ServiceError::new(OPERATION, &error))?;
    session(OPERATION, answer.credentials(), answer.assumed_role_user().map(|user| user.arn()))
}

/// Ends a call before its request leaves for an address that a token must not be sent to. Endpoints can be set in many
/// ways (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_STS`, profiles), so the request itself is looked at.
#[derive(Debug)]
struct SafeAddress;

#[dyn_dispatch_hint]
impl Intercept for SafeAddress {
    fn name(&self) -> &'static str {
        "SafeAddress"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let address = Url::parse(context.request().uri())?;
        if is_safe_for_tokens(&address) {
            return Ok(());
        }
        let origin = &address[..Position::BeforePath];
        Err(format!("the endpoint of STS, {origin}, is not https, so the job's OIDC token is not sent there (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS)").into())
    }
}

/// `AssumeRole`, signed with `key`.
pub(crate) async fn assume(
    config: &SdkConfig,
    role: &RoleRequest,
    key: &AccessKey,
) -> Result<Session, StsError> {
    const OPERATION: &str = "AssumeRole";
    let answer = client(config, key)
        .assume_role()
        .role_arn(role.arn.as_str())
        .role_session_name(role.session_name.as_str())
        .duration_seconds(role.duration.seconds())
        .set_external_id(role.external_id.as_ref().map(|id| id.as_str().to_owned()))
        .set_policy(policy(role))
        .set_policy_arns(policy_arns(role))
        .set_tags(tags(role)?)
        .set_transitive_tag_keys(some(role.transitive_tag_keys.clone()))
        .set_source_identity(role.source_identity.as_ref().map(|identity| identity.as_str().to_owned()))
        .send()
        .await
        .map_err(|error| ServiceError::new(OPERATION, &error))?;
    session(OPERATION, answer.credentials(), answer.assumed_role_user().map(|user| user.arn()))
}

fn policy(role: &RoleRequest) -> Option<String> {
    role.policy.as_ref().map(|policy| policy.as_str().to_owned())
}

fn policy_arns(role: &RoleRequest) -> Option<Vec<PolicyDescriptorType>> {
    let descriptor = |arn: &ManagedPolicyArn| PolicyDescriptorType::builder().arn(arn.as_str()).build();
    some(role.managed_policies.iter().map(descriptor).collect())
}

fn tags(role: &RoleRequest) -> Result<Option<Vec<Tag>>, StsError> {
    let tag = |tag: &SessionTag| Tag::builder().key(&tag.key).value(&tag.value).build();
    let tags: Result<Vec<Tag>, _> = role.tags.iter().map(tag).collect();
    Ok(some(
        tags.map_err(|_| StsError::Incomplete { operation: "AssumeRole", what: "a tag's key or value" })?,
    ))
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// `GetCallerIdentity`, signed with `key`: it needs no permission.
pub(crate) async fn caller(config: &SdkConfig, key: &AccessKey) -> Result<Caller, StsError> {
    const OPERATION: &str = "GetCallerIdentity";
    let answer = client(config, key)
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| ServiceError::new(OPERATION, &error))?;
    caller_of(OPERATION, answer.arn())
}

fn client(config: &SdkConfig, key: &AccessKey) -> Client {
    let config =
        config.to_builder().credentials_provider(SharedCredentialsProvider::new(key.to_sdk())).build();
    client_of(&config)
}

fn client_of(config: &SdkConfig) -> Client {
    Client::from_conf(Builder::from(config).retry_classifier(TooManyRequests).build())
}

fn session(
    operation: &'static str,
    credentials: Option<&StsCredentials>,
    arn: Option<&str>,
) -> Result<Session, StsError> {
    let credentials = credentials.ok_or(StsError::Incomplete { operation, what: "credentials" })?;
    let key = AccessKey {
        id: credentials.access_key_id().to_owned(),
        secret: credentials.secret_access_key().into(),
        session_token: Some(credentials.session_token().into()),
    };
    let expires_at = Some(credentials.expiration().secs());
    Ok(Session { key, expires_at, caller: caller_of(operation, arn)? })
}

fn caller_of(operation: &'static str, arn: Option<&str>) -> Result<Caller, StsError> {
    let arn = arn.ok_or(StsError::Incomplete { operation, what: "the caller's ARN" })?;
    let account =
        account_of_arn(arn).ok_or(StsError::Incomplete { operation, what: "the caller's account" })?;
    Ok(Caller { account, arn: arn.to_owned() })
}
