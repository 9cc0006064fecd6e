//! Ten thousand random values through variables, dotenv and JSON, read back by the agent's rules, bash and Node.
//!
//! The binary is run without the agent, whose masks over so many long values would take minutes; its output is read by
//! the harness's own reading of the agent's rules.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use causeway_harness::agent::Command;
use causeway_harness::gateway::Fault;
use causeway_harness::world::{REGION, World, binary, workspace};
use serde_json::{Map, Value, json};

/// Values of one step; ten steps make the ten thousand.
const VALUES: usize = 1000;

/// A value of random pieces: all of Unicode, and what is special to somebody on the way.
fn value(random: &mut fastrand::Rng, with_nul: bool) -> String {
    const PIECES: [&str; 34] = [
        "##vso[task.setvariable variable=evil]x",
        "##vso[",
        "##[error]",
        "%AZP25",
        "%0A",
        "%0D",
        "%3B",
        "%",
        ";",
        "]",
        "\n",
        "\r",
        "\r\n",
        "\t",
        " ",
        "'",
        "\"",
        "`",
        "$",
        "$(id)",
        "${HOME}",
        "\\",
        "\\n",
        "#",
        "=",
        "~",
        "!",
        "&",
        "export A=b\nB=c",
        "\u{feff}",
        "\u{200b}",
        "\u{2028}",
        "\u{85}",
        "\u{1b}[31m",
    ];
    // Some are as long as secrets get: 4 to 64 KiB.
    let bytes = if random.u8(..40) == 0 { random.usize(4096..65_536) } else { random.usize(..120) };
    let plain = random.u8(..4) == 0;
    let mut text = String::new();
    while text.len() < bytes {
        match random.u8(..8) {
            _ if plain => text.push(random.alphanumeric()),
            0 | 1 => text.push_str(PIECES[random.usize(..PIECES.len())]),
            2 => text.push(char::from(random.u8(1..128))),
            3 => text.push(random.char('\u{1}'..)),
            4 if with_nul => text.push('\0'),
            _ => text.push(random.alphanumeric()),
        }
    }
    text
}

/// What the step wrote: its lines as the agent reads them, and the file.
struct Outcome {
    lines: Vec<String>,
    commands: Vec<(usize, Command)>,
    file: std::path::PathBuf,
    /// Holds what the step left.
    _folder: tempfile::TempDir,
}

fn run(world: &World, values: &[String], secret: bool, format: &str) -> Outcome {
    let object: Map<String, Value> =
        values.iter().enumerate().map(|(number, value)| (format!("k{number}"), json!(value))).collect();
    let text = Value::Object(object).to_string();
    let (service, operation, answer) = if secret {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbC12d";
        ("secretsmanager", "GetSecretValue", json!({ "Name": "x", "ARN": arn, "SecretString": text }))
    } else {
        let parameter = json!({ "Name": "x", "Type": "String", "Value": text, "Version": 1 });
        ("ssm", "GetParameter", json!({ "Parameter": parameter }))
    };
    world.gateway.fail(
        service,
        operation,
        Fault::raw(200, "application/x-amz-json-1.1", &answer.to_string()),
    );

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("values");
    let (command, names) =
        if secret { ("getSecrets", "SECRETIDS") } else { ("getParameters", "PARAMETERNAMES") };
    let output = Process::new(binary())
        .arg("task")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("AWS_ENDPOINT_URL", world.gateway.url())
        .env("AWS_ACCESSKEYID", &world.user_key.id)
        .env("SECRET_AWS_SECRETACCESSKEY", &world.user_key.secret)
        .env("AGENT_TEMPDIRECTORY", folder.path())
        .env("INPUT_IDENTITY", "variables")
        .env("INPUT_REGIONNAME", REGION)
        .env("INPUT_COMMAND", command)
        .env(format!("INPUT_{names}"), "x=V")
        .env("INPUT_PARSEJSON", "true")
        .env("INPUT_OUTPUTFILE", &file)
        .env("INPUT_OUTPUTFORMAT", format)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // .NET ends a line at CR, LF and CRLF.
    let lines: Vec<String> = text.replace("\r\n", "\n").split(['\r', '\n']).map(str::to_owned).collect();
    let read = |(number, line): (usize, &String)| Some((number, Command::parse(line, true)?));
    let commands: Vec<(usize, Command)> = lines.iter().enumerate().filter_map(read).collect();
    assert!(!commands.iter().any(|(_, command)| command.is("task", "complete")), "{}", lines.last().unwrap());
    Outcome { lines, commands, file, _folder: folder }
}

