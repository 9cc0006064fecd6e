// scripts/package, in a copy of the repository's packaging files, so that task/bin of the real one is left alone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { PLATFORM, temporaryFolder } from './fixture.mjs';

const { ROOT, readJson } = createRequire(import.meta.url)('../../scripts/manifest.js');
const SHIPPED = ['vss-extension.json', 'overview.md', 'LICENSE', 'images', 'task', 'scripts/lib.sh', 'scripts/package'];

/** The packaging files, with `binaries` (path in task/bin) instead of what task/bin holds. */
function repository(t, binaries) {
  const folder = temporaryFolder(t);
  const wanted = (file) => file !== path.join(ROOT, 'task/bin');
  for (const name of SHIPPED) fs.cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true, filter: wanted });
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  for (const name of binaries) {
    const file = path.join(folder, 'task/bin', name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `this stands for ${name}`);
  }
  return folder;
}

const run = (folder, ...args) => spawnSync(path.join(folder, 'scripts/package'), args, { encoding: 'utf8' });
const vsix = (folder) => path.join(folder, 'dist', `causeway-${readJson('vss-extension.json').version}.vsix`);
const python = (code, ...args) => {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', code, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
};
const contents = (file) => python('import sys, zipfile; print("\\n".join(zipfile.ZipFile(sys.argv[1]).namelist()))', file).trim().split('\n');
const member = (file, name) => python('import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]).decode())', file, name).trim();

describe('scripts/package', () => {
  test('makes a vsix with the shim and every binary, and nothing else of the task folder', (t) => {
    const folder = repository(t, [`${PLATFORM}/causeway`, 'win32-x64/causeway.exe']);
    const { status, stderr } = run(folder);
    assert.equal(status, 0, stderr);
    const task = contents(vsix(folder)).filter((name) => name.startsWith('task/') && !name.endsWith('/')).sort();
    assert.deepEqual(task, [`task/bin/${PLATFORM}/causeway`, 'task/bin/win32-x64/causeway.exe', 'task/cleanup.js', 'task/icon.png', 'task/index.js', 'task/launch.js', 'task/task.json'].sort());
    assert.equal(member(vsix(folder), `task/bin/${PLATFORM}/causeway`), `this stands for ${PLATFORM}/causeway`);
    assert.deepEqual(JSON.parse(member(vsix(folder), 'task/task.json')), readJson('task/task.json'));
  });

  test('packages for another publisher', (t) => {
    const folder = repository(t, [`${PLATFORM}/causeway`]);
    const { status, stderr } = run(folder, '--publisher', 'example-company');
    assert.equal(status, 0, stderr);
    assert.match(member(vsix(folder), 'extension.vsixmanifest'), /Publisher="example-company"/);
  });

  test('refuses to package without a binary', (t) => {
    const { status, stderr } = run(repository(t, []));
    assert.equal(status, 1);
    assert.match(stderr, /task\/bin holds no binary: run scripts\/build/);
  });

  test('does not leave an older vsix in place when it fails', (t) => {
    const folder = repository(t, [`${PLATFORM}/causeway`]);
    fs.mkdirSync(path.join(folder, 'dist'));
    fs.writeFileSync(vsix(folder), 'old');
    fs.writeFileSync(path.join(folder, 'vss-extension.json'), '{');
    assert.notEqual(run(folder).status, 0);
    assert.ok(!fs.existsSync(vsix(folder)));
  });
});
