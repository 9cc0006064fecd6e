'use strict';
// Markdown tables of the task's inputs and outputs, made from task/task.json.
const { allowedValues, parseRule } = require('./manifest.js');

const cell = (text) => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();

function valuesCell(input) {
  const values = allowedValues(input);
  const text = values ? values.map((value) => `\`${value}\``).join(' ') : input.type.replace(/^connectedService:/, 'connection of type ');
  return input.required ? `${text}, required` : text;
}

function table(inputs, note = () => '') {
  const rows = inputs.map((input) => `| \`${input.name}\` | ${cell(valuesCell(input))} | ${cell(input.helpMarkDown + note(input))} |`);
  return ['| input | values | what it does |', '|---|---|---|', ...rows].join('\n');
}

/** The groups with their inputs, beginning with the inputs that belong to none. */
function groups(task, wanted = () => true) {
  return [{ name: undefined, displayName: 'Every step' }, ...task.groups]
    .map((group) => ({ group, inputs: task.inputs.filter((input) => input.groupName === group.name && wanted(input)) }))
    .filter(({ inputs }) => inputs.length);
}

/** Every input of the `wanted` groups: one table for the ungrouped ones, one for each group. */
function inputTables(task, wanted = () => true) {
  return groups(task)
    .filter(({ group }) => wanted(group))
    .map(({ group, inputs }) => {
      const only = group.visibleRule ? ` (\`${group.visibleRule.replaceAll(' = ', ': ')}\`)` : '';
      return `**${group.displayName}**${only}\n\n${table(inputs)}`;
    })
    .join('\n\n');
}

/** Whether `rule` can hold when the command is `command`: inputs that belong to it may say anything, the others their default. */
function canHold(task, rule, command) {
  if (!rule) return true;
  const { operator, terms } = parseRule(rule);
  const possible = ({ name, negated, value }) => {
    if (name === 'command') return (value === command) !== negated;
    const other = task.inputs.find((input) => input.name === name);
    return belongsTo(task, other, command) || ((other.defaultValue ?? '') === value) !== negated;
  };
  return operator === '||' ? terms.some(possible) : terms.every(possible);
}

/** Whether the editor can show `input` for `command`. */
function belongsTo(task, input, command) {
  const group = task.groups.find(({ name }) => name === input.groupName);
  return canHold(task, group?.visibleRule, command) && canHold(task, input.visibleRule, command);
}

/** When `input` counts, apart from the command: ` Only with …`. */
function condition(input) {
  if (!input.visibleRule) return '';
  const { operator, terms } = parseRule(input.visibleRule);
  const others = terms.filter(({ name }) => name !== 'command');
  const words = others.map(({ name, negated, value }) => `\`${name}${negated ? '` other than `' : ': '}${value}\``);
  return words.length ? ` Only with ${words.join(operator === '||' ? ' or ' : ' and ')}.` : '';
}

/** The inputs of one command: its own first, then those of every command. */
function commandTables(task, command) {
  const own = ({ group, inputs }) => group.visibleRule !== undefined || inputs.some((input) => input.visibleRule);
  const all = groups(task, (input) => input.name !== 'command' && belongsTo(task, input, command));
  const ordered = [...all.filter(own), ...all.filter((entry) => !own(entry))];
  return ordered.map(({ group, inputs }) => `### ${group.displayName}\n\n${table(inputs, condition)}`).join('\n\n');
}

/** The output variables of one command: a description names the commands that set it, or "every command". */
function outputTable(task, command) {
  const mine = (task.outputVariables ?? []).filter(({ description }) => /every command/.test(description) || new RegExp(`\\b${command}\\b`).test(description));
  return ['| output variable | what it holds |', '|---|---|', ...mine.map(({ name, description }) => `| \`${name}\` | ${cell(description)} |`)].join('\n');
}

/** Every command, named as `show` says, and what it does. */
function commandTable(task, show) {
  const commands = Object.entries(task.inputs.find(({ name }) => name === 'command').options);
  const rows = commands.map(([command, label]) => `| ${show(command)} | ${cell(plainLabel(label))} |`);
  return ['| `command` | does |', '|---|---|', ...rows].join('\n');
}

/** What a command does, from its label in the editor, where a name may stand before it: `Verify: show …`. */
function plainLabel(label) {
  return label.replace(/^.*?: /, '').replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
}

module.exports = { belongsTo, commandTable, commandTables, inputTables, outputTable, plainLabel };
