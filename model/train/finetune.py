#!/usr/bin/python3
"""Teaches a pre-trained encoder to tell attacks: WORK/encoder.pt in, WORK/model.pt out.

    model/train/finetune.py --work DIR (--minutes N | --steps N) [--seed S] [--leave-out SOURCE,...] [--encoder FILE,... [--go-on] [--toward FILE,...] [--wait]] [--device cuda]

Reads what pack.py wrote. A text is read in windows; its logit is the largest of its windows'. Windows of 64 to 256 tokens are mixed, so that the product may
choose. Of several files of --encoder the mean is taken, and with --minutes 0 it is what is written. --toward: networks whose mean logit it is drawn to, as far
as labels allow, and more than to these: several say more than the mean of their weights does. --wait: for files that others are still making.
Prints the losses, then a table over the sources that were kept out.
"""
import argparse
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F

import pack
from evaluation import report, score_all, score_windows
from examples import CATEGORIES, LONGEST, Sampler, windows
from network import EXIT, SHAPE
from ops import Encoder, Weights, keep, kept, plain_layer
from text import DOCUMENT, MASK

RATE = 4e-4
BATCH_TOKENS = {"cpu": 6144, "cuda": 24576}  # a GPU takes as long for fewer
HEAD_RATE, SMOOTH, DROP, MOST_WINDOWS, LOOKED = 2e-3, 0.02, 0.06, 4, 40000
# A window's logit is worth less and less beyond the temperature; what the exit counts in the loss.
TEMPERATURE, EARLY = 2.0, 0.3
LABELS = 0.1  # of a loss that is drawn to other networks
SIDE = 1.5    # how far on their label's side what others say counts at least
SIZES = (64, 128, 128, 256)


class Classifier:
    """The encoder with its output: per role, attention pooling by one query and a linear layer on (pooled, mean); categories on pooled.
    Everything after pooling is linear, so a logit is the sum of what its tokens bring (explain in src/model/encoder.c). The exit has the same
    output over what is there after EXIT layers."""

    def __init__(self, size, device="cpu"):
        self.device, self.w, d = device, Weights(device), SHAPE["width"]
        self.encoder = Encoder(self.w, size, **SHAPE, exit=EXIT)
        self.w.build(torch.Generator().manual_seed(1))
        parts = {"category": torch.randn(len(CATEGORIES), d) * 0.02, "category_bias": torch.zeros(len(CATEGORIES))}
        for out in ("", "exit_"):
            parts |= {out + "query": torch.zeros(2, d), out + "pooled": torch.randn(2, d) * 0.02, out + "mean": torch.randn(2, d) * 0.02,
                      out + "bias": torch.zeros(2)}
        self.head = torch.nn.ParameterDict({k: torch.nn.Parameter(v) for k, v in parts.items()}).to(device)
        if device == "cuda":
            self.compile()

    def compile(self):
        """Kernels for the layers, from torch.compile: it makes them for the first shape that it meets and, with the second, for all; which ones these are is
        always the same, so that a program finds what another has made."""
        self.encoder.layer = torch.compile(plain_layer)
        for learn in (True, False):
            for b, t in ((202, 112), (186, 128)):
                ids = torch.full((b, t), MASK, dtype=torch.int32, device=self.device)
                with torch.set_grad_enabled(learn):
                    logit = self(ids, torch.full((b,), t, dtype=torch.int32, device=self.device))[0]
                if learn:
                    logit.sum().backward()
        self.w.g.zero_()
        self.head.zero_grad()

    def output(self, hidden, ids, lengths, out):
        """Logits [b] and what was pooled [b,d]. out: which output's weights."""
        b, t = ids.shape
        h, role, head = hidden.float().view(b, t, -1), (ids[:, 0] == DOCUMENT).long(), self.head
        real = torch.arange(t, device=ids.device)[None] < lengths[:, None]
        attention = torch.einsum("btd,bd->bt", h, head[out + "query"][role]).masked_fill(~real, -1e30).softmax(-1)
        pooled = torch.einsum("bt,btd->bd", attention, h)
        mean = (h * real[..., None]).sum(1) / lengths[:, None]
        return (pooled * head[out + "pooled"][role]).sum(-1) + (mean * head[out + "mean"][role]).sum(-1) + head[out + "bias"][role], pooled

    def __call__(self, ids, lengths):
        """ids int32 [b,t] with the role first. Logits [b], those of the exit, category logits [b,c]."""
        hidden, early = self.encoder(ids, lengths)
        logit, pooled = self.output(hidden, ids, lengths, "")
        return logit, self.output(early, ids, lengths, "exit_")[0], F.linear(pooled, self.head["category"], self.head["category_bias"])

    def state(self):
        return {**self.w.state(), **{"head." + k: v.detach().cpu().clone() for k, v in self.head.items()}}

    def load(self, state):
        self.w.load(state)
        with torch.no_grad():
            for k, v in self.head.items():
                if "head." + k in state:
                    v.copy_(state["head." + k])
        return self


