#!/usr/bin/python3
"""From a weights file of the product back to what training goes on from: WORK/model.pt, gate.xz, witness.xz and letters.xz out. export.py the other way around.

    model/train/unpack.py --work DIR [--weights model/shield.weights]

Whoever has no checkpoint begins here: `pack.py` makes rows of the data, `finetune.py --encoder model.pt --go-on` trains the network further, one's own rows
in model/data among them, and `export.py` writes the file. Weights come back as they are in the product, of 8 bits.
"""
import argparse
import pathlib
import struct

import numpy as np
import torch

import pack
from network import EXIT, SHAPE
from text import DOCUMENT, PROMPT, ROOT

FORMAT = 7


def sections_of(path):
    """{name: bytes} of the file's sections (src/model/weights.h)."""
    raw = pathlib.Path(path).read_bytes()
    magic, form, _, size, _, _, count, _ = struct.unpack_from("<8sIIQQII24s", raw)
    if magic != b"VDTMODEL" or form != FORMAT or size != len(raw):
        raise SystemExit(f"{path}: not a whole weights file of format {FORMAT}")
    table = (struct.unpack_from("<16sQQ", raw, 64 + 32 * i) for i in range(count))
    return {name.rstrip(b"\0").decode(): raw[at:at + n] for name, at, n in table}


def floats(raw, *shape):
    return np.frombuffer(raw, np.float32).reshape(shape)


def matrix(part, name, k):
    """[n/16][k/4][16][4] to [n,k], in what a whole number is worth."""
    scale = floats(part[f"{name}.scale"], -1)
    packed = np.frombuffer(part[name], np.int8).reshape(-1, k // 4, 16, 4)
    return packed.transpose(0, 2, 1, 3).reshape(-1, k) * scale[:, None]


def network(part):
    """What finetune.Classifier.state() has."""
    d, inner, state = SHAPE["width"], SHAPE["inner"], {}
    state["emb"] = np.frombuffer(part["embedding"], np.int8).reshape(-1, d) * floats(part["embedding.scale"], -1, 1)
    norm = lambda name: floats(part[name], 2, d)
    for i in range(SHAPE["layers"]):
        for name in ("qkv", "out", "up", "down"):
            state[f"{i}.{name}"] = matrix(part, f"{i}.{name}", inner if name == "down" else d)
        for name, short in (("norm1", "n1"), ("norm2", "n2")):
            state[f"{i}.{short}g"], state[f"{i}.{short}b"] = norm(f"{i}.{name}")
    for prefix, short, head in (("", "n", ""), ("exit.", "exit.", "exit_")):
        state[short + "g"], state[short + "b"] = norm(prefix + "norm")
        for name in ("query", "pooled", "mean"):
            state[f"head.{head}{name}"] = floats(part[prefix + name], 2, d)
        state[f"head.{head}bias"] = floats(part[prefix + "bias"], 2)
    state["head.category"] = floats(part["category"], -1, d)
    state["head.category_bias"] = floats(part["category.bias"], -1)
    return state


def tables(part, name, which):
    """What gate.py and witness.py save."""
    numbers, table = floats(part[name], 2, -1), np.frombuffer(part["gate.table"], np.int8).reshape(2, -1, 2)[:, :, which]
    out = {}
    for role, of, places in zip((PROMPT, DOCUMENT), numbers, table):
        out |= {f"reach-{role}": int(of[0]), f"factors-{role}": of[1:-2], f"bias-{role}": of[-2], f"table-{role}": places}
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--weights", default=str(ROOT / "model/shield.weights"))
    a = p.parse_args()
    part = sections_of(a.weights)
    shape = np.frombuffer(part["shape"], np.uint32).tolist()
    if shape[:4] != [SHAPE[k] for k in ("width", "layers", "heads", "inner")] or shape[-1] != EXIT:
        raise SystemExit(f"{a.weights}: a network of another shape than network.py has")
    a.work.mkdir(parents=True, exist_ok=True)
    torch.save({k: torch.tensor(v, dtype=torch.float32) for k, v in network(part).items()}, a.work / "model.pt")
    for which, name in enumerate(("gate", "witness")):
        pack.save(a.work / f"{name}.xz", **tables(part, name, which))
    pack.save(a.work / "letters.xz", factors=floats(part["letters"], -1)[:3], table=np.frombuffer(part["letters.table"], np.int8))
    print(", ".join(str(a.work / name) for name in ("model.pt", "gate.xz", "witness.xz", "letters.xz")))


if __name__ == "__main__":
    main()
