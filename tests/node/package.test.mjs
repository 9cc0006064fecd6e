// scripts/package, in a copy of the repository's packaging files, so that task/bin of the real one is left alone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { PLATFORM, SHIM, installBinary, temporaryFolder } from './fixture.mjs';
import { extensionProblems, taskProblems } from './lint.mjs';

const { ROOT, readJson } = createRequire(import.meta.url)('../../scripts/manifest.js');
const SHIPPED = ['vss-extension.json', 'overview.md', 'LICENSE', 'images', 'task', 'scripts/lib.sh', 'scripts/manifest.js', 'scripts/package', 'scripts/repack', 'scripts/stage.js'];
const NOTICES = ['THIRD-PARTY-NOTICES.txt', 'sbom.cdx.json'];

/** The packaging files, with `binaries` (path in task/bin) instead of what task/bin holds. */
function repository(t, binaries) {
  const folder = temporaryFolder(t);
  const wanted = (file) => file !== path.join(ROOT, 'task/bin');
  for (const name of SHIPPED) fs.cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true, filter: wanted });
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  for (const name of binaries) {
    installBinary(path.join(folder, 'task/bin', name), `this stands for ${name}`);
  }
  // The real one asks cargo, and has a test of its own.
  const standIn = NOTICES.map((name) => `echo "${name}" >dist/notices/${name}`).join('\n');
  fs.writeFileSync(path.join(folder, 'scripts/notices'), `#!/bin/sh\nmkdir -p dist/notices\n${standIn}\n`, { mode: 0o755 });
  return folder;
}

