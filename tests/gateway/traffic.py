"""What a test's clients, models and shields said to each other, and the proof that no file of the state folder has a stretch of it.

    import traffic
    traffic.watch()                    # from here on everything that passes sockets to the ports of traffic.ports is kept, both ways
    traffic.ports.add(port)
    hits, probes = traffic.search(state_folder)

A text is what stands in a JSON string, or in pieces of a stream put together again, in plain or in gzip, and has a blank in it, or stands where a text stands: other
strings without a blank are names and ids. Each stretch of WINDOW bytes of it, beginning at a multiple of WINDOW, is looked for in every file, in every form of search_state.py. What may stand there with reason is
said in explained(), for which kind of file and why; nothing else is passed over.
"""
import base64, glob, hashlib, itertools, json, os, re, socket, ssl, subprocess, tempfile, zlib

from search_state import FORMS, WINDOW, _is_ours, files

SRC = os.environ.get("VEDETTE_SRC") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEPT_MAX, PROBES_MAX = 16 << 20, 60000
ports = set()  # of gateways and of upstreams
_said = {}  # (socket, direction): bytes
_kept = 0


def _keep(sock, way, data):
    global _kept
    if _kept > KEPT_MAX or not data:
        return
    try:
        here, there = sock.getsockname(), sock.getpeername()  # once: the other side may go at any time
    except OSError:
        return
    if sock.family not in (socket.AF_INET, socket.AF_INET6) or not {here[1], there[1]} & ports:
        return
    _kept += len(data)
    _said.setdefault((id(sock), here, there, way), bytearray()).extend(data)


def watch():
    """Every socket of this process, whoever uses it."""
    for kind in (socket.socket, ssl.SSLSocket):
        for name in ("send", "sendall"):
            def sending(self, data, *args, _of=getattr(kind, name), _plain=kind is socket.socket):
                if not (_plain and isinstance(self, ssl.SSLSocket)):
                    _keep(self, "sent", bytes(data))
                return _of(self, data, *args)
            setattr(kind, name, sending)

        def recv(self, *args, _of=kind.recv):
            data = _of(self, *args)
            _keep(self, "got", data)
            return data

        def recv_into(self, buffer, *args, _of=kind.recv_into):
            n = _of(self, buffer, *args)
            _keep(self, "got", bytes(memoryview(buffer)[: n or 0]))
            return n
        kind.recv, kind.recv_into = recv, recv_into


def heard(data):
    """What was kept by another process: one stream."""
    _said[("heard", len(_said))] = bytearray(data)


# ---- texts ---------------------------------------------------------------------------------------------------------
_STRING = re.compile(rb'"((?:[^"\\\x00-\x1f]|\\.)*)"\s*(:?)')
_PIECES = re.compile(rb'"(?:content|text|delta|partial_json|arguments|response|refusal|transcript)"\s*:\s*"((?:[^"\\]|\\.)*)"')
# The sentence of an error is ours, and the record has it too: what was wrong and where, never what stood there.
_OUR_ERROR = re.compile(rb'"error"\s*:\s*\{[^{}]*?"message"\s*:\s*"(?:[^"\\]|\\.)*"')
_ESCAPES = re.compile(rb'\\(?:u([0-9a-fA-F]{4})|(.))', re.S)
_PLAIN = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


def _unquote(raw):
    def one(m):
        if m[1]:
            code = int(m[1], 16)
            return m[0] if 0xD800 <= code < 0xE000 else chr(code).encode()
        return _PLAIN.get(m[2], m[2])

    return _ESCAPES.sub(one, raw)


_GZIP = b"\x1f\x8b\x08"
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,7})(?:;[^\r\n]*)?\r\n")


def _dechunked(data, at):
    """The body that is sent in chunks, the first of which has its first byte at that place; None: it is not."""
    out, head = [], re.search(rb"\r\n([0-9a-fA-F]{1,7})(?:;[^\r\n]*)?\r\n$", data[max(0, at - 40) : at])
    size = int(head[1], 16) if head else 0
    while size:
        out.append(data[at : at + size])
        m = _CHUNK.match(data, at + size + 2)
        if not m:
            break
        size, at = int(m[1], 16), m.end()
    return b"".join(out) or None


def unpacked(data):
    """What stands in it in gzip, whole bodies or in chunks, as far as it goes."""
    out, at = [], data.find(_GZIP)
    while at >= 0:
        for body in filter(None, (_dechunked(data, at), data[at:])):
            try:
                out.append(zlib.decompressobj(31).decompress(body, KEPT_MAX))
                break
            except zlib.error:
                pass
        at = data.find(_GZIP, at + 1)
    return out


# Where texts stand, whatever the provider. What has one word only there may be a key, and is looked for as a whole.
_WORD = re.compile(rb'"(?:content|text|delta|partial_json|arguments|response|refusal|transcript|prompt|input|output|thinking|reasoning|instructions|system)"\s*:\s*"((?:[^"\\ ]|\\.)*)"')


def words():
    """Texts without a blank."""
    out = set()
    for data in _all_that_was_said():
        out |= {_unquote(m[1]) for m in _WORD.finditer(data) if len(m[1]) >= WINDOW}
        out.add(b"".join(_unquote(m[1]) for m in _PIECES.finditer(data)))
    return {w for w in out if len(w) >= WINDOW and not re.search(rb"[ \n]", w) and len(set(w)) > 5}


