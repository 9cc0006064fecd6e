use std::path::{Path, PathBuf};
use std::process::Command;

use super::sink::Sink;

/// What moves the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Causeway,
    S5cmd,
    AwsCli,
    Boto3,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

/// boto3 as its users use it: one transfer manager with its defaults.
const BOTO3: &str = r"
import os, sys, boto3
from s3transfer.manager import TransferManager
way, folder = sys.argv[1:]
client = boto3.client('s3')
with TransferManager(client) as manager:
    if way == 'up':
        futures = [manager.upload(os.path.join(root, name), 'bucket', os.path.relpath(os.path.join(root, name), folder))
                   for root, _, names in os.walk(folder) for name in names]
    else:
        pages = client.get_paginator('list_objects_v2').paginate(Bucket='bucket')
        futures = [manager.download('bucket', entry['Key'], os.path.join(folder, entry['Key']))
                   for page in pages for entry in page.get('Contents', [])]
    for future in futures: future.result()
";

impl Client {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Causeway => "Causeway",
            Self::S5cmd => "s5cmd",
            Self::AwsCli => "AWS CLI",
            Self::Boto3 => "boto3",
        }
    }

    /// Its program, if it is installed.
    pub(super) fn program(self, root: &Path) -> Option<PathBuf> {
        let peers = root.join(".venv-bench/bin");
        let program = match self {
            Self::Causeway => {
                let given = std::env::var_os("CAUSEWAY_BIN").map(PathBuf::from);
                given.unwrap_or_else(|| root.join("target/release/causeway"))
            }
            Self::S5cmd => peers.join("s5cmd"),
            Self::AwsCli => peers.join("aws"),
            Self::Boto3 => peers.join("python"),
        };
        program.exists().then_some(program)
    }

    /// The command that moves everything in `folder` to the sink, or from there to it.
    pub(super) fn command(self, root: &Path, sink: &Sink, way: Way, folder: &Path) -> Command {
        let mut command = Command::new(self.program(root).expect("an installed client"));
        // Every client gets the same few variables, and nothing of this machine's.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", folder)
            .env("AWS_ACCESS_KEY_ID", "AKIABENCH")
            .env("AWS_SECRET_ACCESS_KEY", "bench-secret")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", &sink.url)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        match self {
            Self::Causeway => causeway(&mut command, sink, way, folder),
            Self::S5cmd => {
                command.env("SSL_CERT_FILE", &sink.ca_file).args(["--endpoint-url", &sink.url, "cp"]);
                match way {
                    Way::Up => command.arg(format!("{}/", folder.display())).arg("s3://bucket/"),
                    Way::Down => command.arg("s3://bucket/*").arg(format!("{}/", folder.display())),
                };
            }
            Self::AwsCli => {
                command.env("AWS_CA_BUNDLE", &sink.ca_file);
                command.args(["s3", "cp", "--recursive", "--only-show-errors"]);
                match way {
                    Way::Up => command.arg(folder).arg("s3://bucket/"),
                    Way::Down => command.arg("s3://bucket/").arg(folder),
                };
            }
            Self::Boto3 => {
                command.env("AWS_CA_BUNDLE", &sink.ca_file).args(["-c", BOTO3]);
                command.arg(if way == Way::Up { "up" } else { "down" }).arg(folder);
            }
        }
        command
    }
}

/// The whole step without node: inputs to output variables, `GetCallerIdentity` included.
fn causeway(command: &mut Command, sink: &Sink, way: Way, folder: &Path) {
    let (name, folder_input) = match way {
        Way::Up => ("s3Upload", "INPUT_SOURCEFOLDER"),
        Way::Down => ("s3Download", "INPUT_TARGETFOLDER"),
    };
    command
        .arg("task")
        .env("AWS_CA_BUNDLE", &sink.ca_file)
        .env("INPUT_COMMAND", name)
        .env("INPUT_IDENTITY", "agent")
        .env("INPUT_REGIONNAME", "us-east-1")
        .env("INPUT_BUCKETNAME", "bucket")
        .env("INPUT_FORCEPATHSTYLEADDRESSING", "true")
        .env(folder_input, folder);
    if let Ok(parallelism) = std::env::var("BENCH_PARALLELISM") {
        command.env("INPUT_PARALLELISM", parallelism);
    }
}
