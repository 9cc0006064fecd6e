// The rules that task.json and vss-extension.json must keep and that tfx-cli does not check.
// Each function returns what is wrong, one sentence a problem.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import Ajv from 'ajv';

const require = createRequire(import.meta.url);
const { allowedValues, parseRule } = require('../../scripts/manifest.js');
const ajv = new Ajv({ allErrors: true });
const validate = ajv.compile(require('./task.schema.json'));
const validateExtension = ajv.compile(require('./extension.schema.json'));

// learn.microsoft.com, "Service endpoint authentication schemes": what a third party's connection type may use.
const SCHEMES = ['azure-cert', 'basic', 'cert', 'jwt', 'none', 'oauth2', 'token'].map((name) => `ms.vss-endpoint.endpoint-auth-scheme-${name}`);
const INPUT_MODES = ['textbox', 'passwordbox', 'textarea', 'combo', 'checkbox', 'radiobuttons', 'none'];
// learn.microsoft.com, "Extension manifest reference": the categories of an Azure DevOps extension.
const CATEGORIES = ['Azure Artifacts', 'Azure Boards', 'Azure Pipelines', 'Azure Repos', 'Azure Test Plans'];
const BRANDS = /\b(aws|amazon|azure|microsoft|visual studio|vsts|docker|terraform)\b/i;

const duplicates = (names) => names.filter((name, index) => names.findIndex((n) => n.toLowerCase() === name.toLowerCase()) !== index);

const inWords = (errors) => errors.map(({ instancePath, message, params }) => `${instancePath || '/'} ${message}${params.additionalProperty ? ` (${params.additionalProperty})` : ''}`);

/** task.json as data. */
export function taskProblems(task) {
  if (!validate(task)) return inWords(validate.errors);
  const problems = [
    ...duplicates(task.inputs.map(({ name }) => name)).map((name) => `two inputs are named ${name}`),
    ...duplicates((task.groups ?? []).map(({ name }) => name)).map((name) => `two groups are named ${name}`),
    ...(task.groups ?? []).flatMap((group) => ruleProblems(task, group)),
  ];
  for (const group of task.groups ?? []) {
    if (!task.inputs.some(({ groupName }) => groupName === group.name)) problems.push(`group ${group.name} is empty`);
  }
  return problems.concat(task.inputs.flatMap((input) => inputProblems(task, input)));
}

function inputProblems(task, input) {
  const problems = ruleProblems(task, input);
  const values = allowedValues(input);
  const listed = ['pickList', 'radio'].includes(input.type);
  if (input.groupName && !task.groups?.some(({ name }) => name === input.groupName)) {
    problems.push(`${input.name}: group ${input.groupName} does not exist`);
  }
  if (listed !== Boolean(input.options)) problems.push(`${input.name}: options belong to pickList and radio, and only there`);
  if (values && input.defaultValue !== undefined && !values.includes(input.defaultValue)) {
    problems.push(`${input.name}: default "${input.defaultValue}" is not one of its values`);
  }
  if (/\/\/|registry\./.test(input.defaultValue ?? '')) problems.push(`${input.name}: default holds an address`);
  return problems;
}

function ruleProblems(task, { name, visibleRule }) {
  if (!visibleRule) return [];
  try {
    return parseRule(visibleRule).terms.flatMap((term) => {
      const other = task.inputs.find((input) => input.name === term.name);
      if (!other || other.name === name) return [`${name}: its rule names ${term.name}, which is no other input`];
      const values = allowedValues(other);
      return !values || values.includes(term.value) ? [] : [`${name}: its rule names ${term.name} = ${term.value}, which cannot be`];
    });
  } catch (error) {
    return [`${name}: ${error.message}`];
  }
}

/** The files that a task folder must have, beside those its handlers name. */
export function taskFileProblems(folder, task) {
  const handlers = [...Object.values(task.execution), ...Object.values(task.postjobexecution)];
  const files = new Set(['task.json', 'icon.png', ...handlers.map(({ target }) => target)]);
  return [...files].filter((file) => !fs.existsSync(path.join(folder, file))).map((file) => `${file} does not exist`);
}

