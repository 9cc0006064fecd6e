//! `refresh: true`: credentials that outlive any session.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use causeway_harness::agent::{JobResult, Step};
use causeway_harness::gateway::Fault;
use causeway_harness::world::World;

use crate::profile::assert_nothing_is_left;
use crate::{assert_succeeds, consumers};

const ENDPOINT: [(&str, &str); 3] =
    [("command", "assumeRole"), ("connection", "federated"), ("refresh", "true")];
const PROFILE: [(&str, &str); 5] = [
    ("command", "assumeRole"),
    ("connection", "federated"),
    ("exportAs", "profile"),
    ("profileName", "dev"),
    ("refresh", "true"),
];
/// The broker's program, as scripts of the job call it.
const PROGRAM: &str = "\"$AGENT_TEMPDIRECTORY/causeway-job/causeway\"";
/// Prints the process ids of the brokers of this job.
const BROKERS: &str = "pgrep -f \"^$AGENT_TEMPDIRECTORY/causeway-job/causeway broker --profile\"";

/// A client that asks AWS all the time for so many seconds and says when it was refused.
fn asking(seconds: u32) -> String {
    consumers::python(&format!(
        "import boto3, time\nclient = boto3.client(\"sts\")\nend = time.time() + {seconds}\ncalls = 0\nwhile time.time() < end:\n    client.get_caller_identity()\n    calls += 1\n    time.sleep(0.2)\nprint(\"asked\", calls)"
    ))
}

fn shortened(seconds: u64) -> World {
    let mut world = World::new();
    world.iam.shorten_sessions(Duration::from_secs(seconds));
    world.agent.machine.push(("AWS_EC2_METADATA_DISABLED".into(), "true".into()));
    world
}

fn refusals(world: &World) -> Vec<u16> {
    world.gateway.calls().iter().map(|call| call.status).filter(|status| *status != 200).collect()
}

#[test]
fn thirty_seconds_with_sessions_of_five_are_never_interrupted() {
    let world = shortened(5);
    let script = format!(
        "set -e\n(AWS_PROFILE=causeway-endpoint {asking}) & one=$!\n(AWS_PROFILE=dev {asking}) & two=$!\n\
         end=$((SECONDS + 30)); while [ $SECONDS -lt $end ]; do\n{cli}\nsleep 1; done\nwait $one; wait $two",
        asking = asking(30),
        cli = format_args!("{}/aws sts get-caller-identity >/dev/null", consumers::venv().display()),
    );
    let job = world.run(vec![
        world.causeway(&ENDPOINT).named("endpoint"),
        world.causeway(&PROFILE).named("profile"),
        Step::script(&script).named("work"),
    ]);
    assert_succeeds(&job);
    assert_eq!(job.step("work").stdout().matches("asked").count(), 2);
    assert_eq!(refusals(&world), Vec::<u16>::new());
    // Two steps, and two brokers that renew every 2 to 2.5 seconds.
    let sessions = world.iam.sessions().len();
    assert!((20..45).contains(&sessions), "{sessions} sessions");
    world.secrets().assert_none_in(&job);
    assert_nothing_is_left(&job);
}

#[test]
fn every_tool_takes_the_endpoint() {
    let mut world = shortened(900);
    let folder = world.agent.root().join("home/.aws");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("credentials"),
        "[default]\naws_access_key_id = AKIAFOREIGN\naws_secret_access_key = x\n",
    )
    .unwrap();
    world.agent.machine.push(("AWS_PROFILE".into(), "machine".into()));
    let job = world.run(vec![world.causeway(&ENDPOINT), Step::script(&consumers::script()).named("show")]);
    assert_succeeds(&job);
    consumers::assert_all_have_role(&world, &job.step("show").stdout(), "deploy");
    assert_eq!(world.iam.sessions().len(), 1, "the broker begins with the step's own session");
    assert_eq!(job.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"), Some(""));
    world.secrets().assert_none_in(&job);
    assert_nothing_is_left(&job);
}

