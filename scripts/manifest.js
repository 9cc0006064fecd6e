'use strict';
// What task/task.json says, for the scripts and tests that hold other files to it.
const fs = require('fs');
const path = require('path');

const ROOT = path.join(__dirname, '..');

const readJson = (name) => JSON.parse(fs.readFileSync(path.join(ROOT, name), 'utf8'));

/** The values that an input allows, or undefined when any text is allowed. */
function allowedValues(input) {
  if (input.type === 'boolean') return ['true', 'false'];
  if (!['pickList', 'radio'].includes(input.type) || input.properties?.EditableOptions === 'True') return undefined;
  return Object.keys(input.options ?? {});
}

/**
 * A `visibleRule` as `{ operator, terms: [{ name, negated, value }] }`.
 * The editor has no parentheses, and versions differ in how `&&` and `||` bind: one rule uses one of them.
 */
function parseRule(rule) {
  const operator = rule.includes('||') ? '||' : '&&';
  if (operator === '||' && rule.includes('&&')) throw new Error(`"${rule}" mixes && and ||`);
  const terms = rule.split(operator).map((text) => {
    const term = /^\s*([A-Za-z][A-Za-z0-9]*) (!?)= (\S+)\s*$/.exec(text);
    if (!term) throw new Error(`"${text.trim()}" in "${rule}" is not "name = value" or "name != value"`);
    return { name: term[1], negated: term[2] === '!', value: term[3] };
  });
  return { operator, terms };
}

/** Whether `rule` holds for `values` (strings by input name). */
function holds(rule, values) {
  const { operator, terms } = parseRule(rule);
  const met = ({ name, negated, value }) => (values[name] === value) !== negated;
  return operator === '||' ? terms.some(met) : terms.every(met);
}

/** Whether the editor shows `input` when the inputs have `values`. */
function isVisible(task, input, values) {
  const group = (task.groups ?? []).find(({ name }) => name === input.groupName);
  return [group?.visibleRule, input.visibleRule].every((rule) => !rule || holds(rule, values));
}

module.exports = { ROOT, allowedValues, isVisible, parseRule, readJson };
