# Sets UV to a usable uv: the one on PATH, or one that pip puts into .tools/ beside the checkout's files.
# --target keeps pip out of the system's Python, which many distributions forbid to touch.
export UV_PYTHON_DOWNLOADS=never
UV=$(command -v uv || true)
# a version manager's shim may be on PATH and lead nowhere
if [[ -z $UV ]] || ! "$UV" --version >/dev/null 2>&1; then
  UV=$PWD/.tools/bin/uv
  [[ -x $UV ]] || python3 -m pip install --quiet --disable-pip-version-check --target .tools uv
fi
