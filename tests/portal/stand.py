"""A portal in front of a real gateway for the browser's tests: builds it, installs the driver, starts `vedette run`, raises alerts, runs a node program."""
import fcntl, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "gateway"))
from rig import *

HERE = os.path.join(SRC, "tests/portal")
# Learning times are short, so that a drill raises what takes weeks elsewhere.
QUICK = ("behaviour: {repeats: 20, repeats_percent: 0, repeats_learning: 0s, volume_learning: 0s, volume_requests: 70, access_learning: 0s,"
         " access_requests: 10, tools_learning: 0s, tools_interactions: 5, data_learning: 0s}\n")
DEPLOYMENTS = {"gpt-4o": "upstream: simulated, prompt_evidence: full", "lenient": "upstream: simulated, policy: lenient", "agents": "upstream: simulated"}
POLICIES = {"standard": "tools: {denied: [{name: drop_table}]}", "lenient": "jailbreak: {action: detect}\nindirect: {action: detect}"}


def bail(what):
    print(f"Bail out! {what}", flush=True)
    sys.exit(1)


def prepare():
    """The portal's folder and the driver's (with a newer node than Debian's), once for all programs that run side by side. A failed install is a failed test, not a skipped one."""
    with open(os.path.join(BUILD, "portal.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(["sh", "-c", '. share/setup.sh; . share/portal.sh; build_portal "$1"', "sh", BUILD], cwd=SRC, capture_output=True, text=True)
        if done.returncode:
            bail("the portal could not be built: " + done.stderr[-400:])
        want, have = os.path.join(HERE, "package-lock.json"), os.path.join(HERE, "node_modules/.installed")
        if not os.path.exists(have) or open(want).read() != open(have).read():
            done = subprocess.run(["npm", "ci", "--no-progress"], cwd=HERE, capture_output=True, text=True)
            if done.returncode:
                bail("npm could not install the browser's driver: " + done.stderr[-400:])
            shutil.copy(want, have)


def portal(**more):
    prepare()
    g = Gateway(DEPLOYMENTS, POLICIES, more=QUICK, **more)
    g.env["VEDETTE_PORTAL"] = os.path.join(BUILD, "portal")
    return g


def drill(g, *args):
    done = subprocess.run([VEDETTE, "drill", g.config, "--state", g.state, *args], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert '"result":"raised"' in done.stdout, done.stdout + done.stderr
    return [json.loads(l) for l in done.stdout.splitlines()]


def token(g, name, role, *more):
    done = subprocess.run([VEDETTE, "tokens", "create", name, "--role", role, "--state", g.state, *more], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def link(g, name):
    """What stands behind the # of a link that signs in once."""
    done = subprocess.run([VEDETTE, "tokens", "link", name, "--state", g.state], capture_output=True, text=True, timeout=60)
    assert "#once=" in done.stdout, done.stdout + done.stderr
    return done.stdout.split("#once=")[1].split()[0]


def browse(g, program, **env):
    """Runs a node program, whose TAP lines become cases here."""
    seen = {"count": 0}
    answers = os.path.join(g.folder, "answers.jsonl")
    run = subprocess.Popen([os.path.join(HERE, "node_modules/node/bin/node"), "--import", os.path.join(SRC, "tests/clients/record.mjs"), os.path.join(HERE, program)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
                           env={**os.environ, "CONTROL": f"http://127.0.0.1:{g.control}", "GATEWAY": f"http://127.0.0.1:{g.port}", "STATE": g.state,
                                "PORTAL": os.path.join(BUILD, "portal"), "ANSWERS": answers, **env})
    for line in run.stdout:
        took(line.rstrip("\n"), seen)
    run.wait()

    def finished():
        assert run.returncode == 0 and seen["count"], f"exit status {run.returncode} after {seen['count']} cases"
    finished.__doc__ = f"{program} ran to its end"
    case(finished)
    if os.path.exists(answers):
        with open(answers, encoding="utf-8", errors="replace") as f:
            for a in map(json.loads, f):
                described.take(a["method"], a["path"], a["status"], a["type"], (a["body"] or "").encode())
        os.remove(answers)


def took(line, seen):
    if line.startswith(("ok ", "not ok ")):
        seen["count"] += 1
        bad = line.startswith("not")

        def told():
            assert not bad, "see the notes above"
        told.__doc__ = line.split(" - ", 1)[1]
        case(told)
    elif line:
        print(line if line.startswith("#") else "# " + line[:600], flush=True)
