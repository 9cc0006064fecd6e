use anyhow::{Context, Result};
use causeway_registry::{Digest, Reference, Registry, RegistryHost, RepositoryName};

use super::explained;
use crate::step::Step;

/// Sets what later steps, and the summary, learn of an image: `registry`, `imageUri`, `imageDigest`, and the variable that the user named, as
/// the AWS Toolkit does.
pub(crate) fn tell(
    step: &Step,
    host: &RegistryHost,
    repository: &RepositoryName,
    reference: &Reference,
    digest: &Digest,
    variable: Option<&str>,
) {
    let uri = uri(host, repository, reference);
    let console = step.console();
    step.summary().image(&uri, digest.as_str());
    console.set_output("registry", host.as_str());
    console.set_output("imageUri", &uri);
    console.set_output("imageDigest", digest.as_str());
    if let Some(variable) = variable {
        console.set_variable(variable, &uri);
    }
}

/// What the registry says of a tag, for engines that name no digest (podman as `docker`).
pub(crate) async fn digest_of(
    registry: &Registry,
    repository: &RepositoryName,
    reference: &Reference,
) -> Result<Digest> {
    let digest = registry.resolve(repository, reference).await;
    let digest = digest.map_err(|error| explained(error, repository))?;
    digest.with_context(|| format!("the registry has no {repository}{}{reference}", reference.joint()))
}

/// `host/repository:tag` or `host/repository@digest`.
pub(crate) fn uri(host: &RegistryHost, repository: &RepositoryName, reference: &Reference) -> String {
    format!("{host}/{repository}{}{reference}", reference.joint())
}
