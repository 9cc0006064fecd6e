//! Calls of SSM Parameter Store.

mod batch;
mod cells;
mod error;
mod hierarchy;
mod listing;
mod names;
mod put;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::Parameter as SsmParameter;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use causeway_types::ServiceError;

pub use error::ReadError;
pub use put::{InvalidParameterWrite, ParameterTier, ParameterWrite, WriteParameterError, put_parameter};

use crate::pace::Pacer;
use crate::{Parameter, ParameterName, ParameterQuery, ParameterVersion};

/// What was read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reading {
    /// For names: one for each, in their order. For a hierarchy: each once, in the order of their names.
    pub parameters: Vec<Parameter>,
    /// Why the names could not be listed first, where that was asked for: the hierarchy was then read page by page.
    pub listing_refused: Option<ServiceError>,
}

/// Reads what `query` asks for, decrypted. Nothing below a path is an empty list.
///
/// Calls go side by side where the API allows it, and slow down together when SSM throttles; how long that is borne is
/// up to the retry settings of `config`.
///
/// # Errors
/// [`ReadError`]; a call that fails fails the whole, so a list is never partial.
pub async fn read(config: &SdkConfig, query: &ParameterQuery) -> Result<Reading, ReadError> {
    let reader = Reader::new(config);
    let parameters = match query {
        ParameterQuery::Single { name, version } => vec![reader.single(name, *version).await?],
        ParameterQuery::Names(names) => reader.names(names).await?,
        ParameterQuery::Hierarchy { paths, recursive, plan } => {
            return reader.hierarchy(paths, *recursive, *plan).await;
        }
    };
    Ok(Reading { parameters, listing_refused: None })
}

/// A client without retries of its own, and who retries instead.
struct Reader {
    client: Client,
    pacer: Pacer,
    region: String,
}

impl Reader {
    fn new(config: &SdkConfig) -> Self {
        Self { client: client(config), pacer: Pacer::new(config), region: region_of(config) }
    }

    async fn single(
        &self,
        name: &ParameterName,
        version: Option<ParameterVersion>,
    ) -> Result<Parameter, ReadError> {
        let wanted = version.map_or_else(|| name.to_string(), |version| format!("{name}:{version}"));
        let send = || self.client.get_parameter().name(&wanted).with_decryption(true).send();
        let answer = self.pacer.call("GetParameter", send).await.map_err(|error| {
            let reported = ServiceError::new("GetParameter", &error);
            self.explain(name, &wanted, error.as_service_error(), reported)
        })?;
        let parameter =
            answer.parameter.and_then(Parameter::from_answer).ok_or(ReadError::NoValue(wanted))?;
        Ok(parameter.named(name))
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
}

fn client(config: &SdkConfig) -> Client {
    let settings = aws_sdk_ssm::config::Builder::from(config).retry_config(RetryConfig::disabled()).build();
    Client::from_conf(settings)
}

pub(crate) fn region_of(config: &SdkConfig) -> String {
    config.region().map_or_else(|| "no region".to_owned(), ToString::to_string)
}

fn checked(answer: SsmParameter) -> Result<Parameter, ReadError> {
    let name = answer.name.clone().unwrap_or_default();
    Parameter::from_answer(answer).ok_or(ReadError::NoValue(name))
}
