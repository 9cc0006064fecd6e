// azure-pipelines.yml: what no run here would show. Its signing script is run, with a stand-in for the AWS CLI.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import YAML from 'yaml';
import { temporaryFolder } from './fixture.mjs';

const { ROOT } = createRequire(import.meta.url)('../../scripts/manifest.js');
const read = (name) => fs.readFileSync(path.join(ROOT, name), 'utf8');
const pipeline = YAML.parse(read('azure-pipelines.yml'));
const rust = YAML.parse(read('scripts/pipeline-rust.yml'));

/** A compile-time condition is a key: what stands below it is there for tags alone. */
const FOR_TAGS = "${{ if startsWith(variables['Build.SourceBranch'], 'refs/tags/v') }}";
const always = pipeline.stages.filter((entry) => entry.stage);
const [release] = pipeline.stages.flatMap((entry) => entry[FOR_TAGS] ?? []);
const jobs = always.flatMap((stage) => stage.jobs);
const scripts = (job) => job.steps.map((step) => step.script ?? step.pwsh ?? '').join('\n');
const job = (name) => jobs.find((candidate) => candidate.job === name);

/** Every object in a parsed file. */
const objects = (node) => (node && typeof node === 'object' ? [node, ...Object.values(node).flatMap(objects)] : []);

describe('the pipeline', () => {
  test('asks for the extension, its connection and the environment in a tag\'s run only', () => {
    assert.equal(pipeline.stages.length, always.length + 1);
    const own = (node) => objects(node).filter((entry) => /causeway@/i.test(entry.task ?? '') || entry.environment);
    assert.deepEqual(own(always), []);
    assert.equal(own(release).length, 2);
  });
  test('takes no task that Azure Pipelines does not bring', () => {
    const tasks = new Set([...objects(always), ...objects(rust)].flatMap((entry) => entry.task ?? []));
    assert.deepEqual([...tasks].sort(), ['Cache@2', 'UseNode@1']);
  });
  test('installs Rust in one place, without updating rustup, which is not in CARGO_HOME', () => {
    const lines = [read('azure-pipelines.yml'), read('scripts/pipeline-rust.yml')].join('\n').match(/^.*\brustup (toolchain )?install.*$/gm);
    assert.equal(lines.length, 1);
    assert.match(lines[0], /--no-self-update/);
  });
  test('every job that uses cargo has Rust, the cached crates and the cached tools', () => {
    const using = jobs.filter((candidate) => /\.ci\/run|scripts\/(build|package)/.test(scripts(candidate))).map((candidate) => candidate.job);
    assert.deepEqual(using, ['check', 'zig', 'again', 'mac', 'package']);
    for (const name of using) assert.ok(job(name).steps.some((step) => step.template === 'scripts/pipeline-rust.yml'), name);
    assert.deepEqual(rust.steps.filter(({ task }) => task === 'Cache@2').map(({ inputs }) => inputs.path), ['$(CARGO_HOME)/registry', '$(XDG_CACHE_HOME)/causeway']);
  });
  test('every job that runs node has the pinned one', () => {
    for (const candidate of jobs.filter((entry) => /\bnode\b|\.ci\/run/.test(scripts(entry)))) {
      const node = candidate.steps.find(({ task }) => task === 'UseNode@1');
      assert.equal(node?.inputs.version, '$(NODE_VERSION)', candidate.job);
    }
    assert.match(pipeline.variables.NODE_VERSION, /^20\.\d+\.\d+$/);
  });
  test('runs the task itself on Windows and macOS', () => {
    for (const name of ['windows', 'mac']) assert.match(scripts(job(name)), /node task\/index\.js[^]*input command is required/, name);
    for (const name of ['x64', 'arm64']) assert.match(scripts(job('mac')), new RegExp(`^.*task/bin/darwin-${name}/causeway --version$`, 'm'));
  });
  test('runs the package as root, under both nodes, in Debian and Alpine', () => {
    const [line] = scripts(job('package')).match(/^.*scripts\/check-package.*$/m);
    assert.match(line, /^\s*sudo env TF_BUILD=True \S+node20 .*--node \S+node24 .*--root \S+debian .*--root \S+alpine$/);
  });
  test('every template and script that it names exists', () => {
    const text = read('azure-pipelines.yml');
    for (const [name] of text.matchAll(/\b(scripts|docs)\/[\w.-]+[\w]/g)) {
      if (name !== 'scripts/provenance.pub') assert.ok(fs.existsSync(path.join(ROOT, name)), name);
    }
  });
});

describe('signing', () => {
  const steps = objects(release).find((entry) => entry.deploy).deploy.steps;
  const signing = steps.find(({ displayName }) => displayName === 'Sign the provenance').script;
  const openssl = (...args) => {
    const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'buffer' });
    assert.equal(status, 0, String(stderr));
    return stdout;
  };
  const key = (folder, name) => {
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path.join(folder, `${name}.key`));
    openssl('pkey', '-in', path.join(folder, `${name}.key`), '-pubout', '-out', path.join(folder, `${name}.pub`));
  };

  /** A release's folders, where KMS has the key `kms`; the script as the agent runs it. */
  function run(t, committed) {
    const folder = temporaryFolder(t);
    for (const name of ['kms', 'other']) key(folder, name);
    for (const name of ['s/scripts', 'dist', 'bin']) fs.mkdirSync(path.join(folder, name), { recursive: true });
    fs.copyFileSync(path.join(folder, `${committed}.pub`), path.join(folder, 's/scripts/provenance.pub'));
    fs.writeFileSync(path.join(folder, 'dist/provenance.json'), '{}');
    fs.writeFileSync(path.join(folder, 'bin/aws'), `#!/bin/sh
case "$2" in
  sign) openssl pkeyutl -sign -inkey "${folder}/kms.key" -in digest | base64 ;;
  get-public-key) openssl pkey -in "${folder}/kms.key" -pubout -outform DER | base64 ;;
esac\n`, { mode: 0o755 });
    const known = { 'Pipeline.Workspace': folder, 'Build.SourcesDirectory': path.join(folder, 's'), SIGNING_KEY: 'alias/x' };
    const script = signing.replace(/\$\(([A-Z][\w.]+)\)/g, (_, name) => known[name] ?? assert.fail(name));
    const result = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: { ...process.env, PATH: `${path.join(folder, 'bin')}:${process.env.PATH}` } });
    return { ...result, files: fs.readdirSync(path.join(folder, 'dist')).sort() };
  }

  test('with the key of the repository', (t) => {
    const { status, stderr, files } = run(t, 'kms');
    assert.equal(status, 0, stderr);
    assert.deepEqual(files, ['provenance.json', 'provenance.json.sig']);
  });
  test('is refused with any other', (t) => {
    const { status, files } = run(t, 'other');
    assert.notEqual(status, 0);
    assert.ok(!files.includes('provenance.json.sig'));
  });
});
