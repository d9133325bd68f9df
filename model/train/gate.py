#!/usr/bin/python3
"""Trains the gate's guess (src/model/gate.h): from token pairs alone, to foresee what the network says of a window, and what is true of it. WORK/model.pt in,
WORK/gate.xz out (or as told).

    model/train/gate.py --work DIR [--model model.pt] [--out gate.xz] [--windows N] [--begin STEP] [--end STEP] [--device cuda]

Its windows are drawn as finetune.py draws, mixed and mistyped ones among them: the table has two million places, and the more it has seen, the fewer harmless
windows it must let pass. Three steps, of which --begin and --end choose some: draw (the windows, to WORK/drawn.npz), score (what the network says of them, to
WORK/said.npy; it takes most of the time, and a GPU does it in half a minute), train.
"""
import argparse
import pathlib
import zlib

import numpy as np
import torch
import torch.nn.functional as F

import pack
from evaluation import score_windows
from examples import windows
from finetune import holds, load, sampler_of
from network import GATE_BITS, GATE_BOXES, GATE_REACH, STRIDE, WINDOW
from text import DOCUMENT, PROMPT

NONE, ALONE, APART = 1 << GATE_BITS, 0xFFFFFFFF, (0, 0, 0x80000000)  # src/model/gate.c
EPOCHS, BATCH = 3, 256
DROP = 0.35       # of the places of a window are left out in training, so that none is relied on
# What is to be foreseen is the network's logit, cut at MOST, and SURE, or less than none as much, by what is true: TRUE is the share of that. It makes
# the gate a worse forecast and a better gate (model/EXPERIMENTS.md).
MOST, SURE, TRUE = 6.0, 4.0, 0.5
LAST = 0.6        # of the way, from which on tables go into the mean
PER_TEXT = 5      # windows of a text, at most
RAW = 0.33        # windows of raw text that fine-tuning did not see, to one of those that are drawn


def place(a, b):
    """src/model/gate.c"""
    h = (a.astype(np.uint64) << np.uint64(32) | b.astype(np.uint64)) * np.uint64(0x9e3779b97f4a7c15)
    h ^= h >> np.uint64(32)
    return (h * np.uint64(0xd6e8feb86659fd93) >> np.uint64(64 - GATE_BITS)).astype(np.int32)


def slots(pieces, reach):
    """int32 [windows, tokens, reach + 1] places of the table that each token adds up, NONE for none; and the lengths with the role."""
    body = WINDOW - 1
    ids, length = np.zeros((len(pieces), body + reach), np.uint32), np.array([len(w) for w in pieces])
    for i, w in enumerate(pieces):
        ids[i, :len(w)] = w
    here = ids[:, :body]
    behind = [ids[:, far:body + far] | np.uint32(APART[far]) for far in range(1, reach + 1)]
    out = np.stack([place(here, b) for b in (np.full_like(here, ALONE), *behind)], 2)
    out[np.arange(body)[None, :, None] + np.arange(reach + 1) >= length[:, None, None]] = NONE
    return torch.from_numpy(out), torch.from_numpy(length + 1.0).float()


def sums(values, length):
    """What gate_foresee() sums up: over the window, and over its worst tokens in a row."""
    total = F.pad(values.cumsum(1), (1, 0))
    worst = [(total[:, 1:] - F.pad(total, (box, 0))[:, 1:values.shape[1] + 1]).max(1).values for box in GATE_BOXES]
    return torch.stack([values.sum(1) / length.sqrt(), *worst], 1)


def eight_bits(table, factors, bias):
    scale = max(1e-9, float(table.abs().max())) / 127
    return {"factors": factors.detach().cpu().numpy() * scale, "bias": float(bias), "table": (table[:-1] / scale).round().cpu().numpy().astype(np.int8)}


