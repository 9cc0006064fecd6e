// The real manifests keep the rules, and each rule catches what it is for.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { extensionProblems, pngSize, taskFileProblems, taskProblems, versionOf } from './lint.mjs';

const require = createRequire(import.meta.url);
const { ROOT, readJson } = require('../../scripts/manifest.js');
const task = readJson('task/task.json');
const extension = readJson('vss-extension.json');

describe('the manifests of this repository', () => {
  test('task.json', () => assert.deepEqual(taskProblems(task), []));
  test('the task folder', () => assert.deepEqual(taskFileProblems(path.join(ROOT, 'task'), task), []));
  test('vss-extension.json', () => assert.deepEqual(extensionProblems(ROOT, extension, task), []));
  test('one version everywhere', () => assert.equal(readJson('package.json').version, versionOf(task)));
  test('icons of at least 128 x 128', () => {
    for (const icon of ['task/icon.png', extension.icons.default]) {
      const { width, height } = pngSize(path.join(ROOT, icon));
      assert.ok(width >= 128 && width === height, `${icon} is ${width} x ${height}`);
    }
  });
  test('inputs name connection types that exist', () => {
    const own = extension.contributions.filter(({ type }) => type.endsWith('service-endpoint-type')).map(({ properties }) => properties.name);
    const named = task.inputs.filter(({ type }) => type.startsWith('connectedService:')).map(({ type }) => type.split(':')[1]);
    assert.deepEqual(named.sort(), ['AWS', ...own].sort());
  });
  test('the keyless scheme has no field at all, secrets stand only in the other', () => {
    const [connection] = extension.contributions.filter(({ properties }) => properties.name === 'Causeway');
    const fields = (scheme) => connection.properties.authenticationSchemes.find(({ type }) => type.endsWith(scheme)).inputDescriptors;
    assert.deepEqual(fields('-none'), []);
    assert.deepEqual(fields('-basic').map(({ id, isConfidential }) => [id, isConfidential]), [['username', false], ['password', true], ['sessionToken', true]]);
  });
  test('the binary reads every input that is declared', () => {
    const folder = path.join(ROOT, 'crates/causeway/src');
    const files = fs.readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.rs'));
    const source = files.map((file) => fs.readFileSync(path.join(folder, file), 'utf8')).join('');
    assert.deepEqual(task.inputs.map(({ name }) => name).filter((name) => !source.includes(`"${name}"`)), []);
    assert.deepEqual(task.outputVariables.map(({ name }) => name).filter((name) => !source.includes(`"${name}"`)), []);
  });
  test('no package registry is named in the lock file', () => {
    for (const [name, entry] of Object.entries(readJson('package-lock.json').packages)) assert.equal(entry.resolved, undefined, name);
  });
});

/** `original` after `change`. */
function changed(original, change) {
  const copy = structuredClone(original);
  change(copy, (name) => copy.inputs.find((input) => input.name === name));
  return copy;
}

describe('a broken task.json', () => {
  const cases = [
    ['a property that does not exist', (t) => { t.hidden = true; }, /additional properties/],
    ['an id that is no GUID', (t) => { t.id = 'causeway'; }, /\/id/],
    ['a name with a space', (t) => { t.name = 'Cause way'; }, /\/name/],
    ['a friendly name of 41 characters', (t) => { t.friendlyName = 'x'.repeat(41); }, /\/friendlyName/],
    ['no instance name', (t) => { delete t.instanceNameFormat; }, /instanceNameFormat/],
    ['an unknown category', (t) => { t.category = 'Cloud'; }, /\/category/],
    ['a version as text', (t) => { t.version.Patch = '0'; }, /\/version\/Patch/],
    ['an input name with a hyphen', (t) => { t.inputs[0].name = 'com-mand'; }, /\/inputs\/0\/name/],
    ['an unknown input type', (t) => { t.inputs[0].type = 'text'; }, /\/inputs\/0\/type/],
    ['required as text', (t) => { t.inputs[0].required = 'false'; }, /\/inputs\/0\/required/],
    ['two types in one connection input', (t, input) => { input('connection').type = 'connectedService:Causeway,AWS'; }, /\/inputs\/1\/type/],
    ['no handler for Node 24', (t) => { delete t.execution.Node24; }, /Node24/],
    ['names that differ only in case', (t) => { t.inputs.push({ ...t.inputs.at(-1), name: 'REGIONname' }); }, /two inputs are named REGIONname/],
    ['a group that does not exist', (t, input) => { input('logout').groupName = 'nowhere'; }, /logout: group nowhere/],
    ['an empty group', (t) => { t.groups.push({ name: 'spare', displayName: 'Spare' }); }, /group spare is empty/],
    ['a default outside the options', (t, input) => { input('identity').defaultValue = 'best'; }, /default "best"/],
    ['a boolean default that is neither', (t, input) => { input('logout').defaultValue = 'yes'; }, /default "yes"/],
    ['a pick list without options', (t, input) => { delete input('identity').options; }, /identity: options/],
    ['a rule with parentheses', (t, input) => { input('logout').visibleRule = '(command = ecrLogin)'; }, /is not "name = value"/],
    ['a rule that mixes && and ||', (t, input) => { input('logout').visibleRule = 'command = ecrLogin && identity = auto || identity = agent'; }, /mixes/],
    ['a rule with ==', (t, input) => { input('logout').visibleRule = 'command == ecrLogin'; }, /is not "name = value"/],
    ['a rule about an unknown input', (t, input) => { input('logout').visibleRule = 'comand = ecrLogin'; }, /names comand/],
    ['a rule about a value that cannot be', (t, input) => { input('logout').visibleRule = 'command = ecrLogn'; }, /command = ecrLogn/],
    ['a group rule about a value that cannot be', (t) => { t.groups.at(-1).visibleRule = 'command = s3'; }, /command = s3/],
  ];
  for (const [name, change, expected] of cases) {
    test(name, () => assert.match(taskProblems(changed(task, change)).join('\n'), expected));
  }
  test('a handler without its file', () => {
    const broken = changed(task, (t) => { t.execution.Node24.target = 'main.js'; });
    assert.deepEqual(taskFileProblems(path.join(ROOT, 'task'), broken), ['main.js does not exist']);
  });
});

