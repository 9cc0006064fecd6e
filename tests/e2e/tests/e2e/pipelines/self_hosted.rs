//! 8: a company's own agent.

use causeway_harness::agent::Outcome;
use causeway_harness::chaos::Chaos;
use causeway_harness::moto::Moto;
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::proxy::NamingProxy;
use causeway_harness::registry::Registry;
use causeway_harness::registry::image::Layout;
use causeway_harness::tls::Authority;
use causeway_harness::world::{Settings, World, own_task};

use super::Play;
use super::play::{ensure, unique};
use crate::company::{AZURE, Company, STS};

const LICENSE: &str = "-----BEGIN-license-éü-----";
const USER: &str = "svc-build";
const PASSWORD: &str = "p@ss w:rd%41/x";
/// `nobody`.
const NOBODY: u32 = 65534;

pub(super) fn play() -> Play {
    let password = unique(PASSWORD);
    behind(&password, &password, true)
}

/// `wanted` is the password that the proxy wants; `trusted` tells the agent the company's authority.
fn behind(password: &str, wanted: &str, trusted: bool) -> Play {
    let task = own_task();
    let settings =
        Settings { moto: Some(Moto::shared()), task: Some(task.path().to_owned()), ..Settings::default() };
    let mut world = World::of(settings);
    let license = unique(LICENSE);
    world.seed().put_parameter("/shop/license", "SecureString", &license);
    world.secret_values.extend([
        ("the license".into(), license.clone()),
        ("the proxy's password".into(), password.to_owned()),
    ]);
    world.seed().create_repository("team/shop");
    let bucket = world.bucket("hosted");
    let digest = Layout::new(&world.agent.sources().join("image"), 8).image(&[50_000]);
    let registry = Registry::start(&world.account);
    let authority = Authority::new("Contoso Root");
    let server = authority.server(&["localhost", AZURE, STS]);
    let chaos = Chaos::default();
    let passages = [&world.azure_devops.url(), &world.gateway.url()].map(|url| chaos.before(url));
    let urls = [&*passages[0].url(), &passages[1].url()];
    let mut company = Company::before(world, urls, authority, &server, false).behind_names();
    if trusted {
        let both = format!(
            "{}{}",
            company.authority.pem(),
            std::fs::read_to_string(registry.authority_file()).unwrap()
        );
        let file = company.file("ca.pem", &both);
        company.variable("Agent.CAInfo", &file);
        readable(&file);
    }
    let (azure, aws) = (company.azure.address(), company.aws.address());
    let host = registry.host();
    let proxy = NamingProxy::start(
        &[(AZURE, azure), (STS, aws), (&host, registry.address())],
        Some(&format!("{USER}:{wanted}")),
    );
    company.agent_proxy(proxy.address(), USER, password);
    let (world, servers) = company.into_parts();
    let mut play = Play::new(world, "08-self-hosted");
    let tools = tools(&play);
    play.world.agent.machine.push(("PATH".into(), tools));
    let length = license.chars().count().to_string();
    play.trigger = play.trigger.with("bucket", &bucket).with("licenseLength", &length);
    play.write("dist/index.html", "<!doctype html>\n");
    if !play.world.agent.run_as(NOBODY) {
        eprintln!("partly run: only root can let the steps run as another user");
    }
    play.registry = Some(registry);
    play.facts.extend([("bucket", bucket), ("digest", digest), ("license", license)]);
    (play.chaos, play.proxy) = (chaos, Some(proxy));
    play.kept.extend([servers, Box::new(passages), Box::new(task)]);
    play.arrived = arrived;
    play
}

/// The folder that tempfile makes is its owner's alone.
fn readable(file: &str) {
    let folder = std::path::Path::new(file).parent().unwrap();
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// A `PATH` with node and bash on it and no docker.
fn tools(play: &Play) -> String {
    let folder = play.world.agent.root().join("tools");
    std::fs::create_dir_all(&folder).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for name in ["node", "bash"] {
        let found = std::env::split_paths(&path).map(|place| place.join(name)).find(|file| file.is_file());
        std::os::unix::fs::symlink(found.unwrap(), folder.join(name)).unwrap();
    }
    folder.display().to_string()
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let registry = play.registry.as_ref().unwrap();
    let fetched = registry.fetched("team/shop:4711");
    ensure!(fetched.as_deref() == Some(play.fact("digest")), "the image is {fetched:?}");
    let keys = play.world.seed().keys(play.fact("bucket"));
    ensure!(keys == ["index.html"], "the bucket holds {keys:?}");
    let license = run.job("__default").variable("License");
    ensure!(license == Some(play.fact("license")), "the license is {license:?}");
    Ok(())
}

#[test]
fn everything_goes_through_the_companys_proxy() {
    let play = play();
    let run = play.passes();
    assert!(run.job("__default").is_secret("License"));
    let home = play.world.agent.root().join("home");
    assert_eq!(std::fs::read_dir(home).unwrap().count(), 0, "nothing was written into the home folder");
}

#[test]
fn a_wrong_password_and_an_unknown_authority_are_named() {
    let password = unique(PASSWORD);
    for (wanted, trusted, words) in
        [("another", true, &["407", "proxy"][..]), (&password, false, &["certificate", "authority"][..])]
    {
        let play = behind(&password, wanted, trusted);
        let run = play.run();
        assert_eq!(run.outcome, Outcome::Failed, "{}", run.log());
        let errors = run.job("__default").step("who").errors().join("\n");
        for word in words {
            assert!(
                errors.to_lowercase().contains(&word.to_lowercase()),
                "\"{word}\" is missing in {errors}"
            );
        }
        play.assert_clean(&run);
    }
}
