// The licence texts and the bill of materials that a vsix carries, of this repository's real dependencies.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);
const { billOfMaterials, notices, shippedCrates } = require('../../scripts/notices');
const { readJson } = require('../../scripts/manifest.js');
const crates = shippedCrates();

describe('the bill of materials', () => {
  const bom = billOfMaterials(crates);
  const names = bom.components.map(({ name }) => name);

  test('is CycloneDX 1.5 about this version', () => {
    assert.deepEqual([bom.bomFormat, bom.specVersion, bom.version], ['CycloneDX', '1.5', 1]);
    assert.match(bom.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual([bom.metadata.component.name, bom.metadata.component.version], ['causeway', readJson('package.json').version]);
  });
  test('has what is in the binary on any platform, and nothing that only tests need', () => {
    for (const name of ['causeway-identity', 'aws-sdk-sts', 'rustls', 'aws-lc-sys', 'security-framework']) assert.ok(names.includes(name), name);
    for (const name of ['causeway-harness', 'proptest', 'rcgen', 's3s', 'cc']) assert.ok(!names.includes(name), name);
  });
  test('has a checksum and a licence for every crate from outside', () => {
    for (const component of bom.components.filter(({ purl }) => purl)) {
      assert.match(component.hashes[0].content, /^[0-9a-f]{64}$/, component.name);
      assert.ok(component.licenses[0].expression, component.name);
    }
  });
  test('has what the notices have beside the crates', () => {
    const { version } = bom.components.find(({ name }) => name === 'Rust standard library');
    assert.match(version, /^\d+\.\d+\.\d+/);
    for (const name of ['musl', 'mingw-w64 run time', 'Zig run time']) assert.ok(names.includes(name), name);
  });
  test('knows a crate of this workspace from one of crates.io that has its name', () => {
    // As [patch.crates-io] puts one in another's place: same name and version, no source.
    const [theirs] = crates.packages.filter(({ name }) => name === 'crc-fast');
    const { source, repository, ...ours } = theirs;
    const patched = billOfMaterials({ ...crates, packages: crates.packages.map((entry) => (entry === theirs ? { ...ours, license: 'Apache-2.0', source: null } : entry)) });
    const [component] = patched.components.filter(({ name }) => name === 'crc-fast');
    assert.deepEqual([component.purl, component.hashes, component['bom-ref'], component.author], [undefined, undefined, `own:crc-fast@${theirs.version}`, 'Causeway']);
    assert.match(component.pedigree.notes, /not that crate/);
    for (const own of bom.components.filter(({ name }) => name.startsWith('causeway-'))) assert.deepEqual([own.purl, own.pedigree], [undefined, undefined]);
    assert.ok(!JSON.stringify(patched).includes('pkg:cargo/crc-fast'));
    const refs = [patched.metadata.component, ...patched.components].map((one) => one['bom-ref']);
    for (const { dependsOn } of patched.dependencies) for (const other of dependsOn) assert.ok(refs.includes(other), other);
  });
  test('names each thing once, and depends on nothing that it does not name', () => {
    const refs = [bom.metadata.component, ...bom.components].map((component) => component['bom-ref']);
    assert.equal(new Set(refs).size, refs.length);
    for (const { ref, dependsOn } of bom.dependencies) for (const other of [ref, ...dependsOn]) assert.ok(refs.includes(other), other);
  });
  test('is the same when made again', () => assert.deepEqual(billOfMaterials(shippedCrates()), bom));
});

test('every crate from outside, Rust and the C libraries stand in the notices, with a text', () => {
  const text = notices(crates);
  for (const { name, version } of crates.packages.filter(({ source }) => source)) assert.ok(text.split(`\n${name} ${version}\n`).length > 1, name);
  for (const words of ['Rust standard library', 'Rich Felker', 'Zig contributors', 'mingw-w64 project', 'Apache License', 'Permission is hereby granted']) assert.ok(text.includes(words), words);
});
