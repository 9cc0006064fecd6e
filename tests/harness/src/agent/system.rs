//! The variables that the server and the agent set before the first step.

use std::path::Path;

use uuid::Uuid;

use super::variables::Variable;
use crate::azure_devops::{AzureDevOps, JobTicket};

/// What a job belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// A YAML pipeline, or a classic build.
    Build,
    /// A classic release.
    Release {
        /// "Allow scripts to access the OAuth token" of the agent job: only then is there `System.AccessToken`.
        oauth_access: bool,
    },
}

impl Host {
    pub(super) fn hub(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Release { .. } => "release",
        }
    }
}

/// The system variables of a job on a self-hosted Linux agent.
pub(super) fn variables(azure_devops: &AzureDevOps, ticket: &JobTicket, root: &Path, host: Host) -> Vec<Variable> {
    let organization = azure_devops.organization();
    let collection = azure_devops.collection_url();
    let path = |relative: &str| root.join(relative).display().to_string();
    let (project, plan, job) = (organization.project_id, ticket.plan, ticket.job);
    let oidc =
        format!("{collection}{project}/_apis/distributedtask/hubs/{}/plans/{plan}/jobs/{job}/oidctoken", host.hub());
    let pipeline = organization.pipeline.as_str();
    let repository =
        format!("https://dev.azure.com/{}/{}/_git/shop", organization.name, organization.project);
    let fixed = [
        ("System.CollectionUri", collection.as_str()),
        ("System.TeamFoundationCollectionUri", &collection),
        ("System.TeamFoundationServerUri", &collection),
        ("System.TeamProject", &organization.project),
        ("System.TeamProjectId", &project.to_string()),
        ("System.CollectionId", &organization.id.to_string()),
        ("System.HostType", host.hub()),
        ("System.ServerType", "Hosted"),
        ("System.Culture", "en-US"),
        ("System.DefinitionId", "17"),
        ("System.DefinitionName", pipeline),
        ("System.PlanId", &plan.to_string()),
        ("System.TimelineId", &plan.to_string()),
        ("System.JobId", &job.to_string()),
        ("System.JobName", "deploy"),
        ("System.JobDisplayName", "deploy"),
        ("System.JobIdentifier", "deploy.deploy.__default"),
        ("System.JobAttempt", "1"),
        ("System.PhaseName", "deploy"),
        ("System.StageName", "__default"),
        ("System.StageAttempt", "1"),
        ("System.OidcRequestUri", &oidc),
        ("System.DefaultWorkingDirectory", &path("_work/1/s")),
        ("System.ArtifactsDirectory", &path("_work/1/a")),
        ("System.WorkFolder", &path("_work")),
        ("System", host.hub()),
        ("Build.BuildId", "4711"),
        ("Build.BuildNumber", "20261121.3"),
        ("Build.BuildUri", "vstfs:///Build/Build/4711"),
        ("Build.DefinitionName", pipeline),
        ("Build.Reason", "IndividualCI"),
        ("Build.QueuedBy", "Microsoft.VisualStudio.Services.TFS"),
        ("Build.RequestedFor", "Ada Lovelace"),
        ("Build.RequestedForEmail", "ada@example.com"),
        ("Build.Repository.Name", "shop"),
        ("Build.Repository.Provider", "TfsGit"),
        ("Build.Repository.Uri", &repository),
        ("Build.Repository.LocalPath", &path("_work/1/s")),
        ("Build.SourceBranch", "refs/heads/main"),
        ("Build.SourceBranchName", "main"),
        ("Build.SourceVersion", "0f1e2d3c4b5a69788796a5b4c3d2e1f001122334"),
        ("Build.SourcesDirectory", &path("_work/1/s")),
        ("Build.StagingDirectory", &path("_work/1/a")),
        ("Build.ArtifactStagingDirectory", &path("_work/1/a")),
        ("Build.BinariesDirectory", &path("_work/1/b")),
        ("Pipeline.Workspace", &path("_work/1")),
        ("Agent.Id", "8"),
        ("Agent.Name", "harness"),
        ("Agent.MachineName", "harness"),
        ("Agent.OS", "Linux"),
        ("Agent.OSArchitecture", if cfg!(target_arch = "aarch64") { "ARM64" } else { "X64" }),
        ("Agent.Version", "4.261.0"),
        ("Agent.JobName", "deploy"),
        ("Agent.JobStatus", "Succeeded"),
        ("Agent.BuildDirectory", &path("_work/1")),
        ("Agent.HomeDirectory", &path("agent")),
        ("Agent.RootDirectory", &path("_work")),
        ("Agent.WorkFolder", &path("_work")),
        ("Agent.TempDirectory", &path("_work/_temp")),
        ("Agent.ToolsDirectory", &path("_work/_tool")),
        ("VSTS_PROCESS_LOOKUP_ID", &format!("vsts_{}", Uuid::new_v4())),
    ];
    let mut all: Vec<Variable> = fixed.iter().map(|(name, value)| Variable::public(name, value)).collect();
    if let Host::Release { .. } = host {
        // Those of `Build.*` are the primary artifact's, and stay.
        all.retain(|variable| !NOT_IN_RELEASES.contains(&variable.name.as_str()));
        all.extend(RELEASE.iter().map(|(name, value)| Variable::public(name, value)));
    }
    if host != (Host::Release { oauth_access: false }) {
        all.push(Variable::secret("System.AccessToken", &ticket.token));
    }
    all
}

/// What a release's job does not have.
const NOT_IN_RELEASES: [&str; 6] = [
    "System.StageName",
    "System.StageAttempt",
    "System.PhaseName",
    "Build.SourcesDirectory",
    "Build.StagingDirectory",
    "Pipeline.Workspace",
];

/// The variables of a classic release ("Classic release and artifacts variables" in Azure DevOps's documentation).
const RELEASE: [(&str, &str); 12] = [
    ("Release.DefinitionName", "shop to production"),
    ("Release.DefinitionId", "5"),
    ("Release.ReleaseId", "118"),
    ("Release.ReleaseName", "Release-118"),
    ("Release.ReleaseUri", "vstfs:///ReleaseManagement/Release/118"),
    ("Release.EnvironmentName", "production"),
    ("Release.EnvironmentId", "276"),
    ("Release.AttemptNumber", "1"),
    ("Release.DeploymentId", "410"),
    ("Release.Reason", "ContinuousIntegration"),
    ("Release.RequestedFor", "Ada Lovelace"),
    ("Release.PrimaryArtifactSourceAlias", "_shop"),
];
