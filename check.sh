#!/usr/bin/env bash
# Runs every check and every test of this repository: what has to pass before a change is merged.
#
#   ./check.sh                   names every missing tool and stops, or runs everything
#   ./check.sh --install-tools   installs the missing tools first (Debian's packages, npm packages, rustup components)
#   ./check.sh --only STEP       runs one step; ./check.sh --help lists them
#
# It may be started from any directory, reads no standard input and respects CARGO_TARGET_DIR. All steps share one
# target directory, one profile and one set of flags, so that dependencies are compiled once for checking and once
# for running, no more.

set -euo pipefail

# What auth-core may depend on by default. A new line here is a decision: say why in ARCHITECTURE.md.
CORE_DEPENDENCIES="arc-swap aws-lc-rs base64 ipnet itoa matchit prefetch-index quanta rustix serde serde_json tracing zeroize"
# What nothing below auth-core's default features may be: runtimes, HTTP, databases, frameworks, token libraries.
# Shell patterns, matched against every package of the tree.
RUNTIMES="tokio* async-std async-io async-global-executor smol* mio socket2 futures-executor rayon*"
HTTP="http http-body* hyper* h2 h3 reqwest ureq curl isahc surf native-tls openssl* rustls*"
DATABASES="rusqlite libsqlite3-sys sqlx* diesel* postgres* redis fred sled redb"
FRAMEWORKS="actix* axum* tower* warp rocket poem salvo"
TOKEN_LIBRARIES="jsonwebtoken jwt-simple josekit"

STEPS="lockfile dependencies minimum_rust format lints features documentation tests"