describe('a broken vss-extension.json', () => {
  const connection = (m) => m.contributions.find(({ properties }) => properties.name === 'Causeway').properties;
  const cases = [
    ['a key that does not exist', (m) => { m.contribution = []; }, /additional properties \(contribution\)/],
    ['no id', (m) => { delete m.id; }, /required property 'id'/],
    ['no publisher', (m) => { delete m.publisher; }, /required property 'publisher'/],
    ['an id with a space', (m) => { m.id = 'cause way'; }, /\/id must match/],
    ['public as text', (m) => { m.public = 'false'; }, /\/public must be boolean/],
    ['one category as text', (m) => { m.categories = 'Azure Pipelines'; }, /\/categories must be array/],
    ['a file that is no object', (m) => { m.files[0] = 'task'; }, /\/files\/0 must be object/],
    ['a file twice', (m) => { m.files.push({ path: 'task' }); }, /two files are task/],
    ['a contribution without a target', (m) => { m.contributions[0].targets = []; }, /\/contributions\/0\/targets/],
    ['a misspelt property of the task', (m) => { m.contributions[0].properties.nam = 'task'; }, /additional properties \(nam\)/],
    ['two contributions of one id', (m) => { m.contributions[1].id = m.contributions[0].id; }, /two contributions have the id causeway-task/],
    ['a misspelt property of a field', (m) => { connection(m).inputDescriptors[0].isConfidental = true; }, /additional properties \(isConfidental\)/],
    ['a field twice', (m) => { connection(m).inputDescriptors.push(connection(m).inputDescriptors[1]); }, /two fields have the id roleArn/],
    ['a scheme twice', (m) => { connection(m).authenticationSchemes.push(connection(m).authenticationSchemes[0]); }, /two schemes have the type/],
    ['a link that is no https address', (m) => { m.links = { learn: { uri: 'docs/README.md' } }; }, /\/links\/learn\/uri must match/],
    ['another version than the task', (m) => { m.version = '0.0.1'; }, /not the task's/],
    ['a version of four numbers', (m) => { m.version = '1.0.0.0'; }, /not three numbers/],
    ['a brand in the name', (m) => { m.name = 'Causeway for AWS'; }, /brand name/],
    ['an unknown category', (m) => { m.categories = ['Build and release']; }, /category/],
    ['another target', (m) => { m.targets = [{ id: 'Microsoft.VisualStudio.Code' }]; }, /target/],
    ['a file that does not exist', (m) => { m.content.details.path = 'market.md'; }, /market.md does not exist/],
    ['a task folder that does not exist', (m) => { m.contributions[0].properties.name = 'tasks'; }, /tasks holds no task.json/],
    ['a task folder that is not shipped', (m) => { m.files = m.files.filter(({ path: file }) => file !== 'task'); }, /not among the files/],
    ['a connection type named AWS', (m) => { connection(m).name = 'AWS'; }, /named AWS/],
    ['a scheme of its own', (m) => { connection(m).authenticationSchemes[0].type = 'causeway-oidc'; }, /not open to extensions/],
    ['a secret as connection data', (m) => { connection(m).inputDescriptors[0].isConfidential = true; }, /public/],
    ['a secret in a text box', (m) => { connection(m).authenticationSchemes[1].inputDescriptors[1].inputMode = 'textbox'; }, /password box/],
    ['a combo without values', (m) => { delete connection(m).inputDescriptors[0].values; }, /combo needs values/],
    ['a combo with a wrong default', (m) => { connection(m).inputDescriptors[0].values.defaultValue = 'oidc'; }, /default/],
  ];
  for (const [name, change, expected] of cases) {
    test(name, () => assert.match(extensionProblems(ROOT, changed(extension, change), task).join('\n'), expected));
  }
});
