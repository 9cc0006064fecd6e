// The unsigned provenance statement of a release.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const { statement } = createRequire(import.meta.url)('../../scripts/provenance');

const RUN = {
  BUILD_REPOSITORY_URI: 'https://dev.azure.com/contoso/tools/_git/causeway',
  BUILD_SOURCEVERSION: '0123456789abcdef0123456789abcdef01234567',
  BUILD_SOURCEBRANCH: 'refs/tags/v1.2.3',
  SYSTEM_COLLECTIONURI: 'https://dev.azure.com/contoso/',
  SYSTEM_TEAMPROJECT: 'our tools',
  SYSTEM_DEFINITIONID: '7',
  BUILD_BUILDID: '42',
};

test('names every file by its hash, the commit and the run', () => {
  const { subject, predicate } = statement([{ name: 'a.vsix', content: 'abc' }], RUN);
  assert.deepEqual(subject, [{ name: 'a.vsix', digest: { sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' } }]);
  assert.equal(predicate.buildDefinition.resolvedDependencies[0].digest.gitCommit, RUN.BUILD_SOURCEVERSION);
  assert.equal(predicate.runDetails.builder.id, 'https://dev.azure.com/contoso/our%20tools/_build?definitionId=7');
  assert.equal(predicate.runDetails.metadata.invocationId, 'https://dev.azure.com/contoso/our%20tools/_build/results?buildId=42');
});

test('cannot be made outside a run', () => {
  assert.throws(() => statement([], { ...RUN, BUILD_SOURCEVERSION: '' }), /no run of Azure Pipelines: BUILD_SOURCEVERSION/);
});