/** vss-extension.json, its files under `root`, and the task that it contributes. */
export function extensionProblems(root, manifest, task) {
  if (!validateExtension(manifest)) return inWords(validateExtension.errors);
  const exists = (file) => fs.existsSync(path.join(root, file));
  const files = [manifest.icons.default, manifest.content.details.path, manifest.content.license.path, ...manifest.files.map((file) => file.path)];
  // The notices are made while packaging.
  const problems = files.filter((file) => file !== 'notices' && !exists(file)).map((file) => `${file} does not exist`);
  if (!/^\d+\.\d+\.\d+$/.test(manifest.version)) problems.push(`version ${manifest.version} is not three numbers`);
  if (manifest.version !== versionOf(task)) problems.push(`version ${manifest.version} is not the task's, ${versionOf(task)}`);
  if (BRANDS.test(manifest.name)) problems.push(`the name "${manifest.name}" holds a brand name`);
  if (!manifest.targets.every(({ id }) => id === 'Microsoft.VisualStudio.Services')) problems.push('a target is not Microsoft.VisualStudio.Services');
  for (const category of manifest.categories) if (!CATEGORIES.includes(category)) problems.push(`category ${category} does not exist`);
  problems.push(...duplicates(manifest.contributions.map(({ id }) => id)).map((id) => `two contributions have the id ${id}`));
  problems.push(...duplicates(manifest.files.map(({ path: file }) => file)).map((file) => `two files are ${file}`));
  return problems.concat(manifest.contributions.flatMap((contribution) => contributionProblems(manifest, contribution, exists)));
}

function contributionProblems(manifest, { id, type, targets, properties }, exists) {
  if (/^aws$/i.test(properties.name)) return [`${id}: a contribution named AWS belongs to the AWS Toolkit`];
  if (type === 'ms.vss-distributed-task.task') {
    const problems = targets.includes('ms.vss-distributed-task.tasks') ? [] : [`${id}: wrong target`];
    if (!exists(path.join(properties.name, 'task.json'))) problems.push(`${id}: ${properties.name} holds no task.json`);
    if (!manifest.files.some((file) => file.path === properties.name)) problems.push(`${id}: ${properties.name} is not among the files`);
    return problems;
  }
  if (type !== 'ms.vss-endpoint.service-endpoint-type') return [`${id}: unexpected type ${type}`];
  const problems = targets.includes('ms.vss-endpoint.endpoint-types') ? [] : [`${id}: wrong target`];
  for (const scheme of properties.authenticationSchemes) {
    if (!SCHEMES.includes(scheme.type)) problems.push(`${id}: scheme ${scheme.type} is not open to extensions`);
    problems.push(...scheme.inputDescriptors.flatMap((field) => fieldProblems(id, field)));
  }
  const lists = [...properties.authenticationSchemes.map((scheme) => scheme.inputDescriptors), properties.inputDescriptors];
  problems.push(...lists.flatMap((list) => duplicates(list.map((field) => field.id))).map((field) => `${id}: two fields have the id ${field}`));
  problems.push(...duplicates(properties.authenticationSchemes.map((scheme) => scheme.type)).map((type) => `${id}: two schemes have the type ${type}`));
  for (const field of properties.inputDescriptors) {
    if (field.isConfidential) problems.push(`${id}: ${field.id} is connection data, which is public`);
    problems.push(...fieldProblems(id, field));
  }
  return problems;
}

function fieldProblems(id, field) {
  const problems = [];
  const at = `${id}: ${field.id}`;
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(field.id)) problems.push(`${at} is not a field name`);
  if (!INPUT_MODES.includes(field.inputMode)) problems.push(`${at} has the input mode ${field.inputMode}`);
  if ((field.inputMode === 'passwordbox') !== field.isConfidential) problems.push(`${at}: a password box and "confidential" go together`);
  if ((field.inputMode === 'combo') !== Boolean(field.values)) problems.push(`${at}: a combo needs values, and nothing else has them`);
  if (field.values && !field.values.possibleValues.some(({ value }) => value === field.values.defaultValue)) problems.push(`${at}: its default is not one of its values`);
  return problems;
}

export const versionOf = (task) => [task.version.Major, task.version.Minor, task.version.Patch].join('.');

/** Width and height of a PNG file. */
export function pngSize(file) {
  const data = fs.readFileSync(file);
  if (data.toString('latin1', 1, 4) !== 'PNG') throw new Error(`${file} is not a PNG`);
  return { width: data.readUInt32BE(16), height: data.readUInt32BE(20) };
}
