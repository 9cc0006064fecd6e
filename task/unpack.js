'use strict';
// The extension carries the binary packed (brotli, which node has): plain, the six of them would make it larger than some
// Azure DevOps Servers accept. The first run unpacks it beside its packed form, and later ones find it there.
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const { toDistances } = require('./branches');

/** The packed form of `binary`. */
const packedForm = (binary) => `${binary}.br`;

/** A file cut to nothing counts as missing: libc would hand it to a shell, which succeeds without doing anything. */
function holds(file) {
  return Boolean(fs.statSync(file, { throwIfNoEntry: false })?.size);
}

/** What `binary` was packed from; undefined when its packed form is damaged. */
function unpack(binary) {
  try {
    const content = zlib.brotliDecompressSync(fs.readFileSync(packedForm(binary)));
    return toDistances(content, path.basename(path.dirname(binary)));
  } catch (error) {
    // Brotli's own codes, and node's for a stream that ends early; all others are of the file system.
    if (/^(ERR_|Z_)/.test(error.code)) return undefined;
    throw error;
  }
}

/** Puts `content` where `binary` belongs, in one step, so that no other run sees half a file; false where that is not allowed. */
function place(binary, content) {
  const half = `${binary}.${process.pid}`;
  try {
    fs.writeFileSync(half, content, { mode: 0o755 });
    fs.renameSync(half, binary);
    return true;
  } catch {
    try {
      fs.rmSync(half, { force: true });
    } catch {
      // A folder that is read-only holds nothing of ours.
    }
    // On Windows a binary that another step has placed and is running cannot be replaced, and need not be.
    return fs.existsSync(binary);
  }
}

module.exports = { holds, packedForm, place, unpack };
