use std::collections::{BTreeMap, HashSet};

use aws_sdk_ssm::operation::get_parameters_by_path::GetParametersByPathOutput;
use causeway_types::ServiceError;
use futures_util::future::try_join_all;

use super::{ReadError, Reader, Reading, checked};
use crate::{HierarchyPlan, Parameter, ParameterPath};

/// The most that one `GetParametersByPath` answers (Systems Manager API reference).
const PAGE_SIZE: i32 = 10;

/// Parameters by their names.
pub(super) type Found = BTreeMap<String, Parameter>;

impl Reader {
    /// The parameters below each path, every one once.
    ///
    /// The paths are read side by side; within a path the API has no second way to go on than the token of the page
    /// before. A path's sub-paths cannot take its place: `GetParametersByPath` never names the sub-paths that it has not
    /// come to yet, so only its own last page proves that none is missing, and its filters (type, key, label) do not
    /// split a path. With [`HierarchyPlan::Listed`] `DescribeParameters` brings that proof, at fifty names a page.
    pub(super) async fn hierarchy(
        &self,
        paths: &[ParameterPath],
        recursive: bool,
        plan: HierarchyPlan,
    ) -> Result<Reading, ReadError> {
        let mut found = Found::new();
        let mut listing_refused = None;
        for (below, refused) in
            try_join_all(paths.iter().map(|path| self.below(path, recursive, plan))).await?
        {
            below.into_values().for_each(|parameter| keep_newest(&mut found, parameter));
            listing_refused = listing_refused.or(refused);
        }
        Ok(Reading { parameters: found.into_values().collect(), listing_refused })
    }

    async fn below(
        &self,
        path: &ParameterPath,
        recursive: bool,
        plan: HierarchyPlan,
    ) -> Result<(Found, Option<ServiceError>), ReadError> {
        match plan {
            // At the top also stand names without a slash, which no beginning of names finds.
            HierarchyPlan::Listed if path.as_str() != "/" => self.listed_or_pages(path, recursive).await,
            _ => Ok((self.pages(path, recursive).await?, None)),
        }
    }

    async fn listed_or_pages(
        &self,
        path: &ParameterPath,
        recursive: bool,
    ) -> Result<(Found, Option<ServiceError>), ReadError> {
        match self.listed(path, recursive).await {
            Ok(Some(found)) => Ok((found, None)),
            Ok(None) => Ok((self.pages(path, recursive).await?, None)),
            Err(refused) => Ok((self.pages(path, recursive).await?, Some(refused))),
        }
    }

    async fn pages(&self, path: &ParameterPath, recursive: bool) -> Result<Found, ReadError> {
        let mut found = Found::new();
        let mut tokens = HashSet::new();
        let mut token = None;
        loop {
            let page = self.page(path, recursive, token).await?;
            for answer in page.parameters.unwrap_or_default() {
                keep_newest(&mut found, checked(answer)?);
            }
            let Some(next) = page.next_token.filter(|next| !next.is_empty()) else {
                return Ok(found);
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
        let answer = self.pacer.call("GetParametersByPath", || request.clone().send()).await;
        answer.map_err(|error| ReadError::Service {
            subject: path.to_string(),
            error: ServiceError::new("GetParametersByPath", &error),
        })
    }
}

/// Pages shift when somebody writes between two calls, and a parameter can then come twice.
pub(super) fn keep_newest(found: &mut Found, parameter: Parameter) {
    match found.get(&parameter.name) {
        Some(known) if known.version > parameter.version => {}
        _ => {
            found.insert(parameter.name.clone(), parameter);
        }
    }
}