main() {
    local install=no only=""
    while [ $# -gt 0 ]; do
        case "$1" in
            --install-tools) install=yes ;;
            --only) only="${2:-}"; shift || true ;;
            --help | -h) usage; return 0 ;;
            *) echo "check.sh: unknown argument '$1'; see ./check.sh --help" >&2; return 2 ;;
        esac
        shift || true
    done
    if [ -n "$only" ] && ! contains "$STEPS" "$only"; then
        echo "check.sh: no step '$only'; the steps are: $STEPS" >&2
        return 2
    fi

    # a relative target directory means one below the caller's directory, as with cargo itself
    case "${CARGO_TARGET_DIR:-}" in "" | /*) ;; *) export CARGO_TARGET_DIR="$PWD/$CARGO_TARGET_DIR" ;; esac
    cd "$(dirname "${BASH_SOURCE[0]}")"

    require_tools "$install"
    local step
    for step in ${only:-$STEPS}; do run_step "$step"; done
}

usage() {
    sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    echo "steps: $STEPS"
}

# ---- prerequisites ---------------------------------------------------------------------------------------------

TOOLS="rust rustfmt clippy rustdoc c_compiler node npm node_packages python python_packages curl nginx"

has_rust() { command -v cargo && rustc --version && version_at_least "$(rust_version)" "$(minimum_version)"; }
has_rustfmt() { cargo fmt --version; }
has_clippy() { cargo clippy --version; }
has_rustdoc() { rustdoc --version; }
# a compiler without the C library's headers is the usual half of an installation, so one program is compiled
has_c_compiler() {
    local program status=0
    program="$(mktemp)"
    printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' | "${CC:-cc}" -x c -o "$program" - || status=$?
    rm -f "$program"
    return "$status"
}

# the fetch of a browser came with version 18
has_node() { node -e 'process.exit(typeof fetch === "function" ? 0 : 1)'; }
has_npm() { command -v npm; }
has_node_packages() { npm ls --prefix tests/node; }
has_python() { python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; }
has_python_packages() { tests/python/.venv/bin/python -c "import authlib, requests_oauthlib"; }
has_curl() { curl --version; }
# outside the path of people who are not root
has_nginx() { PATH="$PATH:/usr/sbin:/usr/local/sbin" nginx -v; }

name_rust() { echo "a Rust toolchain of at least $(minimum_version), with cargo (found: $(rust_version 2>/dev/null || echo none)): install or update it with rustup"; }
name_rustfmt() { echo "rustfmt: rustup component add rustfmt"; }
name_clippy() { echo "clippy: rustup component add clippy"; }
name_rustdoc() { echo "rustdoc: comes with the Rust toolchain; reinstall it with rustup"; }
name_c_compiler() { echo "a C compiler with the C library's headers, for the cryptography and SQLite: apt-get install gcc libc6-dev"; }
name_node() { echo "Node.js 18 or newer, for clients and an OpenID provider among the tests: apt-get install nodejs"; }
name_npm() { echo "npm, for an OpenID provider among the tests: apt-get install npm"; }
name_node_packages() { echo "the packages of tests/node/package-lock.json: npm ci --prefix tests/node"; }
name_python() { echo "Python 3.10 or newer, for a client among the tests: apt-get install python3"; }
name_python_packages() { echo "the packages of tests/python/requirements.txt in tests/python/.venv: python3 -m venv tests/python/.venv && tests/python/.venv/bin/pip install -r tests/python/requirements.txt"; }
name_nginx() { echo "nginx, for forward authentication among the tests: apt-get install nginx"; }
name_curl() { echo "curl, for the commands of README.md: apt-get install curl"; }

install_rust() { return 1; } # Debian's toolchain is older than the minimum, and replacing a person's own is not ours to do
install_rustfmt() { rustup component add rustfmt; }
install_clippy() { rustup component add clippy; }
install_rustdoc() { return 1; }
install_c_compiler() { apt_install gcc libc6-dev; }
install_node() { apt_install nodejs; }
install_npm() { apt_install npm; }
install_node_packages() { npm ci --prefix tests/node --no-audit --no-fund; }
install_python() { apt_install python3; }
install_python_packages() {
    python3 -c "import ensurepip, venv" || apt_install python3-venv
    python3 -m venv --clear tests/python/.venv
    tests/python/.venv/bin/pip install --quiet --requirement tests/python/requirements.txt
}
install_curl() { apt_install curl; }
install_nginx() { apt_install nginx; }

require_tools() {
    local tool missing=""
    for tool in $TOOLS; do
        if ! "has_$tool" >/dev/null 2>&1; then missing="$missing $tool"; fi
    done
    if [ -n "$missing" ] && [ "$1" = yes ]; then
        local wanted="$missing"
        missing=""
        for tool in $wanted; do
            echo "==> missing: $("name_$tool")"
            "install_$tool" </dev/null || true
            if ! "has_$tool" >/dev/null 2>&1; then missing="$missing $tool"; fi
        done
    fi
    if [ -z "$missing" ]; then return 0; fi
    echo "check.sh: these prerequisites are missing:" >&2
    for tool in $missing; do echo "  - $("name_$tool")" >&2; done
    if [ "$1" = no ]; then echo "'./check.sh --install-tools' installs what Debian's packages, npm and rustup have." >&2; fi
    exit 1
}

apt_install() {
    local as_root=""
    if ! command -v apt-get >/dev/null; then
        echo "there is no apt-get here: install the equivalent of these packages: $*" >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            echo "this takes root: run 'sudo apt-get install $*'" >&2
            return 1
        fi
        as_root="sudo -n"
    fi
    $as_root apt-get update -q && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

# ---- steps -----------------------------------------------------------------------------------------------------

# Each step runs in a shell of its own with `set -e`, so that its first failing command fails it.
run_step() {
    local started=$SECONDS status=0
    echo "==> $1"
    set +e
    (set -euo pipefail; "step_$1")
    status=$?
    set -e
    if [ "$status" -ne 0 ]; then
        echo "check.sh: step '$1' failed; run it alone with ./check.sh --only $1" >&2
        exit 1
    fi
    # the last step ends with the count of tests, which is to stay the last line
    if [ "$1" != tests ]; then echo "    $1: $((SECONDS - started)) s"; fi
}

step_lockfile() {
    cargo fetch --locked --target "$(rustc -vV | sed -n 's/^host: //p')"
}

# The light base is a promise of the README; here it is kept.
step_dependencies() {
    local direct
    direct="$(tree auth-core --depth 1 | grep -vx auth-core | tr '\n' ' ')"
    local name
    for name in $direct; do
        contains "$CORE_DEPENDENCIES" "$name" || fail "auth-core has the new direct dependency '$name'; is it needed by default?"
    done
    for name in $CORE_DEPENDENCIES; do
        contains "$direct" "$name" || fail "auth-core no longer depends on '$name'; take it off the list in check.sh"
    done
    without auth-core "$RUNTIMES $HTTP $DATABASES $FRAMEWORKS $TOKEN_LIBRARIES"
    without auth-tower "actix* axum tower $RUNTIMES hyper* $DATABASES $TOKEN_LIBRARIES"
    without auth-tower "actix* axum*" --no-default-features
    without auth-actix "tower* axum* hyper* $DATABASES $TOKEN_LIBRARIES"
    echo "    auth-core by default: $(tree auth-core | wc -l) packages in all, direct ones: $CORE_DEPENDENCIES"
}

# The names of the packages that `package` is compiled from, on this machine's platform, one a line.
tree() {
    local package="$1"
    shift
    cargo tree --locked --package "$package" --edges normal,build --prefix none --format '{p}' "$@" | cut -d' ' -f1 | sort -u
}

# Fails if a package of the tree matches one of the patterns, and shows what pulls it in.
without() {
    local package="$1" denied="$2" name pattern
    shift 2
    set -f # patterns are for package names, not for files
    for name in $(tree "$package" "$@"); do
        for pattern in $denied; do
            # shellcheck disable=SC2254
            case "$name" in
                $pattern)
                    cargo tree --locked --package "$package" --edges normal,build --invert "$name" "$@" >&2 || true
                    fail "$package $* must not pull in '$name'"
                    ;;
            esac
        done
    done
    set +f
}

# The stated minimum is proved by compiling with it: here because it is the active toolchain, or by asking rustup for it.
step_minimum_rust() {
    local stated active
    stated="$(minimum_version)"
    active="$(rust_version)"
    case "$active" in
        "$stated" | "$stated".*) echo "    the active toolchain $active is the stated minimum: every later step proves it" ;;
        *)
            local toolchain
            toolchain="$(rustup toolchain list 2>/dev/null | grep -o "^${stated}[.0-9]*" | sed -n 1p || true)"
            if [ -n "$toolchain" ]; then
                cargo "+$toolchain" check --locked --workspace --all-features
            elif [ "${CI:-}" = true ]; then
                fail "rust-version says $stated, but only $active is here: install $stated beside it or raise rust-version"
            else
                echo "    only $active is here, so the stated minimum $stated stays unproved: rustup toolchain install $stated"
            fi
            ;;
    esac
}

step_format() {
    cargo fmt --all -- --check
}

step_lints() {
    cargo clippy --locked --workspace --all-features --all-targets -- -D warnings
}

# Features only add. Each is compiled alone, so that none leans on another.
step_features() {
    local feature
    cargo clippy --locked --package auth-core --no-default-features --all-targets -- -D warnings
    for feature in $(features_of auth-core); do
        cargo clippy --locked --package auth-core --no-default-features --features "$feature" --all-targets -- -D warnings
    done
    # the tests of the adapters use their features, so the libraries alone are compiled without them
    cargo clippy --locked --package auth-tower --no-default-features -- -D warnings
    for feature in $(features_of auth-tower); do
        cargo clippy --locked --package auth-tower --no-default-features --features "$feature" -- -D warnings
    done
    cargo clippy --locked --package auth-actix --no-default-features -- -D warnings
    for feature in $(features_of auth-actix); do
        cargo clippy --locked --package auth-actix --no-default-features --features "$feature" -- -D warnings
    done
}

step_documentation() {
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --all-features --no-deps
}

# Everything `cargo test` finds, documentation examples and the programs in README.md included.
step_tests() {
    local log status=0
    log="$(mktemp)"
    # shellcheck disable=SC2064
    trap "rm -f '$log'" EXIT
    cargo test --locked --workspace --all-features --no-fail-fast 2>&1 | tee "$log" || status=$?
    awk '/^test result:/ {
             for (i = 2; i <= NF; i++) { if ($i == "passed;") passed += $(i - 1); if ($i == "failed;") failed += $(i - 1) }
         }
         END { printf "%d passed, %d failed\n", passed, failed }' "$log"
    return "$status"
}

# ---- small helpers ---------------------------------------------------------------------------------------------

fail() {
    echo "check.sh: $*" >&2
    exit 1
}

# Whether a list has a word.
contains() {
    local word
    for word in $1; do
        if [ "$word" = "$2" ]; then return 0; fi
    done
    return 1
}

rust_version() { rustc --version | cut -d' ' -f2 | cut -d- -f1; }

minimum_version() { sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml; }

version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | sed -n 1p)" = "$2" ]; }

# The names in a package's [features] table, `default` apart.
features_of() { sed -n '/^\[features\]/,/^\[[^f]/s/^\([a-z0-9_-]*\) *=.*/\1/p' "$1/Cargo.toml" | grep -vx default || true; }

main "$@"
