// The shim, as the agent starts it, around a shell script that stands for the binary.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { brotliCompressSync } from 'node:zlib';
import { describe, test } from 'node:test';
import { PLATFORM, REPLACES, SHIM, ended, installBinary, pack, runShim, startShim, taskFolder } from './fixture.mjs';

const FAILED = '##vso[task.complete result=Failed;]\n';
const issues = (output) => output.match(/##vso\[task\.logissue [^\n]*/g) ?? [];

/** Asserts that the step failed with one error that matches `message`. */
function assertOneError(result, message) {
  assert.equal(issues(result.stdout).length, 1, result.stdout);
  assert.match(issues(result.stdout)[0], /^##vso\[task\.logissue type=error\]/);
  assert.match(issues(result.stdout)[0], message);
  assert.ok(result.stdout.endsWith(FAILED), result.stdout);
  assert.equal(result.stderr, '');
  assert.notEqual(result.code, 0);
}

describe('a binary that runs', () => {
  test('gets the executable bit and one argument, and the environment as it is', async (t) => {
    const task = taskFolder(t, '#!/bin/sh\necho "$# $1 $INPUT_COMMAND"\n');
    assert.deepEqual(await runShim(task, { env: { INPUT_COMMAND: 'verify' } }), { code: 0, signal: null, stdout: '1 task verify\n', stderr: '' });
    assert.equal(fs.statSync(task.binary).mode & 0o777, 0o755);
  });

  test('is told "cleanup" after the job', async (t) => {
    const task = taskFolder(t, '#!/bin/sh\necho "$# $1"\n');
    assert.equal((await runShim(task, { entry: 'cleanup.js' })).stdout, '1 cleanup\n');
  });

  test('decides the exit code; one that is not 0 fails the step even if the binary says nothing', async (t) => {
    const result = await runShim(taskFolder(t, '#!/bin/sh\nexit 7\n'));
    assert.deepEqual(result, { code: 7, signal: null, stdout: REPLACES ? '' : FAILED, stderr: '' });
  });

  test('has the shim\'s own stdin, stdout and stderr', { skip: !fs.existsSync('/proc/self/fd') && 'needs /proc' }, async (t) => {
    const task = taskFolder(t, '#!/bin/sh\ncat\nreadlink /proc/$$/fd/1 /proc/$$/fd/2\n');
    const names = ['in', 'out', 'err'].map((name) => path.join(task.root, name));
    fs.writeFileSync(names[0], 'from the agent\n');
    const files = names.map((name, index) => fs.openSync(name, index ? 'w' : 'r'));
    const { code } = await runShim(task, { stdio: files });
    files.forEach(fs.closeSync);
    assert.equal(code, 0);
    assert.equal(fs.readFileSync(names[1], 'utf8'), `from the agent\n${names[1]}\n${names[2]}\n`);
  });
});

test('no process above the binary holds its environment, where Node can give its place away', { skip: !fs.existsSync('/proc/self/environ') && 'needs /proc' }, async (t) => {
  const task = taskFolder(t, '#!/bin/sh\ntr "\\0" "\\n" </proc/$PPID/environ | grep -c "^INPUT_OF_THE_TASK="\nexit 0\n');
  const { stdout } = await runShim(task, { env: { INPUT_OF_THE_TASK: 'x' } });
  assert.equal(stdout, REPLACES ? '0\n' : '1\n');
});

describe('signals', () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal} reaches the binary, and the shim waits for its clean-up`, async (t) => {
      const name = signal.slice(3);
      const task = taskFolder(t, `#!/bin/sh\ntrap 'sleep 0.3; echo cleaned up; kill $idle; exit 3' ${name}\nsleep 60 >/dev/null & idle=$!\necho ready\nwait\n`);
      const child = startShim(task);
      const result = ended(child);
      await once(child.stdout, 'data');
      child.kill(signal);
      assert.deepEqual(await result, { code: 3, signal: null, stdout: 'ready\ncleaned up\n', stderr: '' });
    });
  }

  test('a cancelled binary that dies of the signal is no crash, but no success either, and says so', async (t) => {
    const task = taskFolder(t, '#!/bin/sh\necho ready\nexec sleep 60\n');
    const child = startShim(task);
    const result = ended(child);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    if (REPLACES) return assert.deepEqual(await result, { code: null, signal: 'SIGTERM', stdout: 'ready\n', stderr: '' });
    const { stdout, ...ending } = await result;
    assert.deepEqual(ending, { code: 1, signal: null, stderr: '' });
    assert.equal(stdout, 'ready\n##vso[task.logissue type=error]The step was cancelled (SIGTERM).\n##vso[task.complete result=Failed;]\n');
  });

  test('a binary that crashes fails the step and is named', async (t) => {
    const result = await runShim(taskFolder(t, '#!/bin/sh\nkill -SEGV $$\n'));
    if (REPLACES) assert.equal(result.signal, 'SIGSEGV');
    else assertOneError(result, /crashed \(SIGSEGV\)/);
  });
});

