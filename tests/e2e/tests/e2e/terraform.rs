//! Terraform with its state in S3, in later steps of the job.

use causeway_harness::agent::Step;
use causeway_harness::world::World;

use crate::{assert_succeeds, consumers};

#[test]
fn state_and_lock_in_s3_work_with_every_form_of_credentials() {
    if !consumers::on_path("terraform") {
        eprintln!("not run: there is no terraform on PATH");
        return;
    }
    let mut world = World::with_aws();
    world.agent.machine.push(("AWS_EC2_METADATA_DISABLED".into(), "true".into()));
    let bucket = world.bucket("state");
    let sources = world.agent.sources();
    let main = format!(
        "terraform {{\n  backend \"s3\" {{\n    bucket = \"{bucket}\"\n    key = \"shop.tfstate\"\n    use_path_style = true\n    use_lockfile = true\n    \
         skip_credentials_validation = true\n    skip_requesting_account_id = true\n    skip_metadata_api_check = true\n    skip_region_validation = true\n  }}\n}}\n\
         resource \"terraform_data\" \"count\" {{\n  input = var.number\n}}\nvariable \"number\" {{\n  type = string\n}}\noutput \"number\" {{\n  value = terraform_data.count.output\n}}\n"
    );
    std::fs::write(sources.join("main.tf"), main).unwrap();
    let forms: [&[(&str, &str)]; 4] = [
        &[],
        &[("exportAs", "profile"), ("profileName", "dev")],
        &[("exportAs", "profile"), ("profileName", "dev"), ("refresh", "true")],
        &[("refresh", "true")],
    ];
    for (number, form) in forms.iter().enumerate() {
        let mut inputs = vec![("command", "assumeRole"), ("connection", "federated")];
        inputs.extend(form.iter().copied());
        let script = format!(
            "set -e; rm -rf .terraform; export TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1 TF_VAR_number=run{number}\nterraform init -input=false -no-color >/dev/null\n\
             terraform apply -auto-approve -input=false -no-color >/dev/null\nterraform output -raw number"
        );
        let before = world.gateway.calls().len();
        let job = world.run(vec![world.causeway(&inputs), Step::script(&script).named("apply")]);
        assert_succeeds(&job);
        assert!(
            job.step("apply").stdout().contains(&format!("run{number}")),
            "{form:?}: {}",
            job.step("apply").log
        );
        let calls = world.gateway.calls().split_off(before);
        let locked = calls.iter().any(|call| call.operation.contains("shop.tfstate.tflock"));
        assert!(locked, "{form:?}: the state was not locked");
        let role = world.role_arn("deploy");
        let keys: Vec<String> = world
            .iam
            .sessions()
            .into_iter()
            .filter(|session| session.role_arn == role)
            .map(|session| session.key.id)
            .collect();
        for call in calls.iter().filter(|call| call.service == "s3") {
            assert!(call.access_key.as_ref().is_some_and(|key| keys.contains(key)), "{form:?}: {call:?}");
        }
    }
}
