use anyhow::anyhow;
use causeway_registry::{RegistryError, RepositoryName};

/// A registry's refusal with what to do about it.
pub(crate) fn explained(error: RegistryError, repository: &RepositoryName) -> anyhow::Error {
    let advice = if error.is_immutable_tag() {
        format!(
            ". The tags of repository {repository} are immutable: push another tag, or make the repository's tags mutable"
        )
    } else {
        match (error.status(), error.code()) {
            (Some(401), _) => ". The registry does not accept the login: does the role allow ecr:GetAuthorizationToken, and does the registry's account allow this one?".to_owned(),
            (Some(403), _) | (_, Some("DENIED")) => format!(
                ". Pulling needs ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on repository {repository}; pushing also ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload and ecr:PutImage"
            ),
            (_, Some("NAME_UNKNOWN")) => {
                format!(". Create repository {repository}, or set autoCreateRepository when pushing")
            }
            (Some(404), _) => format!(". Check the name {repository} and the tag or digest"),
            _ => String::new(),
        }
    };
    // With nothing to add, the error goes on whole: the cause of a file's failure is behind it.
    if advice.is_empty() { error.into() } else { anyhow!("{error}{advice}") }
}
