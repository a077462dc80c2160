#!/usr/bin/env bash
# Records what each client sends into FOLDER/CLIENT/, and what it says is to be found there (expected.json).
# See the README of tests/fixtures/otlp.
#   record.sh FOLDER
# PYTHON has python/requirements.txt installed. OLDER_OPENAI and OLDER_OPENLLMETRY are Pythons with what
# python/older/ lists; without them those two are left out. js/ has its packages.
set -euo pipefail

folder=$(realpath -m "$1")
python=${PYTHON:-python3}
here=$(dirname "$(realpath "$0")")

record() { # CLIENT COMMAND...
  local client=$1
  shift
  rm -rf "${folder:?}/$client"
  mkdir -p "$folder/$client"
  "$python" "$here/capture.py" "$folder/$client" -- "$@" > "$folder/$client/expected.json"
}

cd "$here/python"
record pydantic-ai "$python" pydantic_ai_agent.py
record otel-sdk-python "$python" otel_sdk.py
record openinference-openai "$python" openinference_openai.py
OPENINFERENCE_ENABLE_GENAI_SEMCONV=true record openinference-openai-genai "$python" openinference_openai.py
record openllmetry-openai "$python" openllmetry_openai.py
record langgraph "$python" langgraph_agent.py
record openai-official "$python" openai_official.py
[[ -z ${OLDER_OPENAI:-} ]] || record openai-official-older "$OLDER_OPENAI" openai_official.py
[[ -z ${OLDER_OPENLLMETRY:-} ]] || record openllmetry-openai-older "$OLDER_OPENLLMETRY" openllmetry_openai.py
cd "$here/js"
record otel-sdk-js node otel_sdk.mjs
record vercel-ai node vercel_ai.mjs
record vercel-ai-legacy node vercel_ai.mjs legacy
record vercel-ai-v6 node vercel_ai_v6.mjs
