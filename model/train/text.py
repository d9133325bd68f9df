"""The product's view, tokens and model (src/engine/view.c, src/model), called from Python, and the files that hold the data."""
import ctypes
import json
import lzma
import mmap
import os
import pathlib
import subprocess

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMPT, DOCUMENT, MASK, FIRST_PIECE = 1, 2, 3, 261  # src/model/tokens.h
_native = None


def native():
    """The product's code as a library: the build's, brought up to date."""
    global _native
    if _native is None:
        build = ROOT / os.environ.get("VEDETTE_BUILD", "build")
        if not (build / "build.ninja").exists():
            subprocess.run(["meson", "setup", str(build), str(ROOT), "--buildtype=release"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["ninja", "-C", str(build), "model/train/libnative.so"], check=True, stdout=subprocess.DEVNULL)
        _native = ctypes.CDLL(str(build / "model/train/libnative.so"))
        _native.native_vocabulary.restype = _native.native_reader.restype = ctypes.c_void_p
        _native.native_tokens.restype = ctypes.c_size_t
    return _native


def size(n):
    return ctypes.c_size_t(n)


def array(a):
    return a.ctypes.data_as(ctypes.c_void_p)


class Vocabulary:
    def __init__(self, pieces):
        """pieces: the bytes of a vocabulary file (a length byte and its bytes, each)."""
        self.pieces = pieces  # the handle points into them
        self.handle = ctypes.c_void_p(native().native_vocabulary(pieces, size(len(pieces))))
        assert self.handle.value, "not a vocabulary"
        self.size = native().native_size(self.handle)

    def tokens(self, text, most=1 << 20):
        raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
        out = np.empty(min(most, 2 * len(raw) + 16), np.uint16)
        return out[:native().native_tokens(self.handle, raw, size(len(raw)), array(out), size(len(out)))]

    def ends(self):
        """Token numbers that end a line or a sentence."""
        return [4, *(self.tokens("a" + mark)[-1] for mark in (".", "!", "?", "\u3002", "\uff01", ";", "}"))]


class Reader:
    """The product's model over a weights file."""

    def __init__(self, path, encoder_path=None):
        with open(path, "rb") as f:
            self.map = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ | mmap.PROT_WRITE, flags=mmap.MAP_PRIVATE)
        error = ctypes.create_string_buffer(400)
        at = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        self.handle = ctypes.c_void_p(native().native_reader(ctypes.c_void_p(at), size(len(self.map)),
                                                             encoder_path and encoder_path.encode(), error, size(400)))
        if not self.handle.value:
            raise ValueError(error.value.decode())

    def judge(self, text, document):
        """(logit, score, windows, read)"""
        raw, out = text.encode("utf-8", "replace"), (ctypes.c_double * 4)()
        native().native_judge(self.handle, raw, size(len(raw)), int(document), out)
        return tuple(out)


def read_rows(path):
    path = pathlib.Path(path)
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def source_of(path):
    return pathlib.Path(path).name.split(".")[0]
