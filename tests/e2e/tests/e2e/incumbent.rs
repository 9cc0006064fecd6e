//! What the AWS Toolkit for Azure DevOps gets wrong, and the test that would fail if Causeway did the same.
//!
//! Names without a crate are modules of this program.
//!
//! | # | mistake | test |
//! |---|---|---|
//! | 1 | a failed OIDC exchange goes on with an empty key | `identity::a_chosen_source_that_fails_is_never_replaced`, `token::final_answers_are_final_and_say_what_happened` |
//! | 2 | `useOIDC` beside keys uses the keys; `True` uses host credentials; no role falls through | `identity::connections_that_contradict_themselves_are_refused_before_any_call`, [`oidc_in_any_case_is_oidc_though_the_host_has_keys`] |
//! | 3 | credentials and tokens are never registered as secrets | [`each_secret_is_registered_before_anything_else_is_said_of_it`], `secrecy::no_secret_is_left_anywhere` |
//! | 4 | the ECR password in a command line, a login for ever, `AWS` as a secret | `ecr_login::docker_finds_the_login_and_the_users_other_entries_and_afterwards_nothing_is_left`, `secrecy::no_secret_is_left_anywhere`, [`no_common_word_is_registered_as_a_secret`] |
//! | 5 | external ID and length dropped for an instance profile | `identity::the_agents_own_credentials_assume_a_role_with_external_id_and_length`, `agent_identity::the_instances_role_and_region_by_metadata_version_two` |
//! | 6 | a region that leads to another host | `refusals::each_bad_input_is_named_and_nothing_is_sent`, `causeway-types`: `region::tests::what_could_leave_the_host_name_is_refused` |
//! | 7 | `logRequest` prints `Authorization`; presigned addresses in full | `traffic::each_request_and_answer_is_told_without_its_secrets` |
//! | 8 | a final 401 or 404 retried for 200 s, AssumeRole not at all | `token::final_answers_are_final_and_say_what_happened`, `identity::throttling_and_faults_of_sts_are_tried_again`, `faults::final_answers_of_sts_are_final`, `causeway-identity`: `faults` |
//! | 9 | an earlier step's `AWS_SESSION_TOKEN` survives | `export::an_earlier_steps_session_token_does_not_outlive_it` |
//! | 10 | multi-line and binary secrets throw; a missing value is `undefined` | `parameters::a_secret_of_several_lines_goes_to_a_file_that_is_gone_after_the_job`, `secrets::lines_and_bytes_go_to_files_that_are_gone_after_the_job`, `causeway-secrets`: `reading::an_answer_without_a_value_is_an_error_not_a_text`, `managed::an_answer_without_a_value_is_an_error`, `managed::binary_secrets_keep_their_bytes` |
//! | 11 | one upload at a time, downloads without a bound; a listing error is a success; folder markers, symlinks, any HeadBucket error | `causeway-transfer`: `upload::many_files_go_at_the_same_time_and_no_more_than_allowed`, `upload_bucket::no_other_answer_reads_as_a_missing_bucket`, `plan::tests::links_are_followed_and_loops_survived`, `download::a_listing_that_breaks_off_downloads_nothing`, `download::patterns_markers_and_flat_names`; `pipelines::migration::a_listing_that_breaks_off_fails_the_download` |
//! | 12 | old region tables (`aws-eusc`), `NO_PROXY` ignored | [`the_sovereign_partition_has_its_own_host`], `causeway-registry`: `hosts::the_hosts_of_every_partition_are_read`, `network::no_proxy_and_the_agents_bypass_list_are_followed` |
//! | 13 | `workingDirectory` ignored | `script::a_file_runs_in_its_folder_unless_told_otherwise`, `pipelines::migration::the_toolkits_inputs_do_what_they_did` |
//! | 14 | a dangling symlink fails the whole upload; equal names, `d` fetches `dother/`, `../../` | `causeway-transfer`: `plan::a_dangling_link_fails_only_if_it_matches`, `plan::flattened_names_must_differ`, `download::patterns_markers_and_flat_names`, `download::keys_that_lead_out_are_named_and_the_others_arrive`; [`a_download_takes_no_neighbour_and_nothing_lands_outside`] |
//! | 15 | tokens readable in the parent's environment; the script is mode 644 | `script::the_script_cannot_read_the_tasks_environment`, `script::an_inline_script_has_the_credentials_and_nothing_else_of_the_task`; every pipeline's processes are searched too |
//! | 16 | a hierarchy in 101 calls one by one; a connection an upload | `causeway-secrets`: `speed::a_thousand_parameters_in_twenty_sub_paths`, [`uploads_share_a_few_connections`] |

use causeway_harness::agent::{Connection, JobResult};
use causeway_harness::proxy::NamingProxy;
use causeway_harness::tls::{Authority, Handshake};
use causeway_harness::world::World;

use crate::assert_succeeds;
use crate::company::Company;

/// What the first step registered as secrets, with the place of each among its commands.
fn registered(job: &JobResult) -> Vec<(usize, &str)> {
    let commands = job.first().commands.iter().enumerate();
    commands
        .filter(|(_, command)| command.event == "setsecret")
        .map(|(at, command)| (at, command.data.as_str()))
        .collect()
}

