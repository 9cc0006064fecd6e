use anyhow::{Context, Result};
use aws_types::SdkConfig;
use causeway_agent::{Console, InputError, Inputs};
use causeway_registry::{
    EncryptionKind, LifecyclePolicy, PublicRepositories, Repositories, RepositoryEncryption, RepositoryName,
    RepositorySettings,
};

/// How a repository is made when it is not there.
pub(crate) struct NewRepository(RepositorySettings);

impl NewRepository {
    /// Input `autoCreateRepository` and what goes with it; `None` when it is off.
    pub(crate) fn read(inputs: &Inputs<'_>) -> Result<Option<Self>> {
        if !inputs.flag("autoCreateRepository", false)? {
            return Ok(None);
        }
        let mutability = [("MUTABLE", false), ("IMMUTABLE", true)];
        Ok(Some(Self(RepositorySettings {
            immutable_tags: inputs.choice("imageTagMutability", &mutability)?.unwrap_or_default(),
            scan_on_push: inputs.flag("scanOnPush", false)?,
            encryption: encryption(inputs)?,
            lifecycle_policy: lifecycle_policy(inputs)?,
            tags: tags(inputs)?,
        })))
    }

    /// The input that asks for what ECR Public has not.
    pub(crate) fn private_only(&self) -> Option<&'static str> {
        let asked = [
            (self.0.immutable_tags, "imageTagMutability"),
            (self.0.scan_on_push, "scanOnPush"),
            (self.0.encryption.is_some(), "repositoryEncryption"),
            (self.0.lifecycle_policy.is_some(), "lifecyclePolicy"),
        ];
        asked.iter().find_map(|(is_asked, name)| is_asked.then_some(*name))
    }

    /// Makes the repository unless it is there. One that is there is left as it is. `None` is ECR Public.
    pub(crate) async fn ensure(
        &self,
        repositories: Option<&Repositories>,
        config: &SdkConfig,
        name: &RepositoryName,
        console: &Console,
    ) -> Result<()> {
        let made = match repositories {
            Some(private) if private.find(name).await?.is_none() => private.create(name, &self.0).await?.arn,
            Some(_) => return Ok(()),
            None => {
                let public = PublicRepositories::of(config);
                if public.exists(name).await? {
                    return Ok(());
                }
                public.create(name, &self.0.tags).await?
            }
        };
        console.info(&format!("Created repository {made}"));
        Ok(())
    }
}

fn encryption(inputs: &Inputs<'_>) -> Result<Option<RepositoryEncryption>> {
    let kinds = [
        ("default", None),
        ("AES256", Some(EncryptionKind::Aes256)),
        ("KMS", Some(EncryptionKind::Kms)),
        ("KMS_DSSE", Some(EncryptionKind::KmsDsse)),
    ];
    let kind = inputs.choice("repositoryEncryption", &kinds)?.flatten();
    let kms_key = inputs.text("repositoryKmsKey").map(str::to_owned);
    match (kind, &kms_key) {
        (None | Some(EncryptionKind::Aes256), Some(key)) => {
            let problem = "a key goes with repositoryEncryption KMS or KMS_DSSE";
            Err(InputError::invalid("repositoryKmsKey", key, problem).into())
        }
        (None, None) => Ok(None),
        (Some(kind), _) => Ok(Some(RepositoryEncryption { kind, kms_key })),
    }
}

/// JSON, or the path of a file with it.
fn lifecycle_policy(inputs: &Inputs<'_>) -> Result<Option<LifecyclePolicy>> {
    let Some(text) = inputs.text("lifecyclePolicy") else { return Ok(None) };
    if text.starts_with('{') {
        return Ok(inputs.parsed("lifecyclePolicy")?);
    }
    let json = std::fs::read_to_string(text)
        .with_context(|| format!("input lifecyclePolicy: {text} could not be read, and it is no JSON"))?;
    let policy = json.trim_start_matches('\u{feff}').parse();
    policy.map(Some).map_err(|error| InputError::invalid("lifecyclePolicy", text, error).into())
}

/// `key=value` lines.
fn tags(inputs: &Inputs<'_>) -> Result<Vec<(String, String)>> {
    let split = |line: &str| match line.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err(InputError::invalid("repositoryTags", line, "give key=value, one a line")),
    };
    Ok(inputs.lines("repositoryTags").into_iter().map(split).collect::<Result<_, _>>()?)
}
