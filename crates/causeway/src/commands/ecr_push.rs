use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use async_trait::async_trait;
use causeway_agent::{InputError, Inputs};
use causeway_registry::{
    Digest, Image, ImageError, Progress, Push, Pushed, Reference, Registry, RegistryLogin, Repositories,
    RepositoryName, Tag, tag_in_use,
};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::ecr::{
    Engine, LoginFiles, NewRepository, Size, Target, digest_of, explained, output_variable, tell, uri,
    with_progress,
};
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "ecrPush";

/// Pushes an image under one or several tags.
struct EcrPush {
    target: Target,
    source: Source,
    repository: RepositoryName,
    tags: Vec<Tag>,
    /// How the repository is made if it is not there; `None`: it must be.
    create: Option<NewRepository>,
    mount_from: Vec<RepositoryName>,
    variable: Option<String>,
    temp: PathBuf,
}

enum Source {
    /// The name or id that the engine knows it by, and whether the names given for the push are removed after it.
    Engine { image: String, remove: bool },
    /// Read from the disk.
    Files(Box<Image>),
}

#[derive(Clone, Copy)]
enum Kind {
    Name,
    Id,
    Files,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    let temp = step.temp_directory()?;
    let target = Target::read_one(step)?;
    let create = NewRepository::read(&inputs)?;
    let repository = repository(&inputs)?;
    if target.is_public() {
        check_public(&inputs, create.as_ref(), &repository)?;
    }
    Ok(Box::new(EcrPush {
        repository,
        tags: tags(&inputs)?,
        create,
        mount_from: inputs.parsed_lines("mountFrom")?,
        variable: output_variable(&inputs)?,
        source: source(&inputs, &temp)?,
        target,
        temp,
    }))
}

/// What ECR Public has not, and how its repositories are named.
fn check_public(
    inputs: &Inputs<'_>,
    create: Option<&NewRepository>,
    repository: &RepositoryName,
) -> Result<()> {
    if let Some(name) = create.and_then(NewRepository::private_only) {
        let problem = "ECR Public has no such setting: leave it out";
        return Err(InputError::invalid(name, inputs.text(name).unwrap_or_default(), problem).into());
    }
    if !repository.as_str().contains('/') {
        let problem = "in ECR Public it begins with the registry's alias: <alias>/<name>";
        return Err(InputError::invalid("repositoryName", repository.as_str(), problem).into());
    }
    Ok(())
}

fn repository(inputs: &Inputs<'_>) -> Result<RepositoryName> {
    let given = inputs.required("repositoryName")?;
    let name = if inputs.flag("forceDockerNamingConventions", false)? {
        RepositoryName::coerced(given)
    } else {
        given.parse()
    };
    name.map_err(|error| {
        let problem = format!("{error}. forceDockerNamingConventions makes one of it");
        InputError::invalid("repositoryName", given, problem).into()
    })
}

/// `pushTag` and `pushTags`. `pushTag` always comes, with `latest` when nobody gave it: beside `pushTags` that does not count.
fn tags(inputs: &Inputs<'_>) -> Result<Vec<Tag>> {
    let mut tags: Vec<Tag> = inputs.parsed_lines("pushTags")?;
    let one = inputs.text("pushTag").unwrap_or("latest");
    if tags.is_empty() || one != "latest" {
        let tag: Tag = one.parse().map_err(|error| InputError::invalid("pushTag", one, error))?;
        tags.insert(0, tag);
    }
    let mut seen = std::collections::HashSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    Ok(tags)
}

fn source(inputs: &Inputs<'_>, temp: &Path) -> Result<Source> {
    let kinds = [
        ("imagename", Kind::Name),
        ("imageid", Kind::Id),
        ("archive", Kind::Files),
        ("ociLayout", Kind::Files),
    ];
    match inputs.choice("imageSource", &kinds)?.unwrap_or(Kind::Name) {
        Kind::Name => {
            let name = inputs.required_with("sourceImageName", " with imageSource imagename")?;
            let tag = inputs.text("sourceImageTag").unwrap_or("latest");
            in_engine(inputs, argument("sourceImageName", format!("{name}:{tag}"))?)
        }
        Kind::Id => {
            let id = inputs.required_with("sourceImageId", " with imageSource imageid")?;
            in_engine(inputs, argument("sourceImageId", id.to_owned())?)
        }
        Kind::Files => {
            let path = inputs.required_with("archivePath", " with imageSource archive or ociLayout")?;
            let tag = inputs.text("sourceImageTag").unwrap_or("latest");
            let wanted = inputs.text("sourceImageName").map(|name| format!("{name}:{tag}"));
            let wanted = wanted.or_else(|| (tag != "latest").then(|| tag.to_owned()));
            let open = |wanted| Image::open(Path::new(path), wanted, temp);
            let image = match open(wanted.as_deref()) {
                // `latest` always comes: it tells several apart and asks nothing of a single one.
                Err(ImageError::Ambiguous { .. }) if wanted.is_none() => open(Some(tag)),
                ending => ending,
            };
            let image = image.map_err(|error| {
                let place = match error {
                    ImageError::Ambiguous { .. } => {
                        "input archivePath (sourceImageName and sourceImageTag choose)"
                    }
                    _ => "input archivePath",
                };
                anyhow!(error).context(place)
            })?;
            Ok(Source::Files(Box::new(image)))
        }
    }
}