#[test]
fn a_machine_whose_own_endpoint_would_win_is_named() {
    let mut world = World::new();
    world.agent.machine.push(("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI".into(), "/role".into()));
    crate::assert_fails(&world.step(&ENDPOINT), &["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "profile"]);
    assert!(world.gateway.calls().is_empty());
}

#[test]
fn a_script_outlives_its_sessions() {
    let world = shortened(5);
    let script = asking(12);
    let inputs = [
        ("command", "script"),
        ("connection", "federated"),
        ("scriptType", "inline"),
        ("inlineScript", script.as_str()),
        ("refresh", "true"),
    ];
    let job = world.step(&inputs);
    assert_succeeds(&job);
    assert!(job.first().stdout().contains("asked"), "{}", job.first().log);
    assert!(refusals(&world).is_empty() && world.iam.sessions().len() >= 4);
    // What is renewed while the step runs is masked in its log.
    let masked: Vec<String> = job
        .first()
        .commands
        .iter()
        .filter(|command| command.is("task", "setsecret"))
        .map(|command| command.data.clone())
        .collect();
    for session in world.iam.sessions() {
        assert!(masked.contains(&session.key.secret));
    }
    world.secrets().assert_none_in(&job);
    assert_nothing_is_left(&job);
}

#[test]
fn every_tool_takes_a_scripts_endpoint() {
    let world = shortened(900);
    let script = consumers::script();
    let job = world.step(&[
        ("command", "script"),
        ("connection", "federated"),
        ("scriptType", "inline"),
        ("inlineScript", script.as_str()),
        ("refresh", "true"),
    ]);
    assert_succeeds(&job);
    consumers::assert_all_have_role(&world, &job.first().stdout(), "deploy");
}

#[test]
fn a_passing_fault_of_sts_is_not_noticed_and_a_lasting_one_is_explained() {
    let world = shortened(6);
    let ask = format!("{PROGRAM} credentials --profile dev >/dev/null && echo good || echo bad");
    let begin = std::thread::scope(|scope| {
        let gateway = world.gateway.clone();
        scope.spawn(move || {
            std::thread::sleep(Duration::from_secs(2));
            gateway.fail(
                "sts",
                "AssumeRoleWithWebIdentity",
                Fault::access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity").always(),
            );
        });
        world.run(vec![
            world.causeway(&PROFILE),
            Step::script(&format!("sleep 4\n{ask}\nsleep 4\n{ask}")).named("work"),
        ])
    });
    let work = begin.step("work");
    assert_eq!(work.stdout(), "good\nbad\n", "{}", work.log);
    for words in ["profile dev", "the credentials ended at", "AccessDenied", "only while the job runs"] {
        assert!(work.stderr().contains(words), "{words}: {}", work.stderr());
    }
    world.secrets().assert_none_in(&begin);
}

#[test]
fn a_broker_that_was_killed_is_named_and_a_new_step_repairs_it() {
    let world = World::new();
    let ask = format!("{PROGRAM} credentials --profile dev >/dev/null && echo good || echo bad");
    let job = world.run(vec![
        world.causeway(&PROFILE).named("one"),
        Step::script(&format!(
            "{ask}; kill -9 $({BROKERS}); sleep 0.2; {ask}; {}",
            consumers::python("import boto3; boto3.client(\"sts\").get_caller_identity()") + " || true"
        ))
        .named("killed"),
        world.causeway(&PROFILE).named("two"),
        Step::script(&ask).named("again"),
    ]);
    assert_succeeds(&job);
    let killed = job.step("killed");
    assert_eq!(killed.stdout(), "good\nbad\n");
    for words in ["profile dev is not running any more", "assumeRole", "CredentialRetrievalError"] {
        assert!(killed.stderr().contains(words), "{words}: {}", killed.stderr());
    }
    assert_eq!(job.step("again").stdout(), "good\n");
    assert_nothing_is_left(&job);
}

#[test]
fn the_same_profile_again_takes_over_without_a_gap() {
    let world = World::new();
    let job = world.run(vec![
        world.causeway(&PROFILE).named("one"),
        Step::script(&format!("({}) >asked & echo started", asking(5))).named("asks"),
        world.causeway(&PROFILE).named("two"),
        Step::script(&format!("sleep 5.5; cat asked; {BROKERS} | wc -l")).named("after"),
    ]);
    assert_succeeds(&job);
    let after = job.step("after").stdout();
    assert!(after.contains("asked") && after.trim_end().ends_with('1'), "{after}");
    assert_nothing_is_left(&job);
}

#[test]
fn it_ends_when_the_agent_ends_the_jobs_processes_or_empties_the_folder() {
    let world = World::new();
    let gone =
        format!("for i in $(seq 40); do {BROKERS} >/dev/null || {{ echo gone; break; }}; sleep 0.1; done");
    let job = world.run(vec![
        world.causeway(&PROFILE).named("one"),
        Step::script(&format!(
            "kill -9 $(pgrep -f \"^$AGENT_TEMPDIRECTORY/causeway-job/causeway broker-lifeline\"); {gone}"
        ))
        .named("swept"),
        world.causeway(&PROFILE).named("two"),
        Step::script(&format!("rm -rf \"$AGENT_TEMPDIRECTORY/causeway-job\"; {gone}")).named("emptied"),
    ]);
    assert_eq!(
        (job.step("swept").stdout().as_str(), job.step("emptied").stdout().as_str()),
        ("gone\n", "gone\n")
    );
    assert_nothing_is_left(&job);
}

/// Runs `visit` while a job with a broker waits for it. The job's environment lies in a file meanwhile.
fn while_it_serves(world: &World, inputs: &[(&str, &str)], visit: impl FnOnce(&Serving) + Send) -> JobResult {
    let (told, done) = (world.agent.root().join("told"), world.agent.root().join("done"));
    let script = format!(
        "{{ env; echo \"BROKER=$({BROKERS})\"; }} > {told}.new; mv {told}.new {told}; until [ -e {done} ]; do sleep 0.05; done; rm {told}",
        told = told.display(),
        done = done.display()
    );
    std::thread::scope(|scope| {
        let job =
            scope.spawn(|| world.run(vec![world.causeway(inputs), Step::script(&script).named("wait")]));
        let begin = Instant::now();
        while !told.exists() && begin.elapsed() < Duration::from_secs(60) && !job.is_finished() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let serving = std::fs::read_to_string(&told).map(Serving);
        let visited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            visit(&serving.expect("the job did not come to its script"));
        }));
        std::fs::write(&done, "").unwrap();
        let job = job.join().unwrap();
        if let Err(panic) = visited {
            std::panic::resume_unwind(panic);
        }
        job
    })
}

