"""What the tests of the control plane share: TAP, records, a `vedette serve` of one's own, and an HTTP client on its Unix socket.

Every answer that the client gets is held against openapi.json; end() says what it is not."""
import atexit, base64, fcntl, http.client, json, os, re, shutil, signal, socket, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from described import Described, jsonschema

TIMEOUT = 200  # seconds for an answer: the first scan compiles the rules, which takes long on a machine that others use
BUILD = os.environ["VEDETTE_BUILD"]
VEDETTE = os.path.join(BUILD, "src/cli/vedette")
ZERO = "00000000-0000-0000-0000-000000000000"
VERSION = "?api-version=2022-01-01"
THEFT = "AI.Azure_CredentialTheftAttempt"
_count = _failed = 0


def case(name, ok, note=""):
    global _count, _failed
    _count += 1
    _failed += not ok
    if not ok and note != "":
        print("#", str(note)[:2000].replace("\n", "\n# "))
    print(f"{'ok' if ok else 'not ok'} {_count} - {name}", flush=True)


def skip(name, reason):
    global _count
    _count += 1
    print(f"ok {_count} - {name} # SKIP {reason}", flush=True)


described = Described()


def end():
    if described.seen:
        case(f"{described.seen} answers are as openapi.json describes them", not described.problems, "\n".join(described.problems[:20]))
    print(f"1..{_count}")
    sys.exit(_failed > 0)


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1e6) % 1000000:06d}Z"


def record(number, at=None, **more):
    side = {"bytes": 1, "parts": 1, "inspected": "full"}
    r = {"version": 1, "id": f"{number:032x}", "time": stamp(at or time.time()), "workspace": "weu", "deployment": "gpt-4o", "status": 200,
         "client_ip": "198.51.100.2", "request": side, "response": side, "outcome": "complete", "verdict": "allow"}
    r.update(more)
    return r


def leak(number, at=None, finding=None, **more):
    f = {"direction": "response", "role": "response", "part": "choices[0].message.content", "detector": "credential", "rule": "github-pat",
         "alert": THEFT, "severity": "Medium", "action": "redact", "source": "vedette", "confidence": 99, "start": 0, "end": 40,
         "title": "GitHub token", "redacted": "ghp_****3f2a"}
    f.update(finding or {})
    return record(number, at, verdict="redacted", findings=[f], **more)


def line(r):
    return json.dumps(r).encode() + b"\n"


class Journal:
    """A journal file, written and locked the way a gateway's worker does it."""

    def __init__(self, state, pid=None):
        for i in range(1000):
            self.path = os.path.join(state, "spool", f"journal-{pid or os.getpid()}-{int(time.time() * 1e6) + i}.jsonl")
            try:
                self.fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
                break
            except FileExistsError:
                pass
        fcntl.flock(self.fd, fcntl.LOCK_SH)

    def write(self, *records):
        for r in records:
            os.write(self.fd, r if isinstance(r, bytes) else line(r))
        return self

    def close(self):
        os.close(self.fd)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=TIMEOUT)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self.path)


def schema_before(version):
    """SQL that makes the schema of a store that of an earlier version: what is newer in schema.def goes, and what that took away is back."""
    text = open(os.path.join(os.environ["VEDETTE_SRC"], "src/store/schema.def")).read()
    rows = re.findall(r'^X\((\d+), "\w+", "(CREATE (?:UNIQUE )?(TABLE|INDEX|TRIGGER) (\w+)|ALTER TABLE (\w+) ADD COLUMN (\w+)|DROP TRIGGER (\w+))?', text, re.M)
    first = lambda name: re.search(rf'"(CREATE TRIGGER {name} .*?END)"', text).group(1)
    undo = [f"DROP {kind} {name}" if kind else first(gone) if gone else f"ALTER TABLE {table} DROP COLUMN {column}"
            for since, what, kind, name, table, column, gone in rows if what and int(since) > version]
    return "; ".join(undo[::-1] + [f"PRAGMA user_version = {version};"])


def newest():
    """The version of the schema."""
    return max(map(int, re.findall(r"^X\((\d+),", open(os.path.join(os.environ["VEDETTE_SRC"], "src/store/schema.def")).read(), re.M)))


