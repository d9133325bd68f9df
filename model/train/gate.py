#!/usr/bin/python3
"""Trains the gate (src/model/gate.h): from token pairs alone, to foresee what the network says of a window. WORK/model.pt in, WORK/gate.xz out (or as told).

    model/train/gate.py --work DIR [--model model.pt] [--out gate.xz] [--windows N] [--device cuda]
"""
import argparse
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import pack
from evaluation import score_windows
from examples import windows
from finetune import load
from network import GATE_BITS, GATE_BOXES, STRIDE, WINDOW
from text import DOCUMENT, PROMPT

NONE, ALONE, APART = 1 << GATE_BITS, 0xFFFFFFFF, 0x80000000
EPOCHS, BATCH = 4, 256


def place(a, b):
    """src/model/gate.c"""
    h = (a.astype(np.uint64) << np.uint64(32) | b.astype(np.uint64)) * np.uint64(0x9e3779b97f4a7c15)
    h ^= h >> np.uint64(32)
    return (h * np.uint64(0xd6e8feb86659fd93) >> np.uint64(64 - GATE_BITS)).astype(np.int32)


def slots(pieces):
    """int32 [windows, tokens, 3] places of the table that each token adds up, NONE for none; and the lengths with the role."""
    ids, length = np.zeros((len(pieces), WINDOW + 1), np.uint32), np.array([len(w) for w in pieces])
    for i, w in enumerate(pieces):
        ids[i, :len(w)] = w
    at, here = np.arange(WINDOW - 1)[None], ids[:, :WINDOW - 1]
    out = np.stack([place(here, np.full_like(here, ALONE)), place(here, ids[:, 1:WINDOW]), place(here, ids[:, 2:] | APART)], 2)
    out[at[..., None] + np.arange(3) >= length[:, None, None]] = NONE
    return torch.from_numpy(out), torch.from_numpy(length + 1.0).float()


def sums(values, length):
    """What gate_guess() sums up: over the window, and over its worst tokens in a row."""
    total = F.pad(values.cumsum(1), (1, 0))
    worst = [(total[:, 1:] - F.pad(total, (box, 0))[:, 1:values.shape[1] + 1]).max(1).values for box in GATE_BOXES]
    return torch.stack([values.sum(1) / length.sqrt(), *worst], 1)


def train(pieces, logits, device):
    """By stochastic descent on the squared error of the logit. Returns {factors, bias, table}."""
    table = torch.nn.Embedding(NONE + 1, 1, sparse=True, padding_idx=NONE).to(device)
    torch.nn.init.zeros_(table.weight)
    target = torch.tensor(np.clip(logits, -6, 6), dtype=torch.float32)
    factors = torch.nn.Parameter(torch.tensor([1.0, *(0.3 / box ** 0.5 for box in GATE_BOXES)], device=device))
    bias = torch.nn.Parameter(target.mean().to(device))
    steps = torch.optim.Adagrad(table.parameters(), lr=0.1), torch.optim.Adam([factors, bias], lr=1e-3)
    rng = np.random.default_rng(0)
    for _ in range(EPOCHS):
        for part in np.array_split(rng.permutation(len(pieces)), max(1, len(pieces) // BATCH)):
            at, length = (x.to(device) for x in slots([pieces[i] for i in part]))
            goal = target[part].to(device)
            guess = sums(table(at.long()).sum((2, 3)), length) @ factors + bias
            heavy = 1 + 3 * (goal > 0).float()  # a window that is an attack must not be missed
            loss = (heavy * (guess - goal) ** 2).mean()
            for s in steps:
                s.zero_grad()
            loss.backward()
            for s in steps:
                s.step()
    values = table.weight.detach().cpu().numpy()[:-1, 0]
    scale = max(1e-9, float(np.abs(values).max())) / 127
    return {"factors": factors.detach().cpu().numpy() * scale, "bias": float(bias), "table": np.clip(np.rint(values / scale), -127, 127).astype(np.int8)}


def guesses(gate, pieces):
    table, out = torch.from_numpy(np.append(gate["table"], np.int8(0)).astype(np.float32)), []
    for i in range(0, len(pieces), 4096):
        at, length = slots(pieces[i:i + 4096])
        out.append(sums(table[at.long()].sum(2), length).numpy() @ gate["factors"] + gate["bias"])
    return np.concatenate(out)


def cut(tokens):
    return [tokens[x:y] for x, y in windows(tokens[:2048], WINDOW, STRIDE)]


def pools(work, number, rng):
    """Windows by role: of rows in either role sometimes, and half as many of raw texts that fine-tuning did not see."""
    rows, plain = pack.Rows(work), [w for t in pack.plain_texts(work, 2048, odd=1) for w in cut(t)]
    some = lambda pool, n: [pool[i] for i in rng.permutation(len(pool))[:n]]
    for role in (PROMPT, DOCUMENT):
        yield role, some([w for e in rows.trained if e.role == role or rng.random() < 0.2 for w in cut(e.tokens)], number) + some(plain, number // 2)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--model", default="model.pt")
    p.add_argument("--out", default="gate.xz")
    p.add_argument("--windows", type=int, default=90000, help="of rows, for each role")
    p.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    a = p.parse_args()
    size = pack.meta_of(pack.load(a.work / "rows.xz"))["vocabulary"]
    model, out = load(a.work, a.model, size, a.device), {}
    for role, pieces in pools(a.work, a.windows, np.random.default_rng(0)):
        logits = score_windows(model, pieces, role)
        gate = train(pieces, logits, a.device)
        out |= {f"{k}-{role}": v for k, v in gate.items()}
        print(f"role {role}: {len(pieces)} windows, correlation {np.corrcoef(guesses(gate, pieces[:20000]), logits[:20000])[0, 1]:.3f}", flush=True)
    pack.save(a.work / a.out, **out)


if __name__ == "__main__":
    main()
