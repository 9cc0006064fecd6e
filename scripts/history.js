'use strict';
// Agents cache a task by its version: what has changed and keeps its version is never downloaded again. This looks in
// the git history for the point where the present version began, and for changes of what is shipped since then.
const { spawnSync } = require('child_process');

/** What ends up in the task folder of an agent, or decides how it is built. */
const SHIPPED = [
  'task', 'vss-extension.json', 'crates/*/src/*', 'crates/*/data/*', 'crates/*/Cargo.toml', 'patches', 'Cargo.toml', 'Cargo.lock',
  ...['build', 'toolchain.sh', 'no-unwind.ld', 'zig.txt', 'zig.in', 'stage.js', 'apple-stubs'].map((name) => `scripts/${name}`),
];
/** What stands in those places and is not shipped. */
const NOT_SHIPPED = [':(exclude)crates/*/src/*/tests.rs', ':(exclude)crates/*/src/*/tests/*'];

/** The history is not there to be asked; the message says why. */
class HistoryProblem extends Error {}

/**
 * What is wrong when the files of `root` differ from those that first had `version`; undefined when nothing is.
 * A tag `v1.2.3` marks what was released. Where there is no tag, the commit that brought the present version counts.
 */
function unraised(root, version) {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  const output = (...args) => {
    const { status, stdout, stderr, error } = git(...args);
    if (status !== 0) throw new HistoryProblem(error ? 'git is missing' : stderr.trim().split('\n')[0]);
    return stdout.trim();
  };
  if (output('rev-parse', '--is-shallow-repository') === 'true') throw new HistoryProblem('this clone is shallow (git fetch --unshallow --tags)');
  const base = released(git) ?? beginning(git, output, version);
  if (!base) return undefined;
  if (compare(version, base.version) > 0) return undefined;
  if (compare(version, base.version) < 0) return `version ${version} is lower than ${base.version}, which ${base.name} has`;
  const changed = differing(output, base.commit);
  if (!changed.length) return undefined;
  const more = changed.length > 3 ? ` and ${changed.length - 3} more` : '';
  return `${changed.slice(0, 3).join(', ')}${more} changed since ${base.name}, and the version is still ${version}: `
    + 'agents that have cached it would not load the new one. Run scripts/version --raise';
}

/** The newest tag of a release that leads here. */
function released(git) {
  const { status, stdout } = git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*.[0-9]*.[0-9]*');
  const tag = stdout.trim();
  return status === 0 ? { name: `tag ${tag}`, commit: tag, version: /\d+\.\d+\.\d+/.exec(tag)[0] } : undefined;
}

/** The commit that brought `version`; HEAD when HEAD has another one; undefined before the first. */
function beginning(git, output, version) {
  let base;
  for (const commit of output('log', '--first-parent', '--format=%H', '--', 'task/task.json').split('\n').filter(Boolean)) {
    const then = versionAt(git, commit);
    if (base && then !== base.version) break;
    base = then && { name: `commit ${commit.slice(0, 10)}`, commit, version: then };
    if (!base || then !== version) break;
  }
  return base;
}

function versionAt(git, commit) {
  const { status, stdout } = git('show', `${commit}:task/task.json`);
  if (status !== 0) return undefined;
  const { Major, Minor, Patch } = JSON.parse(stdout).version;
  return [Major, Minor, Patch].join('.');
}

/** The shipped files that are not as in `commit`, new ones included. */
function differing(output, commit) {
  const lines = (...args) => output(...args, '--', ...SHIPPED, ...NOT_SHIPPED).split('\n').filter(Boolean);
  return [...lines('diff', '--name-only', commit), ...lines('ls-files', '--others', '--exclude-standard')];
}

function compare(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}

module.exports = { HistoryProblem, SHIPPED, unraised };
