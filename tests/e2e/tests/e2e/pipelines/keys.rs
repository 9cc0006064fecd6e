//! 3: keys with a role and an external ID; then the same connection federated in place.

use causeway_harness::agent::{Connection, Outcome};
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::sts::Role;
use causeway_harness::world::{EXTERNAL_ID, World, federated_trust};

use super::Play;
use super::play::ensure;

pub(super) fn play() -> Play {
    let mut world = World::new();
    let (key, role) = (world.user_key.clone(), world.role_arn("deploy-keys"));
    world.agent.add_connection(
        Connection::new("production", "Causeway", "UsernamePassword")
            .with_parameter("username", &key.id)
            .with_parameter("password", &key.secret)
            .with_data("roleArn", &role)
            .with_data("externalId", EXTERNAL_ID),
    );
    let mut play = Play::new(world, "03-keys-and-role");
    play.arrived = arrived;
    play
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let job = run.job("__default");
    for step in ["who", "toolkit"] {
        let arn = job.variable(&format!("{step}.callerArn")).unwrap_or_default();
        ensure!(arn.contains(":assumed-role/deploy-keys/"), "{step} was {arn}");
    }
    let said = job.step("sts get-caller-identity").stdout();
    ensure!(said.contains(":assumed-role/deploy-keys/"), "get-caller-identity said {said}");
    ensure!(play.read("caller.txt").contains(":assumed-role/deploy-keys/"), "the script was {}", play.read("caller.txt"));
    Ok(())
}

fn operations(play: &Play) -> Vec<String> {
    let sessions = play.world.iam.sessions();
    sessions.iter().map(|session| format!("{} {}", session.operation, session.duration.0)).collect()
}

#[test]
fn keys_with_a_role_and_an_external_id_do_what_they_do_today() {
    let play = play();
    play.passes();
    assert_eq!(operations(&play), ["AssumeRole 3600"; 4]);
    let sessions = play.world.iam.sessions();
    assert!(sessions.iter().all(|session| session.parameter("ExternalId") == Some(EXTERNAL_ID)));
}

#[test]
fn the_connection_is_federated_in_place_and_the_file_stays() {
    let mut play = play();
    play.passes();
    let before = play.world.iam.sessions().len();
    let find = |play: &Play| play.world.agent.connections.iter().position(|known| known.name == "production").unwrap();
    let at = find(&play);
    let connection = &mut play.world.agent.connections[at];
    connection.scheme = "None".into();
    connection.parameters.clear();
    connection.data.push(("identitySource".into(), "federated".into()));

    // The external ID is still there, and AWS takes none with a token: refused, with the field's name, before any call.
    let calls = play.world.gateway.calls().len();
    let run = play.run();
    assert_eq!(run.outcome, Outcome::Failed);
    let errors = run.job("__default").step("who").errors().join("\n");
    assert!(errors.contains("external ID"), "{errors}");
    assert_eq!(play.world.gateway.calls().len(), calls);

    play.world.agent.connections[at].data.retain(|(name, _)| name != "externalId");
    let run = play.run();
    assert_eq!(run.outcome, Outcome::Failed, "the role does not trust the token yet");
    let subject = play.world.azure_devops.subject_of("production").unwrap();
    let mut trust = federated_trust(&play.world.account, &play.world.azure_devops.issuer(), &[subject]);
    let user = format!("arn:aws:iam::{}:user/ci", play.world.account);
    let old = causeway_harness::world::key_trust(&user, Some(EXTERNAL_ID))["Statement"][0].clone();
    trust["Statement"].as_array_mut().unwrap().push(old);
    play.world.iam.add_role(Role::new(&play.world.account, "deploy-keys", trust));
    play.passes();
    let new = &operations(&play)[before..];
    let (token, key) = ("AssumeRoleWithWebIdentity 3600", "AssumeRole 3600");
    assert_eq!(new, [token, token, key, token], "the AWS Toolkit's connection stays as it was");
}
