#!/usr/bin/python3
"""From WORK/model.pt to the weights file of the product: 8-bit weights, the gate, the calibration (src/model/weights.h).

    model/train/export.py --data SHARED/data --work DIR --out model/shield.weights --version N

The gate is trained here: to foresee the encoder's logit on the windows of all texts at hand. Calibration is done on what the product itself
computes, over the benign sources that were kept out, each source counting the same.
"""
import argparse
import collections
import json
import os
import pathlib
import struct
import subprocess
import zlib

import numpy as np
import torch
import torch.nn.functional as F

import corpus
import examples
from evaluation import score_windows
from finetune import Classifier
from network import GATE_BITS, GATE_BOXES, NAME, RULES, SHAPE, STRIDE, WINDOW
from ops import rotary
from text import DOCUMENT, PROMPT, ROOT, Reader, Vocabulary, slots

# What a score means: the share of ordinary texts that score at least that much. docs/detection.md
RATES = ((0.5, 0.02), (0.2, 0.10), (0.1, 0.20), (0.05, 0.35), (0.02, 0.50), (0.01, 0.60), (0.005, 0.75), (0.002, 0.90), (0.001, 0.95))
LOST = 0.02  # of the attacks that the encoder would find the gate may let go


def quantise(w):
    """int8 rows and their scales."""
    w = np.asarray(w, np.float32)
    scale = np.maximum(np.abs(w).max(1), 1e-12) / 127
    return np.rint(w / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def pack(w):
    """[n,k] to [n/16][k/4][16][4]."""
    n, k = w.shape
    return np.ascontiguousarray(w.reshape(n // 16, 16, k // 4, 4).transpose(0, 2, 1, 3))


def sections(state, vocabulary, pieces, gate, knots):
    d = SHAPE["width"]
    shape = [d, SHAPE["layers"], SHAPE["heads"], SHAPE["inner"], vocabulary, WINDOW, len(examples.CATEGORIES), STRIDE, GATE_BITS,
             len(knots[0])]
    yield "shape", np.array(shape, np.uint32)
    table, scale = quantise(state["emb"])
    yield "embedding", table
    yield "embedding.scale", scale
    cosine, sine = (t.numpy() for t in rotary(WINDOW, d // SHAPE["heads"]))
    yield "rotary", np.stack([cosine, sine], 1)
    for i in range(SHAPE["layers"]):
        for part in ("qkv", "out", "up", "down"):
            w, scale = quantise(state[f"{i}.{part}"])
            yield f"{i}.{part}", pack(w)
            yield f"{i}.{part}.scale", scale
        for norm, name in (("n1", "norm1"), ("n2", "norm2")):
            yield f"{i}.{name}", np.concatenate([state[f"{i}.{norm}g"], state[f"{i}.{norm}b"]])
    yield "norm", np.concatenate([state["ng"], state["nb"]])
    for name in ("query", "pooled", "mean", "bias", "category"):
        yield name, state["head." + name]
    yield "category.bias", state["head.category_bias"]
    yield "gate", np.array([[*factors, bias, at] for factors, bias, _, at in gate], np.float32)
    yield "gate.table", np.stack([t for _, _, t, _ in gate])
    yield "rules", np.array(RULES, np.float32)
    yield "calibration", np.array(knots, np.float32)
    yield "pieces", np.frombuffer(pieces, np.uint8)


def write(path, version, parts):
    table, body = b"", b""
    parts = [(name, np.ascontiguousarray(a if isinstance(a, np.ndarray) else np.asarray(a))) for name, a in parts]
    parts = [(n, a.astype(np.float32) if a.dtype == np.float64 else a) for n, a in parts]
    at = (64 + 32 * len(parts) + 63) // 64 * 64
    begin = at
    for name, a in parts:
        assert len(name) < 16, name
        body += b"\0" * (-(begin + len(body)) % 64)
        table += struct.pack("<16sQQ", name.encode(), begin + len(body), a.nbytes)
        body += a.tobytes()
    rest = table.ljust(begin - 64, b"\0") + body
    head = struct.pack("<8sIIQQII24s", b"VDTMODEL", 2, version, 64 + len(rest), 0, zlib.crc32(rest), len(parts), NAME.encode())
    pathlib.Path(path).write_bytes(head + rest)


def gate_slots(windows, role):
    """[windows, tokens, 3] places of the table, and how many tokens there are with the role."""
    out = np.full((len(windows), WINDOW - 1, 3), 1 << GATE_BITS, np.int32)
    for i, w in enumerate(windows):
        out[i, :len(w)] = slots(GATE_BITS, np.concatenate([[role], w]))
    return torch.from_numpy(out), torch.tensor([len(w) + 1.0 for w in windows])


def sums(values, length):
    """What gate_guess() of src/model/gate.c sums up: over the window, and over its worst tokens in a row."""
    total = F.pad(values.cumsum(1), (1, 0))
    worst = [(total[:, 1:] - F.pad(total, (box, 0))[:, 1:values.shape[1] + 1]).max(1).values for box in GATE_BOXES]
    return torch.stack([values.sum(1) / length.sqrt(), *worst], 1)


def train_gate(windows, logits, role, epochs=4):
    """Over hashed pairs of tokens, by stochastic descent on the squared error of the logit. Returns (factors, bias, table)."""
    places, length = gate_slots(windows, role)
    table = torch.nn.Embedding((1 << GATE_BITS) + 1, 1, sparse=True, padding_idx=1 << GATE_BITS)
    torch.nn.init.zeros_(table.weight)
    target = torch.tensor(np.clip(logits, -6, 6), dtype=torch.float32)
    factors = torch.nn.Parameter(torch.tensor([1.0, *(0.3 / box ** 0.5 for box in GATE_BOXES)]))
    bias = torch.nn.Parameter(target.mean())
    steps = torch.optim.Adagrad(table.parameters(), lr=0.1), torch.optim.Adam([factors, bias], lr=1e-3)
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        for part in np.array_split(rng.permutation(len(windows)), max(1, len(windows) // 256)):
            guess = sums(table(places[part].long()).sum((2, 3)), length[part]) @ factors + bias
            heavy = 1 + 3 * (target[part] > 0).float()  # a window that is an attack must not be missed
            loss = (heavy * (guess - target[part]) ** 2).mean()
            for s in steps:
                s.zero_grad()
            loss.backward()
            for s in steps:
                s.step()
    values = table.weight.detach().numpy()[:-1, 0]
    scale = max(1e-9, np.abs(values).max()) / 127
    return factors.detach().numpy() * scale, float(bias), np.clip(np.rint(values / scale), -127, 127).astype(np.int8)


def guesses(gate, windows, role):
    factors, bias, table = gate
    table, out = torch.from_numpy(np.append(table, np.int8(0)).astype(np.float32)), []
    for i in range(0, len(windows), 4096):
        places, length = gate_slots(windows[i:i + 4096], role)
        out.append(sums(table[places.long()].sum(2), length).numpy() @ factors + bias)
    return np.concatenate(out)


def pass_at(gate, kept, role, detect, logit_of):
    """The guess from which windows are read: LOST of the attacks that would be detected lie below it wholly, every source counting much the same."""
    texts = [e for e in kept if e.attack and e.role == role]
    parts = [[e.tokens[x:y] for x, y in examples.windows(e.tokens[:2048], WINDOW, STRIDE)] for e in texts]
    flat = [w for p in parts for w in p]
    logit, guess, of = logit_of(flat), guesses(gate, flat, role), np.repeat(np.arange(len(parts)), [len(p) for p in parts])
    reach = np.full(len(texts), -np.inf)
    np.maximum.at(reach, of[logit >= detect], guess[logit >= detect])
    found = np.flatnonzero(np.isfinite(reach))
    count = collections.Counter(texts[i].source for i in found)
    weight = np.array([1 / max(count[texts[i].source], 25) for i in found])
    order = np.argsort(reach[found])
    return float(reach[found][order][np.searchsorted(np.cumsum(weight[order]) / weight.sum(), LOST)])


def calibrate(kept, logit, role):
    """Knots: at each rate the logit that this share of ordinary texts reaches, every source counting the same."""
    use = [i for i, e in enumerate(kept) if e.role == role and corpus.ordinary(e.source, e.attack, e.harmful, e.ours)]
    count = {}
    for i in use:
        count[kept[i].source] = count.get(kept[i].source, 0) + 1
    value = np.array([logit[i] for i in use])
    weight = np.array([1 / count[kept[i].source] if count[kept[i].source] >= 10 else 0 for i in use])
    order = np.argsort(-value)
    share = np.cumsum(weight[order]) / weight.sum()
    knots = [(float(value.min()) - 1, 0.0)]
    for rate, score in RATES:
        at = float(value[order][min(np.searchsorted(share, rate), len(order) - 1)])
        knots.append((max(at, knots[-1][0] + 0.05), score))
    return knots + [(knots[-1][0] + 1.5, 0.99), (knots[-1][0] + 6, 1.0)]


def rule_scores(rows):
    """What the product's rules give each text: `vedette scan` without a model."""
    build = pathlib.Path(ROOT, os.environ.get("VEDETTE_BUILD", "build"))
    subprocess.run(["ninja", "-C", str(build), "src/cli/vedette"], check=True, stdout=subprocess.DEVNULL)
    lines = "".join(json.dumps({"text": r.text, "role": r.role}) + "\n" for r in rows)
    out = subprocess.run([str(build / "src/cli/vedette"), "scan", "--only", "jailbreak,indirect"], input=lines, stdout=subprocess.PIPE, text=True,
                         check=True, env={**os.environ, "VEDETTE_MODEL": "none", "VEDETTE_RULES": str(ROOT / "rules")})
    return np.array([max(json.loads(line)["scores"].values()) for line in out.stdout.splitlines()])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--model", default="model.pt")
    p.add_argument("--out", default=str(ROOT / "model/shield.weights"))
    p.add_argument("--version", type=int, default=1)
    p.add_argument("--gate-windows", type=int, default=90000)
    a = p.parse_args()
    pieces = (ROOT / "model/vocabulary.bin").read_bytes()
    vocabulary = Vocabulary(pieces)
    state = torch.load(a.work / a.model)
    model = Classifier(vocabulary.size)
    model.load(state)
    rows = corpus.load(a.data)
    chosen = examples.build([r for r in rows if not corpus.kept_out(r)], vocabulary)
    rng = np.random.default_rng(0)
    plain = [vocabulary.tokens(t, 2048) for i, t in enumerate(corpus.plain_text(a.data)) if i % 2]
    cut = lambda tokens: [tokens[x:y] for x, y in examples.windows(tokens[:2048], WINDOW, STRIDE)]
    some = lambda pool, n: [pool[i] for i in rng.permutation(len(pool))[:n]]
    gates = []
    for role in (PROMPT, DOCUMENT):
        pool = some([w for e in chosen if e.role == role or rng.random() < 0.2 for w in cut(e.tokens)], a.gate_windows)
        pool += some([w for t in plain for w in cut(t)], a.gate_windows // 2)
        logits = score_windows(model, pool, role)
        gates.append(train_gate(pool, logits, role))
        print(f"role {role}: gate on {len(pool)} windows", flush=True)
    kept = [(r, e) for r in [*filter(corpus.kept_out, rows), *corpus.long_texts(a.data)] for e in examples.build([r], vocabulary)]
    examples_kept = [e for _, e in kept]
    flat = [[(-30.0, 0.0), (30.0, 1.0)]] * 2
    write(a.out, a.version, sections(state, vocabulary.size, pieces, [(*g, -1e9) for g in gates], flat))
    reader = Reader(a.out)
    logit = np.array([reader.judge(r.text, e.role == DOCUMENT)[0] for r, e in kept])
    joined = logit + np.array([RULES[e.role == DOCUMENT] for _, e in kept]) * rule_scores([r for r, _ in kept])
    knots = [calibrate(examples_kept, joined, role) for role in (PROMPT, DOCUMENT)]
    passes = []
    for k, role in enumerate((PROMPT, DOCUMENT)):
        detect = dict((s, l) for l, s in knots[k])[0.60]
        passes.append(pass_at(gates[k], examples_kept, role, detect, lambda w: score_windows(model, w, role)))
        ordinary = [w for e in examples_kept if e.role == role and not e.attack for w in cut(e.tokens)]
        logits, guess = score_windows(model, ordinary, role), guesses(gates[k], ordinary, role)
        print(f"role {role}: detection from logit {detect:.2f}; gate at {passes[-1]:.2f} passes {np.mean(guess >= passes[-1]):.1%} of the harmless "
              f"windows kept out; correlation with the encoder on them {np.corrcoef(guess, logits)[0, 1]:.3f}", flush=True)
    write(a.out, a.version, sections(state, vocabulary.size, pieces, [(*g, at) for g, at in zip(gates, passes)], knots))
    print(f"{a.out}: {pathlib.Path(a.out).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
