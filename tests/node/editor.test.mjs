// What the classic editor shows: every command is walked through the visible rules, with every value of every pick list.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);
const { allowedValues, isVisible, parseRule, readJson } = require('../../scripts/manifest.js');
const { belongsTo } = require('../../scripts/tables.js');
const task = readJson('task/task.json');

const input = (name) => task.inputs.find((candidate) => candidate.name === name);
const commands = Object.keys(input('command').options);
const rules = [...task.groups, ...task.inputs].flatMap(({ visibleRule }) => (visibleRule ? parseRule(visibleRule).terms : []));
/** The inputs that decide what else is shown. */
const deciding = [...new Set(rules.map(({ name }) => name))].filter((name) => name !== 'command');

/** Every form that the editor can have for `command`: what it shows, and the values. Only inputs that are shown can be changed. */
function* forms(command) {
  const defaults = Object.fromEntries(task.inputs.map(({ name, defaultValue }) => [name, defaultValue ?? '']));
  const open = [{ ...defaults, command }];
  const seen = new Set();
  while (open.length) {
    const values = open.pop();
    const key = JSON.stringify(values);
    if (seen.has(key)) continue;
    seen.add(key);
    yield { values, shown: task.inputs.filter((candidate) => isVisible(task, candidate, values)) };
    for (const name of deciding.filter((candidate) => isVisible(task, input(candidate), values))) {
      for (const value of allowedValues(input(name)) ?? []) open.push({ ...values, [name]: value });
    }
  }
}

describe('the editor', () => {
  for (const command of commands) {
    test(`${command}: shows what belongs to it and nothing else`, () => {
      const shownOnce = new Set();
      for (const { values, shown } of forms(command)) {
        for (const { name } of shown) shownOnce.add(name);
        const strangers = shown.filter((candidate) => !belongsTo(task, candidate, command)).map(({ name }) => name);
        assert.deepEqual(strangers, [], JSON.stringify(values));
      }
      const own = task.inputs.filter((candidate) => belongsTo(task, candidate, command)).map(({ name }) => name);
      assert.deepEqual(own.filter((name) => !shownOnce.has(name)), [], 'belongs to the command and is never shown');
    });

    test(`${command}: what is required is shown, and nothing hidden stops it from being saved`, () => {
      // The editor asks for required inputs that it shows; YAML and the agent ask for none, so the task itself does.
      for (const { shown } of forms(command)) {
        const required = shown.filter((candidate) => candidate.required && candidate.name !== 'command');
        for (const { name } of required) assert.ok(belongsTo(task, input(name), command), name);
      }
    });
  }

  test('shows every input for some command', () => {
    const shown = new Set(commands.flatMap((command) => [...forms(command)].flatMap((form) => form.shown.map(({ name }) => name))));
    assert.deepEqual(task.inputs.map(({ name }) => name).filter((name) => !shown.has(name)), []);
  });

  test('shows a command nothing but its own when it has just been chosen', () => {
    const [{ shown }] = forms('verify');
    assert.deepEqual(shown.filter(({ groupName }) => ['s3', 'ecr', 'parameters'].includes(groupName)), []);
  });
});

describe('help', () => {
  for (const { name, helpMarkDown, defaultValue = '', type, required } of task.inputs) {
    test(`${name} says what it does, its default, and an example`, () => {
      // Where two commands share an input, the text begins with the command that it speaks of.
      assert.match(helpMarkDown, /^([A-Z`]|\w+: ).{15,}/);
      assert.match(helpMarkDown, /\bExample: `.+`\.$/);
      if (name !== 'command') assert.match(helpMarkDown, /\bDefault: /);
      // What the help says of a default that the editor fills in is what the editor fills in.
      const said = /\bDefault: `([^`]*)`/.exec(helpMarkDown)?.[1];
      if (defaultValue !== '' && type !== 'multiLine') assert.equal(said, defaultValue, `${required}`);
    });
  }
});