struct Serving(String);

impl Serving {
    fn value(&self, name: &str) -> &str {
        let start = format!("{name}=");
        self.0
            .lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }

    fn folder(&self) -> PathBuf {
        Path::new(self.value("AGENT_TEMPDIRECTORY")).join("causeway-job")
    }

    fn broker_file(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.value("BROKER")).join(name)
    }

    /// A connection to the endpoint, and the request to send over it.
    fn request(&self, token: &str) -> (TcpStream, String) {
        let url = self.value("AWS_CONTAINER_CREDENTIALS_FULL_URI").strip_prefix("http://").unwrap();
        let (host, path) = url.split_once('/').unwrap();
        let request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
        );
        (TcpStream::connect(host).unwrap(), request)
    }

    fn answer(&self, token: &str) -> String {
        let (mut stream, request) = self.request(token);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn two_hundred_clients_at_once_cost_no_call_and_little_time() {
    let world = World::new();
    let job = while_it_serves(&world, &ENDPOINT, |serving| {
        let token = serving.value("AWS_CONTAINER_AUTHORIZATION_TOKEN");
        // One thread that asks everywhere before it listens anywhere: threads of a test would mostly wait for each other.
        let mut clients: Vec<(TcpStream, String)> = (0..200).map(|_| serving.request(token)).collect();
        let begin = Instant::now();
        for (stream, request) in &mut clients {
            stream.write_all(request.as_bytes()).unwrap();
        }
        let times: Vec<Duration> = clients
            .iter_mut()
            .map(|(stream, _)| {
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("SecretAccessKey"), "{answer}");
                begin.elapsed()
            })
            .collect();
        let status = std::fs::read_to_string(serving.broker_file("status")).unwrap();
        let memory = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
        };
        eprintln!(
            "200 clients: median {:?}, p99 {:?}, last {:?}; broker {} KiB, of these its own {} KiB",
            times[99],
            times[197],
            times[199],
            memory("VmRSS:"),
            memory("RssAnon:")
        );
        // A development build on a machine that does other things; what a released one does is in the README.
        assert!(times[197] < Duration::from_millis(250), "{:?}", times[197]);
        assert!(memory("RssAnon:") < 20 * 1024, "{status}");
        assert_eq!(world.gateway.calls_of("sts", "*").len(), 1);
    });
    assert_succeeds(&job);
}

