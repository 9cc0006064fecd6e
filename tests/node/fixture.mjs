// A task folder of its own for each test, with a shell script in place of the binary.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { brotliCompressSync } from 'node:zlib';
import { toPlaces } from '../../task/branches.js';

const { ROOT } = createRequire(import.meta.url)('../../scripts/manifest.js');
export const PLATFORM = `${process.platform}-${process.arch}`;

/** Whether the binary takes the shim's place, so that what becomes of it becomes of the shim. */
export const REPLACES = process.platform !== 'win32' && typeof process.execve === 'function';

/** A fresh folder that goes when the test `t` ends. Others may enter it, so that a test can run as somebody else. */
export function temporaryFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'causeway-test-'));
  fs.chmodSync(folder, 0o755);
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const SHIM = ['index.js', 'cleanup.js', 'launch.js', 'cancellation.js', 'copy.js', 'unpack.js', 'branches.js', 'verify.js'];

/** `content` as the binary of a task folder, with no executable bit, as after an unzip, and with its checksum beside it. */
export function installBinary(file, content) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content, { mode: 0o644 });
  fs.writeFileSync(path.join(path.dirname(file), 'SHA256SUMS'), `${createHash('sha256').update(content).digest('hex')}  ${path.basename(file)}\n`);
}

/** Leaves of an installed binary what a vsix holds of it: its packed form and its checksum. */
export function pack(file) {
  fs.writeFileSync(`${file}.br`, brotliCompressSync(toPlaces(fs.readFileSync(file), path.basename(path.dirname(file)))));
  fs.rmSync(file);
}

/** The shim's files, and `script` as the binary of `platform` (none when undefined). */
export function taskFolder(t, script, platform = PLATFORM) {
  const root = temporaryFolder(t);
  const folder = path.join(root, 'task');
  const temp = path.join(root, 'temp');
  fs.mkdirSync(folder);
  fs.mkdirSync(temp);
  for (const file of SHIM) fs.copyFileSync(path.join(ROOT, 'task', file), path.join(folder, file));
  const binary = path.join(folder, 'bin', platform, 'causeway');
  // As every binary, a script says its version before it is asked to do anything.
  if (script !== undefined) installBinary(binary, script.replace(/^#!\/bin\/sh\n/, '$&[ "$1" != --version ] || exit 0\n'));
  return { root, folder, temp, binary };
}

/** Starts `entry` of the task under node, as the agent does; `prefix` is a command to start it through. */
export function startShim(task, { entry = 'index.js', env = {}, stdio = 'pipe', prefix = [] } = {}) {
  const [program, ...args] = [...prefix, process.execPath, path.join(task.folder, entry)];
  return spawn(program, args, { stdio, env: { PATH: process.env.PATH, AGENT_TEMPDIRECTORY: task.temp, ...env } });
}

/** Waits until a started shim has ended; resolves to its code, signal and output. */
export async function ended(child) {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name]?.setEncoding('utf8').on('data', (text) => { output[name] += text; });
  const [code, signal] = await once(child, 'close');
  return { code, signal, ...output };
}

/** Starts the shim and waits for its end. */
export const runShim = (task, options) => ended(startShim(task, options));
