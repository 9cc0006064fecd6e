use std::collections::HashSet;

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use causeway_types::ServiceError;

use super::read::Reader;
use super::{ReadSecretsError, SecretId};

/// The most that one `ListSecrets` answers (Secrets Manager API reference).
const PAGE_SIZE: i32 = 100;

impl Reader {
    /// The ARNs of the secrets whose name begins with `prefix`, in the order of their names.
    ///
    /// The service's own filter also finds words within a name, so each name is compared again.
    pub(super) async fn find(&self, prefix: &str) -> Result<Vec<SecretId>, ReadSecretsError> {
        let subject = || format!("\"{prefix}*\"");
        let filter = Filter::builder().key(FilterNameStringType::Name).values(prefix).build();
        let request = self.client.list_secrets().filters(filter).max_results(PAGE_SIZE);
        let mut found = Vec::new();
        let mut tokens = HashSet::new();
        let mut token = None;
        loop {
            let request = request.clone().set_next_token(token);
            let page = self.pacer.call("ListSecrets", || request.clone().send()).await.map_err(|error| {
                let error = ServiceError::new("ListSecrets", &error);
                ReadSecretsError::Service { subject: subject(), error }
            })?;
            for entry in page.secret_list.unwrap_or_default() {
                if let (Some(name), Some(arn)) = (entry.name, entry.arn)
                    && name.starts_with(prefix)
                {
                    found.push((name, arn));
                }
            }
            match page.next_token.filter(|token| !token.is_empty()) {
                None => break,
                Some(next) if tokens.insert(next.clone()) => token = Some(next),
                Some(_) => return Err(ReadSecretsError::RepeatedPage(subject())),
            }
        }
        // Pages shift when somebody writes between two calls.
        found.sort();
        found.dedup();
        found
            .iter()
            .map(|(_, arn)| arn.parse().map_err(|_| ReadSecretsError::NoValue(vec![arn.clone()])))
            .collect()
    }
}