def train(pieces, logits, device, reach, miss=3, epochs=EPOCHS):
    """By stochastic descent on the squared error, without some of the places each time. miss: how much more it is to miss an attack. Returns {reach, factors, bias, table}:
    the mean of the tables of the last part of the way, which is steadier than the last one."""
    table = torch.nn.Embedding(NONE + 1, 1, sparse=True, padding_idx=NONE).to(device)
    torch.nn.init.zeros_(table.weight)
    target = torch.tensor(logits, dtype=torch.float32)
    factors = torch.nn.Parameter(torch.tensor([1.0, *(0.3 / box ** 0.5 for box in GATE_BOXES)], device=device))
    bias = torch.nn.Parameter(target.mean().to(device))
    steps = torch.optim.Adagrad(table.parameters(), lr=0.1), torch.optim.Adam([factors, bias], lr=1e-3)
    rng, mean, summed = np.random.default_rng(0), torch.zeros(NONE + 1, device=device), 0
    parts = [p for _ in range(epochs) for p in np.array_split(rng.permutation(len(pieces)), max(1, len(pieces) // BATCH))]
    for k, part in enumerate(parts):
        at, length = (x.to(device) for x in slots([pieces[i] for i in part], reach))
        at, goal = torch.where(torch.rand(at.shape, device=device) < DROP, torch.full_like(at, NONE), at), target[part].to(device)
        guess = sums(table(at.long()).sum((2, 3)) / (1 - DROP), length) @ factors + bias
        heavy = 1 + miss * (goal > 0).float()
        loss = (heavy * (guess - goal) ** 2).mean()
        for s in steps:
            s.zero_grad()
        loss.backward()
        for s in steps:
            s.step()
        if k >= len(parts) * LAST and (len(parts) - 1 - k) % 50 == 0:
            mean, summed = mean + table.weight.detach()[:, 0], summed + 1
    return eight_bits(mean / summed, factors, bias) | {"reach": reach}


def guesses(gate, pieces):
    table, out = torch.from_numpy(np.append(gate["table"], np.int8(0)).astype(np.float32)), []
    for i in range(0, len(pieces), 4096):
        at, length = slots(pieces[i:i + 4096], gate["reach"])
        out.append(sums(table[at.long()].sum(2), length).numpy() @ gate["factors"] + gate["bias"])
    return np.concatenate(out)


def cut(tokens):
    return [tokens[x:y] for x, y in windows(tokens[:2048], WINDOW, STRIDE)]


def drawn(work, number):
    """Windows of what finetune.py would draw, and of raw texts that it did not see: tokens, roles, and whether each is an attack, or NAN where only its text
    is known to hold one."""
    rng, out = np.random.default_rng(0), []

    def add(tokens, role, attack, at):
        some = windows(tokens[:4096], WINDOW, STRIDE)
        for i in rng.permutation(len(some))[:PER_TEXT]:
            a, b = some[i]
            out.append((tokens[a:b], role, 0 if not attack else 1 if len(some) == 1 or (at and holds(at, some[i])) else np.nan))

    sampler = sampler_of(pack.Rows(work), work, 7)
    while len(out) < number / (1 + RAW):
        e = sampler.draw()
        add(e.tokens, e.role, e.attack, e.at)
    plain = list(pack.plain_texts(work, 4096, odd=1))
    for i in rng.permutation(len(plain)):
        if len(out) >= number:
            break
        add(plain[i], PROMPT if rng.random() < 0.5 else DOCUMENT, False, None)
    pieces, roles, attack = zip(*out)
    return pieces, np.array(roles, np.uint8), np.array(attack, np.float32)


def draw(a):
    pieces, roles, attack = drawn(a.work, a.windows)
    kept = pack.flat(pieces) | {"roles": roles, "attack": attack}
    np.savez(a.work / "drawn.npz", **kept)
    print(f"{len(roles)} windows, checksum {zlib.crc32(kept['tokens'].tobytes()):08x}", flush=True)


def score(a):
    kept = dict(np.load(a.work / "drawn.npz"))
    model = load(a.work, a.model, pack.meta_of(pack.load(a.work / "rows.xz"))["vocabulary"], a.device)
    np.save(a.work / "said.npy", score_windows(model, pack.texts(kept), kept["roles"].tolist()).astype(np.float32))


def learn(a):
    kept, out = dict(np.load(a.work / "drawn.npz")), {}
    said, true = np.clip(np.load(a.work / "said.npy"), -MOST, MOST), SURE * (2 * kept["attack"] - 1)
    pieces, goal = pack.texts(kept), np.where(np.isnan(true), said, (1 - TRUE) * said + TRUE * true)
    for role in (PROMPT, DOCUMENT):
        use = np.flatnonzero(kept["roles"] == role)
        some = [pieces[i] for i in use]
        gate = train(some, goal[use], a.device, GATE_REACH)
        out |= {f"{k}-{role}": v for k, v in gate.items()}
        print(f"role {role}: {len(some)} windows, correlation {np.corrcoef(guesses(gate, some[:20000]), goal[use][:20000])[0, 1]:.3f}", flush=True)
    pack.save(a.work / a.out, **out)


STEPS = {"draw": draw, "score": score, "train": learn}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--model", default="model.pt")
    p.add_argument("--out", default="gate.xz")
    p.add_argument("--windows", type=int, default=1700000, help="of both roles together")
    p.add_argument("--begin", default="draw", choices=STEPS)
    p.add_argument("--end", default="train", choices=STEPS)
    p.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    a = p.parse_args()
    torch.manual_seed(0)
    names = [*STEPS]
    for name in names[names.index(a.begin):names.index(a.end) + 1]:
        STEPS[name](a)


if __name__ == "__main__":
    main()
