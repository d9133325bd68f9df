"""Looks for texts in every file of a folder, however they were written down. For tests that claim that something is stored nowhere.

    from search_state import search
    hits = search(g.state, [prompt, answer])
    assert not hits, hits

Each hit is a line "FILE: FORM, text N: b'...'". A text counts as found when any WINDOW bytes of it, beginning at a multiple of WINDOW, stand
in a file (so every stretch of 2 * WINDOW - 1 bytes of it is found, also where the rest was masked, cut or lies on another page of a
database); a shorter text when it stands there whole. The forms: the bytes themselves; in JSON's, C's and percent escapes; base64 and base64url at any
alignment, on one line or many; hex in either case; UTF-16 of either order. Files are read as they lie on disk: databases with their free
pages, write-ahead logs, journals, sockets left out. Files of other owners need the rights to read them: one that cannot be read fails.
Choose texts that cannot be there for another reason: with words of chance in them, and none of the names that records keep (users, models).
"""
import base64, os, re, stat

WINDOW = 20


def probes(texts):
    """(number of the text, bytes to look for); a text may be str or bytes."""
    for n, text in enumerate(texts):
        raw = text.encode() if isinstance(text, str) else text
        assert len(raw) >= 8, f"text {n} is too short to mean anything: {raw!r}"
        for i in range(0, max(len(raw) - WINDOW + 1, 1), WINDOW):
            yield n, raw[i : i + WINDOW]


_ESCAPE = re.compile(rb'\\u00([0-9a-fA-F]{2})|\\x([0-9a-fA-F]{2})|\\(["\\/bfnrt])|%([0-9a-fA-F]{2})')
_SHORT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_WIDE = re.compile(rb"\\u([0-9a-fA-F]{4})")


def _unescape(data):
    def wide(m):
        code = int(m[1], 16)
        return m[0] if code < 256 or 0xD800 <= code < 0xE000 else chr(code).encode()

    def one(m):
        if m[1]:
            return chr(int(m[1], 16)).encode()
        return bytes([int(m[2] or m[4], 16)]) if m[2] or m[4] else _SHORT.get(m[3], m[3])

    return _ESCAPE.sub(one, _WIDE.sub(wide, data))


def _base64(data):
    out = []
    for run in re.findall(rb"[A-Za-z0-9+/_-](?:[A-Za-z0-9+/_-]|\r?\n){11,}", data):
        run = run.replace(b"\r", b"").replace(b"\n", b"").replace(b"-", b"+").replace(b"_", b"/")
        for skip in range(4):
            part = run[skip:]
            out.append(base64.b64decode(part[: len(part) & ~3]))
            if len(part) % 4 > 1:
                out.append(base64.b64decode(part[-(len(part) % 4) :] + b"=" * (4 - len(part) % 4)))
            out.append(b"\0")
    return b"".join(out)


def _hex(data):
    out = []
    for run in re.findall(rb"[0-9a-fA-F]{16,}", data):
        for skip in (0, 1):
            part = run[skip:]
            out += [bytes.fromhex(part[: len(part) & ~1].decode()), b"\0"]
    return b"".join(out)


def _utf16(data):
    """Both orders: pairs of which one byte is 0; and as UTF-8 what stands beyond ASCII."""
    out = [data.replace(b"\0", b"")]
    for order in ("utf-16-le", "utf-16-be"):
        for skip in (0, 1):
            out.append(data[skip:].decode(order, "replace").encode("utf-8", "replace"))
    return b"\n".join(out)


FORMS = {"as it is": lambda d: d, "escaped": _unescape, "base64": _base64, "hex": _hex, "UTF-16": _utf16}


def search_bytes(data, texts, name="data"):
    found = []
    wanted = list(probes(texts))
    for form, view in FORMS.items():
        shown = view(data)
        found += [f"{name}: {form}, text {n}: {probe!r}" for n, probe in wanted if probe in shown]
    return found


def files(folder):
    """Every plain file below the folder; links are not followed."""
    for at, _, names in os.walk(folder, onerror=_fail):
        for name in sorted(names):
            path = os.path.join(at, name)
            try:
                if stat.S_ISREG(os.lstat(path).st_mode):
                    yield path
            except FileNotFoundError:
                pass


def _fail(error):
    if not isinstance(error, FileNotFoundError):
        raise error


def _is_ours(name, data):
    """Whether it is the copy of one of the portal's own files, byte for byte: the playground's examples are no traffic."""
    _, place, rest = ("/" + name).partition("/nginx/portal/")
    at = os.path.join(os.environ.get("VEDETTE_PORTAL") or os.path.join(os.environ.get("VEDETTE_BUILD", ""), "portal"), rest)
    return bool(place) and os.path.isfile(at) and open(at, "rb").read() == data


def search(folder, texts, leave_out=()):
    """Hits in all files of the folder. leave_out: files (paths relative to the folder) that hold the texts with reason."""
    texts, found, read = list(texts), [], 0
    for path in files(folder):
        name = os.path.relpath(path, folder)
        if name in leave_out:
            continue
        try:
            with open(path, "rb") as f:
                data = f.read()
        except FileNotFoundError:  # a journal that was just taken
            continue
        read += 1
        if _is_ours(name, data):
            continue
        found += search_bytes(data, texts, name)
    assert read, f"{folder}: no file at all was read"
    return found
