'use strict';
// Lays out in one folder what a vsix is made of, and nothing else. usage: node scripts/stage.js FOLDER [--dev]
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const { createHash } = require('crypto');
const { promisify } = require('util');
const { toPlaces } = require('../task/branches.js');
const { ROOT, readJson } = require('./manifest.js');

const TASK_FILES = ['index.js', 'cleanup.js', 'launch.js', 'cancellation.js', 'copy.js', 'unpack.js', 'branches.js', 'verify.js', 'icon.png'];
const NOTICES = ['THIRD-PARTY-NOTICES.txt', 'sbom.cdx.json'];

/** A copy of the extension under names of its own, to be installed beside the released one. */
function asDev(extension, task, version) {
  const dev = structuredClone({ extension, task });
  const [own] = dev.extension.contributions.filter(({ type }) => type === 'ms.vss-endpoint.service-endpoint-type');
  const type = `${own.properties.name}Dev`;
  for (const input of dev.task.inputs) {
    if (input.type === `connectedService:${own.properties.name}`) input.type = `connectedService:${type}`;
  }
  own.properties.name = type;
  own.properties.displayName += ' (dev)';
  Object.assign(dev.extension, { id: `${extension.id}-dev`, name: `${extension.name} (dev)`, version, public: false });
  const [Major, Minor, Patch] = version.split('.').map(Number);
  Object.assign(dev.task, {
    id: derivedId(task.id),
    name: `${task.name}Dev`,
    friendlyName: `${task.friendlyName} (dev)`,
    instanceNameFormat: `${task.instanceNameFormat} (dev)`,
    version: { Major, Minor, Patch },
  });
  return dev;
}

/** Another GUID, always the same one. */
function derivedId(id) {
  const digest = createHash('sha256').update(`${id} dev`).digest('hex');
  return digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5');
}

/** A version for each minute: agents and organizations never load a version twice. */
function devVersion(version, now) {
  return [...version.split('.').slice(0, 2), Math.floor(now / 60000)].join('.');
}

async function stage(folder, dev) {
  let manifests = { extension: readJson('vss-extension.json'), task: readJson('task/task.json') };
  if (dev) manifests = asDev(manifests.extension, manifests.task, devVersion(manifests.extension.version, Date.now()));
  const { extension, task } = manifests;
  fs.rmSync(folder, { recursive: true, force: true });
  const place = (name, from = path.join(ROOT, name)) => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.cpSync(from, path.join(folder, name), { recursive: true });
  };
  for (const name of ['overview.md', 'LICENSE', 'images', ...TASK_FILES.map((file) => `task/${file}`)]) place(name);
  for (const name of NOTICES) place(`notices/${name}`, path.join(ROOT, 'dist/notices', name));
  await Promise.all(binaries().map(async ({ platform, name, sum }) => {
    const within = `task/bin/${platform}`;
    place(`${within}/SHA256SUMS`);
    place(`${within}/${name}.br`, await packed(path.join(ROOT, within, name), platform, sum, dev));
  }));
  fs.writeFileSync(path.join(folder, 'vss-extension.json'), `${JSON.stringify(typed(extension, folder), null, 2)}\n`);
  fs.writeFileSync(path.join(folder, 'task/task.json'), `${JSON.stringify(task, null, 2)}\n`);
  return `${extension.id}-${extension.version}`;
}

/** The types of files of which tfx-cli does not know the type: it would ask the machine's `file`, or another if there is none. */
const contentType = (name) => ({ '.br': 'application/octet-stream', '.txt': 'text/plain', '': 'text/plain' })[path.extname(name)];

/** The extension's manifest with the type of every such file in `folder`. What is named by itself stands before its folder. */
function typed(extension, folder) {
  const files = extension.files.flatMap((entry) => fs.readdirSync(path.join(folder, entry.path), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && contentType(file.name))
    .map((file) => ({ path: path.relative(folder, path.join(file.parentPath ?? file.path, file.name)).replaceAll(path.sep, '/'), contentType: contentType(file.name) })));
  const license = { ...extension.content.license, contentType: contentType(extension.content.license.path) };
  const ordered = files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { ...extension, content: { ...extension.content, license }, files: [...ordered, ...extension.files] };
}

/** The built binaries, each with the checksum that it has been held to. */
function binaries() {
  const bin = path.join(ROOT, 'task/bin');
  const found = fs.existsSync(bin) ? fs.readdirSync(bin).sort() : [];
  return found.flatMap((platform) => {
    const name = ['causeway', 'causeway.exe'].find((file) => fs.existsSync(path.join(bin, platform, file)));
    return name ? [{ platform, name, sum: checked(path.join(bin, platform), name) }] : [];
  });
}

function checked(folder, name) {
  const manifest = path.join(folder, 'SHA256SUMS');
  const sum = createHash('sha256').update(fs.readFileSync(path.join(folder, name))).digest('hex');
  if (!fs.existsSync(manifest) || fs.readFileSync(manifest, 'utf8') !== `${sum}  ${name}\n`) {
    throw new Error(`${path.relative(ROOT, manifest)} is not the checksum of ${name}: run scripts/build`);
  }
  return sum;
}

/** How brotli is to pack `content`. */
function packing(content, quality = zlib.constants.BROTLI_MAX_QUALITY) {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT, BROTLI_MAX_WINDOW_BITS } = zlib.constants;
  return { params: { [BROTLI_PARAM_QUALITY]: quality, [BROTLI_PARAM_LGWIN]: BROTLI_MAX_WINDOW_BITS, [BROTLI_PARAM_SIZE_HINT]: content.length } };
}

/**
 * The packed form of a binary, which task/unpack.js reads. Packing as tightly as brotli can takes a minute, so the result is
 * kept for this checksum; a private copy is packed in a second and is a tenth larger.
 */
async function packed(binary, platform, sum, dev) {
  const quality = dev ? 9 : zlib.constants.BROTLI_MAX_QUALITY;
  const kept = path.join(ROOT, 'target/packed', `${sum}.${quality}.places.br`);
  if (fs.existsSync(kept)) return kept;
  const content = toPlaces(fs.readFileSync(binary), platform);
  const result = await promisify(zlib.brotliCompress)(content, packing(content, quality));
  fs.mkdirSync(path.dirname(kept), { recursive: true });
  fs.writeFileSync(`${kept}.new`, result);
  fs.renameSync(`${kept}.new`, kept);
  return kept;
}

module.exports = { asDev, devVersion, packing };

if (require.main === module) {
  stage(process.argv[2], process.argv.includes('--dev')).then(console.log, (error) => {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  });
}