class Provider:
    """An identity provider with one Ed25519 key of openssl's: what `vedette serve` is told of it, and tokens that it signs."""

    ISSUER, AUDIENCE = "https://login.example", "vedette"

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="vedette-idp-")
        atexit.register(shutil.rmtree, self.folder, True)
        self.key, self.keys = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "keys.json")
        self.openssl("genpkey", "-algorithm", "ED25519", "-out", self.key)
        public = self.openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")[-32:]
        with open(self.keys, "w") as f:
            json.dump({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": self.b64(public)}]}, f)

    @staticmethod
    def openssl(*args):
        return subprocess.run(["openssl", *args], capture_output=True, check=True, timeout=60).stdout

    @staticmethod
    def b64(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def control(self, *roles):
        """Each role by its name in every workspace, and by "ROLE of weu" in one."""
        lines = [f"oidc={self.ISSUER}", f"audience={self.AUDIENCE}", f"keys={self.keys}"]
        return "\n".join(lines + [f"role={r},,{r}" for r in roles] + [f"role={r},weu,{r} of weu" for r in roles])

    def token(self, role, **more):
        claims = {"iss": self.ISSUER, "aud": self.AUDIENCE, "sub": role.replace(" ", "-"), "roles": [role], "exp": int(time.time()) + 3600, **more}
        text = self.b64(b'{"alg":"EdDSA","kid":"k"}') + "." + self.b64(json.dumps(claims).encode())
        with open(os.path.join(self.folder, "text"), "w") as f:
            f.write(text)
        return text + "." + self.b64(self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", f.name))


class Stand:
    def __init__(self, *args, workspaces=("weu,westeurope",), state=None, preexec=None, fds=()):
        self.top = tempfile.mkdtemp(prefix="vedette-api-")
        self.state = state or os.path.join(self.top, "state")
        # Tests write records of any time: what is kept for how long is only the matter of those that say so.
        kept = [] if "--retention" in args else [a for w in workspaces for a in ("--retention", w.split(",")[0] + ",alerts=forever,evidence=forever,records=forever,audit=forever")]
        self.fds = fds
        self.args = [a for w in workspaces for a in ("--workspace", w)] + kept + list(args)
        self.log = os.path.join(self.top, "log")
        self.process = None
        os.makedirs(os.path.join(self.state, "spool"), exist_ok=True)
        self.start(preexec)

    def start(self, preexec=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([VEDETTE, "serve", "--state", self.state, *self.args], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, preexec_fn=preexec, pass_fds=self.fds)
        for _ in range(6000):
            if self.process.poll() is not None:
                raise RuntimeError("serve ended: " + open(self.log, errors="replace").read())
            try:
                if self.call("GET", "/healthz")[0] == 200:
                    self.token = open(os.path.join(self.state, "admin.token")).read().strip()
                    return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("serve does not answer")

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        return self.process.wait(20)

    def call(self, method, path, token=None, headers=None, body=None):
        c = UnixConnection(os.path.join(self.state, "control.sock"))
        h = dict(headers or {})
        if token:
            h["Authorization"] = "Bearer " + token
        c.request(method, path, body=body, headers=h)
        r = c.getresponse()
        # a stream of events has no end of its own
        data = r.read1(64) if "event-stream" in (r.getheader("Content-Type") or "") else r.read()
        c.close()
        value = json.loads(data) if data and "json" in (r.getheader("Content-Type") or "") else data.decode()
        described.take(method, path, r.status, r.getheader("Content-Type"), data)
        return r.status, value, r

    def get(self, path):
        return self.call("GET", path, self.token)

    def alerts(self, scope=f"/subscriptions/{ZERO}"):
        out, path = [], f"{scope}/providers/Microsoft.Security/alerts{VERSION}"
        while path:
            status, page, _ = self.get(path)
            if status != 200:
                raise RuntimeError(f"{status} {page}")
            out += page["value"]
            path = page.get("nextLink", "").partition("//localhost")[2]
        return out

    def metric(self, name):
        for row in self.get("/metrics")[1].splitlines():
            if row.startswith("vedette_" + name + " "):
                return int(row.split()[1])

    def until(self, what, seconds=15):
        end = time.time() + seconds
        while time.time() < end:
            try:
                if what():
                    return True
            except (OSError, RuntimeError, TypeError):
                pass
            time.sleep(0.02)
        return False

    def stop(self):
        if self.process.poll() is None:
            self.kill(signal.SIGTERM)
        shutil.rmtree(self.top, ignore_errors=True)
