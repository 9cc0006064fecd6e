'use strict';
// Holds the binary to the SHA-256 that was written beside it when it was built. A binary that a proxy or antivirus
// software has changed is named as such; run, it would crash or do something else.
const fs = require('fs');
const path = require('path');

const MANIFEST = 'SHA256SUMS';
// Says for which file the sum has been found right: a file of that size and time is not read again.
const VERIFIED = '.verified';

/** What is wrong with the file `binary`, in one sentence for the user; undefined when it is the one that was built. */
function damage(binary) {
  const { size, mtimeMs } = fs.statSync(binary);
  const note = path.join(path.dirname(binary), VERIFIED);
  const right = `${wanted(binary)} ${size} ${mtimeMs}\n`;
  if (wanted(binary) && read(note) === right) return undefined;
  const problem = wrong(binary, fs.readFileSync(binary));
  if (problem) return problem;
  try {
    fs.writeFileSync(note, right);
  } catch {
    // A task folder that is read-only is verified on every run.
  }
  return undefined;
}

/** What is wrong with `content` (undefined: it could not be unpacked) as that of `binary`, likewise. */
function wrong(binary, content) {
  const sum = wanted(binary);
  if (!sum) return `${path.join(path.dirname(binary), MANIFEST)} does not name the binary's SHA-256: the extension is damaged. Reinstall it.`;
  const found = content && require('crypto').createHash('sha256').update(content).digest('hex');
  if (found === sum) return undefined;
  const but = content ? `its SHA-256 is ${found} (${content.length} bytes), not ${sum}` : 'its packed form is damaged';
  return `${binary} is not the file that was released: ${but}. Antivirus software or a proxy has changed it on the way. `
    + 'Allow it there, then remove this task\'s folder below the agent\'s _work/_tasks, so that the agent downloads it again.';
}

/** The sum that stands beside `binary` for it. */
function wanted(binary) {
  return sumFor(path.join(path.dirname(binary), MANIFEST), path.basename(binary));
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

module.exports = { damage, wrong };