#[test]
fn the_endpoint_wants_its_token() {
    let world = World::new();
    let job = while_it_serves(&world, &ENDPOINT, |serving| {
        let token = serving.value("AWS_CONTAINER_AUTHORIZATION_TOKEN");
        assert!(serving.answer(token).starts_with("HTTP/1.1 200"));
        for wrong in ["", "x", &token[1..], &token.to_uppercase()] {
            let answer = serving.answer(wrong);
            assert!(answer.starts_with("HTTP/1.1 401") && !answer.contains("SecretAccessKey"), "{answer}");
        }
    });
    assert_succeeds(&job);
}

const NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

fn as_nobody(program: &[&str]) -> Option<String> {
    let out = Command::new("setpriv").args(NOBODY).args(program).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}

#[test]
fn another_user_gets_nothing() {
    if as_nobody(&["true"]).is_none() {
        eprintln!("not run: it needs root and setpriv, to be somebody else");
        return;
    }
    let world = World::new();
    // The agent's own folders are open, as they mostly are: what is closed must be closed by itself.
    std::fs::set_permissions(world.agent.root(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let job = while_it_serves(&world, &PROFILE, |serving| {
        let folder = serving.folder();
        let path = |name: &str| folder.join(name).display().to_string();
        assert_eq!(as_nobody(&["ls", &folder.display().to_string()]), None);
        for name in ["config", "credentials", "causeway"] {
            assert_eq!(as_nobody(&["cat", &path(name)]), None, "{name}");
        }
        for name in ["environ", "mem", "maps"] {
            let file = serving.broker_file(name).display().to_string();
            assert_eq!(as_nobody(&["head", "-c", "1", &file]), None, "{name}");
        }
        let arguments = as_nobody(&["cat", &serving.broker_file("cmdline").display().to_string()]).unwrap();
        assert!(arguments.ends_with("broker\0--profile\0dev\0"), "{arguments}");
        // Even with the folder wide open the broker looks at who asks.
        let ask = format!(
            "import socket; s = socket.socket(socket.AF_UNIX); s.connect(\"{}\"); s.send(b\"credentials\\n\"); print(len(s.recv(4096)))",
            path("dev.socket")
        );
        assert_eq!(as_nobody(&["/usr/bin/python3", "-c", &ask]), None);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        std::fs::set_permissions(path("dev.socket"), std::fs::Permissions::from_mode(0o666)).unwrap();
        let got = as_nobody(&["/usr/bin/python3", "-c", &ask]);
        assert!(matches!(got.as_deref().map(str::trim), None | Some("0")), "{got:?}");
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    });
    assert_succeeds(&job);
    assert_nothing_is_left(&job);
}

#[test]
fn the_step_does_not_wait_for_its_broker_and_says_nothing_secret() {
    let world = World::new();
    let job = world.run(vec![world.causeway(&PROFILE)]);
    assert_succeeds(&job);
    assert!(job.first().usage.wall < Duration::from_secs(5), "{:?}", job.first().usage.wall);
    world.secrets().assert_none_in(&job);
    assert_nothing_is_left(&job);
}
