'use strict';
// docs/commands/: a page for each command, made from task/task.json and docs/examples/<command>.md.
const fs = require('fs');
const path = require('path');
const { ROOT } = require('./manifest.js');
const { commandTables, outputTable, plainLabel } = require('./tables.js');

const PAGES = path.join(ROOT, 'docs/commands');
const EXAMPLES = path.join(ROOT, 'docs/examples');

const commands = (task) => Object.entries(task.inputs.find(({ name }) => name === 'command').options);

/** The text of a command's page. */
function page(task, command, title, example) {
  return `<!-- Made by scripts/check-docs --write from task/task.json and docs/examples/${command}.md. Do not edit. -->
# ${command}: ${plainLabel(title)}

${example.trim()}

## Inputs

${commandTables(task, command)}

## Output variables

${outputTable(task, command)}
`;
}

/** Every page that there should be, by file name; throws when an example is missing. */
function pages(task) {
  return new Map(commands(task).map(([command, title]) => {
    const example = path.join(EXAMPLES, `${command}.md`);
    if (!fs.existsSync(example)) throw new Error(`docs/examples/${command}.md is missing: what ${command} is for, and a YAML example`);
    const text = fs.readFileSync(example, 'utf8');
    if (!/^\s*```yaml\s*$/m.test(text)) throw new Error(`docs/examples/${command}.md has no YAML example`);
    return [`${command}.md`, page(task, command, title, text)];
  }));
}

/** What differs from docs/commands; with `write` it is put right. */
function pageProblems(task, write) {
  const wanted = pages(task);
  fs.mkdirSync(PAGES, { recursive: true });
  const stale = fs.readdirSync(PAGES).filter((name) => !wanted.has(name));
  const changed = [...wanted].filter(([name, text]) => !fs.existsSync(path.join(PAGES, name)) || fs.readFileSync(path.join(PAGES, name), 'utf8') !== text);
  if (write) {
    for (const name of stale) fs.rmSync(path.join(PAGES, name));
    for (const [name, text] of changed) fs.writeFileSync(path.join(PAGES, name), text);
    return [];
  }
  return [
    ...stale.map((name) => `docs/commands/${name} belongs to no command: run scripts/check-docs --write`),
    ...changed.map(([name]) => `docs/commands/${name} differs from what it is made from: run scripts/check-docs --write`),
  ];
}

module.exports = { page, pageProblems };
