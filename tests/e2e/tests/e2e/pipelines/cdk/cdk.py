"""cdk's part on the network, played with boto3: `cdk synth`, `cdk diff` and `cdk deploy` of one stack.

As cdk does, it finds credentials by the SDK's own chain, asks STS for the account, and works with the roles of the bootstrap
stack: file publishing for the assets, deploy for the rest. moto has no CloudFormation here, so the one resource of the
template is made by the deploy role itself.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys

import boto3

QUALIFIER = "hnb659fds"


def arguments(words):
    flags, rest = {}, []
    words = list(words)
    while words:
        word = words.pop(0)
        if word in ("--context", "--app", "--outputs-file", "--require-approval"):
            flags.setdefault(word, []).append(words.pop(0))
        elif word.startswith("--"):
            flags[word] = True
        else:
            rest.append(word)
    return flags, rest


def synthesize(context):
    app = json.loads(pathlib.Path("cdk.json").read_text())["app"]
    out = pathlib.Path("cdk.out")
    out.mkdir(exist_ok=True)
    environment = dict(os.environ, CDK_OUTDIR=str(out), CDK_CONTEXT_JSON=json.dumps(context))
    subprocess.run(app, shell=True, check=True, env=environment)


def role(sts, account, region, name):
    answer = sts.assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/cdk-{QUALIFIER}-{name}-role-{account}-{region}",
        RoleSessionName="aws-cdk-azure",
    )["Credentials"]
    return boto3.Session(
        aws_access_key_id=answer["AccessKeyId"],
        aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"],
    )


def main():
    command, *words = sys.argv[1:]
    flags, stacks = arguments(words)
    context = dict(pair.split("=", 1) for pair in flags.get("--context", []))
    if command == "synth":
        return synthesize(context)
    sts = boto3.client("sts")
    region, account = sts.meta.region_name, sts.get_caller_identity()["Account"]
    os.environ.update(CDK_DEFAULT_ACCOUNT=account, CDK_DEFAULT_REGION=region)
    if "--app" not in flags:
        synthesize(context)
    [stack] = stacks
    text = pathlib.Path(f"cdk.out/{stack}.template.json").read_bytes()
    resources = json.loads(text)["Resources"]
    if command == "diff":
        ssm = role(sts, account, region, "lookup").client("ssm")
        version = ssm.get_parameter(Name=f"/cdk-bootstrap/{QUALIFIER}/version")["Parameter"]["Value"]
        return print(f"Stack {stack} (bootstrap version {version})\n[+] {', '.join(resources)}")
    assets = f"cdk-{QUALIFIER}-assets-{account}-{region}"
    key = f"{hashlib.sha256(text).hexdigest()}.json"
    role(sts, account, region, "file-publishing").client("s3").put_object(Bucket=assets, Key=key, Body=text)
    ssm = role(sts, account, region, "deploy").client("ssm")
    outputs = {}
    for name, resource in resources.items():
        wanted = resource["Properties"]
        ssm.put_parameter(Name=wanted["Name"], Type=wanted["Type"], Value=wanted["Value"], Overwrite=True)
        outputs[name] = wanted["Name"]
    for file in flags.get("--outputs-file", []):
        pathlib.Path(file).write_text(json.dumps({stack: outputs}))
    print(f" ✅  {stack}")


main()
