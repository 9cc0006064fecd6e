use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_types::SdkConfig;
use aws_types::sdk_config::SharedCredentialsProvider;
use causeway_agent::{Console, Environment};
use causeway_setup::azure_devops::SignIn;
use causeway_setup::check::{AccountFault, Seen};
use causeway_setup::file::Account;
use causeway_setup::plan::{AzureDevOpsState, Observed, observe_account, observe_azure_devops};
use causeway_setup::run::Clients;
use causeway_setup::{AwsAccount, AzureDevOps, Setup};
use causeway_types::Region;
use secrecy::SecretString;
use url::{Host, Url};

use crate::aws;
use crate::network::Network;

/// Where a personal access token, or a token of Microsoft Entra, is looked for: the name that `az devops` reads, one for other
/// tokens, and the job's own.
const TOKENS: [&str; 3] = ["AZURE_DEVOPS_EXT_PAT", "AZURE_DEVOPS_TOKEN", "SYSTEM_ACCESSTOKEN"];
/// Another address of Azure DevOps, for tests.
const ADDRESS: &str = "CAUSEWAY_AZURE_DEVOPS_URL";

/// Connections to both sides.
pub(super) struct Sides {
    pub(super) clients: Clients,
}

impl Sides {
    /// Signs in nowhere yet: it only finds out with what.
    pub(super) async fn open(setup: &Setup, environment: &Environment) -> Result<Self> {
        let console = Console::new(environment, Box::new(std::io::sink()));
        let network = Network::for_step(environment, &console, None)?;
        let azure_devops = AzureDevOps::new(
            network.connector(),
            address(environment)?,
            &setup.organization,
            sign_in(environment)?,
        );
        let mut accounts = BTreeMap::new();
        for (alias, account) in &setup.accounts {
            accounts.insert(alias.clone(), AwsAccount::new(&config(account, &network).await?));
        }
        Ok(Self { clients: Clients { azure_devops, accounts } })
    }

    /// Everything that matters on both sides.
    pub(super) async fn observe(&self, setup: &Setup) -> Result<Observed> {
        let azure_devops = observe_azure_devops(&self.clients.azure_devops, setup).await?;
        let mut accounts = BTreeMap::new();
        for (alias, state) in self.accounts(setup, &azure_devops).await {
            accounts.insert(alias.clone(), state.map_err(|fault| explained(setup, &alias, &fault))?);
        }
        Ok(Observed { azure_devops, accounts })
    }

    /// The same with what could not be seen, for judging.
    pub(super) async fn see(&self, setup: &Setup) -> Seen {
        match observe_azure_devops(&self.clients.azure_devops, setup).await {
            Ok(state) => {
                let accounts = self.accounts(setup, &state).await;
                Seen { azure_devops: Ok(state), accounts }
            }
            Err(error) => {
                let mut accounts = BTreeMap::new();
                for (alias, account) in &setup.accounts {
                    if let Err(fault) = self.whose(account).await {
                        accounts.insert(alias.clone(), Err(fault));
                    }
                }
                Seen { azure_devops: Err(error), accounts }
            }
        }
    }

    async fn accounts(
        &self,
        setup: &Setup,
        azure_devops: &AzureDevOpsState,
    ) -> BTreeMap<String, Result<causeway_setup::aws::AccountState, AccountFault>> {
        let mut states = BTreeMap::new();
        for (alias, account) in &setup.accounts {
            let state = match (self.whose(account).await, self.clients.accounts.get(alias)) {
                (Ok(()), Some(client)) => observe_account(client, setup, &azure_devops.place, account)
                    .await
                    .map_err(AccountFault::Refused),
                (Err(fault), _) => Err(fault),
                (Ok(()), None) => Err(AccountFault::NoCredentials("there is no client for it".to_owned())),
            };
            states.insert(alias.clone(), state);
        }
        states
    }

    /// Whether the credentials are those of the account that the file names.
    async fn whose(&self, account: &Account) -> Result<(), AccountFault> {
        let Some(client) = self.clients.accounts.get(&account.alias) else {
            return Err(AccountFault::NoCredentials("there is no client for it".to_owned()));
        };
        let caller = client.caller().await.map_err(|error| match error.code() {
            Some(_) => AccountFault::Refused(error),
            None => AccountFault::NoCredentials(error.message().to_owned()),
        })?;
        if caller.account.as_ref() == Some(&account.id) {
            return Ok(());
        }
        Err(AccountFault::OtherAccount { arn: caller.arn, account: caller.account })
    }
}

