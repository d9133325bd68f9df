#!/usr/bin/python3
"""Teaches the pre-trained encoder to tell attacks: WORK/encoder.pt in, WORK/model.pt out.

    model/train/finetune.py --data SHARED/data --work DIR --minutes N [--seed S] [--leave-out SOURCE,...] [--out NAME]

A text is read in windows; its logit is the largest of its windows'. Windows of 64 to 256 tokens are mixed, so that the product may choose.
Prints the losses, then a table over the sources that were kept out.
"""
import argparse
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F

import corpus
import examples
from evaluation import report, score_all, score_windows
from examples import CATEGORIES, LONGEST, Example, Sampler, windows
from network import SHAPE
from ops import Encoder, Weights
from text import DOCUMENT, MASK, PROMPT, ROOT, Vocabulary

RATE, HEAD_RATE_TOKENS, SMOOTH, DROP, MOST_WINDOWS, LOOKED = 4e-4, 12288, 0.02, 0.06, 4, 40000
SIZES = (64, 128, 128, 256)


class Classifier:
    """The encoder with its output: per role, attention pooling by one query and a linear layer on (pooled, mean); categories on pooled.
    Everything after pooling is linear, so a logit is the sum of what its tokens bring (explain in src/model/encoder.c)."""

    def __init__(self, size, device="cpu"):
        self.device, d = device, SHAPE["width"]
        self.w = Weights(device)
        self.encoder = Encoder(self.w, size, **SHAPE)
        self.w.build(torch.Generator().manual_seed(1))
        self.head = torch.nn.ParameterDict({
            "query": torch.nn.Parameter(torch.zeros(2, d)), "pooled": torch.nn.Parameter(torch.randn(2, d) * 0.02),
            "mean": torch.nn.Parameter(torch.randn(2, d) * 0.02), "bias": torch.nn.Parameter(torch.zeros(2)),
            "category": torch.nn.Parameter(torch.randn(len(CATEGORIES), d) * 0.02),
            "category_bias": torch.nn.Parameter(torch.zeros(len(CATEGORIES)))}).to(device)

    def __call__(self, ids, lengths):
        """ids int32 [b,t] with the role first. Logits [b] and category logits [b,c]."""
        b, t = ids.shape
        h = self.encoder(ids, lengths).float().view(b, t, -1)
        role = (ids[:, 0] == DOCUMENT).long()
        real = torch.arange(t, device=ids.device)[None] < lengths[:, None]
        attention = torch.einsum("btd,bd->bt", h, self.head["query"][role]).masked_fill(~real, -1e30).softmax(-1)
        pooled = torch.einsum("bt,btd->bd", attention, h)
        mean = (h * real[..., None]).sum(1) / lengths[:, None]
        logit = (pooled * self.head["pooled"][role]).sum(-1) + (mean * self.head["mean"][role]).sum(-1) + self.head["bias"][role]
        return logit, F.linear(pooled, self.head["category"], self.head["category_bias"])

    def state(self):
        return {**self.w.state(), **{"head." + k: v.detach().cpu().clone() for k, v in self.head.items()}}

    def load(self, state):
        self.w.load(state)
        with torch.no_grad():
            for k, v in self.head.items():
                if "head." + k in state:
                    v.copy_(state["head." + k])


def pad(pieces, roles):
    """int32 [b,t] with the role in front, and the lengths."""
    t = (max(len(p) for p in pieces) + 1 + 15) // 16 * 16
    ids = np.zeros((len(pieces), t), np.int32)
    for row, (p, role) in enumerate(zip(pieces, roles)):
        ids[row, 0] = role
        ids[row, 1:1 + len(p)] = p
    return torch.from_numpy(ids), torch.tensor([len(p) + 1 for p in pieces], dtype=torch.int32)


