#!/usr/bin/env bash
# Builds the image and checks it on a Debian host that has no container engine. The base is made by
# mmdebstrap, the image by buildah; it runs in its own mount and network namespaces as its own user,
# without capabilities, on a read-only root. Not covered: the base image of the registry, cgroup
# limits, seccomp. Needs root, and `steer` on the PATH: use `make container`.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

((EUID == 0)) || fail 'needs root, for mounts and namespaces'
command -v steer >/dev/null || fail 'no steer on the PATH: use make container'

work=$(mktemp -d /var/tmp/steer-container.XXXXXX)
pid=
cleanup() {
  [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
  # Deepest first; buildah leaves its storage mounted.
  awk -v dir="$work/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r |
    xargs --no-run-if-empty --max-args=1 umount || true
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT

step 'Debian packages'
if ! command -v buildah >/dev/null || ! command -v mmdebstrap >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends buildah mmdebstrap
fi

mkdir "$work/tmp"
buildah() {
  TMPDIR=$work/tmp command buildah --root "$work/storage" --runroot "$work/run" \
    --storage-driver overlay "$@"
}

step 'Base system'
sources=/etc/apt/sources.list.d/debian.sources
[[ -r $sources ]] || sources=/etc/apt/sources.list
mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
  "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$work/base.tar" "$sources"
base=$(buildah from scratch)
buildah add --quiet "$base" "$work/base.tar" / >/dev/null
buildah commit --quiet --rm "$base" localhost/steer-base >/dev/null
rm "$work/base.tar"

# The build sees the packages that this host's pip sees: one configuration made of all its sources,
# and the folders and files it names.
python3 -m pip config list | python3 -c '
import ast, pathlib, sys

config, paths = {}, set()
for line in sys.stdin:
    key, _, value = line.strip().partition("=")
    config[key.partition(".")[2].lstrip(".")] = value = ast.literal_eval(value)
    for word in value.split():
        path = pathlib.Path(word.removeprefix("file://"))
        if path.is_absolute() and path.exists():
            # The pages of an index link to files beside it.
            paths.add(path.parent if path.name == "simple" else path)
out = pathlib.Path(sys.argv[1])
lines = "".join(f"{key} = {value}\n" for key, value in config.items())
(out / "pip.conf").write_text(f"[global]\n{lines}")
(out / "volumes").write_text("".join(f"{path}:{path}:ro\n" for path in sorted(paths)))
' "$work"
volumes=(--volume "$work/pip.conf:/etc/pip.conf:ro")
while read -r volume; do volumes+=(--volume "$volume"); done <"$work/volumes"

step 'Image'
# Only the docker format keeps HEALTHCHECK.
buildah bud --pull=never --isolation chroot --format docker "${volumes[@]}" \
  --build-arg PYTHON_IMAGE=localhost/steer-base \
  --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" --tag steer .
buildah images

step 'Start, as the image says'
root=$(buildah mount "$(buildah from --pull-never localhost/steer)")
buildah inspect --type image localhost/steer | python3 -c '
import json, sys

config = json.load(sys.stdin)["Docker"]["config"]
uid, gid = config["User"].split(":")
parts = {
    "user": [f"--reuid={uid}", f"--regid={gid}"],
    "env": config["Env"],
    "command": config["Entrypoint"] + config["Cmd"],
    "health": config["Healthcheck"]["Test"][1:],
    "signal": [config["StopSignal"]],
}
for name, words in parts.items():
    open(f"{sys.argv[1]}/{name}", "w").write("".join(f"{word}\n" for word in words))
' "$work"
mapfile -t user <"$work/user"
mapfile -t env <"$work/env"
mapfile -t command <"$work/command"
mapfile -t health <"$work/health"
signal=$(<"$work/signal")
echo "user: ${user[*]}; command: ${command[*]}"

drop=(setpriv "${user[@]}" --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs
  env --ignore-environment "${env[@]}")
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --mount --net bash -euc '
  root=$1; shift
  python3 -c "
import fcntl, socket, struct
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack(\"16sh14x\", b\"lo\", IFF_UP))"
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/tmp"
  exec chroot "$root" "$@"
' bash "$root" "${drop[@]}" "${command[@]}" &
pid=$!
beside() { nsenter --target "$pid" --net "$@"; }
inside() { nsenter --target "$pid" --net --mount --root --wd=/ "${drop[@]}" "$@"; }

step 'Wait for health, asked from outside'
target=127.0.0.1:50051
deadline=$((SECONDS + 120))
until beside steer health --target "$target" 2>/dev/null; do
  kill -0 "$pid" 2>/dev/null || fail 'the server ended'
  ((SECONDS < deadline)) || fail 'not healthy after 120 s'
  sleep 1
done

step 'Health check of the image'
inside "${health[@]}"

step 'User, capabilities, read-only root'
grep -E '^(Uid|Gid|CapEff|CapBnd|NoNewPrivs):' "/proc/$pid/status"
awk '/^Uid:/ && $3 != 10001 || /^Cap(Eff|Bnd):/ && $2 !~ /^0+$/ { exit 1 }' "/proc/$pid/status" ||
  fail 'wrong user or capabilities left'
error=$(nsenter --target "$pid" --mount --root --wd=/ touch /written 2>&1) && fail 'root is writable'
echo "$error"
[[ $error == *'Read-only file system'* ]] || fail 'the root is protected by something else'

step 'A pair'
prompt=$(python -c 'from steer.tasks import a1; print(a1.problems("report", 1)[0].prompt)')
beside steer compare "$prompt" --vector a1-rloo --target "$target"

step "Stop by $signal"
kill -s "$signal" "$pid"
code=0
wait "$pid" || code=$?
pid=
((code == 0)) || fail "exit code $code"
echo 'exit code 0'

step 'The container check passed'
