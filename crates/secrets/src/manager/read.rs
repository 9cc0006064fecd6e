use std::collections::{HashMap, HashSet};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
use aws_sdk_secretsmanager::primitives::Blob;
use aws_types::SdkConfig;
use causeway_types::{ServiceError, ServiceErrorKind};
use futures_util::future::{join_all, try_join_all};
use secrecy::SecretString;

use super::{ReadSecretsError, SecretContent, SecretId, SecretPattern, SecretProblem, SecretVersion, client};
use crate::pace::Pacer;
use crate::ssm::region_of;

/// The most that one `BatchGetSecretValue` takes (Secrets Manager API reference).
const BATCH: usize = 20;

/// A secret with its value.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// The id of the version.
    pub version: Option<String>,
    /// The value.
    pub content: SecretContent,
}

/// A secret, and what it was asked for by.
#[derive(Debug, Clone)]
pub struct FoundSecret {
    /// Which of the patterns, from 0.
    pub pattern: usize,
    /// The secret.
    pub secret: Secret,
}

/// Reads the secrets that the patterns mean, in their order; those of a beginning in the order of their names, and none
/// if there is none.
///
/// Several secrets come twenty a call (`secretsmanager:BatchGetSecretValue`); a single one, another version than the
/// current one, and all of them where the batch call is not allowed, with one call each side by side
/// (`secretsmanager:GetSecretValue`). A beginning needs `secretsmanager:ListSecrets`.
///
/// # Errors
/// [`ReadSecretsError`], naming every secret that is missing or refused; a list is never partial.
pub async fn read_secrets(
    config: &SdkConfig,
    patterns: &[SecretPattern],
    version: Option<&SecretVersion>,
) -> Result<Vec<FoundSecret>, ReadSecretsError> {
    let reader = Reader { client: client(config), pacer: Pacer::new(config), region: region_of(config) };
    let wanted = try_join_all(patterns.iter().map(|pattern| reader.ids(pattern))).await?;
    let mut ids: Vec<SecretId> = Vec::new();
    for id in wanted.iter().flatten() {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    let secrets = match (&ids[..], version) {
        ([_, _, ..], None) => reader.batches(&ids).await?,
        _ => reader.each(&ids, version).await?,
    };
    let found = wanted.iter().enumerate().flat_map(|(pattern, ids)| {
        let secrets = ids.iter().filter_map(|id| secrets.get(id)).cloned();
        secrets.map(move |secret| FoundSecret { pattern, secret })
    });
    Ok(found.collect())
}

/// Secrets by what they were asked for.
type Secrets = HashMap<SecretId, Secret>;

pub(super) struct Reader {
    pub(super) client: Client,
    pub(super) pacer: Pacer,
    region: String,
}

impl Reader {
    async fn ids(&self, pattern: &SecretPattern) -> Result<Vec<SecretId>, ReadSecretsError> {
        match pattern {
            SecretPattern::Exact(id) => Ok(vec![id.clone()]),
            SecretPattern::Prefix(prefix) => self.find(prefix).await,
        }
    }

    async fn batches(&self, ids: &[SecretId]) -> Result<Secrets, ReadSecretsError> {
        let mut secrets = Secrets::new();
        let mut problems = Vec::new();
        for answer in join_all(ids.chunks(BATCH).map(|batch| self.batch(batch, ids))).await {
            match answer {
                Ok((found, refused)) => {
                    secrets.extend(found);
                    problems.extend(refused);
                }
                // The batch call is a permission of its own, which those who read secrets one by one need not have.
                Err(error) if error.kind() == ServiceErrorKind::Refused => return self.each(ids, None).await,
                Err(error) => {
                    return Err(ReadSecretsError::Service { subject: "the secrets".to_owned(), error });
                }
            }
        }
        self.whole(ids, secrets, problems)
    }

    async fn batch(
        &self,
        batch: &[SecretId],
        all: &[SecretId],
    ) -> Result<(Secrets, Vec<SecretProblem>), ServiceError> {
        let wanted: Vec<String> = batch.iter().map(ToString::to_string).collect();
        let request = self.client.batch_get_secret_value().set_secret_id_list(Some(wanted));
        let mut secrets = Secrets::new();
        let mut problems = Vec::new();
        let mut tokens = HashSet::new();
        let mut token = None;
        loop {
            let request = request.clone().set_next_token(token);
            let answer = self.pacer.call("BatchGetSecretValue", || request.clone().send()).await;
            let answer = answer.map_err(|error| ServiceError::new("BatchGetSecretValue", &error))?;
            for entry in answer.secret_values.unwrap_or_default() {
                let secret =
                    secret(entry.name, entry.arn, entry.version_id, entry.secret_string, entry.secret_binary);
                // One secret may be asked for by name and by ARN.
                let Some(secret) = secret else { continue };
                for id in all.iter().filter(|id| id.means(&secret.name, &secret.arn)) {
                    secrets.insert(id.clone(), secret.clone());
                }
            }
            problems.extend(answer.errors.unwrap_or_default().into_iter().map(|error| SecretProblem {
                id: error.secret_id.unwrap_or_default(),
                code: error.error_code.unwrap_or_default(),
                message: error.message.unwrap_or_default(),
            }));
            match answer.next_token.filter(|next| !next.is_empty()) {
                Some(next) if tokens.insert(next.clone()) => token = Some(next),
                // A page that comes again brings nothing new; what it leaves out is missed by the caller.
                _ => return Ok((secrets, problems)),
            }
        }
    }

    async fn each(
        &self,
        ids: &[SecretId],
        version: Option<&SecretVersion>,
    ) -> Result<Secrets, ReadSecretsError> {
        let answers = join_all(ids.iter().map(|id| self.one(id, version))).await;
        let mut secrets = Secrets::new();
        let mut problems = Vec::new();
        for (id, answer) in ids.iter().zip(answers) {
            match answer {
                Ok(Some(secret)) => drop(secrets.insert(id.clone(), secret)),
                Ok(None) => {}
                Err((_, true)) => problems.push(SecretProblem::not_found(id)),
                Err((error, false)) if ids.len() == 1 => {
                    return Err(ReadSecretsError::Service { subject: format!("secret \"{id}\""), error });
                }
                Err((error, false)) => problems.push(SecretProblem::of(id, &error)),
            }
        }
        self.whole(ids, secrets, problems)
    }

    /// The refusal comes with whether the secret or its version is not there.
    async fn one(
        &self,
        id: &SecretId,
        version: Option<&SecretVersion>,
    ) -> Result<Option<Secret>, (ServiceError, bool)> {
        let request = self.client.get_secret_value().secret_id(id.as_str());
        let request = match version {
            Some(SecretVersion::Id(id)) => request.version_id(id),
            Some(SecretVersion::Stage(stage)) => request.version_stage(stage),
            None => request,
        };
        let answer = self.pacer.call("GetSecretValue", || request.clone().send()).await;
        let answer: GetSecretValueOutput = answer.map_err(|error| {
            let missing =
                matches!(error.as_service_error(), Some(GetSecretValueError::ResourceNotFoundException(_)));
            (ServiceError::new("GetSecretValue", &error), missing)
        })?;
        Ok(secret(answer.name, answer.arn, answer.version_id, answer.secret_string, answer.secret_binary))
    }

    /// All or nothing: what is missing comes first, in one list, then what was refused.
    fn whole(
        &self,
        ids: &[SecretId],
        secrets: Secrets,
        problems: Vec<SecretProblem>,
    ) -> Result<Secrets, ReadSecretsError> {
        let (missing, refused): (Vec<_>, Vec<_>) =
            problems.into_iter().partition(SecretProblem::is_not_found);
        if !refused.is_empty() {
            return Err(ReadSecretsError::Refused(refused.into_iter().chain(missing).collect()));
        }
        if !missing.is_empty() {
            let ids = missing.into_iter().map(|problem| problem.id).collect();
            return Err(ReadSecretsError::Missing { ids, region: self.region.clone() });
        }
        let without: Vec<String> =
            ids.iter().filter(|id| !secrets.contains_key(id)).map(ToString::to_string).collect();
        if without.is_empty() { Ok(secrets) } else { Err(ReadSecretsError::NoValue(without)) }
    }
}

/// The error code of both calls for a secret or version that is not there.
const NOT_FOUND: &str = "ResourceNotFoundException";

impl SecretProblem {
    fn of(id: &SecretId, error: &ServiceError) -> Self {
        let code = error.code().unwrap_or("no code").to_owned();
        Self { id: id.to_string(), code, message: error.message().to_owned() }
    }

    fn not_found(id: &SecretId) -> Self {
        Self { id: id.to_string(), code: NOT_FOUND.to_owned(), message: "it does not exist".to_owned() }
    }

    fn is_not_found(&self) -> bool {
        self.code == NOT_FOUND
    }
}

fn secret(
    name: Option<String>,
    arn: Option<String>,
    version: Option<String>,
    text: Option<String>,
    binary: Option<Blob>,
) -> Option<Secret> {
    let content = match (text, binary) {
        (Some(text), _) => SecretContent::Text(SecretString::from(text)),
        (None, Some(bytes)) => SecretContent::of_bytes(bytes.as_ref()),
        (None, None) => return None,
    };
    Some(Secret { name: name?, arn: arn?, version, content })
}
