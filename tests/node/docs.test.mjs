// scripts/check-docs finds what a reader of the documentation would stumble over.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);
const { linkProblems, withMade, yamlProblems } = require('../../scripts/check-docs');
const { commandTable, inputTables } = require('../../scripts/tables.js');
const { page } = require('../../scripts/pages.js');
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

describe('inputs that do not count', () => {
  test('of another command', () => {
    assert.deepEqual(problems(step('command: verify', 'bucketName: web')), ['README.md:1: input "bucketName" does not count here: it belongs to command = s3Upload || command = s3Download']);
  });
  test('of another form of the command', () => {
    assert.match(problems(step('command: script', 'scriptType: inline', 'inlineScript: ls', 'filePath: a.sh')).join(), /input "filePath" does not count here/);
    assert.match(problems(step('command: ecrPush', 'repositoryName: a', 'imageSource: archive', 'archivePath: a.tar', 'repositoryTags: a=b')).join(), /"repositoryTags" does not count here/);
  });
  test('one that a variable decides counts if it can', () => {
    assert.deepEqual(problems(step('command: getParameters', 'readMode: $(Mode)', 'parameterPath: /a', 'parameterName: b')), []);
    assert.match(problems(step('command: getParameters', 'readMode: $(Mode)', 'parameterPath: /a', 'parameterName: b', 'bucketName: c')).join(), /"bucketName" does not count/);
  });
});

describe('YAML blocks and steps, however they are written', () => {
  const wrong = 'steps:\n- task: Causeway@1\n  inputs: { command: verfy }';
  for (const [name, begin, end] of [['with a title', '```yaml title="azure-pipelines.yml"', '```'], ['with tildes', '~~~yaml', '~~~'], ['yml', '``` yml', '```'], ['in capitals', '```YAML', '```'], ['with four backticks', '````yaml', '````'], ['in a quotation', '> ```yaml', '> ```'], ['never closed', '```yaml', '']]) {
    test(name, () => assert.match(problems([begin, begin.startsWith('>') ? wrong.replace(/^/gm, '> ') : wrong, end].join('\n')).join(), /README\.md:1: "command: verfy" is not one of/));
  }
  test('a block within another one is no block', () => assert.deepEqual(problems(`\`\`\`\`markdown\n\`\`\`yaml\n${wrong}\n\`\`\`\n\`\`\`\`\n`), []));
  test('a block of another language is none', () => assert.deepEqual(problems(`\`\`\`yamlish\n${wrong}\n\`\`\``), []));
  for (const name of ['causeway@1', 'contoso.causeway.causeway-task.Causeway@1']) {
    test(`${name} is the task too`, () => {
      const found = problems(`\`\`\`yaml\n- task: ${name}\n  inputs: { command: verfy }\n\`\`\``).join();
      assert.match(found, /"command: verfy"/);
      assert.match(found, /is to be written Causeway@1/);
    });
  }
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
    const once = withMade(text, 'inputs', 'new');
    assert.equal(once, 'before\n<!-- inputs:begin -->\nnew\n<!-- inputs:end -->\nafter\n');
    assert.equal(withMade(once, 'inputs', 'new'), once);
  });
  test('a document without markers is refused', () => assert.throws(() => withMade('text', 'inputs', 'new'), /inputs:begin/));
});

