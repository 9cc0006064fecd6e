'use strict';
// Starts the Causeway binary for this machine and ends as it ends. Plain Node 16 or newer, no npm package.
const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { listen } = require('./cancellation');
const { copyToTemp, discard, executable } = require('./copy');
const { damage, wrong } = require('./verify');
const { holds, packedForm, place, unpack } = require('./unpack');

const WINDOWS = process.platform === 'win32';
const PLATFORM = `${process.platform}-${process.arch}`;
const BINARIES = path.join(__dirname, 'bin');
const NAME = WINDOWS ? 'causeway.exe' : 'causeway';
// A crash on Windows ends with an NTSTATUS of severity "error", for example 0xC0000409 after an abort.
const FIRST_CRASH_STATUS = 0xc0000000;

/** Runs `causeway COMMAND`. That there is no binary is reported as `severity`, any other failure as an error. */
function launch(command, severity) {
  const binary = path.join(BINARIES, PLATFORM, NAME);
  // Before there is anything that a cancelled step could leave behind.
  const cancellation = listen();
  let copy;
  const ended = () => discard(copy);
  const failed = (error) => {
    ended();
    const gone = error.code === 'ENOENT' && !holds(binary);
    report('error', gone ? missing(binary) : `The Causeway binary ${binary} could not be started: ${error.message}`);
  };
  try {
    const { problem, content } = provide(binary);
    if (problem) return report(severity, problem);
    if (content || !executable(binary)) copy = copyToTemp(content ?? fs.readFileSync(binary), NAME);
    const program = copy ? copy.program : binary;
    // Node 24: see `replace`. An execve that fails aborts Node, so it is tried first whether the system lets the program run.
    const replaces = !WINDOWS && process.execve;
    const refusal = replaces && spawnSync(program, ['--version'], { stdio: 'ignore', env: {} }).error;
    // A signal that came while all this was done is heard before this is called. Only in the fraction of a millisecond until a
    // program that takes this process's place listens itself, none is.
    setImmediate(() => {
      if (cancellation.signal || refusal) ended();
      if (cancellation.signal) return cancelled(cancellation.signal);
      if (refusal) return refused(program, refusal);
      try {
        if (replaces) replace(program, command, cancellation);
        else start(program, command, cancellation, ended);
      } catch (error) {
        failed(error);
      }
    });
  } catch (error) {
    failed(error);
  }
}

/** Sees to it that `binary` is there, and is what was built: else `problem` says why. `content` is of a file that cannot be made. */
function provide(binary) {
  const there = holds(binary);
  const problem = there && damage(binary);
  if (there && !problem) return {};
  if (!holds(packedForm(binary))) return { problem: problem || missing(binary) };
  const content = unpack(binary);
  const flaw = wrong(binary, content);
  if (flaw) return { problem: flaw };
  return place(binary, content) && !damage(binary) ? {} : { content };
}

function missing(binary) {
  if (fs.existsSync(path.dirname(binary))) {
    return `${binary} is missing or empty. If antivirus software removed it, allow it; otherwise reinstall the extension.`;
  }
  const supported = fs.existsSync(BINARIES) ? fs.readdirSync(BINARIES).sort().join(', ') : '';
  return `Causeway has no binary for this agent's platform, ${PLATFORM}. This package supports: ${supported || 'none'}.`;
}

/**
 * Node 24: the binary takes this process's place and removes its own copy. No process is left then whose environment, with the
 * job's token and the connection's secrets, the user's own scripts could read.
 */
function replace(program, command, cancellation) {
  cancellation.stop();
  process.execve(program, [program, command], process.env);
}

/** The child gets this process's own stdin, stdout and stderr: nothing passes through Node. */
function start(program, command, cancellation, ended) {
  const child = spawn(program, [command], { stdio: 'inherit' });
  // On Windows the console sends the event to the child as well, and `kill` would end it without a clean-up.
  if (!WINDOWS) cancellation.pass = (name) => child.kill(name);
  child.once('error', (error) => {
    ended();
    refused(program, error);
  });
  child.once('exit', (code, signal) => {
    ended();
    process.exitCode = code === null ? 1 : code;
    if (cancellation.signal && signal) return cancelled(signal);
    if (cancellation.signal || code === 0) return;
    if (signal || code >= FIRST_CRASH_STATUS) {
      report('error', `The Causeway binary crashed (${signal || `status 0x${code.toString(16)}`}).`);
    } else {
      fail();
    }
  });
}

function cancelled(signal) {
  report('error', `The step was cancelled (${signal}).`);
}

function refused(program, { code }) {
  const hint = code === 'ENOENT'
    ? 'it went away after the step began; antivirus software may have removed it.'
    : 'a security policy or antivirus software on the agent refuses to run it.';
  report('error', `The Causeway binary ${program} could not be started (${code}): ${hint}`);
}

function report(severity, message) {
  const data = message.replace(/%/g, '%AZP25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  process.stdout.write(`##vso[task.logissue type=${severity}]${data}\n`);
  if (severity === 'error') fail();
}

function fail() {
  process.exitCode ||= 1;
  process.stdout.write('##vso[task.complete result=Failed;]\n');
}

module.exports = { launch };
