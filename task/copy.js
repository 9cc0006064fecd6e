'use strict';
// A binary that this user may run: the task's own, or a private copy of it.
const fs = require('fs');
const path = require('path');

const WINDOWS = process.platform === 'win32';

function succeeds(operation) {
  try {
    operation();
    return true;
  } catch {
    return false;
  }
}

/** Sets the bit that the vsix and the agent's unzip lose; false when the folder is read-only or mounted noexec. */
function executable(file) {
  return WINDOWS || mayRun(file) || (succeeds(() => fs.chmodSync(file, 0o755)) && mayRun(file));
}

function mayRun(file) {
  return succeeds(() => fs.accessSync(file, fs.constants.X_OK));
}

/** A private copy in the job's temp folder: container jobs, for one, see the task folder read-only. */
function copyToTemp(content, name) {
  const temp = process.env.AGENT_TEMPDIRECTORY;
  if (!temp) throw new Error('it cannot be made executable, and Agent.TempDirectory is not set to run a copy from.');
  const folder = fs.mkdtempSync(path.join(temp, 'causeway-'));
  const copy = { folder, program: path.join(folder, name) };
  try {
    fs.writeFileSync(copy.program, content, { mode: 0o700 });
    if (mayRun(copy.program)) return copy;
    throw new Error(`it cannot be made executable, and Agent.TempDirectory (${temp}) is mounted noexec. Allow one of them.`);
  } catch (error) {
    discard(copy);
    throw error;
  }
}

function discard(copy) {
  if (copy) succeeds(() => fs.rmSync(copy.folder, { recursive: true, force: true }));
}

module.exports = { copyToTemp, discard, executable };
