// scripts/check-docs finds what a reader of the documentation would stumble over.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);
const { inputTables, withTables, yamlProblems } = require('../../scripts/check-docs');
const task = require('../../task/task.json');

const step = (...inputs) => ['```yaml', 'steps:', '  - task: Causeway@1', '    inputs:', ...inputs.map((line) => `      ${line}`), '```'].join('\n');
const problems = (text) => yamlProblems(task, 'README.md', text);

describe('pipeline steps in YAML blocks', () => {
  test('a right step', () => assert.deepEqual(problems(step('command: verify', 'connection: aws')), []));
  test('a step below stages and jobs, in a block that is indented', () => {
    const text = ['1. so:', '', '   ```yaml', '   stages:', '     - stage: a', '       jobs:', '         - job: b', '           steps:', '             - task: Causeway@1', '               inputs: { command: verfy }', '   ```'].join('\n');
    assert.match(problems(text).join(), /README.md:3: "command: verfy" is not one of verify,/);
  });
  test('an input that is not declared', () => assert.match(problems(step('command: verify', 'role: x')).join(), /input "role" is not declared/));
  test('an input in the wrong case', () => assert.match(problems(step('command: verify', 'rolearn: x')).join(), /"rolearn" is not declared/));
  test('a boolean that is none', () => assert.match(problems(step('command: ecrLogin', 'logout: no thanks')).join(), /"logout: no thanks"/));
  test('a variable may stand for any value', () => assert.deepEqual(problems(step('command: verify', 'identity: $(Identity)')), []));
  test('a required input of another command is not asked for', () => assert.deepEqual(problems(step('command: ecrLogin')), []));
  test('a required input of this command is', () => assert.deepEqual(problems(step('command: s3Upload')), ['README.md:1: required input "bucketName" is missing']));
  test('no command', () => assert.match(problems(step('connection: aws')).join(), /required input "command" is missing/));
  test('another major version', () => assert.match(problems('```yaml\n- task: Causeway@2\n  inputs: { command: verify }\n```').join(), /Causeway@2 is not this version/));
  test('a block that is not YAML', () => assert.match(problems('```yaml\na: [\n```').join(), /README.md:1: not YAML/));
  test('other tasks and other blocks are left alone', () => assert.deepEqual(problems('```yaml\n- task: Docker@2\n  inputs: { command: x }\n```\n```text\n{[\n```'), []));
});

describe('input tables', () => {
  test('hold every input once, with its values', () => {
    const tables = inputTables(task);
    for (const { name } of task.inputs) assert.equal(tables.split(`\n| \`${name}\` |`).length, 2, name);
    assert.match(tables, /\| `identity` \| `auto` `connection` `pipeline` `variables` `agent` \|/);
  });
  test('a | in a help text does not end the cell', () => {
    const one = { ...task, inputs: [{ name: 'x', type: 'string', helpMarkDown: 'a|b\nc' }] };
    assert.match(inputTables(one), /\| a\\\|b c \|/);
  });
  test('go between the markers and leave the rest as it is', () => {
    const text = 'before\n<!-- inputs:begin -->\nold\n<!-- inputs:end -->\nafter\n';
    const once = withTables(text, 'new');
    assert.equal(once, 'before\n<!-- inputs:begin -->\nnew\n<!-- inputs:end -->\nafter\n');
    assert.equal(withTables(once, 'new'), once);
  });
  test('a README without markers is refused', () => assert.throws(() => withTables('text', 'new'), /inputs:begin/));
});