#[test]
fn oidc_in_any_case_is_oidc_though_the_host_has_keys() {
    let mut world = World::new();
    let key = world.user_key.clone();
    world.agent.machine.push(("AWS_ACCESS_KEY_ID".into(), key.id));
    world.agent.machine.push(("AWS_SECRET_ACCESS_KEY".into(), key.secret));
    let role = world.role_arn("deploy");
    for (number, text) in ["True", "TRUE", "true"].into_iter().enumerate() {
        let name = format!("oidc-{number}");
        world.agent.add_connection(
            Connection::new(&name, "AWS", "UsernamePassword")
                .with_parameter("useOIDC", text)
                .with_parameter("assumeRoleArn", &role),
        );
        // Nobody trusts this connection's subject: were the host's keys used instead, the step would end well.
        let job = world.step(&[("command", "assumeRole"), ("awsCredentials", &name)]);
        crate::assert_fails(&job, &["AccessDenied"]);
    }
    let calls = world.gateway.calls();
    assert_eq!(calls.len(), 3);
    assert!(
        calls.iter().all(|call| call.operation == "AssumeRoleWithWebIdentity" && call.access_key.is_none())
    );
}

#[test]
fn each_secret_is_registered_before_anything_else_is_said_of_it() {
    let world = World::new();
    let job = world.step(&[("command", "assumeRole"), ("connection", "federated")]);
    assert_succeeds(&job);
    let sessions = world.iam.sessions();
    let session = sessions.last().unwrap();
    let secrets = [
        world.azure_devops.issued_tokens().remove(0),
        session.key.secret.clone(),
        session.key.session_token.clone().unwrap(),
    ];
    for secret in secrets {
        let all = registered(&job);
        let (at, _) = all.iter().find(|(_, data)| *data == secret).expect("it is registered");
        let mut earlier = job.first().commands[..*at].iter();
        assert!(earlier.all(|command| !command.data.contains(&secret)));
        let first = job.first().lines.iter().find(|line| line.text.contains(&secret)).unwrap();
        assert!(first.text.starts_with("##vso[task.setsecret]"), "{}", first.text);
    }
}

#[test]
fn no_common_word_is_registered_as_a_secret() {
    let world = World::with_aws();
    let job = world.step(&[("command", "ecrLogin"), ("connection", "federated")]);
    assert_succeeds(&job);
    let all = registered(&job);
    assert!(!all.is_empty());
    for (_, secret) in all {
        assert!(secret.len() >= 8, "{secret} would blot out half of a log");
        assert!(!["AWS", "aws", "true", "latest"].contains(&secret));
    }
}

#[test]
fn the_sovereign_partition_has_its_own_host() {
    const HOST: &str = "sts.eusc-de-east-1.amazonaws.eu";
    let authority = Authority::new("Contoso Root");
    let server = authority.server(&["localhost", HOST]);
    let mut company = Company::of(World::new(), authority, &server, false).trusted();
    company.world.agent.machine.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
    let proxy = NamingProxy::start(&[(HOST, company.aws.address())], None);
    company.machine("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    let job = company.world.step(&[
        ("command", "assumeRole"),
        ("awsCredentials", "aws-keys"),
        ("regionName", "eusc-de-east-1"),
    ]);
    assert_succeeds(&job);
    assert_eq!(Company::asked(&proxy), [(format!("CONNECT {HOST}:443"), 200)]);
}

#[test]
fn uploads_share_a_few_connections() {
    const FILES: usize = 60;
    let authority = Authority::new("Contoso Root");
    let server = authority.server(&["localhost"]);
    let company = Company::of(World::with_aws(), authority, &server, false).trusted();
    let bucket = company.world.bucket("pooled");
    for number in 0..FILES {
        std::fs::write(company.world.agent.sources().join(format!("{number}.txt")), "content").unwrap();
    }
    let job = company.world.step(&[
        ("command", "s3Upload"),
        ("connection", "federated"),
        ("bucketName", &bucket),
        ("forcePathStyleAddressing", "true"),
        ("parallelism", "4"),
    ]);
    assert_succeeds(&job);
    assert_eq!(job.variable("step.uploadedCount"), Some("60"));
    let connections = company.aws.handshakes();
    assert!(connections.len() <= 8, "{FILES} files over {} connections", connections.len());
    assert!(connections.iter().all(|handshake| *handshake == Handshake::Anonymous));
}

#[test]
fn a_download_takes_no_neighbour_and_nothing_lands_outside() {
    let world = World::with_aws();
    let bucket = world.bucket("prefix");
    for key in ["d/a.txt", "d/.hidden", "dother/b.txt", "d/x/../../../../evil.txt"] {
        world.seed().put_object(&bucket, key, key.as_bytes(), &[]);
    }
    let job = world.step(&[
        ("command", "s3Download"),
        ("connection", "federated"),
        ("bucketName", &bucket),
        ("sourceFolder", "d"),
        ("targetFolder", "in/here"),
        ("forcePathStyleAddressing", "true"),
    ]);
    crate::assert_fails(&job, &["evil.txt"]);
    let target = world.agent.sources().join("in/here");
    assert_eq!(std::fs::read_to_string(target.join("d/a.txt")).unwrap(), "d/a.txt");
    assert!(target.join("d/.hidden").is_file(), "** means dotfiles too");
    assert!(!target.join("dother").exists(), "the prefix d is the folder d");
    let outside = ["in/evil.txt", "evil.txt", "../evil.txt", "in/here/evil.txt"];
    assert!(outside.iter().all(|path| !world.agent.sources().join(path).exists()));
}