/// A fault of an account as the error of a command that cannot go on without it.
fn explained(setup: &Setup, alias: &str, fault: &AccountFault) -> anyhow::Error {
    let accounts = BTreeMap::from([(alias.to_owned(), Err(fault.clone()))]);
    let nothing = causeway_setup::AzureDevOpsError::Unreachable { call: "", reason: String::new() };
    let seen = Seen { azure_devops: Err(nothing), accounts };
    let findings = causeway_setup::check::check(setup, &seen, std::time::SystemTime::now());
    match findings.iter().find(|finding| finding.place == alias) {
        Some(finding) => anyhow::anyhow!("{}: {}. To do: {}", finding.subject, finding.cause, finding.cure),
        None => anyhow::anyhow!("account {alias} could not be looked at"),
    }
}

/// The token from the environment: one of three parts with dots between is Entra's or a job's, anything else a personal one.
fn sign_in(environment: &Environment) -> Result<SignIn> {
    let found = TOKENS.iter().find_map(|name| environment.get(name).filter(|token| !token.trim().is_empty()));
    let Some(token) = found.map(str::trim) else {
        bail!(
            "there is no token for Azure DevOps: put a personal access token (User settings, Personal access tokens; scopes \"Service Connections: Read, query, & manage\" and \"Project and Team: Read\") or a token of Microsoft Entra into {}",
            TOKENS[0]
        );
    };
    ensure!(!token.contains(char::is_whitespace), "the token for Azure DevOps holds white space");
    let is_web_token = token.starts_with("eyJ") && token.matches('.').count() == 2;
    let token = SecretString::from(token);
    Ok(if is_web_token { SignIn::Bearer(token) } else { SignIn::PersonalAccessToken(token) })
}

/// `https://dev.azure.com`; the environment may name another, for tests on this machine.
fn address(environment: &Environment) -> Result<Url> {
    let Some(text) = environment.get(ADDRESS).filter(|text| !text.is_empty()) else {
        return Ok(Url::parse("https://dev.azure.com")?);
    };
    let url = Url::parse(text).context(ADDRESS)?;
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    ensure!(
        is_here,
        "{ADDRESS} is for tests on this machine only: it names an address such as http://127.0.0.1:8080"
    );
    Ok(url)
}

/// IAM is one for a whole partition; the region only decides which.
fn region(account: &Account) -> Result<Region> {
    let name = match account.partition.as_str() {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        "aws-eusc" => "eusc-de-east-1",
        "aws-iso" => "us-iso-east-1",
        "aws-iso-b" => "us-isob-east-1",
        "aws-iso-e" => "eu-isoe-west-1",
        "aws-iso-f" => "us-isof-south-1",
        _ => "us-east-1",
    };
    Ok(name.parse()?)
}

async fn config(account: &Account, network: &Network) -> Result<SdkConfig> {
    let base = aws::base_config(&region(account)?, network, "setup").await?;
    let provider =
        ProviderConfig::default().with_region(base.region().cloned()).with_http_client(network.http_client());
    let own = match &account.profile {
        Some(name) => SharedCredentialsProvider::new(
            ProfileFileCredentialsProvider::builder().configure(&provider).profile_name(name).build(),
        ),
        None => SharedCredentialsProvider::new(
            DefaultCredentialsChain::builder()
                .region(base.region().cloned())
                .configure(provider)
                .build()
                .await,
        ),
    };
    let signed = base.to_builder().credentials_provider(own).build();
    let Some(role) = &account.role else { return Ok(signed) };
    let mut assumed =
        AssumeRoleProvider::builder(role.as_str()).configure(&signed).session_name("causeway-setup");
    if let Some(id) = &account.external_id {
        assumed = assumed.external_id(id.as_str());
    }
    let assumed = SharedCredentialsProvider::new(assumed.build().await);
    Ok(signed.to_builder().credentials_provider(assumed).build())
}