test('the table of commands has each command and what it does', () => {
  assert.match(commandTable(task, (name) => `<${name}>`), /^\| `command` \| does \|\n\|---\|---\|\n\| <verify> \| show the AWS identity and the job's token \|\n/);
});

describe('a command\'s page', () => {
  const text = page(task, 'getParameters', 'Get parameters', 'How to use it.');
  test('says that it is made, and from what', () => assert.match(text, /^<!-- Made by .*docs\/examples\/getParameters\.md\. Do not edit\. -->\n# getParameters: get parameters\n\nHow to use it\.\n/));
  test('has the inputs of the command and of every step, and no other', () => {
    for (const name of ['readMode', 'parameterPath', 'connection', 'roleArn', 'summary']) assert.match(text, new RegExp(`\\n\\| \`${name}\` \\|`), name);
    for (const name of ['bucketName', 'logout', 'exportAs', 'command']) assert.doesNotMatch(text, new RegExp(`\\n\\| \`${name}\` \\|`), name);
  });
  test('begins with its own inputs', () => assert.ok(text.indexOf('`readMode`') < text.indexOf('`connection`')));
  test('says when an input counts', () => assert.match(text, /\| `parameterPath` \|.* Only with `readMode: hierarchy`\. \|/));
  test('has its output variables and no other', () => {
    assert.match(text, /\| `accountId` \|/);
    assert.doesNotMatch(text, /uploadedCount/);
  });
});

// What the toolkit's tasks take beside connection and region, from its task.json files.
const TOOLKIT = {
  SystemsManagerGetParameter: 'readMode parameterName parameterVersion parameterPath recursive singleNameTransform hierarchyNameTransform customVariableName replacementPattern replacementText globalMatch caseInsensitiveMatch',
  SystemsManagerSetParameter: 'parameterName parameterType parameterValue encryptionKeyId',
  S3Upload: 'bucketName sourceFolder globExpressions targetFolder filesAcl createBucket keyManagement encryptionAlgorithm kmsMasterKeyId customerKey flattenFolders contentType contentEncoding storageClass forcePathStyleAddressing cacheControl',
  S3Download: 'bucketName sourceFolder globExpressions targetFolder keyManagement customerKey overwrite forcePathStyleAddressing flattenFolders',
  SecretsManagerCreateOrUpdateSecret: 'secretNameOrId description kmsKeyId secretValueType secretValueSource secretValue secretValueFile autoCreateSecret tags arnOutputVariable versionIdOutputVariable',
  SecretsManagerGetSecret: 'secretIdOrName variableName versionId versionStage',
  'ECRPushImage and ECRPullImage': 'imageSource sourceImageName sourceImageTag sourceImageId repositoryName pushTag autoCreateRepository forceDockerNamingConventions removeDockerImage outputVariable repository imageTag imageDigest',
  'AWSShellScript and AWSCLI': 'scriptType filePath inlineScript arguments disableAutoCwd workingDirectory failOnStandardError awsCommand awsSubCommand awsArguments',
};

/** The toolkit's tasks, and an input of each that has another name here. */
const TOOLKIT_TASKS = `AWSCLI AWSPowerShellModuleScript AWSShellScript BeanstalkCreateApplicationVersion BeanstalkDeployApplication
  CloudFormationCreateOrUpdateStack CloudFormationDeleteStack CloudFormationExecuteChangeSet CodeDeployDeployApplication ECRPullImage
  ECRPushImage LambdaDeployFunction LambdaInvokeFunction LambdaNETCoreDeploy S3Download S3Upload SecretsManagerCreateOrUpdateSecret
  SecretsManagerGetSecret SendMessage SystemsManagerGetParameter SystemsManagerRunCommand SystemsManagerSetParameter`.split(/\s+/);

describe('the page for those who come from the AWS Toolkit', () => {
  const migration = fs.readFileSync(new URL('../../docs/migration.md', import.meta.url), 'utf8');
  test('names every task of it, and says where the inputs of every task went', () => {
    for (const name of TOOLKIT_TASKS) assert.ok(migration.includes(`\`${name}@1\``), name);
    for (const name of ['logRequest', 'logResponse', 'failOnStderr', 'errorActionPreference', 'ignoreLASTEXITCODE']) assert.ok(migration.includes(`\`${name}\``), name);
  });
  for (const [name, inputs] of Object.entries(TOOLKIT)) {
    test(`names every input of ${name}, and each exists`, () => {
      const section = migration.split(`\n### ${name}\n`)[1]?.split('\n### ')[0] ?? '';
      for (const input of inputs.split(' ')) {
        assert.ok(section.includes(`\`${input}\``), `docs/migration.md does not name ${input}`);
        assert.ok(task.inputs.some((candidate) => candidate.name === input), `task.json has no ${input}`);
      }
    });
  }
});

describe('links', () => {
  const exists = (file) => ['docs/a.md', 'README.md', 'docs/commands'].includes(file);
  const problems = (text) => linkProblems('docs/b.md', text, exists);
  test('to files that exist, to places in them, to folders, and elsewhere', () => {
    assert.deepEqual(problems('[a](a.md) [b](a.md#x) [c](../README.md) [d](commands) [e](https://example.invalid/x) [f](#here)'), []);
  });
  test('to a file that does not exist', () => assert.deepEqual(problems('see [a](c.md)'), ['docs/b.md: the link c.md leads nowhere']));
});
