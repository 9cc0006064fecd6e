//! The files in `tests/pipelines`, each run from end to end as its users run it, against local AWS behind a strict STS, a real
//! docker-registry and a local Azure DevOps. After every job all of it is searched for secrets.

mod accounts;
mod artifacts;
mod classic;
mod deploy_tools;
mod first_time;
mod infrastructure;
mod keys;
mod migration;
pub(crate) mod play;
mod release;
mod self_hosted;

pub(crate) use play::Play;

/// Every pipeline in its usual surroundings, by the name of its file.
pub(crate) const PLAYS: [(&str, fn() -> Play); 10] = [
    ("01-classic", classic::play),
    ("02-first-time", first_time::play),
    ("03-keys-and-role", keys::play),
    ("04-accounts", accounts::play),
    ("05-terraform", infrastructure::play),
    ("06-deploy-tools", deploy_tools::play),
    ("07-artifacts", artifacts::play),
    ("08-self-hosted", self_hosted::play),
    ("09-release", release::play),
    ("10-migration", migration::play),
];
