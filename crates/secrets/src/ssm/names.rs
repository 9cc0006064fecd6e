use std::collections::HashMap;

use aws_sdk_ssm::operation::get_parameters::GetParametersOutput;
use causeway_types::ServiceError;
use futures_util::future::try_join_all;

use super::batch::{Batch, batches};
use super::{ReadError, Reader, checked};
use crate::words::listed;
use crate::{Parameter, ParameterName};

/// What one call brought, and what it did not find.
type Answered<'a> = (Vec<(&'a ParameterName, Parameter)>, Vec<String>);

impl Reader {
    /// One parameter for each name, in the order of the names; by tens, side by side.
    pub(super) async fn names(&self, names: &[ParameterName]) -> Result<Vec<Parameter>, ReadError> {
        if let [name] = names {
            return Ok(vec![self.single(name, None).await?]);
        }
        let answers = try_join_all(batches(names).into_iter().map(|batch| self.batch(batch))).await?;
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        for (parameters, invalid) in answers {
            found.extend(parameters);
            missing.extend(invalid);
        }
        if !missing.is_empty() {
            return Err(ReadError::Missing { names: missing, region: self.region.clone() });
        }
        let take = |name: &ParameterName| {
            found.get(name).cloned().ok_or_else(|| ReadError::NoValue(name.to_string()))
        };
        names.iter().map(take).collect()
    }

    async fn batch<'a>(&self, batch: Batch<'a>) -> Result<Answered<'a>, ReadError> {
        let wanted = batch.wanted();
        let answer = self.get_parameters(&wanted).await.map_err(|error| ReadError::Service {
            subject: listed(&wanted).trim_matches('"').to_owned(),
            error,
        })?;
        let mut parameters = Vec::with_capacity(wanted.len());
        for answer in answer.parameters.unwrap_or_default() {
            let parameter = checked(answer)?;
            // What nobody asked for is left alone.
            if let Some(name) = batch.name_of(&parameter.name) {
                parameters.push((name, parameter.named(name)));
            }
        }
        Ok((parameters, answer.invalid_parameters.unwrap_or_default()))
    }

    pub(super) async fn get_parameters(&self, names: &[String]) -> Result<GetParametersOutput, ServiceError> {
        let request = self.client.get_parameters().set_names(Some(names.to_vec())).with_decryption(true);
        let answer = self.pacer.call("GetParameters", || request.clone().send()).await;
        answer.map_err(|error| ServiceError::new("GetParameters", &error))
    }
}
