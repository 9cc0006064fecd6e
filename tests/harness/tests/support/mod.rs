//! A tiny task for tests of the harness itself.
#![allow(dead_code, reason = "each test program uses a part")]

use std::fs;

use causeway_harness::world::World;
use serde_json::json;
use tempfile::TempDir;

/// A task named Causeway whose programs are these.
pub(crate) fn task(main: &str, cleanup: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let definition = json!({
        "name": "Causeway",
        "version": { "Major": 1, "Minor": 0, "Patch": 0 },
        "inputs": [
            { "name": "command", "type": "pickList" },
            { "name": "connection", "type": "connectedService:Causeway" },
            { "name": "awsCredentials", "type": "connectedService:AWS" },
            { "name": "text", "type": "string", "defaultValue": "usual", "aliases": ["words"] },
            { "name": "recursive", "type": "boolean", "defaultValue": false },
            { "name": "sourceFolder", "type": "filePath" },
        ],
        "outputVariables": [{ "name": "declared" }],
        "execution": { "Node20_1": { "target": "index.js" } },
        "postjobexecution": { "Node20_1": { "target": "cleanup.js" } },
    });
    fs::write(folder.path().join("task.json"), definition.to_string()).unwrap();
    fs::write(folder.path().join("index.js"), main).unwrap();
    fs::write(folder.path().join("cleanup.js"), cleanup).unwrap();
    folder
}

/// A task that runs the JavaScript in its input `text`, and writes a word after the job.
pub(crate) fn evaluating_task() -> TempDir {
    task(
        "eval(process.env.INPUT_TEXT)",
        "console.log('cleaning up', process.env.VSTS_TASKVARIABLE_STATE || 'nothing')",
    )
}

/// A world with the evaluating task.
pub(crate) fn world() -> (World, TempDir) {
    let folder = evaluating_task();
    (World::with_task(folder.path()), folder)
}