describe('a binary that cannot run', () => {
  test('no binary for this platform: names it and what there is', async (t) => {
    const result = await runShim(taskFolder(t, '#!/bin/sh\n', 'plan9-mips'));
    assertOneError(result, new RegExp(`platform, ${PLATFORM}\\. This package supports: plan9-mips\\.`));
  });

  test('no binary at all', async (t) => assertOneError(await runShim(taskFolder(t)), /supports: none\./));

  test('no binary after the job: a warning, and the job is not failed', async (t) => {
    const result = await runShim(taskFolder(t), { entry: 'cleanup.js' });
    assert.equal(result.code, 0);
    assert.equal(issues(result.stdout).length, 1);
    assert.match(result.stdout, /^##vso\[task\.logissue type=warning\].*no binary.*\n$/);
  });

  test('a binary that was removed', async (t) => {
    const task = taskFolder(t, '');
    fs.rmSync(task.binary);
    assertOneError(await runShim(task), /is missing or empty.*antivirus/);
  });

  test('an empty file, which a shell would run with success', async (t) => {
    assertOneError(await runShim(taskFolder(t, '')), /is missing or empty/);
  });

  test('ENOENT: what is needed to start it has gone', async (t) => {
    assertOneError(await runShim(taskFolder(t, '#!/nowhere/sh\n')), /could not be started \(ENOENT\)/);
  });

  test('EACCES: the system refuses to run it', async (t) => {
    assertOneError(await runShim(taskFolder(t, '#!/\n')), /could not be started \(EACCES\).*security policy/);
  });

  test('text in the message cannot be taken for another command', async (t) => {
    const task = taskFolder(t);
    const result = await runShim({ ...task, folder: renamed(task, 'a\n##vso[task.complete result=Succeeded;]') });
    assert.equal(result.stdout.split('\n').length, 3, result.stdout);
    assert.doesNotMatch(result.stdout, /^##vso\[task.complete result=Succeeded/m);
  });
});

function renamed(task, name) {
  const folder = path.join(task.root, name);
  fs.renameSync(task.folder, folder);
  fs.mkdirSync(path.join(folder, 'bin', PLATFORM), { recursive: true });
  return folder;
}

describe('the checksum of the binary', () => {
  const verified = (task) => path.join(path.dirname(task.binary), '.verified');
  const manifest = (task) => path.join(path.dirname(task.binary), 'SHA256SUMS');

  test('a changed binary is not started, and the error says what happened', async (t) => {
    const task = taskFolder(t, '#!/bin/sh\necho ran\n');
    fs.appendFileSync(task.binary, '# mangled\n');
    const result = await runShim(task);
    assertOneError(result, /is not the file that was released: its SHA-256 is [0-9a-f]{64} .* not [0-9a-f]{64}\. Antivirus/);
    assert.doesNotMatch(result.stdout, /^ran/m);
    assert.ok(!fs.existsSync(verified(task)));
  });

  test('after the job it is a warning: the step itself has not run', async (t) => {
    const task = taskFolder(t, '#!/bin/sh\necho ran\n');
    fs.appendFileSync(task.binary, '# mangled\n');
    const result = await runShim(task, { entry: 'cleanup.js' });
    assert.equal(result.code, 0);
    assert.match(result.stdout, /^##vso\[task\.logissue type=warning\].*not the file that was released/);
  });

  for (const [name, change] of [
    ['is missing', (file) => fs.rmSync(file)],
    ['names another file', (file) => fs.writeFileSync(file, `${'0'.repeat(64)}  other\n`)],
    ['is a sign-in page', (file) => fs.writeFileSync(file, '<html>')],
  ]) {
    test(`a manifest that ${name} is an error, not a pass`, async (t) => {
      const task = taskFolder(t, '#!/bin/sh\necho ran\n');
      change(manifest(task));
      assertOneError(await runShim(task), /SHA256SUMS does not name the binary's SHA-256.*Reinstall/);
    });
  }

  test('is taken before the first run, and again when the file has changed', async (t) => {
    const task = taskFolder(t, '#!/bin/sh\necho ran\n');
    assert.equal((await runShim(task)).stdout, 'ran\n');
    const { size, mtimeMs } = fs.statSync(task.binary);
    assert.equal(fs.readFileSync(verified(task), 'utf8'), `${fs.readFileSync(manifest(task), 'utf8').slice(0, 64)} ${size} ${mtimeMs}\n`);
    assert.equal((await runShim(task)).stdout, 'ran\n');
    fs.writeFileSync(task.binary, '#!/bin/sh\necho RAN\n');
    fs.utimesSync(task.binary, new Date(), new Date(mtimeMs + 5000));
    assertOneError(await runShim(task), /not the file that was released/);
  });

  test('a note of another release does not count', async (t) => {
    const task = taskFolder(t, '#!/bin/sh\necho ran\n');
    const { size, mtimeMs } = fs.statSync(task.binary);
    fs.writeFileSync(verified(task), `${'0'.repeat(64)} ${size} ${mtimeMs}\n`);
    fs.appendFileSync(task.binary, '# mangled\n');
    assertOneError(await runShim(task), /not the file that was released/);
  });

  test('a manifest with Windows line ends is read', async (t) => {
    const task = taskFolder(t, '#!/bin/sh\necho ran\n');
    fs.writeFileSync(manifest(task), fs.readFileSync(manifest(task), 'utf8').replace('\n', '\r\n'));
    assert.equal((await runShim(task)).stdout, 'ran\n');
  });
});

describe('a binary that is packed', () => {
  const script = '#!/bin/sh\necho ran\n';
  const files = (task) => fs.readdirSync(path.dirname(task.binary)).sort();

  function packed(t) {
    const task = taskFolder(t, script);
    pack(task.binary);
    return task;
  }

  test('is unpacked before the first run, and stays', async (t) => {
    const task = packed(t);
    assert.deepEqual(await runShim(task), { code: 0, signal: null, stdout: 'ran\n', stderr: '' });
    assert.deepEqual(files(task), ['.verified', 'SHA256SUMS', 'causeway', 'causeway.br']);
    assert.equal(fs.statSync(task.binary).mode & 0o777, 0o755);
    fs.rmSync(`${task.binary}.br`);
    assert.equal((await runShim(task)).stdout, 'ran\n');
  });

  test('is unpacked again when antivirus software has taken it away', async (t) => {
    const task = packed(t);
    await runShim(task);
    for (const take of [fs.rmSync, fs.truncateSync]) {
      take(task.binary);
      assert.equal((await runShim(task)).stdout, 'ran\n');
    }
  });

  test('is unpacked again when it has been damaged', async (t) => {
    const task = packed(t);
    await runShim(task);
    fs.appendFileSync(task.binary, '# mangled\n');
    assert.deepEqual(await runShim(task), { code: 0, signal: null, stdout: 'ran\n', stderr: '' });
    assert.equal(fs.readFileSync(task.binary, 'utf8').includes('mangled'), false);
    for (const file of [task.binary, `${task.binary}.br`]) fs.appendFileSync(file, '# mangled\n');
    fs.truncateSync(`${task.binary}.br`, 9);
    assertOneError(await runShim(task), /not the file that was released: its packed form is damaged/);
  });

  /** What happens when `call` of node's fs is followed by `then`: antivirus software, for one. */
  function meanwhile(task, call, then) {
    const hook = path.join(task.root, 'hook.js');
    fs.writeFileSync(hook, `const fs = require('fs'); const real = fs.${call};
fs.${call} = (...args) => { const result = real(...args); if (args.at(-1) === ${JSON.stringify(task.binary)} || args[0] === ${JSON.stringify(task.binary)}) { ${then} } return result; };`);
    return { NODE_OPTIONS: `--require=${hook}` };
  }

  for (const [name, call] of [['placed', 'renameSync'], ['looked at', 'statSync'], ['verified', 'readFileSync']]) {
    test(`is taken away as soon as it has been ${name}: the error says so`, async (t) => {
      const task = packed(t);
      const env = meanwhile(task, call, `fs.rmSync(${JSON.stringify(task.binary)}, { force: true });`);
      assertOneError(await runShim(task, { env }), /(causeway is missing or empty|could not be started \(ENOENT\): it went away).*antivirus/);
    });
  }

  test('is damaged again and again: a private copy runs', async (t) => {
    const task = packed(t);
    const env = meanwhile(task, 'renameSync', `fs.appendFileSync(${JSON.stringify(task.binary)}, 'x');`);
    assert.equal((await runShim(task, { env })).stdout, 'ran\n');
  });

  test('two steps at once unpack it both, and run', async (t) => {
    const task = packed(t);
    const results = await Promise.all([runShim(task), runShim(task), runShim(task)]);
    assert.deepEqual(results.map(({ stdout }) => stdout), ['ran\n', 'ran\n', 'ran\n']);
    assert.deepEqual(files(task), ['.verified', 'SHA256SUMS', 'causeway', 'causeway.br']);
  });

  for (const [name, change] of [
    ['is cut short', (file) => fs.truncateSync(file, fs.statSync(file).size - 3)],
    ['is a sign-in page', (file) => fs.writeFileSync(file, '<html>Sign in</html>')],
  ]) {
    test(`a packed form that ${name}`, async (t) => {
      const task = packed(t);
      change(`${task.binary}.br`);
      assertOneError(await runShim(task), /not the file that was released: its packed form is damaged.*Antivirus/);
      assert.deepEqual(files(task), ['SHA256SUMS', 'causeway.br']);
    });
  }

  test('a packed form of something else', async (t) => {
    const task = packed(t);
    fs.writeFileSync(`${task.binary}.br`, brotliCompressSync('#!/bin/sh\necho other\n'));
    assertOneError(await runShim(task), /not the file that was released: its SHA-256 is/);
    assert.deepEqual(files(task), ['SHA256SUMS', 'causeway.br']);
  });

  test('an empty packed form', async (t) => {
    const task = packed(t);
    fs.truncateSync(`${task.binary}.br`);
    assertOneError(await runShim(task), /causeway is missing or empty\. If antivirus/);
  });
});

// Root may change every mode, so these tests run the shim as nobody on files of root; anybody else owns what the test
// makes and could change it too.
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const asNobody = process.getuid?.() === 0 && spawnSync(NOBODY[0], [...NOBODY.slice(1), process.execPath, '--version']).status === 0;

describe('a task folder that is read-only', { skip: !asNobody && 'needs root and setpriv, to run the shim as somebody else' }, () => {
  const script = '#!/bin/sh\necho "$0"; stat -c %a "$0" "$(dirname "$0")"; exit 5\n';

  function readOnly(t) {
    const task = taskFolder(t, script);
    fs.chownSync(task.temp, 65534, 65534);
    return task;
  }

  test('a private copy in Agent.TempDirectory runs, and is removed', async (t) => {
    const task = readOnly(t);
    const result = await runShim(task, { prefix: NOBODY });
    const [program, ...modes] = result.stdout.split('\n');
    assert.ok(program.startsWith(path.join(task.temp, 'causeway-')), result.stdout);
    assert.deepEqual(modes.slice(0, 2), ['700', '700']);
    assert.equal(result.code, 5);
    // A binary that has taken the shim's place removes its copy itself; this script does not.
    if (!REPLACES) assert.deepEqual(fs.readdirSync(task.temp), []);
    assert.equal(fs.statSync(task.binary).mode & 0o777, 0o644);
  });

  test('a packed binary is unpacked there too', async (t) => {
    const task = readOnly(t);
    pack(task.binary);
    const { stdout, code } = await runShim(task, { prefix: NOBODY });
    assert.ok(stdout.startsWith(path.join(task.temp, 'causeway-')), stdout);
    assert.deepEqual([stdout.split('\n').slice(1, 3), code], [['700', '700'], 5]);
    assert.deepEqual(fs.readdirSync(path.dirname(task.binary)).sort(), ['SHA256SUMS', 'causeway.br']);
  });

  test('the copy is removed when the binary crashes', { skip: REPLACES && 'the agent empties the folder' }, async (t) => {
    const task = readOnly(t);
    installBinary(task.binary, '#!/bin/sh\nkill -KILL $$\n');
    assertOneError(await runShim(task, { prefix: NOBODY }), /crashed \(SIGKILL\)/);
    assert.deepEqual(fs.readdirSync(task.temp), []);
  });

  test('a step that is cancelled while the copy is made leaves none, and runs nothing', async (t) => {
    const task = readOnly(t);
    // So large that there is time to interrupt it.
    installBinary(task.binary, Buffer.concat([Buffer.from(`${script}#`), Buffer.alloc(64 << 20, 'x')]));
    pack(task.binary);
    for (const signal of ['SIGINT', 'SIGTERM']) {
      const child = startShim(task, { prefix: NOBODY });
      const result = ended(child);
      while (!fs.readdirSync(task.temp).length) assert.equal(await pause(1, child.exitCode), null, 'it ended too early');
      child.kill(signal);
      const { stdout, ...ending } = await result;
      assert.deepEqual(ending, { code: 1, signal: null, stderr: '' });
      assert.equal(stdout, `##vso[task.logissue type=error]The step was cancelled (${signal}).\n${FAILED}`);
      assert.deepEqual(fs.readdirSync(task.temp), []);
    }
  });

  test('without Agent.TempDirectory it says so', async (t) => {
    assertOneError(await runShim(readOnly(t), { prefix: NOBODY, env: { AGENT_TEMPDIRECTORY: '' } }), /Agent\.TempDirectory is not set/);
  });

  test('a temp folder that cannot be written to', async (t) => {
    const task = taskFolder(t, script);
    assertOneError(await runShim(task, { prefix: NOBODY }), /could not be started: EACCES.*mkdtemp/);
  });

  test('a temp folder mounted noexec', async (t) => {
    const task = readOnly(t);
    const options = `mount -t tmpfs -o noexec,mode=1777 none "${task.temp}" && exec "$@"`;
    const mounted = ['unshare', '--mount', 'sh', '-c', options, 'sh'];
    if (spawnSync(mounted[0], [...mounted.slice(1), 'true']).status !== 0) return t.skip('mounting is not allowed here');
    assertOneError(await runShim(task, { prefix: [...mounted, ...NOBODY] }), /Agent\.TempDirectory .* is mounted noexec/);
  });
});

test('the shim is small and plain', () => {
  const source = (file) => fs.readFileSync(new URL(`../../task/${file}`, import.meta.url), 'utf8');
  const lines = (files) => files.map(source).join('').split('\n').length;
  // What starts the binary, what verifies it, and what unpacks it, each by itself.
  assert.ok(lines(['index.js', 'cleanup.js', 'launch.js']) < 160);
  for (const file of ['verify.js', 'unpack.js', 'branches.js', 'cancellation.js', 'copy.js']) assert.ok(lines([file]) < 60, file);
  const required = SHIM.map(source).join('').match(/require\('[^']+'\)/g);
  const allowed = ['./branches', './cancellation', './copy', './launch', './unpack', './verify', 'child_process', 'crypto', 'fs', 'path', 'zlib'].map((name) => `require('${name}')`);
  assert.deepEqual([...new Set(required)].sort(), allowed);
});
