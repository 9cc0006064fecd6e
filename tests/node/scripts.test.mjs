// The Bash parts of scripts/, with stand-ins for the programs that they call.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { temporaryFolder } from './fixture.mjs';

const { ROOT } = createRequire(import.meta.url)('../../scripts/manifest.js');

/** Runs Bash with scripts/lib.sh; `programs` (name: shell script) come first on PATH, `only` are what else is on it. */
function bash(t, script, { programs = {}, env = {}, only } = {}) {
  const bin = temporaryFolder(t);
  for (const [name, text] of Object.entries(programs)) fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  for (const name of only ?? []) fs.symlinkSync(spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim(), path.join(bin, name));
  const PATH = only ? bin : `${bin}:${process.env.PATH}`;
  const clean = { ...process.env };
  delete clean.TF_BUILD;
  return spawnSync('/bin/bash', ['-c', `set -euo pipefail\n. "${ROOT}/scripts/lib.sh"\n${script}`], { encoding: 'utf8', env: { ...clean, ...env, PATH } });
}

describe('within', () => {
  test('ends what takes too long', (t) => assert.equal(bash(t, 'within 0.2 sleep 20 || echo "ended: $?"').stdout, 'ended: 124\n'));
  test('runs a command where there is no timeout, as on macOS', (t) => {
    const result = bash(t, 'within 300 cat /dev/null && echo ran', { only: ['dirname', 'cat'] });
    assert.equal(result.stdout, 'ran\n', result.stderr);
  });
});

describe('what could not be checked', () => {
  const script = 'not_checked advisories: no network; echo on';
  test('is said', (t) => assert.match(bash(t, script).stdout, /NOT checked: advisories: no network\non/));
  test('fails a pipeline', (t) => {
    const { status, stdout, stderr } = bash(t, script, { env: { TF_BUILD: 'True' } });
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /error: NOT checked: advisories/);
  });
  test('no script says so by itself', () => {
    const own = (name) => fs.readFileSync(path.join(ROOT, name), 'utf8').match(/^.*\bnote\b.*NOT .*$/gm) ?? [];
    assert.deepEqual(['.ci/run', 'scripts/setup', 'scripts/build', 'scripts/test'].flatMap(own), []);
  });
});

describe('a standard library for another platform', () => {
  const programs = (sysroot) => ({ rustc: `echo "${sysroot}"`, rustup: `mkdir -p "${sysroot}/lib/rustlib/$3/lib"` });
  test('is brought by rustup, without timeout too', (t) => {
    const sysroot = temporaryFolder(t);
    const result = bash(t, '. scripts/toolchain.sh; have_target x86_64-apple-darwin && echo yes', { programs: programs(sysroot), only: ['dirname', 'mkdir'] });
    assert.equal(result.stdout, 'yes\n', result.stderr);
  });
});

