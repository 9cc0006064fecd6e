//! The AWS CDK's own way of finding credentials.

use causeway_harness::agent::Step;
use causeway_harness::world::World;

use crate::consumers;

#[test]
fn it_signs_with_every_form_of_credentials() {
    let mut world = World::new();
    world.agent.machine.push(("AWS_EC2_METADATA_DISABLED".into(), "true".into()));
    for form in [&[][..], &[("exportAs", "profile"), ("profileName", "dev")], &[("refresh", "true")]] {
        let mut inputs = vec![("command", "assumeRole"), ("connection", "federated")];
        inputs.extend(form.iter().copied());
        let before = world.gateway.calls().len();
        // There is no CloudFormation here: that it was asked, and by whom, is what counts.
        let bootstrap = format!(
            "{} bootstrap aws://{}/eu-west-1 --ci --no-notices --no-color || true",
            consumers::cdk().display(),
            world.account
        );
        let job = world.run(vec![world.causeway(&inputs), Step::script(&bootstrap).named("bootstrap")]);
        let key = world.iam.sessions().pop().unwrap().key.id;
        let calls = world.gateway.calls().split_off(before);
        let asked = calls
            .iter()
            .any(|call| call.service == "cloudformation" && call.access_key.as_deref() == Some(&key));
        assert!(asked, "{form:?}: {calls:#?}\n{}", job.step("bootstrap").log);
    }
}
