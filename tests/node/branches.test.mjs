// task/branches.js: what is rewritten before packing comes back exactly, and packs smaller.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';
import { toDistances, toPlaces } from '../../task/branches.js';

const PLATFORMS = ['linux-x64', 'linux-arm64'];
const returned = (content, platform) => toDistances(toPlaces(Buffer.from(content), platform), platform);

test('any bytes come back', () => {
  for (const platform of PLATFORMS) {
    for (let length = 0; length < 300; length += 1) {
      const content = randomBytes(length);
      // As many opcodes as can be, beside each other and at the end.
      for (let at = 0; at < length; at += 1 + (content[at] % 5)) content[at] = platform === 'linux-x64' ? 0xe8 + (at & 1) : 0x94 + (at & 3);
      assert.deepEqual(returned(content, platform), content, `${platform} ${content.toString('hex')}`);
    }
  }
});

test('distances at and beyond the borders come back', () => {
  for (const length of [5, 6, 9, 40, 1000]) {
    for (const at of [0, 1, length - 6, length - 5].filter((place) => place >= 0 && place + 5 <= length)) {
      for (const border of [0, -at, -at - 1, length, length - at, -length, 2 ** 31 - 1, -(2 ** 31)]) {
        for (const distance of [border - 2, border - 1, border, border + 1, border + 2].filter((value) => value === (value | 0))) {
          const content = Buffer.alloc(length);
          content[at] = 0xe8;
          content.writeInt32LE(distance, at + 1);
          assert.deepEqual(returned(content, 'linux-x64'), content, `${length} ${at} ${distance}`);
        }
      }
    }
  }
});

test('calls of one place become the same bytes', () => {
  const calls = Buffer.alloc(20);
  for (const at of [0, 5, 10]) {
    calls[at] = 0xe8;
    calls.writeInt32LE(17 - at, at + 1);
  }
  const places = toPlaces(calls, 'win32-x64');
  assert.deepEqual([0, 5, 10].map((at) => places.readInt32LE(at + 1)), [18, 18, 18]);
  const branches = Buffer.alloc(12);
  for (const at of [0, 4, 8]) branches.writeUInt32LE((0x94000000 | ((100 - at / 4) & 0x3ffffff)) >>> 0, at);
  const same = toPlaces(branches, 'darwin-arm64');
  assert.deepEqual([0, 4, 8].map((at) => same.readUInt32LE(at)), [0x94000064, 0x94000064, 0x94000064]);
});

test('a program packs smaller, and comes back', { skip: !['x64', 'arm64'].includes(process.arch) }, () => {
  const file = fs.openSync(process.execPath);
  const content = Buffer.alloc(8 << 20);
  fs.readSync(file, content, 0, content.length, 24 << 20);
  fs.closeSync(file);
  const platform = `${process.platform}-${process.arch}`;
  const packed = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }).length;
  assert.ok(packed(toPlaces(Buffer.from(content), platform)) < packed(content) * 0.98);
  assert.deepEqual(returned(content, platform), content);
});
