#!/bin/sh
# How long `vedette run` takes from its start to the lines that it prints: the first start of a state folder compiles the rules, later ones take what it kept.
# Then the same for `vedette scan` of one text, with the peak of its memory. Usage: tests/bench/start.sh [BUILD-DIR]
set -eu
src=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:-$src/build}" && pwd)
unset VEDETTE_CACHE
exec python3 - "$build/src/cli/vedette" <<'PY'
import os, resource, shutil, signal, socket, subprocess, sys, tempfile, time

vedette = sys.argv[1]
folder = tempfile.mkdtemp(prefix="vedette-bench.")
os.chmod(folder, 0o755)


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run():
    began = time.monotonic()
    p = subprocess.Popen([vedette, "run", "--config", f"{folder}/vedette.yaml", "--state", f"{folder}/state"], stdout=subprocess.PIPE, text=True)
    ready = any("Ctrl-C stops" in line for line in p.stdout)
    took = time.monotonic() - began
    p.send_signal(signal.SIGINT)
    p.wait()
    assert ready, "it did not start"
    return took * 1000


def scan():
    began = time.monotonic()
    p = subprocess.Popen([vedette, "scan"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=dict(os.environ, XDG_CACHE_HOME=f"{folder}/cache"))
    p.stdin.write(b'{"text": "hello"}\n')
    p.stdin.close()
    _, status, used = os.wait4(p.pid, 0)
    assert status == 0, status
    return (time.monotonic() - began) * 1000, used.ru_maxrss / 1024


try:
    with open(f"{folder}/vedette.yaml", "w") as f:
        f.write(f"listen: {{gateway: 127.0.0.1:{port()}, control: 127.0.0.1:{port()}}}\nworkspaces: [{{name: weu}}]\n"
                "deployments: [{name: gpt-4o, workspace: weu, upstream: simulated}]\n")
    for name, once in (("run", run), ("scan", scan)):
        for i in range(5):
            took = once()
            what = f"{took:6.0f} ms" if name == "run" else f"{took[0]:6.0f} ms, peak {took[1]:.0f} MB"
            print(f"vedette {name:5} {'first' if i == 0 else 'later'} {what}", flush=True)
finally:
    shutil.rmtree(folder, ignore_errors=True)
PY
