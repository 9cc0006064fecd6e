//! `causeway-demo [PIPELINE]`: runs a pipeline file through the built task as an agent does, against a local Azure DevOps and a
//! local AWS, and shows the log and what arrived. `scripts/demo` builds everything and starts it.

use std::io::{Write, stdout};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use causeway_harness::agent::{JobResult, Outcome, StepResult};
use causeway_harness::leak::Holder;
use causeway_harness::moto::Moto;
use causeway_harness::pipeline;
use causeway_harness::world::{Settings, World, workspace};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ACCOUNT: &str = "123456789012";
const BUCKET: &str = "contoso-shop-web";
const TOKEN: &str = "oy2k7-demo-nuget-token-4fpq";

fn main() -> ExitCode {
    match demo() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the job succeeded and nothing leaked.
fn demo() -> Result<bool> {
    let file = std::env::args_os()
        .nth(1)
        .map_or_else(|| workspace().join("tests/pipelines/demo.yml"), PathBuf::from);
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let job = pipeline::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let world = world()?;
    say(&format!("pipeline   {}", file.display()))?;
    say(&format!(
        "Azure DevOps at {}, AWS at {} (moto behind a strict STS)",
        world.azure_devops.url(),
        world.gateway.url()
    ))?;
    let result = world.agent.run(&job)?;
    result.steps.iter().try_for_each(show_step)?;
    let clean = show_arrivals(&world, &result)?;
    say(&format!("\njob: {:?}", result.outcome))?;
    Ok(clean && result.outcome <= Outcome::SucceededWithIssues)
}

/// An account with a parameter and a bucket, sources with a folder to upload, a home with a docker login of its own.
fn world() -> Result<World> {
    let moto = Some(Arc::new(Moto::start()));
    let world = World::of(Settings { account: Some(ACCOUNT.into()), moto, ..Settings::default() });
    world.seed().put_parameter("/shop/nuget-token", "SecureString", TOKEN);
    world.seed().create_bucket(BUCKET);
    let dist = world.agent.sources().join("dist");
    for (name, content) in [
        ("index.html", "<!doctype html><title>Shop</title>\n"),
        ("app.js", "console.log('shop')\n"),
        ("app.js.map", "{}\n"),
        ("css/site.css", "body { margin: 0 }\n"),
        ("price list #1 (ä+b).txt", "1,00\n"),
    ] {
        write(&dist.join(name), content)?;
    }
    let own_login = r#"{"auths":{"registry.example.com":{"auth":"dXNlcjpwYXNz"}}}"#;
    write(&world.agent.root().join("home/.docker/config.json"), own_login)?;
    Ok(world)
}

fn write(path: &Path, content: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))?;
    std::fs::write(path, content)
}

fn show_step(step: &StepResult) -> Result<()> {
    let (wall, cpu) = (step.usage.wall.as_secs_f64(), step.usage.cpu.as_secs_f64());
    let memory = step.usage.peak_memory >> 20;
    let heading =
        format!("{} [{:?}; {wall:.2} s, CPU {cpu:.2} s, {memory} MiB]", step.display_name, step.outcome);
    say(&format!("\n── {heading}"))?;
    step.log.lines().try_for_each(|line| say(&format!("   {line}")))?;
    for summary in &step.summaries {
        say("   (summary)")?;
        summary.lines().try_for_each(|line| say(&format!("   │ {line}")))?;
    }
    Ok(())
}

/// Whether no secret was found where none may be.
fn show_arrivals(world: &World, job: &JobResult) -> Result<bool> {
    say("\n── What arrived")?;
    match job.variables.get("NuGetToken") {
        Some(variable) => say(&format!(
            "   variable {}: ***, {} characters, secret: {}, as stored: {}",
            variable.name,
            variable.value.chars().count(),
            variable.secret,
            variable.value == TOKEN
        ))?,
        None => say("   variable NuGetToken: not set")?,
    }
    show_docker_login(job)?;
    for object in world.seed().objects(BUCKET) {
        let (size, kind) = (object.content.len(), object.content_type());
        say(&format!(
            "   s3://{BUCKET}/{}: {size} bytes, {kind}, {}",
            object.key,
            object.header("cache-control")
        ))?;
    }
    for session in world.iam.sessions() {
        say(&format!("   session {} for {} s", session.arn, session.duration.0))?;
    }
    show_rest(world, job)
}

fn show_docker_login(job: &JobResult) -> Result<()> {
    let Some(folder) = job.variable("DOCKER_CONFIG") else { return say("   docker login: none") };
    let file = job.before_post_job(folder).join("config.json");
    let mode = std::fs::metadata(&file)?.permissions().mode() & 0o777;
    let config: serde_json::Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    let hosts: Vec<&String> =
        config["auths"].as_object().into_iter().flatten().map(|(host, _)| host).collect();
    say(&format!("   docker login: {hosts:?} in $DOCKER_CONFIG/config.json, mode {mode:o}"))
}

fn show_rest(world: &World, job: &JobResult) -> Result<bool> {
    say("\n── What is left after post-job (summaries: the agent takes them from there)")?;
    let mut files = Vec::new();
    collect(&job.temp(), &mut files)?;
    files.iter().try_for_each(|file| say(&format!("   {}", file.display())))?;
    if files.is_empty() {
        say("   nothing in Agent.TempDirectory")?;
    }
    let mut secrets = world.secrets();
    // The pipeline hands it to its script by `env:`.
    secrets.add_for("the NuGet token", TOKEN, Holder::ScriptSteps);
    let leaks = secrets.search(job);
    for leak in &leaks {
        say(&format!("   LEAK: {} ({}) in {}", leak.secret, leak.form, leak.place))?;
    }
    if leaks.is_empty() {
        say("   no key, token or parameter value in log, output, command lines or files")?;
    }
    Ok(leaks.is_empty())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(stdout(), "{line}")?)
}
