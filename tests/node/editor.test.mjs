// What the classic editor shows: every command is walked through the visible rules, with every value of every pick list.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);
const { allowedValues, isVisible, parseRule, readJson } = require('../../scripts/manifest.js');
const { belongsTo } = require('../../scripts/tables.js');
const task = readJson('task/task.json');
/** What the task demands, by form; tests/e2e holds the binary to it. `a or b` is met by either. */
const demanded = readJson('tests/demanded.json').map(({ when, demands }) => ({ when, demands: demands.map((names) => names.split(' or ')) }));

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

const applies = (when, values) => Object.entries(when).every(([name, value]) => values[name] === value);
/** What the task demands of a step with these values: each is a list of which one must be given. */
const demandsOf = (values) => demanded.filter(({ when }) => applies(when, values)).flatMap(({ demands }) => demands);

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

    test(`${command}: what the task demands is shown, and the editor asks for nothing else`, () => {
      for (const { values, shown } of forms(command)) {
        const names = shown.map(({ name }) => name);
        const demands = demandsOf(values);
        assert.deepEqual(demands.flat().filter((name) => !names.includes(name)), [], `hidden with ${JSON.stringify(values)}`);
        // The editor saves no step without what it asks for.
        const asked = shown.filter(({ required, defaultValue }) => required && !defaultValue).map(({ name }) => name);
        assert.deepEqual(asked.filter((name) => name !== 'command' && !demands.some((one) => one.length === 1 && one[0] === name)), [], JSON.stringify(values));
      }
    });
  }

  test('asks for what the task demands whenever it is shown', () => {
    const everyForm = commands.flatMap((command) => [...forms(command)]);
    for (const name of new Set(demanded.flatMap(({ demands }) => demands.filter((one) => one.length === 1).flat()))) {
      const always = everyForm.filter(({ shown }) => shown.includes(input(name))).every(({ values }) => demandsOf(values).some((one) => one.join() === name));
      assert.equal(input(name).required, always, name);
    }
  });

  test('has a form for each line of tests/demanded.json', () => {
    for (const { when, demands } of demanded) {
      assert.ok(demands.flat().every(input), JSON.stringify(demands));
      const met = [...forms(when.command)].some(({ values, shown }) => applies(when, values) && Object.keys(when).every((name) => shown.includes(input(name))));
      assert.ok(met, JSON.stringify(when));
    }
  });

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
