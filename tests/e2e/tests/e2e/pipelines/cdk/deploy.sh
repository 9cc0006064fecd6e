set -euo pipefail
cdk deploy "$@" --require-approval never --outputs-file outputs.json
