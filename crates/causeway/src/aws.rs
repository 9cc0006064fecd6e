use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use aws_config::identity::IdentityCache;
use aws_config::{BehaviorVersion, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::sdk_config::SharedCredentialsProvider;
use aws_types::sdk_ua_metadata::FrameworkMetadata;
use causeway_agent::Variables;
use causeway_identity::{RetryPolicy, Session};
use causeway_types::Region;

use crate::broker::{Keeper, Kept};
use crate::network::Network;

/// How long becoming somebody may take, with all retries, unless [`DEADLINE_VARIABLE`] says otherwise.
const IDENTITY_DEADLINE: Duration = Duration::from_secs(60);

/// The pipeline variable that sets another deadline than [`IDENTITY_DEADLINE`], in seconds.
pub(crate) const DEADLINE_VARIABLE: &str = "Causeway.IdentityDeadlineSeconds";

/// How long a call waits for credentials that are being renewed: longer than the [`Keeper`] does, whose reason is better.
const CREDENTIALS_PATIENCE: Duration = Duration::from_secs(100);

/// Attempts in all, with pauses that double from half a second.
const ATTEMPTS: u32 = 8;

/// The SDK's configuration without credentials: region, endpoints (`AWS_ENDPOINT_URL…`), network, retries.
///
/// The user agent names Causeway, its version and the command, so that CloudTrail tells who called.
pub(crate) async fn base_config(region: &Region, network: &Network, command: &str) -> Result<SdkConfig> {
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(500))
        .with_max_backoff(Duration::from_secs(8));
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(aws_types::region::Region::new(region.as_str().to_owned()))
        .no_credentials()
        .http_client(network.http_client())
        .sleep_impl(TokioSleep::new())
        .retry_config(retries)
        .timeout_config(TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).build())
        .app_name(AppName::new(format!("causeway-{command}"))?)
        .framework_metadata(FrameworkMetadata::new("causeway", Some(env!("CARGO_PKG_VERSION")))?)
        .load()
        .await;
    Ok(config)
}

/// The deadline for the token and every role together.
///
/// # Errors
/// When the variable holds something else than 1 to 600 seconds.
pub(crate) fn identity_deadline(variables: Variables<'_>) -> Result<Duration> {
    match variables.public(DEADLINE_VARIABLE).map(|text| (text, text.trim().parse())) {
        None => Ok(IDENTITY_DEADLINE),
        Some((_, Ok(seconds @ 1..=600))) => Ok(Duration::from_secs(seconds)),
        Some((text, _)) => {
            bail!("variable {DEADLINE_VARIABLE} is \"{text}\": give a whole number of seconds from 1 to 600")
        }
    }
}

/// The same with retries and limits for the calls that make an identity.
pub(crate) fn for_identity(base: &SdkConfig, deadline: Duration) -> SdkConfig {
    RetryPolicy::within(deadline).apply(base)
}

/// The same, signing with the session's key.
pub(crate) fn signed_with(base: &SdkConfig, session: &Session) -> SdkConfig {
    let credentials = SharedCredentialsProvider::new(session.key.to_sdk());
    base.to_builder().credentials_provider(credentials).build()
}

/// The same, signing with whatever key is valid when a call is made.
pub(crate) fn signed_by(base: &SdkConfig, keeper: &Arc<Keeper>) -> SdkConfig {
    // The keeper has its own patience; the SDK's of five seconds is too little for a token and a chain of roles.
    let cache = IdentityCache::lazy().load_timeout(CREDENTIALS_PATIENCE).build();
    let credentials = SharedCredentialsProvider::new(Kept::new(Arc::clone(keeper)));
    base.to_builder().credentials_provider(credentials).identity_cache(cache).build()
}