impl Outcome {
    /// The variables that the agent would hold, those in files read from there.
    fn variables(&self, secret: bool) -> HashMap<String, String> {
        let mut variables = HashMap::new();
        for (_, command) in self.commands.iter().filter(|(_, command)| command.is("task", "setvariable")) {
            let name = command.property("variable").unwrap().to_owned();
            let mut value = command.data.clone();
            if command.flag("issecret") {
                assert!(!value.contains('\n'), "the agent refuses it");
            } else if name.starts_with("V_") && value.ends_with(".secret") {
                assert_eq!(std::fs::metadata(&value).unwrap().permissions().mode() & 0o777, 0o600);
                value = std::fs::read_to_string(&value).unwrap();
            } else {
                assert!(!secret || !name.starts_with("V_"), "{name} is not secret");
            }
            variables.insert(name, value);
        }
        variables
    }

    /// That each line of more than three characters is masked, and all masks stand before the first value.
    fn assert_masked(&self, values: &[String]) {
        let is_value =
            |command: &Command| command.property("variable").is_some_and(|name| name.starts_with("V_"));
        let first = self.commands.iter().find(|(_, command)| is_value(command)).unwrap().0;
        let masks: Vec<&(usize, Command)> =
            self.commands.iter().filter(|(_, command)| command.is("task", "setsecret")).collect();
        assert!(masks.iter().all(|(number, _)| *number < first));
        let masked: HashSet<&str> = masks.iter().map(|(_, command)| command.data.as_str()).collect();
        let commands: HashSet<usize> = self.commands.iter().map(|(number, _)| *number).collect();
        let plain = self.lines.iter().enumerate().filter(|(number, _)| !commands.contains(number));
        let plain: String = plain.map(|(_, line)| format!("{line}\n")).collect();
        for line in values.iter().flat_map(|value| value.split(['\r', '\n'])) {
            if line.chars().count() > 3 {
                assert!(masked.contains(line), "{line:?} is not masked");
            }
            assert!(line.len() < 9 || !plain.contains(line), "{line:?} stands in the log");
        }
    }

    /// The variables that a warning with these words names.
    fn warned_of(&self, words: &str) -> HashSet<String> {
        let warnings = self.commands.iter().filter(|(_, command)| command.is("task", "logissue"));
        let messages = warnings.map(|(_, command)| &command.data).filter(|message| message.contains(words));
        messages
            .filter_map(|message| message.split_once(": ")?.1.split(". ").next())
            .flat_map(|names| names.split(", ").map(str::to_owned))
            .collect()
    }
}

