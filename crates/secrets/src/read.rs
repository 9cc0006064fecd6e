use std::collections::{BTreeMap, HashSet};

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::operation::get_parameters_by_path::GetParametersByPathOutput;
use aws_sdk_ssm::types::Parameter as SsmParameter;
use aws_types::SdkConfig;
use causeway_types::ServiceError;

use crate::{Parameter, ParameterName, ParameterPath, ParameterQuery, ParameterVersion};

/// The most that one `GetParametersByPath` answers (Systems Manager API reference).
const PAGE_SIZE: i32 = 10;

/// Why parameters could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such parameter.
    #[error("parameter \"{name}\" does not exist in {region}")]
    NotFound {
        /// The name or ARN that was asked for.
        name: String,
        /// The region that was asked.
        region: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// The parameter exists, but not in this version or with this label.
    #[error("parameter \"{name}\" has no such version or label in {region}")]
    VersionNotFound {
        /// The name with the version or label, `name:3`.
        name: String,
        /// The region that was asked.
        region: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// SSM, or KMS behind it, refused or failed.
    #[error("\"{subject}\" could not be read")]
    Service {
        /// The parameter or path that was asked for.
        subject: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// The service answered, but without a name or a value.
    #[error("SSM answered without a value for \"{0}\"")]
    NoValue(String),
    /// The service sent the same page token twice: reading on would never end.
    #[error("SSM repeats its pages below \"{0}\": the list would never end")]
    RepeatedPage(ParameterPath),
}

impl ReadError {
    /// What the service said, if it was the service that failed.
    #[must_use]
    pub fn service_error(&self) -> Option<&ServiceError> {
        match self {
            Self::NotFound { error, .. }
            | Self::VersionNotFound { error, .. }
            | Self::Service { error, .. } => Some(error),
            Self::NoValue(_) | Self::RepeatedPage(_) => None,
        }
    }
}

/// Reads what `query` asks for, decrypted, in the order of the names. Nothing below a path is an empty list.
///
/// # Errors
/// [`ReadError`]; a page that fails fails the whole, so a list is never partial.
pub async fn read(config: &SdkConfig, query: &ParameterQuery) -> Result<Vec<Parameter>, ReadError> {
    let reader = Reader { client: Client::new(config), region: region_of(config) };
    match query {
        ParameterQuery::Single { name, version } => Ok(vec![reader.single(name, *version).await?]),
        ParameterQuery::Hierarchy { path, recursive } => reader.hierarchy(path, *recursive).await,
    }
}

fn region_of(config: &SdkConfig) -> String {
    config.region().map_or_else(|| "no region".to_owned(), ToString::to_string)
}

struct Reader {
    client: Client,
    region: String,
}

impl Reader {
    async fn single(
        &self,
        name: &ParameterName,
        version: Option<ParameterVersion>,
    ) -> Result<Parameter, ReadError> {
        let wanted = version.map_or_else(|| name.to_string(), |version| format!("{name}:{version}"));
        let answer = self.client.get_parameter().name(&wanted).with_decryption(true).send().await;
        let parameter = answer
            .map_err(|error| {
                let reported = ServiceError::new("GetParameter", &error);
                self.explain(name, &wanted, error.as_service_error(), reported)
            })?
            .parameter
            .and_then(Parameter::from_answer)
            .ok_or(ReadError::NoValue(wanted))?;
        // The name as it was asked for: the AWS Toolkit names variables by it, and SSM answers an ARN with
        // sometimes the one, sometimes the other.
        Ok(Parameter { name: name.as_str().to_owned(), ..parameter })
    }

    fn explain(
        &self,
        name: &ParameterName,
        wanted: &str,
        kind: Option<&GetParameterError>,
        error: ServiceError,
    ) -> ReadError {
        let region = self.region.clone();
        match kind {
            Some(GetParameterError::ParameterNotFound(_)) => {
                ReadError::NotFound { name: name.as_str().to_owned(), region, error }
            }
            Some(GetParameterError::ParameterVersionNotFound(_)) => {
                ReadError::VersionNotFound { name: wanted.to_owned(), region, error }
            }
            _ => ReadError::Service { subject: wanted.to_owned(), error },
        }
    }

    async fn hierarchy(&self, path: &ParameterPath, recursive: bool) -> Result<Vec<Parameter>, ReadError> {
        let mut found = BTreeMap::new();
        let mut tokens = HashSet::new();
        let mut token = None;
        loop {
            let page = self.page(path, recursive, token).await?;
            for answer in page.parameters.unwrap_or_default() {
                keep_newest(&mut found, checked(answer)?);
            }
            let Some(next) = page.next_token.filter(|next| !next.is_empty()) else {
                return Ok(found.into_values().collect());
            };
            if !tokens.insert(next.clone()) {
                return Err(ReadError::RepeatedPage(path.clone()));
            }
            token = Some(next);
        }
    }

    async fn page(
        &self,
        path: &ParameterPath,
        recursive: bool,
        token: Option<String>,
    ) -> Result<GetParametersByPathOutput, ReadError> {
        let request = self.client.get_parameters_by_path().path(path.as_str()).recursive(recursive);
        let request = request.with_decryption(true).max_results(PAGE_SIZE).set_next_token(token);
        request.send().await.map_err(|error| ReadError::Service {
            subject: path.to_string(),
            error: ServiceError::new("GetParametersByPath", &error),
        })
    }
}

fn checked(answer: SsmParameter) -> Result<Parameter, ReadError> {
    let name = answer.name.clone().unwrap_or_default();
    Parameter::from_answer(answer).ok_or(ReadError::NoValue(name))
}

/// Pages shift when somebody writes between two calls, and a parameter can then come twice.
fn keep_newest(found: &mut BTreeMap<String, Parameter>, parameter: Parameter) {
    match found.get(&parameter.name) {
        Some(known) if known.version > parameter.version => {}
        _ => {
            found.insert(parameter.name.clone(), parameter);
        }
    }
}