def _all_that_was_said():
    for data in map(bytes, _said.values()):
        for part in (data, *unpacked(data)):
            yield _OUR_ERROR.sub(b"", part)


def texts():
    """Every text with a blank that was said, once."""
    out = set()
    for data in _all_that_was_said():
        for m in _STRING.finditer(data):
            if len(m[1]) >= WINDOW and not m[2]:
                out.add(_unquote(m[1]))
        joined = b"".join(_unquote(m[1]) for m in _PIECES.finditer(data))
        if len(joined) >= WINDOW:
            out.add(joined)
    return {t for t in out if b" " in t or b"\n" in t}


def probes():
    """Stretches to look for: those with a blank, of which a name has none."""
    out = set()
    for t in texts():
        for i in range(0, len(t) - WINDOW + 1, WINDOW):
            p = t[i : i + WINDOW]
            if (b" " in p or b"\n" in p) and len(set(p)) > 5:
                out.add(p)
    out |= {w[i : i + WINDOW] for w in words() for i in range(0, len(w) - WINDOW + 1, WINDOW)}
    step = max(1, len(out) // PROBES_MAX)
    return set(itertools.islice(sorted(out), 0, None, step)), len(out)


# ---- looking -------------------------------------------------------------------------------------------------------
_FLAT = bytes.maketrans(b"\n\0", b"\x01\x02")


def _find(data, wanted_file):
    """The probes that stand in data. grep finds many texts in one pass; line ends and NULs are exchanged for bytes that it does not know."""
    with tempfile.TemporaryFile() as f:
        f.write(data.translate(_FLAT))
        f.seek(0)
        done = subprocess.run(["grep", "-aoF", "-f", wanted_file], stdin=f, capture_output=True, env={"LC_ALL": "C", "PATH": os.environ["PATH"]})
    assert done.returncode < 2, done.stderr
    return {line for line in done.stdout.split(b"\n") if line}


_own = []


def _is_own_word(probe):
    """It stands in the program itself: in a title, a reason or a sentence of ours that an answer has too."""
    if not _own:
        names = [n for end in ("c", "def", "h", "json") for n in glob.glob(f"{SRC}/src/**/*.{end}", recursive=True)]
        rules = b"\n".join(l for n in sorted(glob.glob(f"{SRC}/rules/**/*.yaml", recursive=True)) for l in open(n, "rb") if re.match(rb"\s*-?\s*\{?\s*(id|title|category|remediation|purview)\s*:", l))
        joined = b"\n".join(open(n, "rb").read() for n in names)
        _own.append(re.sub(rb'"\s*\n\s*"', b"", joined) + rules)
    return probe in _own[0]


def explained(name, probe, configured=b""):
    """Why a stretch may stand in that file, or None."""
    if _is_own_word(probe):
        return "our own words"
    if re.fullmatch(r"run/effective(\.previous)?\.yaml|nginx/nginx\.conf(\.next)?", name) and probe in configured:
        return "the configuration has it"
    return None


def as_they_are(folder):
    """What every file of the folder is now. One that is the same after the traffic was written before anything was said."""
    out = {}
    for path in files(folder):
        try:
            out[os.path.relpath(path, folder)] = hashlib.sha256(open(path, "rb").read()).digest()
        except FileNotFoundError:
            pass
    return out


def search(folder, before=None, configured=b"", leave_out=()):
    """(hits, how many stretches were looked for, bytes of files that were read). before: as_they_are() when nothing had been said."""
    wanted, _ = probes()
    hits, size = [], 0
    if not wanted:
        return hits, 0, 0
    with tempfile.NamedTemporaryFile() as w:
        w.write(b"\n".join(p.translate(_FLAT) for p in sorted(wanted)))
        w.flush()
        for path in files(folder):
            name = os.path.relpath(path, folder)
            try:
                data = open(path, "rb").read()
            except FileNotFoundError:
                continue
            if name in leave_out or _is_ours(name, data) or (before or {}).get(name) == hashlib.sha256(data).digest():
                continue
            size += len(data)
            for form, view in FORMS.items():
                for flat in _find(view(data), w.name):
                    probe = flat.translate(bytes.maketrans(b"\x01\x02", b"\n\0"))
                    if not explained(name, probe, configured):
                        hits.append(f"{name}: {form}: {probe!r}")
    return hits, len(wanted), size


# ---- the whole suite's traffic -------------------------------------------------------------------------------------
SHELF = os.path.join(os.environ.get("VEDETTE_BUILD", ""), "traffic")  # a file per program, of its last run: whole_traffic.test says it all again
EACH_MAX, BODY_MAX = 200, 64 << 10
_asked = {}


def asked(method, path, body, headers):
    """A request to a gateway: kept once."""
    data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
    kept = {k: v for k, v in (headers or {}).items() if k.lower() in ("content-type", "content-encoding", "anthropic-version", "x-end-user")}
    if len(data) <= BODY_MAX and len(_asked) < EACH_MAX:
        _asked.setdefault((method, path, data, json.dumps(kept, sort_keys=True)), None)


def shelve(program, deployments):
    if not os.environ.get("VEDETTE_BUILD") or not _asked:
        return
    os.makedirs(SHELF, exist_ok=True)
    beside = f"{SHELF}/.{program}.{os.getpid()}"
    with open(beside, "w") as f:
        json.dump({"deployments": sorted(deployments), "requests": [[m, p, base64.b64encode(d).decode(), json.loads(h)] for m, p, d, h in _asked]}, f)
    os.rename(beside, f"{SHELF}/{program}.json")