describe('two builds of one commit', () => {
  /** What `reproducible` tells the compilers, on a machine with these folders. */
  function flags(t, { cargoHome, sysroot, index }) {
    fs.mkdirSync(path.join(cargoHome, 'registry/src', index), { recursive: true });
    const programs = {
      rustc: `case "$1" in -vV) echo "commit-hash: 59807616e1" ;; *) echo "${sysroot}" ;; esac`,
      cargo: `case "$1" in fetch) ;; *) echo '{"target_directory": "/somewhere/target"}' ;; esac`,
    };
    const { stdout, stderr } = bash(t, '. scripts/toolchain.sh; reproducible; printf %s "$CARGO_ENCODED_RUSTFLAGS"', { programs, env: { CARGO_HOME: cargoHome } });
    assert.equal(stderr, '');
    return stdout.split('\x1f').map((flag) => /^--remap-path-prefix=(.*)=(.*?)$/.exec(flag).slice(1));
  }
  /** What becomes of `file`: as for rustc, the last name that fits. */
  const named = (pairs, file) => {
    const [from, to] = pairs.findLast(([prefix]) => file.startsWith(`${prefix}/`));
    return to + file.slice(from.length);
  };

  test('name the crates, the sources and the standard library alike, wherever they lie', (t) => {
    const machines = ['index.crates.io-1949cf8c6b5b557f', 'mirror-0123456789abcdef'].map((index) => {
      const folder = temporaryFolder(t);
      const at = { cargoHome: path.join(folder, 'cargo home'), sysroot: path.join(folder, 'sysroot'), index };
      const pairs = flags(t, at);
      return [
        `${at.cargoHome}/registry/src/${index}/aes-0.9.4/src/lib.rs`,
        `${at.sysroot}/lib/rustlib/src/rust/library/core/src/str/mod.rs`,
        `${ROOT}/crates/causeway/src/main.rs`,
      ].map((file) => named(pairs, file));
    });
    assert.deepEqual(machines[0], ['/cargo/registry/src/index/aes-0.9.4/src/lib.rs', '/rustc/59807616e1/library/core/src/str/mod.rs', '/causeway/crates/causeway/src/main.rs']);
    assert.deepEqual(machines[1], machines[0]);
  });

  test('rustc takes the last name that fits', { skip: spawnSync('rustc', ['-V']).status !== 0 && 'needs rustc' }, (t) => {
    const folder = temporaryFolder(t);
    const inner = path.join(folder, 'inner');
    fs.mkdirSync(inner);
    fs.writeFileSync(path.join(inner, 'a.rs'), 'pub fn a() -> &\'static str { file!() }');
    const result = spawnSync('rustc', ['--crate-type=lib', '--emit=llvm-ir', '-o', path.join(folder, 'a.ll'), `--remap-path-prefix=${folder}=/outer`, `--remap-path-prefix=${inner}=/last`, path.join(inner, 'a.rs')], { encoding: 'utf8', cwd: os.tmpdir() });
    assert.equal(result.status, 0, result.stderr);
    assert.match(fs.readFileSync(path.join(folder, 'a.ll'), 'utf8'), /\/last\/a\.rs/);
  });
});

describe('scripts/setup', () => {
  /** Runs it in a copy, on a machine with `programs` (stand-ins) and no package manager at all. */
  function run(t, ...args) {
    const folder = temporaryFolder(t);
    for (const name of ['scripts/setup', 'scripts/lib.sh', 'tests/requirements.txt']) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.copyFileSync(path.join(ROOT, name), path.join(folder, name));
    }
    const venv = 'mkdir -p .venv/bin; echo "#!/bin/sh" >.venv/bin/python; chmod +x .venv/bin/python';
    const programs = { cargo: 'exit 0', cc: 'exit 0', python3: venv };
    return bash(t, `"${folder}/scripts/setup" ${args.join(' ')}`, { programs, only: ['bash', 'env', 'dirname', 'node', 'cat', 'sha256sum', 'cmp', 'mkdir', 'chmod'] });
  }

  test('--demo asks for what the demo uses: no package of Debian, nothing of npm', (t) => {
    const { status, stdout, stderr } = run(t, '--demo');
    assert.equal(status, 0, stderr);
    assert.equal(stdout, '==> making .venv from tests/requirements.txt\n');
    assert.match(fs.readFileSync(path.join(ROOT, 'scripts/demo'), 'utf8'), /^scripts\/setup --demo$/m);
  });
  test('for the tests names what is missing', (t) => {
    const { status, stderr } = run(t);
    assert.equal(status, 1);
    assert.match(stderr, /dpkg is missing: the tests need Debian packages/);
  });
  test('the README names every package that it installs', () => {
    const [, packages] = /^DEBIAN_PACKAGES=\((.*)\)$/m.exec(fs.readFileSync(path.join(ROOT, 'scripts/setup'), 'utf8'));
    const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
    for (const name of packages.split(' ')) assert.ok(readme.includes(`\`${name}\``), name);
  });
});
