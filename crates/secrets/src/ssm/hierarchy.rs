use std::collections::{BTreeMap, HashSet};

use aws_sdk_ssm::operation::get_parameters_by_path::GetParametersByPathOutput;
use causeway_types::ServiceError;
use futures_util::future::try_join_all;

use super::{ReadError, Reader, Reading, checked};
use crate::{HierarchyPlan, Parameter, ParameterPath};

/// The most that one `GetParametersByPath` answers (Systems Manager API reference).
const PAGE_SIZE: i32 = 10;

/// So many pages are read before it is worth the calls to list the names beside them.
const PAGES_ALONE: usize = 2;

/// Parameters by their names.
pub(super) type Found = BTreeMap<String, Parameter>;

impl Reader {
    /// The parameters below each path, every one once.
    ///
    /// The paths are read side by side; within a path the API has no second way to go on than the token of the page
    /// before. A path's sub-paths cannot take its place: `GetParametersByPath` never names the sub-paths that it has not
    /// come to yet, so only its own last page proves that none is missing, and its filters (type, key, label) do not
    /// split a path. `DescribeParameters` brings that proof, at fifty names a page.
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
            HierarchyPlan::Quickest if path.as_str() != "/" => {
                Ok((self.quickest(path, recursive).await?, None))
            }
            _ => Ok((self.pages(path, recursive).await?, None)),
        }
    }

    async fn quickest(&self, path: &ParameterPath, recursive: bool) -> Result<Found, ReadError> {
        let mut pages = Pages::of(path.clone(), recursive);
        for _ in 0..PAGES_ALONE {
            if pages.read_one(self).await? {
                return Ok(pages.found);
            }
        }
        tokio::select! {
            Some(found) = self.listed_unless_throttled(path, recursive) => Ok(found),
            read = pages.read_all(self) => read,
        }
    }

    /// `None` where the pages must do: listing is not allowed, proves nothing, or its calls would stand in their way.
    async fn listed_unless_throttled(&self, path: &ParameterPath, recursive: bool) -> Option<Found> {
        tokio::select! {
            () = self.pacer.throttled() => None,
            listed = self.listed(path, recursive) => listed.ok().flatten(),
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
        Pages::of(path.clone(), recursive).read_all(self).await
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

/// A hierarchy that is being read page after page.
struct Pages {
    path: ParameterPath,
    recursive: bool,
    found: Found,
    /// Of the next page.
    token: Option<String>,
    tokens: HashSet<String>,
}

impl Pages {
    fn of(path: ParameterPath, recursive: bool) -> Self {
        Self { path, recursive, found: Found::new(), token: None, tokens: HashSet::new() }
    }

    /// Reads the next page; whether it is the last.
    async fn read_one(&mut self, reader: &Reader) -> Result<bool, ReadError> {
        let page = reader.page(&self.path, self.recursive, self.token.take()).await?;
        for answer in page.parameters.unwrap_or_default() {
            keep_newest(&mut self.found, checked(answer)?);
        }
        self.token = page.next_token.filter(|next| !next.is_empty());
        match &self.token {
            Some(next) if !self.tokens.insert(next.clone()) => {
                Err(ReadError::RepeatedPage(self.path.clone()))
            }
            next => Ok(next.is_none()),
        }
    }

    /// Reads on to the last page.
    async fn read_all(mut self, reader: &Reader) -> Result<Found, ReadError> {
        while !self.read_one(reader).await? {}
        Ok(self.found)
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
