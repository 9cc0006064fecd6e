//! One exchange after the other against local servers: a token, a role for it, and a second role.

use std::collections::HashSet;

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use aws_types::SdkConfig;
use causeway_harness::azure_devops::{AUDIENCE, AzureDevOps, JobTicket, Organization};
use causeway_harness::gateway::Gateway;
use causeway_harness::sts::{Iam, Role};
use causeway_harness::world::{federated_trust, key_trust};
use causeway_identity::{
    Authentication, AzureDevOpsTokens, IdentityError, IdentityPlan, Observer, RetryPolicy, RoleRequest,
    SessionName, TokenRequest,
};
use secrecy::SecretString;

const ACCOUNT: &str = "123456789012";

/// An organization with a running job, and an account with two roles, the second for sessions of the first.
pub(crate) struct Site {
    pub(crate) azure_devops: AzureDevOps,
    pub(crate) gateway: Gateway,
    request: TokenRequest,
    connector: SharedHttpConnector,
}

struct Silent;

impl Observer for Silent {}

impl Site {
    pub(crate) fn start() -> Self {
        let azure_devops = AzureDevOps::start(Organization::default());
        let iam = Iam::new(azure_devops.clone());
        let issuer = azure_devops.issuer();
        iam.add_provider(ACCOUNT, &issuer, &[AUDIENCE]);
        let trust = federated_trust(ACCOUNT, &issuer, &[azure_devops.pipeline_subject()]);
        iam.add_role(Role::new(ACCOUNT, "deploy", trust));
        iam.add_role(Role::new(ACCOUNT, "prod", key_trust(&arn("deploy"), None)));
        let ticket = JobTicket::new(HashSet::new());
        azure_devops.begin_job(ticket.clone());
        let organization = azure_devops.organization();
        let address = format!(
            "{}{}/_apis/distributedtask/hubs/build/plans/{}/jobs/{}/oidctoken",
            azure_devops.collection_url(),
            organization.project_id,
            ticket.plan,
            ticket.job
        );
        let token = SecretString::from(ticket.token);
        Self {
            gateway: Gateway::start(iam, None),
            request: TokenRequest::new(Some(&address), Some(token), Some(organization.name), None).unwrap(),
            connector: SharedHttpConnector::new(
                Connector::builder()
                    .sleep_impl(TokioSleep::new())
                    .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
                    .build(),
            ),
            azure_devops,
        }
    }

    /// From nothing to the second role's credentials.
    pub(crate) async fn exchange(&self, policy: RetryPolicy) -> Result<(), IdentityError> {
        let roles = ["deploy", "prod"]
            .map(|name| RoleRequest::new(arn(name).parse().unwrap(), SessionName::unnamed()));
        let plan = IdentityPlan::new("eu-west-1".parse().unwrap(), Authentication::Federated, roles.to_vec())
            .unwrap();
        let tokens = AzureDevOpsTokens::new(self.connector.clone(), self.request.clone(), policy.deadline)
            .with_policy(policy);
        plan.resolve(&policy.apply(&self.config()), Some(&tokens), &Silent).await.map(drop)
    }

    fn config(&self) -> SdkConfig {
        let connector = self.connector.clone();
        SdkConfig::builder()
            .behavior_version(aws_sdk_sts::config::BehaviorVersion::v2026_01_12())
            .endpoint_url(self.gateway.url())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