fn stdout(process: &mut Process) -> Vec<u8> {
    let output = process.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// What `source` in bash makes of the file.
fn read_by_bash(file: &Path, count: usize) -> Vec<String> {
    let script = "set -eu; . \"$1\"; for ((i = 0; i < $2; i++)); do n=V_k$i; printf '%s\\0' \"${!n}\"; done";
    let mut bash = Process::new("bash");
    bash.args(["--norc", "-c", script, "bash"]).arg(file).arg(count.to_string());
    let read = stdout(bash.env("LC_ALL", "C.UTF-8"));
    let mut values: Vec<String> = read.split(|byte| *byte == 0).map(text).collect();
    values.pop();
    values
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What Node makes of a file: `parse` is an expression of its text. Values come in base64, one a line.
fn read_by_node(file: &Path, parse: &str, count: usize) -> Vec<Option<String>> {
    let script = format!(
        "const text = require('fs').readFileSync(process.argv[1], 'utf8'); const all = {parse};
         for (let i = 0; i < {count}; i++) {{
           const value = all['V_k' + i];
           console.log(value === undefined ? '-' : Buffer.from(value).toString('hex'));
         }}"
    );
    let read = text(&stdout(Process::new("node").args(["--no-warnings", "-e", &script]).arg(file)));
    read.lines().map(|line| (line != "-").then(|| from_hex(line))).collect()
}

fn from_hex(line: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
    String::from_utf8((0..line.len()).step_by(2).map(byte).collect()).unwrap()
}

/// What `docker --env-file` makes of the file (`pkg/kvfile` of docker/cli): a line a variable, the rest of it the value.
fn read_by_docker(file: &Path) -> HashMap<String, String> {
    let content = std::fs::read_to_string(file).unwrap();
    let lines = content.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let variables = lines.map(str::trim_start).filter(|line| !line.starts_with('#') && line.len() < 65_535);
    variables
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn assert_same(read: &str, value: &str, number: usize, reader: &str) {
    assert!(
        read == value,
        "value {number} comes back otherwise from {reader}: {read:?} instead of {value:?}"
    );
}

fn check_dotenv(outcome: &Outcome, values: &[String]) {
    let not_for_docker = outcome.warned_of("docker --env-file cannot");
    let bash_only = outcome.warned_of("only bash reads");
    let bash = read_by_bash(&outcome.file, values.len());
    let node = read_by_node(&outcome.file, "require('util').parseEnv(text)", values.len());
    // The package that most people mean by "dotenv".
    let package = workspace().join("node_modules/dotenv");
    let npm = read_by_node(&outcome.file, &format!("require({package:?}).parse(text)"), values.len());
    let docker = read_by_docker(&outcome.file);
    for (number, value) in values.iter().enumerate() {
        let name = format!("V_k{number}");
        assert_same(&bash[number], value, number, "bash");
        if !bash_only.contains(&name) {
            assert_same(node[number].as_deref().unwrap_or("nothing"), value, number, "Node");
            assert_same(npm[number].as_deref().unwrap_or("nothing"), value, number, "npm's dotenv");
        }
        if !not_for_docker.contains(&name) {
            assert_same(&docker[&name], value, number, "docker");
        }
    }
    assert!(not_for_docker.len() < values.len() && bash_only.len() < not_for_docker.len());
    assert!(bash_only.is_subset(&not_for_docker));
}

#[test]
fn ten_thousand_random_values_come_back_as_they_were() {
    let seed =
        std::env::var("CAUSEWAY_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("CAUSEWAY_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let world = World::new();
    for round in 0..10 {
        let secret = round % 2 == 0;
        let values: Vec<String> = (0..VALUES).map(|_| value(&mut random, false)).collect();
        for format in ["dotenv", "json"] {
            let outcome = run(&world, &values, secret, format);
            let variables = outcome.variables(secret);
            assert!(!variables.keys().any(|name| name == "evil"));
            for (number, value) in values.iter().enumerate() {
                assert_same(&variables[&format!("V_k{number}")], value, number, "its variable");
            }
            if secret {
                outcome.assert_masked(&values);
            }
            if format == "dotenv" {
                check_dotenv(&outcome, &values);
                continue;
            }
            let node = read_by_node(&outcome.file, "JSON.parse(text)", values.len());
            for (number, value) in values.iter().enumerate() {
                assert_same(node[number].as_deref().unwrap(), value, number, "JSON");
            }
        }
    }
}

#[test]
fn nul_characters_arrive_in_files_and_json() {
    let mut random = fastrand::Rng::with_seed(5);
    let world = World::new();
    let values: Vec<String> = (0..200).map(|_| value(&mut random, true)).collect();
    for secret in [true, false] {
        let outcome = run(&world, &values, secret, "json");
        let variables = outcome.variables(secret);
        let node = read_by_node(&outcome.file, "JSON.parse(text)", values.len());
        for (number, value) in values.iter().enumerate() {
            assert_same(&variables[&format!("V_k{number}")], value, number, "its variable or file");
            assert_same(node[number].as_deref().unwrap(), value, number, "JSON");
        }
    }
}