/** Runs scripts/package in `folder`; what is no text among the arguments is its environment. */
function run(folder, ...args) {
  const env = Object.assign({ ...process.env, SOURCE_DATE_EPOCH: '1760000000' }, ...args.filter((arg) => typeof arg === 'object'));
  if (env.SOURCE_DATE_EPOCH === undefined) delete env.SOURCE_DATE_EPOCH;
  return spawnSync(path.join(folder, 'scripts/package'), args.filter((arg) => typeof arg === 'string'), { encoding: 'utf8', env });
}
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
    assert.deepEqual(task, [`task/bin/${PLATFORM}/causeway.br`, `task/bin/${PLATFORM}/SHA256SUMS`, 'task/bin/win32-x64/causeway.exe.br', 'task/bin/win32-x64/SHA256SUMS', 'task/icon.png', 'task/task.json', ...SHIM.map((name) => `task/${name}`)].sort());
    const packed = fs.readFileSync(path.join(folder, 'dist/stage/task/bin', PLATFORM, 'causeway.br'));
    assert.equal(brotliDecompressSync(packed).toString(), `this stands for ${PLATFORM}/causeway`);
    assert.deepEqual(JSON.parse(member(vsix(folder), 'task/task.json')), readJson('task/task.json'));
  });

  test('packages for another publisher', (t) => {
    const folder = repository(t, [`${PLATFORM}/causeway`]);
    const { status, stderr } = run(folder, '--publisher', 'example-company');
    assert.equal(status, 0, stderr);
    assert.match(member(vsix(folder), 'extension.vsixmanifest'), /Publisher="example-company"/);
  });

  test('gives the same bytes twice, and holds licence texts and a bill of materials', (t) => {
    const folder = repository(t, [`${PLATFORM}/causeway`]);
    assert.equal(run(folder).status, 0);
    const first = fs.readFileSync(vsix(folder));
    fs.writeFileSync(path.join(folder, 'task/bin', PLATFORM, '.verified'), 'left by a run');
    assert.equal(run(folder).status, 0);
    assert.ok(first.equals(fs.readFileSync(vsix(folder))), 'the bytes differ');
    for (const name of NOTICES) assert.equal(member(vsix(folder), `notices/${name}`), name);
  });

  test('lists everything in a fixed order, whatever order tfx-cli reads in', (t) => {
    const folder = temporaryFolder(t);
    const made = (name, order) => {
      const list = (element, values) => order(values).map((value) => `  <${element} Name="${value}"/>`).join('\n');
      const types = `<Types>\n${list('Default', ['.br', '.js'])}\n${list('Override', ['/LICENSE', '/task/a'])}\n</Types>\n`;
      const manifest = `<P>\n  <Metadata/>\n${list('Asset', ['images/icon.png', 'overview.md'])}\n</P>\n`;
      const file = path.join(folder, name);
      python('import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], "w")\nz.writestr("[Content_Types].xml", sys.argv[2])\nz.writestr("extension.vsixmanifest", sys.argv[3])', file, types, manifest);
      assert.equal(spawnSync(path.join(ROOT, 'scripts/repack'), [file], { encoding: 'utf8' }).stderr, '');
      return { bytes: fs.readFileSync(file), types, manifest, file };
    };
    const forth = made('a.vsix', (values) => values);
    const back = made('b.vsix', (values) => values.toReversed());
    assert.notEqual(forth.types, back.types);
    assert.ok(forth.bytes.equals(back.bytes));
    assert.equal(member(back.file, 'extension.vsixmanifest'), forth.manifest.trim());
  });

  test('says the type of every file itself: `file` is not asked, which not every machine has', (t) => {
    const folder = repository(t, [`${PLATFORM}/causeway`]);
    const asked = path.join(folder, 'asked');
    fs.mkdirSync(path.join(folder, 'bin'));
    fs.writeFileSync(path.join(folder, 'bin/file'), `#!/bin/sh\necho "$@" >>"${asked}"\nexit 1\n`, { mode: 0o755 });
    const { status, stderr } = run(folder, { PATH: `${path.join(folder, 'bin')}:${process.env.PATH}` });
    assert.equal(status, 0, stderr);
    assert.equal(fs.existsSync(asked) ? fs.readFileSync(asked, 'utf8') : '', '');
    const types = member(vsix(folder), '[Content_Types].xml');
    for (const [name, type] of [['LICENSE', 'text/plain'], [`task/bin/${PLATFORM}/causeway.br`, 'application/octet-stream'], ['notices/THIRD-PARTY-NOTICES.txt', 'text/plain']]) {
      assert.ok(types.includes(`<Override ContentType="${type}" PartName="/${name}"/>`), types);
    }
    assert.equal(contents(vsix(folder)).length, new Set(contents(vsix(folder))).size, 'a file is there twice');
  });

  test('takes the time of its entries from the commit', (t) => {
    const folder = repository(t, [`${PLATFORM}/causeway`]);
    const git = (...args) => assert.equal(spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.invalid', '-c', 'commit.gpgsign=false', ...args], { cwd: folder, env: { ...process.env, GIT_COMMITTER_DATE: '2020-02-02T02:02:02Z' } }).status, 0);
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'x');
    assert.equal(run(folder, { SOURCE_DATE_EPOCH: undefined }).status, 0);
    assert.equal(python('import sys, zipfile; print({e.date_time for e in zipfile.ZipFile(sys.argv[1]).infolist()})', vsix(folder)).trim(), '{(2020, 2, 2, 2, 2, 2)}');
  });

  test('--dev: a private copy with other ids, and a version that rises', (t) => {
    const folder = repository(t, [`${PLATFORM}/causeway`]);
    const { status, stderr } = run(folder, '--dev');
    assert.equal(status, 0, stderr);
    const [name] = fs.readdirSync(path.join(folder, 'dist')).filter((file) => file.endsWith('.vsix'));
    assert.match(name, /^causeway-dev-1\.\d+\.\d{8}\.vsix$/);
    const dev = JSON.parse(fs.readFileSync(path.join(folder, 'dist/stage/vss-extension.json'), 'utf8'));
    const devTask = JSON.parse(member(path.join(folder, 'dist', name), 'task/task.json'));
    const [extension, task] = [readJson('vss-extension.json'), readJson('task/task.json')];
    assert.deepEqual(extensionProblems(path.join(folder, 'dist/stage'), dev, devTask), []);
    assert.deepEqual(taskProblems(devTask), []);
    assert.notEqual(devTask.id, task.id);
    assert.deepEqual([dev.id, dev.public, devTask.name], [`${extension.id}-dev`, false, `${task.name}Dev`]);
    assert.deepEqual(devTask.inputs.find((input) => input.name === 'connection').type, 'connectedService:CausewayDev');
    assert.ok(dev.contributions.some(({ properties }) => properties.name === 'CausewayDev'));
    assert.match(member(path.join(folder, 'dist', name), 'extension.vsixmanifest'), /Id="causeway-dev"/);
    assert.deepEqual(devTask.inputs.length, task.inputs.length);
  });

  test('refuses a binary that is not the one that was built', (t) => {
    const folder = repository(t, [`${PLATFORM}/causeway`]);
    fs.appendFileSync(path.join(folder, 'task/bin', PLATFORM, 'causeway'), 'x');
    const { status, stderr } = run(folder);
    assert.equal(status, 1);
    assert.match(stderr, /SHA256SUMS is not the checksum of causeway: run scripts\/build/);
  });

  test('refuses to package without a binary', (t) => {
    const { status, stderr } = run(repository(t, []));
    assert.equal(status, 1);
    assert.match(stderr, /task\/bin holds no binary: run scripts\/build/);
  });

  test('refuses a vsix that older Azure DevOps Servers would refuse', (t) => {
    const folder = repository(t, []);
    installBinary(path.join(folder, 'task/bin', PLATFORM, 'causeway'), randomBytes(21 << 20));
    const { status, stderr } = run(folder, '--dev');
    assert.equal(status, 1);
    assert.match(stderr, /is larger than 20 MiB: see docs\/size\.md/);
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
