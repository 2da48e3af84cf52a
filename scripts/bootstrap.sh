# Sourced by the scripts beside it. They need git, Node >= 20 and npm; everything else comes from the lockfile,
# Node 24 included.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

bootstrap() {
  local installed=node_modules/.installed-lock.yaml
  if ! cmp -s pnpm-lock.yaml "$installed"; then
    command -v npm >/dev/null || fail 'npm is missing: install Node.js 20 or newer, with npm'
    local major
    major=$(node -p 'process.versions.node.split(".")[0]') || fail 'node is missing: install Node.js 20 or newer'
    [ "$major" -ge 20 ] || fail "this is Node.js $major: install Node.js 20 or newer"
    echo 'installing the packages of pnpm-lock.yaml ...' >&2
    CI=true npx --yes pnpm@12 install --frozen-lockfile >&2 || fail 'the packages could not be installed (see above)'
    cp pnpm-lock.yaml "$installed"
  fi
  # Programs of the workspace come first: Node 24 before the one of the machine.
  export PATH="$top/node_modules/node/bin:$top/node_modules/.bin:$PATH"
}
