//! Pipeline files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failing test")]

use causeway_harness::agent::{Action, Condition};
use causeway_harness::pipeline::parse;

#[test]
fn variables_come_as_a_mapping_or_a_list_and_keep_their_writing() {
    for yaml in [
        "variables:\n  version: 1.10\n  flag: yes\n  empty:\n  zip: 0123\nsteps: []\n",
        "variables:\n- name: version\n  value: 1.10\n- name: flag\n  value: yes\n- name: empty\n- name: zip\n  value: 0123\nsteps: []\n",
    ] {
        let job = parse(yaml).unwrap();
        let pairs: Vec<(&str, &str)> =
            job.variables.iter().map(|variable| (variable.name.as_str(), variable.value.as_str())).collect();
        assert_eq!(pairs, [("version", "1.10"), ("flag", "yes"), ("empty", ""), ("zip", "0123")], "{yaml}");
    }
}

#[test]
fn steps_are_read_with_their_properties() {
    let job = parse(
        "trigger: none\npool:\n  vmImage: ubuntu-latest\nsteps:\n- checkout: self\n- task: Causeway@1\n  name: a\n  \
         displayName: Do it\n  condition: failed()\n  continueOnError: true\n  retryCountOnTaskFailure: 2\n  inputs:\n    \
         durationSeconds: 900\n    recursive: true\n- bash: |\n    echo a\n    echo b\n  env:\n    A: $(b)\n- script: no\n  enabled: false\n",
    )
    .unwrap();
    assert_eq!(job.steps.len(), 2);
    let first = &job.steps[0];
    assert_eq!((first.name.as_deref(), first.display_name.as_deref()), (Some("a"), Some("Do it")));
    assert_eq!((&first.condition, first.continue_on_error, first.retries), (&Condition::Failed, true, 2));
    let Action::Task { reference, inputs } = &first.action else { panic!("no task") };
    assert_eq!(reference, "Causeway@1");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(*inputs, [pair("durationSeconds", "900"), pair("recursive", "true")]);
    let Action::Script { text, .. } = &job.steps[1].action else { panic!("no script") };
    assert_eq!(text, "echo a\necho b\n");
    assert_eq!(job.steps[1].env, [pair("A", "$(b)")]);
}

#[test]
fn what_is_not_known_is_refused() {
    for (yaml, reason) in [
        ("steps:\n- script: a\n  task: b\n", "exactly one"),
        ("steps:\n- displayName: a\n", "exactly one"),
        ("steps:\n- script: a\n  condition: counter('a', 1)\n", "counter is not known"),
        ("steps:\n- script: a\n  condition: eq(1)\n", "eq does not take 1"),
        ("steps:\n- script: a\n  condition: eq(resources.a, 1)\n", "resources.a is not known"),
        ("steps:\n- script: a\n  condition: eq(1, 1) 2\n", "too much"),
        ("steps:\n- script: ${{ variables.a }}\n", "${{"),
        ("variables:\n  a: $[counter('a')]\nsteps: []\n", "counter"),
        ("variables:\n  a: x$[variables.a]\nsteps: []\n", "beside other text"),
        ("jobs:\n- job: a\n  steps: []\n  strategy:\n    parallel: 2\n", "parallel"),
        ("jobs:\n- job: a\n  dependsOn: b\n  steps: []\n", "depends on b"),
        ("jobs:\n- job: a\n  steps: []\n- job: a\n  steps: []\n", "twice"),
        ("jobs: []\nsteps: []\n", "exactly one of stages"),
        ("jobs:\n- template: a.yml\n", "template"),
        ("steps:\n- script: a\n  dispalyName: b\n", "dispalyName"),
        ("{}\n", "stages"),
        ("steps: [", "cannot be read"),
    ] {
        let error = parse(yaml).unwrap_err().to_string();
        assert!(error.contains(reason), "{yaml}: {error}");
    }
}
