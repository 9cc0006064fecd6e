'use strict';
// Holds the binary to the SHA-256 that was written beside it when it was built. A binary that a proxy or antivirus
// software has changed is named as such; run, it would crash or do something else.
const fs = require('fs');
const path = require('path');

const MANIFEST = 'SHA256SUMS';
// Says for which file the sum has been found right: a file of that size and time is not read again.
const VERIFIED = '.verified';

/** What is wrong with `binary`, in one sentence for the user; undefined when it is the one that was built. */
function damage(binary) {
  const folder = path.dirname(binary);
  const wanted = sumFor(path.join(folder, MANIFEST), path.basename(binary));
  if (!wanted) return `${path.join(folder, MANIFEST)} does not name the binary's SHA-256: the extension is damaged. Reinstall it.`;
  const { size, mtimeMs } = fs.statSync(binary);
  const note = path.join(folder, VERIFIED);
  const right = `${wanted} ${size} ${mtimeMs}\n`;
  if (read(note) === right) return undefined;
  const found = require('crypto').createHash('sha256').update(fs.readFileSync(binary)).digest('hex');
  if (found !== wanted) {
    return `${binary} is not the file that was released: its SHA-256 is ${found} (${size} bytes), not ${wanted}. `
      + 'Antivirus software or a proxy has changed it on the way. Allow it there, then remove this task\'s folder below '
      + 'the agent\'s _work/_tasks, so that the agent downloads it again.';
  }
  try {
    fs.writeFileSync(note, right);
  } catch {
    // A task folder that is read-only is verified on every run.
  }
  return undefined;
}

/** The sum that `manifest`, in the format of sha256sum, has for `name`. */
function sumFor(manifest, name) {
  const lines = (read(manifest) ?? '').split(/\r?\n/).map((line) => /^([0-9a-f]{64}) [ *](.+)$/.exec(line));
  return lines.find((line) => line?.[2] === name)?.[1];
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

module.exports = { damage };
