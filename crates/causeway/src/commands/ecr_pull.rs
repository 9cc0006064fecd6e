use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use causeway_agent::{InputError, Inputs};
use causeway_registry::{Digest, Progress, Reference, Registry, RegistryLogin, RepositoryName, Tag, pull};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::ecr::{
    Engine, LoginFiles, Size, Target, digest_of, explained, output_variable, tell, uri, with_progress,
};
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "ecrPull";

/// Pulls an image into the engine, or into an OCI layout folder.
struct EcrPull {
    target: Target,
    repository: RepositoryName,
    reference: Reference,
    /// The OCI layout; `None`: the engine.
    folder: Option<PathBuf>,
    variable: Option<String>,
    temp: PathBuf,
}

#[derive(Clone, Copy)]
enum Kind {
    /// The input was left as it is.
    Unsaid,
    Tag,
    Digest,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    let name = inputs.parsed("repository")?;
    Ok(Box::new(EcrPull {
        target: Target::read_one(step)?,
        repository: name.ok_or(InputError::Missing { name: "repository", context: "" })?,
        reference: reference(&inputs)?,
        folder: inputs.text("archivePath").map(PathBuf::from),
        variable: output_variable(&inputs)?,
        temp: step.temp_directory()?,
    }))
}

/// `imageSource` is an input of ecrPush too, whose default always comes: then a digest counts if there is one. What belongs to
/// another choice may hold anything.
fn reference(inputs: &Inputs<'_>) -> Result<Reference> {
    let kinds = [("imagename", Kind::Unsaid), ("imagetag", Kind::Tag), ("imagedigest", Kind::Digest)];
    match inputs.choice("imageSource", &kinds)?.unwrap_or(Kind::Unsaid) {
        Kind::Tag => tag(inputs),
        Kind::Digest => digest(inputs)?.ok_or_else(|| {
            InputError::Missing { name: "imageDigest", context: " with imageSource imagedigest" }.into()
        }),
        Kind::Unsaid => digest(inputs)?.map_or_else(|| tag(inputs), Ok),
    }
}

fn tag(inputs: &Inputs<'_>) -> Result<Reference> {
    let tag: Option<Tag> = inputs.parsed("imageTag")?;
    Ok(tag.map_or_else(|| "latest".parse(), Ok)?.into())
}

fn digest(inputs: &Inputs<'_>) -> Result<Option<Reference>> {
    Ok(inputs.parsed::<Digest>("imageDigest")?.map(Reference::from))
}

#[async_trait]
impl Command for EcrPull {
    fn name(&self) -> &'static str {
        NAME
    }

    fn threads(&self) -> usize {
        2
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let console = step.console();
        let (login, registry) = self.target.open(signed_in, console).await?;
        let digest = match &self.folder {
            Some(folder) => self.pull_to_layout(step, &registry, folder).await?,
            None => self.pull_to_engine(step, &login, &registry).await?,
        };
        if let Reference::Digest(wanted) = &self.reference {
            ensure!(*wanted == digest, "{digest} came instead of {wanted}");
        }
        tell(step, &login.host, &self.repository, &self.reference, &digest, self.variable.as_deref());
        let uri = uri(&login.host, &self.repository, &self.reference);
        console.info(&format!("{uri} is {digest}"));
        Ok(())
    }
}

impl EcrPull {
    async fn pull_to_layout(&self, step: &Step, registry: &Registry, folder: &Path) -> Result<Digest> {
        let console = step.console();
        let progress = Progress::new();
        let work = pull(registry, &self.repository, &self.reference, folder, &progress);
        let pulled = with_progress(console, "Pulled", &progress, work).await;
        let pulled = pulled.map_err(|error| explained(error, &self.repository))?;
        console.info(&format!(
            "{} blobs fetched ({}) into OCI layout {}",
            pulled.fetched,
            Size(pulled.fetched_bytes),
            folder.display()
        ));
        Ok(pulled.digest)
    }

    async fn pull_to_engine(
        &self,
        step: &Step,
        login: &RegistryLogin,
        registry: &Registry,
    ) -> Result<Digest> {
        let files = LoginFiles::prepare(step, &self.temp, std::slice::from_ref(login))?;
        files.announce(step)?;
        files.write()?;
        let engine = Engine::new(step, &files);
        let ending = engine.pull(&uri(&login.host, &self.repository, &self.reference)).await;
        // The post-job step tries again.
        if let Err(error) = files.remove() {
            step.console().warning(&crate::failure::describe(&error));
        }
        match ending? {
            Some(digest) => Ok(digest),
            None => digest_of(registry, &self.repository, &self.reference).await,
        }
    }
}