def cut(e, size, rng):
    """Some windows of an example, with the first and the last of an attack."""
    tokens = e.tokens[:LONGEST] if len(e.tokens) <= LONGEST or rng.random() < 0.5 else e.tokens[-LONGEST:]
    all_ = windows(tokens, size, (size - 1) * 3 // 4)
    if len(all_) > MOST_WINDOWS:
        keep = rng.choice(np.arange(1, len(all_) - 1), MOST_WINDOWS - 2, replace=False)
        all_ = [all_[0], *(all_[k] for k in sorted(keep)), all_[-1]]
    return [tokens[a:b] for a, b in all_]


def batches(sampler, rng):
    """Endless: (ids, lengths, which example each window belongs to, examples), about HEAD_RATE_TOKENS tokens each."""
    while True:
        size = int(rng.choice(SIZES))
        drawn = [(e, cut(e, size, rng)) for e in (sampler.draw() for _ in range(2048))]
        drawn.sort(key=lambda d: max(map(len, d[1])) + rng.random() * 8)
        groups, group, longest, count = [], [], 0, 0
        for e, parts in drawn:
            longest = max(longest, *(len(p) + 1 for p in parts))
            if group and longest * (count + len(parts)) > HEAD_RATE_TOKENS:
                groups.append(group)
                group, longest, count = [], max(len(p) + 1 for p in parts), 0
            group.append((e, parts))
            count += len(parts)
        groups.append(group)
        for k in rng.permutation(len(groups)):
            pieces = [p for _, parts in groups[k] for p in parts]
            roles = [e.role for e, parts in groups[k] for _ in parts]
            of = [i for i, (_, parts) in enumerate(groups[k]) for _ in parts]
            ids, lengths = pad(pieces, roles)
            yield ids, lengths, torch.tensor(of), [e for e, _ in groups[k]]


def loss_of(model, ids, lengths, of, group):
    drop = torch.rand(ids.shape) < DROP
    drop[:, 0] = False
    ids = torch.where(drop & (ids != 0), torch.full_like(ids, MASK), ids).to(model.device)
    logit, category = model(ids, lengths.to(model.device))
    of, n = of.to(model.device), len(group)
    best = torch.full((n,), -1e30, device=model.device).scatter_reduce(0, of, logit, "amax")
    target = torch.tensor([float(e.attack) for e in group], device=model.device) * (1 - 2 * SMOOTH) + SMOOTH
    loss = F.binary_cross_entropy_with_logits(best, target)
    kinds = torch.tensor([e.category for e in group], device=model.device)[of]
    strongest = (logit >= best[of] - 1e-6) & (kinds >= 0)
    if strongest.any():
        loss = loss + 0.1 * F.cross_entropy(category[strongest], kinds[strongest]) * strongest.float().mean()
    return loss


def mine(model, sampler):
    """What is harmless and looks like an attack to the network half-way: drawn more often from then on."""
    looked = list(sampler.harmless(LOOKED))
    logit = score_windows(model, [e.tokens for e in looked], [e.role for e in looked])
    worst = np.argsort(-logit)[:LOOKED // 40]
    sampler.hard = [looked[i] for i in worst]
    print(f"{len(worst)} of {LOOKED} harmless windows from logit {logit[worst[-1]]:.2f} on are drawn more often", flush=True)


def train(model, sampler, minutes, rng):
    adam = torch.optim.AdamW(model.head.parameters(), lr=2e-3, weight_decay=0.01)
    begin, step, smooth = time.time(), 0, None
    for ids, lengths, of, group in batches(sampler, rng):
        share = (time.time() - begin) / (minutes * 60)
        if share >= 1:
            return
        if share > 0.5 and not sampler.hard:
            mine(model, sampler)
        rate = min(1.0, (step + 1) / 60) * (1 - share)
        for g in adam.param_groups:
            g["lr"] = 2e-3 * rate
        loss = loss_of(model, ids, lengths, of, group)
        loss.backward()
        model.w.step(RATE * rate, decay=0.02)
        adam.step()
        adam.zero_grad()
        step += 1
        smooth = float(loss) if smooth is None else smooth * 0.98 + float(loss) * 0.02
        if step % 50 == 0:
            print(f"step {step}, {share:.0%}, loss {smooth:.4f}, {step / (time.time() - begin):.1f} steps/s", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--minutes", required=True, type=float)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--leave-out", default="", help="further sources to keep out, for a look at what generalises")
    p.add_argument("--encoder", default="encoder.pt", help="file of WORK to begin with; none: from nothing")
    p.add_argument("--out", default="model.pt")
    p.add_argument("--device", default="cpu")
    a = p.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    vocabulary = Vocabulary((ROOT / "model/vocabulary.bin").read_bytes())
    rows, left = corpus.load(a.data), set(filter(None, a.leave_out.split(",")))
    out = lambda r: corpus.kept_out(r) or r.source in left
    chosen = examples.build([r for r in rows if not out(r)], vocabulary, rng)
    kept = examples.build([r for r in rows if out(r)], vocabulary)
    extra = [Example(vocabulary.tokens(t), True, DOCUMENT, -1, 1.0, "bipia_orders", False)
             for t in examples.instructions_of_composites(rows)]
    as_prompts = [e._replace(weight=2.0, role=PROMPT) for e in extra]
    plain = [vocabulary.tokens(t, LONGEST) for i, t in enumerate(corpus.plain_text(a.data)) if i % 2 == 0]
    sampler = Sampler(chosen + [e._replace(weight=4.0) for e in extra] + as_prompts, extra, plain, rng)
    sampler.ends = vocabulary.ends()
    print(f"{len(chosen)} rows, {len(kept)} kept out, {len(extra)} orders of composites, {len(plain)} raw texts", flush=True)
    model = Classifier(vocabulary.size, a.device)
    if a.encoder != "none":
        model.w.load(torch.load(a.work / a.encoder))
    train(model, sampler, a.minutes, rng)
    torch.save(model.state(), a.work / a.out)
    report(kept, score_all(model, kept))


if __name__ == "__main__":
    main()
