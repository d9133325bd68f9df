#!/usr/bin/python3
"""Trains the witness (src/model/gate.h): a table as the gate's that learns from labels what is true and nothing of what the network says of it.
What it says is worth its share beside the network's logit because it errs in other places. WORK/witness.xz out.

    model/train/witness.py --work DIR [--windows N] [--device cuda]

Its windows are drawn as finetune.py draws; those of a mixed text of which nobody knows whether they hold the attack are left out.
"""
import argparse
import pathlib

import numpy as np
import torch

import gate
import pack
from network import WITNESS_REACH
from text import DOCUMENT, PROMPT

EPOCHS = 2


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--windows", type=int, default=1700000, help="of both roles together")
    p.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    a = p.parse_args()
    torch.manual_seed(0)
    pieces, roles, attack = gate.drawn(a.work, a.windows)
    out = {}
    for role in (PROMPT, DOCUMENT):
        use = np.flatnonzero((roles == role) & ~np.isnan(attack))
        trained = gate.train([pieces[i] for i in use], gate.SURE * (2 * attack[use] - 1), a.device, WITNESS_REACH, 0, EPOCHS)
        out |= {f"{k}-{role}": v for k, v in trained.items()}
        print(f"role {role}: {len(use)} windows, {attack[use].mean():.0%} of them attacks", flush=True)
    pack.save(a.work / "witness.xz", **out)


if __name__ == "__main__":
    main()
