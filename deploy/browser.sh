#!/usr/bin/env bash
# The tests walk in Debian's Chromium. Where it cannot be had they say so and skip; with CI=true that is a failure.
# Poppler's pdfsig is a second opinion on our seals; without it that one test skips. SoftHSM stands for a cryptographic
# module: without it no seal in a module is tried, and with CI=true that is a failure too.
set -euo pipefail
missing=()
[ -x /usr/bin/pdfsig ] || missing+=(poppler-utils)
[ -x /usr/bin/softhsm2-util ] || missing+=(softhsm2)
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" -eq 0 ]; then
  { apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
    >/dev/null 2>&1 || echo "${missing[*]} could not be installed; what needs it is not tried."
fi
[ -x /usr/bin/chromium ] && exit 0
line="apt-get install -y --no-install-recommends chromium"
if [ "$(id -u)" -eq 0 ]; then
  sudo=()
elif sudo -n true 2>/dev/null; then
  sudo=(sudo)
else
  echo "The browser tests need Chromium and will be skipped. To run them:  sudo $line"
  exit 0
fi
if "${sudo[@]}" apt-get update -qq &&
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive $line >/dev/null && [ -x /usr/bin/chromium ]; then
  exit 0
fi
echo "Chromium could not be installed; the browser tests will be skipped."
[ "${CI:-}" != true ]
