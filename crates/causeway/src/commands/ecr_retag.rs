use anyhow::Result;
use async_trait::async_trait;
use causeway_agent::InputError;
use causeway_registry::{Reference, RepositoryName, Tag, retag};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::ecr::{Target, explained, output_variable, tell, uri};
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "ecrRetag";

/// Gives an image of a repository further tags, within the registry.
struct EcrRetag {
    target: Target,
    repository: RepositoryName,
    source: Reference,
    tags: Vec<Tag>,
    variable: Option<String>,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    inputs.required("repositoryName")?;
    inputs.required("sourceTag")?;
    let tags: Vec<Tag> = inputs.parsed_lines("pushTags")?;
    if tags.is_empty() {
        return Err(InputError::Missing { name: "pushTags", context: " with command ecrRetag" }.into());
    }
    let missing = |name| InputError::Missing { name, context: "" };
    Ok(Box::new(EcrRetag {
        target: Target::read_one(step)?,
        repository: inputs.parsed("repositoryName")?.ok_or(missing("repositoryName"))?,
        source: inputs.parsed("sourceTag")?.ok_or(missing("sourceTag"))?,
        tags,
        variable: output_variable(&inputs)?,
    }))
}

#[async_trait]
impl Command for EcrRetag {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let console = step.console();
        let (login, registry) = self.target.open(signed_in, console).await?;
        let digest = retag(&registry, &self.repository, &self.source, &self.tags).await;
        let digest = digest.map_err(|error| explained(error, &self.repository))?;
        let first = Reference::from(self.tags[0].clone());
        tell(step, &login.host, &self.repository, &first, &digest, self.variable.as_deref());
        for tag in &self.tags {
            let uri = uri(&login.host, &self.repository, &Reference::from(tag.clone()));
            console.info(&format!("{uri} is {digest}"));
        }
        Ok(())
    }
}
