#!/usr/bin/python3
"""Trains letters (src/model/letters.h): a table of rows of letters that learns from labels what is true of a window of a prompt, as the witness does from tokens.
WORK/letters.xz out, in a minute of a core after the windows are drawn.

    model/train/letters.py --work DIR [--windows N]

Its windows are drawn as finetune.py draws; those of a mixed text of which nobody knows whether they hold the attack are left out. Documents have no letters: they
are not told apart better by them (model/EXPERIMENTS.md).
"""
import argparse
import ctypes
import pathlib

import numpy as np

import gate
import pack
from network import LETTERS_BITS
from text import PROMPT, ROOT, Vocabulary, array, native, size

EPOCHS, RATE, DROP = 2, 0.06, 0.35
BEGIN = (1.0, 0.05, 0.0)  # the factors that it begins with: whole, narrow, bias


def double(x):
    return ctypes.c_double(x)


def learn(vocabulary, pieces, goal):
    """{factors, table} of windows and of what is true of them."""
    flat, rng, places = pack.flat(pieces), np.random.default_rng(0), 1 << LETTERS_BITS
    order = np.concatenate([rng.permutation(len(pieces)) for _ in range(EPOCHS)]).astype(np.int32)
    table, factors, mean, goal = np.zeros(places + 1, np.float32), np.array(BEGIN), np.zeros(places), goal.astype(np.float32)
    native().letters_learn.restype = ctypes.c_bool
    assert native().letters_learn(vocabulary.handle, array(flat["tokens"]), array(flat["ends"]), array(goal), array(order), size(len(order)), LETTERS_BITS,
                                  double(RATE), double(DROP), array(table), array(factors), array(mean))
    scale = max(1e-9, np.abs(mean).max()) / 127
    return {"factors": np.array([factors[0] * scale, factors[1] * scale, factors[2]], np.float32), "table": (mean / scale).round().astype(np.int8)}


def ask(vocabulary, letters, pieces):
    """What the product says of each window."""
    flat, out = pack.flat(pieces), np.zeros(len(pieces), np.float32)
    native().letters_ask.restype = ctypes.c_bool
    assert native().letters_ask(vocabulary.handle, array(flat["tokens"]), array(flat["ends"]), size(len(pieces)), LETTERS_BITS, array(letters["table"]),
                                array(letters["factors"]), array(out))
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--windows", type=int, default=1700000, help="of prompts and documents together")
    a = p.parse_args()
    vocabulary = Vocabulary((ROOT / "model/vocabulary.bin").read_bytes())
    pieces, roles, attack = gate.drawn(a.work, a.windows)
    use = np.flatnonzero((roles == PROMPT) & ~np.isnan(attack))
    goal = gate.SURE * (2 * attack[use] - 1)
    letters = learn(vocabulary, [pieces[i] for i in use], goal)
    said = ask(vocabulary, letters, [pieces[i] for i in use[:20000]])
    print(f"{len(use)} windows, {attack[use].mean():.0%} of them attacks, correlation {np.corrcoef(said, goal[:20000])[0, 1]:.3f}", flush=True)
    pack.save(a.work / "letters.xz", **letters)


if __name__ == "__main__":
    main()
