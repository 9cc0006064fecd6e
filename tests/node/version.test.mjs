// The version stands in one place, and a changed task does not keep it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { temporaryFolder } from './fixture.mjs';

const require = createRequire(import.meta.url);
const { ROOT } = require('../../scripts/manifest.js');
const { COPIES, versionIn } = require('../../scripts/version');
const { HistoryProblem, SHIPPED, unraised } = require('../../scripts/history.js');

const read = (name) => fs.readFileSync(path.join(ROOT, name), 'utf8');

describe('every copy of the version', () => {
  for (const [name, copy] of Object.entries(COPIES)) {
    test(`${name} has Cargo.toml's, and takes another one`, () => {
      const text = read(name);
      assert.equal(copy.read(text), versionIn(read('Cargo.toml')));
      const other = copy.write(text, '12.34.56');
      assert.equal(copy.read(other), '12.34.56');
      assert.equal(copy.write(other, copy.read(text)), text, 'nothing else of the file changes');
    });
  }
});

const TASK = (version, more = {}) => JSON.stringify({ version: Object.fromEntries(['Major', 'Minor', 'Patch'].map((part, i) => [part, Number(version.split('.')[i])])), ...more });

/** A repository with one commit: task 1.0.0. */
function repository(t) {
  const folder = temporaryFolder(t);
  const git = (...args) => {
    const { status, stderr } = spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.invalid', '-c', 'commit.gpgsign=false', ...args], { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  };
  const write = (name, text) => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  };
  const commit = () => {
    git('add', '-A');
    git('commit', '-q', '-m', 'x');
  };
  git('init', '-q');
  write('task/task.json', TASK('1.0.0'));
  write('crates/a/src/lib.rs', '');
  commit();
  return { folder, git, write, commit };
}

test('what decides how the binary is built and packed counts as shipped', () => {
  const sourced = [...read('scripts/build').matchAll(/^\. (scripts\/\S+)/gm), ...read('scripts/toolchain.sh').matchAll(/\b(scripts\/[\w.-]*\w)/g)].map(([, name]) => name);
  const named = [...new Set(sourced)].filter((name) => name !== 'scripts/build' && fs.existsSync(path.join(ROOT, name)));
  assert.ok(named.length > 3, named.join());
  assert.deepEqual(named.filter((name) => !SHIPPED.includes(name)), []);
  for (const name of SHIPPED.filter((entry) => entry.startsWith('scripts/'))) assert.ok(fs.existsSync(path.join(ROOT, name)), name);
});

describe('a changed task', () => {
  test('nothing changed since the version began', (t) => {
    const { folder, write, commit } = repository(t);
    write('README.md', 'new');
    write('crates/a/tests/new.rs', '');
    commit();
    assert.equal(unraised(folder, '1.0.0'), undefined);
  });

  const changes = [
    ['a changed file', (r) => r.write('crates/a/src/lib.rs', 'fn a() {}')],
    ['a new file that git does not know yet', (r) => r.write('task/more.js', '')],
    ['a removed file', (r) => fs.rmSync(path.join(r.folder, 'crates/a/src/lib.rs'))],
    ['a changed file, committed', (r) => { r.write('task/task.json', TASK('1.0.0', { name: 'x' })); r.commit(); }],
    ...['scripts/toolchain.sh', 'scripts/stage.js', 'scripts/zig.txt', 'patches/crc/src/lib.rs', 'vss-extension.json'].map((name) => [`another ${name}`, (r) => r.write(name, 'x')]),
    ['a change two commits ago', (r) => { r.write('task/a.js', '1'); r.commit(); r.write('README.md', ''); r.commit(); }],
  ];
  for (const [name, change] of changes) {
    test(`${name}, the version is as it was`, (t) => {
      const it = repository(t);
      change(it);
      assert.match(unraised(it.folder, '1.0.0'), /changed since commit [0-9a-f]{10}, and the version is still 1\.0\.0.*--raise/);
    });
    test(`${name}, and the version is raised`, (t) => {
      const it = repository(t);
      change(it);
      it.write('task/task.json', TASK('1.0.1'));
      assert.equal(unraised(it.folder, '1.0.1'), undefined);
      it.commit();
      assert.equal(unraised(it.folder, '1.0.1'), undefined);
    });
  }

  test('a lower version', (t) => {
    const it = repository(t);
    assert.match(unraised(it.folder, '0.9.0'), /0\.9\.0 is lower than 1\.0\.0/);
  });

  test('a tag is what counts where there is one', (t) => {
    const it = repository(t);
    it.write('task/a.js', '1');
    it.commit();
    it.git('tag', 'v1.0.0');
    assert.equal(unraised(it.folder, '1.0.0'), undefined);
    it.write('task/a.js', '2');
    it.commit();
    assert.match(unraised(it.folder, '1.0.0'), /task\/a\.js changed since tag v1\.0\.0/);
    it.write('task/task.json', TASK('1.1.0'));
    it.commit();
    it.write('task/a.js', '3');
    assert.equal(unraised(it.folder, '1.1.0'), undefined, 'between releases one raise is enough');
  });

  test('a history that is cut off is said not to be checked', (t) => {
    const it = repository(t);
    it.write('README.md', '');
    it.commit();
    const clone = path.join(temporaryFolder(t), 'clone');
    it.git('clone', '-q', '--depth', '1', `file://${it.folder}`, clone);
    assert.throws(() => unraised(clone, '1.0.0'), (error) => error instanceof HistoryProblem && /shallow/.test(error.message));
    assert.throws(() => unraised(temporaryFolder(t), '1.0.0'), HistoryProblem);
  });
});

describe('scripts/version --check without a history', () => {
  const run = (t, env) => {
    const folder = temporaryFolder(t);
    for (const name of ['Cargo.toml', 'scripts/version', 'scripts/history.js', 'scripts/manifest.js', ...Object.keys(COPIES)]) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.copyFileSync(path.join(ROOT, name), path.join(folder, name));
    }
    const clean = { ...process.env };
    delete clean.TF_BUILD;
    return spawnSync(path.join(folder, 'scripts/version'), ['--check'], { encoding: 'utf8', env: { ...clean, ...env } });
  };
  test('says so', (t) => {
    const { status, stdout } = run(t, {});
    assert.equal(status, 0, stdout);
    assert.match(stdout, /raised version was NOT checked/);
  });
  test('fails in a pipeline', (t) => {
    const { status, stderr } = run(t, { TF_BUILD: 'True' });
    assert.equal(status, 1);
    assert.match(stderr, /error: .*raised version was NOT checked/);
  });
});
