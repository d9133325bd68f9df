#!/usr/bin/python3
"""A copy of a weights file in which the gate, letters or the exit let more or fewer windows go, to see what that costs and saves:

    model/train/thresholds.py model/shield.weights /tmp/moved --exit 0.9,-1.04
    model/evaluate --data SHARED/data --weights /tmp/moved

--exit: the logits below which a window of a prompt and of a document leaves after the first layers; --gate: what the gate must foresee for one to
be read at all; --letters: the same of a window of a prompt, with letters known. -1e9 lets nothing go. Without any of them it says what they are. Nothing else changes, the calibration of scores neither: recall is to be compared
where the same share of ordinary text is flagged, as evaluate does.
"""
import argparse
import pathlib
import struct
import zlib

HEAD, ROW = 64, 32


def sections(data):
    """Name to (place, size)."""
    n, = struct.unpack_from("<I", data, 36)
    rows = (struct.unpack_from("<16sQQ", data, HEAD + ROW * i) for i in range(n))
    return {name.rstrip(b"\0").decode(): (at, size) for name, at, size in rows}


def places(data):
    """Where the thresholds of each stage stand, by role: those of the gate are the last numbers of its two rows, and that of letters is their last."""
    leave, _ = sections(data)["exit.leave"]
    gate, size = sections(data)["gate"]
    letters, many = sections(data)["letters"]
    return {"exit": (leave, leave + 4), "gate": (gate + size // 2 - 4, gate + size - 4), "letters": (letters + many - 4,)}


def move(data, stage, values):
    for at, value in zip(places(data)[stage], values, strict=True):
        struct.pack_into("<f", data, at, value)
    struct.pack_into("<I", data, 32, zlib.crc32(data[HEAD:]))


def pair(text):
    prompt, document = map(float, text.split(","))
    return prompt, document


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("weights", type=pathlib.Path)
    p.add_argument("out", nargs="?", type=pathlib.Path)
    p.add_argument("--exit", type=pair, metavar="PROMPT,DOCUMENT")
    p.add_argument("--gate", type=pair, metavar="PROMPT,DOCUMENT")
    p.add_argument("--letters", type=lambda text: (float(text),), metavar="PROMPT")
    a = p.parse_args()
    data = bytearray(a.weights.read_bytes())
    for stage, values in (("exit", a.exit), ("gate", a.gate), ("letters", a.letters)):
        if values:
            move(data, stage, values)
        print(stage, *(f"{struct.unpack_from('<f', data, at)[0]:g}" for at in places(data)[stage]))
    if a.out:
        a.out.write_bytes(data)


if __name__ == "__main__":
    main()
