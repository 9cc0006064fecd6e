// The app: what `cdk synth` runs. It knows account and region from the environment alone, as CDK apps do.
const fs = require('node:fs');

const { CDK_OUTDIR, CDK_CONTEXT_JSON, CDK_DEFAULT_ACCOUNT, CDK_DEFAULT_REGION } = process.env;
if (!CDK_DEFAULT_REGION) throw new Error('CDK_DEFAULT_REGION is not set');
const context = JSON.parse(CDK_CONTEXT_JSON || '{}');
const template = {
  Description: `for ${CDK_DEFAULT_ACCOUNT || 'any account'} in ${CDK_DEFAULT_REGION}`,
  Resources: {
    MessageParameter: {
      Type: 'AWS::SSM::Parameter',
      Properties: { Name: '/shop/message', Type: 'String', Value: context.message || 'none' },
    },
  },
};
fs.writeFileSync(`${CDK_OUTDIR}/Shop.template.json`, JSON.stringify(template));