fn in_engine(inputs: &Inputs<'_>, image: String) -> Result<Source> {
    Ok(Source::Engine { image, remove: inputs.flag("removeDockerImage", false)? })
}

/// What goes to a command line must not look like an option.
fn argument(name: &'static str, value: String) -> Result<String> {
    if value.starts_with('-') || value.contains(char::is_whitespace) {
        return Err(InputError::invalid(name, &value, "it is no name of an image").into());
    }
    Ok(value)
}

#[async_trait]
impl Command for EcrPush {
    fn name(&self) -> &'static str {
        NAME
    }

    fn threads(&self) -> usize {
        2
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let console = step.console();
        let (login, registry) = self.target.open(signed_in, console).await?;
        let repositories = Repositories::of(&signed_in.config, &login.host);
        if let Some(create) = &self.create {
            create.ensure(repositories.as_ref(), &signed_in.config, &self.repository, console).await?;
        }
        let digest = match &self.source {
            Source::Engine { image, remove } => {
                self.push_from_engine(step, &login, &registry, image, *remove).await?
            }
            Source::Files(image) => {
                self.check_tags(&registry, repositories.as_ref(), &image.root.digest).await?;
                self.push_from_files(step, &registry, image).await?
            }
        };
        let first = Reference::from(self.tags[0].clone());
        tell(step, &login.host, &self.repository, &first, &digest, self.variable.as_deref());
        for tag in &self.tags {
            let uri = uri(&login.host, &self.repository, &Reference::from(tag.clone()));
            console.info(&format!("{uri} is {digest}"));
        }
        Ok(())
    }
}

impl EcrPush {
    /// Fails before anything is sent when a tag is taken in a repository whose tags cannot be moved.
    async fn check_tags(
        &self,
        registry: &Registry,
        repositories: Option<&Repositories>,
        digest: &Digest,
    ) -> Result<()> {
        let taken = tag_in_use(registry, &self.repository, &self.tags, digest).await;
        let taken = taken.map_err(|error| explained(error, &self.repository))?;
        let (Some((tag, other)), Some(repositories)) = (taken, repositories) else { return Ok(()) };
        // Who may not look at the repository learns it from the registry, at the end.
        match repositories.find(&self.repository).await {
            Ok(Some(found)) if found.immutable_tags => bail!(
                "repository {} has a tag {tag} already ({other}), and its tags are immutable: push another tag, or make the repository's tags mutable",
                self.repository
            ),
            _ => Ok(()),
        }
    }

    async fn push_from_files(&self, step: &Step, registry: &Registry, image: &Image) -> Result<Digest> {
        let console = step.console();
        console.info(&format!(
            "Image {}: {} manifests, {} blobs, {}",
            image.root.digest,
            image.manifests.len() + 1,
            image.blobs.len(),
            Size(image.size())
        ));
        let mount_from = self.mount_sources(registry, image);
        let push = Push { repository: &self.repository, tags: &self.tags, mount_from: &mount_from };
        let progress = Progress::new();
        let work = push.run(registry, image, &progress);
        let pushed = with_progress(console, "Pushed", &progress, work).await;
        let pushed: Pushed = pushed.map_err(|error| explained(error, &self.repository))?;
        console.info(&format!(
            "{} blobs sent ({}), {} were there, {} taken from other repositories",
            pushed.sent,
            Size(pushed.sent_bytes),
            pushed.present,
            pushed.mounted
        ));
        Ok(pushed.digest)
    }

    /// Input `mountFrom`, and the base images of this registry that the image names.
    fn mount_sources(&self, registry: &Registry, image: &Image) -> Vec<RepositoryName> {
        let mut sources = self.mount_from.clone();
        let prefix = format!("{}/", registry.host());
        for base in image.bases.iter().filter_map(|base| base.strip_prefix(&prefix)) {
            let name = base.split(['@', ':']).next().unwrap_or_default();
            sources.extend(name.parse::<RepositoryName>().ok());
        }
        sources
    }

    async fn push_from_engine(
        &self,
        step: &Step,
        login: &RegistryLogin,
        registry: &Registry,
        image: &str,
        remove: bool,
    ) -> Result<Digest> {
        let files = LoginFiles::prepare(step, &self.temp, std::slice::from_ref(login))?;
        files.announce(step)?;
        files.write()?;
        let ending = self.push_tags(&Engine::new(step, &files), login, image, remove).await;
        // The post-job step tries again.
        if let Err(error) = files.remove() {
            step.console().warning(&crate::failure::describe(&error));
        }
        match ending? {
            Some(digest) => Ok(digest),
            None => digest_of(registry, &self.repository, &self.tags[0].clone().into()).await,
        }
    }

    /// Answers the digest if docker names it.
    async fn push_tags(
        &self,
        engine: &Engine<'_>,
        login: &RegistryLogin,
        image: &str,
        remove: bool,
    ) -> Result<Option<Digest>> {
        let mut digest = None;
        for tag in &self.tags {
            let target = uri(&login.host, &self.repository, &Reference::from(tag.clone()));
            engine.tag(image, &target).await?;
            digest = engine.push(&target).await?;
        }
        if remove {
            for tag in &self.tags {
                engine.remove(&uri(&login.host, &self.repository, &Reference::from(tag.clone()))).await?;
            }
        }
        Ok(digest)
    }
}