def pad(pieces, roles):
    """int32 [b,t] with the role in front, and the lengths."""
    t = (max(len(p) for p in pieces) + 1 + 15) // 16 * 16
    ids = np.zeros((len(pieces), t), np.int32)
    for row, (p, role) in enumerate(zip(pieces, roles)):
        ids[row, 0] = role
        ids[row, 1:1 + len(p)] = p
    return ids, np.array([len(p) + 1 for p in pieces], np.int32)


def holds(at, window):
    """Whether a window holds what was put into a text, or as much of it as half a window."""
    both = min(at[1], window[1]) - max(at[0], window[0])
    return both >= min(at[1] - at[0], (window[1] - window[0]) // 2)


def cut(e, size, rng):
    """Some windows of an example: those that hold what was put into it, else the first and the last."""
    tokens = e.tokens[:LONGEST] if len(e.tokens) <= LONGEST or rng.random() < 0.5 else e.tokens[-LONGEST:]
    all_ = windows(tokens, size, (size - 1) * 3 // 4)
    if len(all_) > MOST_WINDOWS:
        keep = [k for k, w in enumerate(all_) if holds(e.at, w)] if e.at else [0, len(all_) - 1]
        keep = [keep[k] for k in rng.permutation(len(keep))[:MOST_WINDOWS - 1]]
        rest = [k for k in range(len(all_)) if k not in keep]
        all_ = [all_[k] for k in sorted([*keep, *rng.choice(rest, MOST_WINDOWS - len(keep), replace=False)])]
    return [tokens[a:b] for a, b in all_]


def batches(sampler, most):
    """Endless: (ids, lengths, which text each window belongs to, attack and category of each text), about `most` tokens each."""
    rng = sampler.rng
    while True:
        size = int(rng.choice(SIZES))
        drawn = [(e, cut(e, size, rng)) for e in (sampler.draw() for _ in range(2048))]
        drawn.sort(key=lambda d: max(map(len, d[1])) + rng.random() * 8)
        groups, group, longest, count = [], [], 0, 0
        for e, parts in drawn:
            longest = max(longest, *(len(p) + 1 for p in parts))
            if group and longest * (count + len(parts)) > most:
                groups.append(group)
                group, longest, count = [], max(len(p) + 1 for p in parts), 0
            group.append((e, parts))
            count += len(parts)
        groups.append(group)
        for k in rng.permutation(len(groups)):
            pieces = [p for _, parts in groups[k] for p in parts]
            roles = [e.role for e, parts in groups[k] for _ in parts]
            of = np.array([i for i, (_, parts) in enumerate(groups[k]) for _ in parts])
            texts = np.array([(e.attack, e.category) for e, _ in groups[k]])
            yield *pad(pieces, roles), of, texts


def masked(ids):
    """Some tokens hidden, so that no single one decides."""
    drop = torch.rand(ids.shape, device=ids.device) < DROP
    drop[:, 0] = False
    return torch.where(drop & (ids != 0), torch.full_like(ids, MASK), ids)


def toward(logit, target):
    """How far logits are from what they are drawn to, both seen through the temperature."""
    return F.binary_cross_entropy_with_logits(logit / TEMPERATURE, torch.sigmoid(target / TEMPERATURE)) * TEMPERATURE ** 2


def agreed(said, of, attack):
    """What others say of windows, as far as labels allow: no window of a harmless text is an attack, and the strongest of an attack is one."""
    top = torch.full((len(attack),), -1e30, device=said.device).scatter_reduce(0, of, said, "amax")
    strongest = (attack[of] > 0) & (said >= top[of] - 1e-6)
    return torch.where(strongest, said.clamp(min=SIDE), torch.where(attack[of] > 0, said, said.clamp(max=-SIDE)))


def loss_of(model, batch, teachers=()):
    ids, lengths, of, texts = (torch.from_numpy(b).to(model.device, non_blocking=True) for b in batch)
    attack, kind = texts[:, 0].float(), texts[:, 1][of]
    logit, early, category = model(masked(ids), lengths)
    best = torch.full((len(texts),), -1e30, device=model.device).scatter_reduce(0, of, logit, "amax")
    loss = F.binary_cross_entropy_with_logits(best, attack * (1 - 2 * SMOOTH) + SMOOTH)
    strongest = ((logit >= best[of] - 1e-6) & (kind >= 0)).float()
    kinds = 0.1 * (F.cross_entropy(category, kind.clamp(min=0), reduction="none") * strongest).sum() / len(of)
    loss, said = loss + kinds, logit.detach()
    if teachers:
        with torch.no_grad():
            said = agreed(sum(t(ids, lengths)[0] for t in teachers) / len(teachers), of, attack)
        loss = toward(logit, said) + LABELS * loss
    return loss + EARLY * toward(early, said)


def mine(model, sampler):
    """What is harmless and looks like an attack to the network half-way: drawn more often from then on."""
    looked = list(sampler.harmless(LOOKED))
    logit = score_windows(model, [e.tokens for e in looked], [e.role for e in looked])
    worst = np.argsort(-logit)[:LOOKED // 40]
    print(f"{len(worst)} of {LOOKED} harmless windows from logit {logit[worst[-1]]:.2f} on are drawn more often", flush=True)
    sampler.hard = [looked[i] for i in worst]


def train(model, sampler, minutes, steps=0, rate=RATE, mined=0.5, teachers=()):
    """For so many minutes, or steps, over which the rate falls to nothing. mined: after which share the network looks for what it gets wrong."""
    adam = torch.optim.AdamW(model.head.parameters(), lr=HEAD_RATE, weight_decay=0.01)
    begin, step, smooth = time.time(), 0, None
    for batch in batches(sampler, BATCH_TOKENS[model.device]):
        share = step / steps if steps else (time.time() - begin) / (minutes * 60)
        if share >= 1:
            return
        if share >= mined and not sampler.hard:
            mine(model, sampler)
        now = min(1.0, (step + 1) / 60) * (1 - share)
        for g in adam.param_groups:
            g["lr"] = HEAD_RATE * now * rate / RATE
        loss = loss_of(model, batch, teachers)
        loss.backward()
        model.w.step(rate * now, decay=0.02)
        adam.step()
        adam.zero_grad()
        step += 1
        smooth = loss.detach() if smooth is None else smooth * 0.98 + loss.detach() * 0.02
        if step % 50 == 0:
            print(f"step {step}, {share:.0%}, loss {float(smooth):.4f}, {step / (time.time() - begin):.1f} steps/s", flush=True)


def sampler_of(rows, work, seed):
    return Sampler(rows.trained, rows.orders, list(pack.plain_texts(work)), rows.line_ends, np.random.default_rng(seed))


def fill(model, work, names, wait=False):
    """The network with the weights of a file of work, or the mean of those of several, with commas between their names."""
    states = [kept(work / n, wait) for n in names.split(",")]
    return model.load({k: sum(s[k].float() for s in states) / len(states) for k in states[0]})


def load(work, names, size, device):
    return fill(Classifier(size, device), work, names)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True, type=pathlib.Path)
    length = p.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", default=0, type=float)
    length.add_argument("--steps", default=0, type=int, help="where minutes would depend on what else the machine does")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--leave-out", default="", help="further sources to keep out, for a look at what generalises")
    p.add_argument("--encoder", default="encoder.pt", help="files of WORK to begin with; none: from nothing")
    p.add_argument("--go-on", action="store_true", help="from a network that was fine-tuned before: at a quarter of the rate")
    p.add_argument("--toward", default="", help="files of WORK: fine-tuned networks whose mean logit it is drawn to")
    p.add_argument("--wait", action="store_true", help="for the files to begin with and to be drawn to")
    p.add_argument("--out", default="model.pt")
    p.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    a = p.parse_args()
    torch.manual_seed(0)
    rows = pack.Rows(a.work, set(filter(None, a.leave_out.split(","))))
    sampler = sampler_of(rows, a.work, a.seed)
    print(f"{len(rows.trained)} rows, {len(rows.kept)} kept out, {len(rows.orders)} orders of composites, {len(sampler.plain)} raw texts", flush=True)
    names = [a.encoder, *filter(None, a.toward.split(","))]
    networks = [Classifier(rows.vocabulary, a.device) for _ in names]  # before it waits: on a GPU this takes a while
    model, *teachers = (n if name == "none" else fill(n, a.work, name, a.wait) for n, name in zip(networks, names))
    torch.manual_seed(a.seed)
    if a.minutes or a.steps:
        train(model, sampler, a.minutes, a.steps, RATE * (0.25 if a.go_on else 1), 0 if a.go_on else 0.5, teachers)
    keep(model.state(), a.work / a.out)
    report(rows.kept, score_all(model, rows.kept))


if __name__ == "__main__":
    main()
