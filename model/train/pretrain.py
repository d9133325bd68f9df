#!/usr/bin/python3
"""Pre-trains the encoder on raw text by replaced-token detection: a small generator fills masked tokens in, the encoder learns to say
which tokens are not the original ones. It learns from every token, which is what counts when text and time are scarce.

    model/train/pretrain.py --data SHARED/data --work DIR --minutes N [--cooldown] [--device cuda]

Goes on from DIR/pretrain.pt when it is there. The rate stays constant, so that more minutes can follow; --cooldown lets it fall to zero
over this run and writes DIR/encoder.pt, which finetune.py begins with. Prints tokens, both losses and the speed.
"""
import argparse
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F

import corpus
from network import GENERATOR, SHAPE
from ops import BF16, Encoder, Gelu, Linear, Weights, kernels, num, ptr, small
from text import MASK, ROOT, Vocabulary

LENGTH, BATCH, MASKED, WEIGHT = 128, 128, 0.15, 25.0
RATE, GENERATOR_RATE, WARM = 1.0e-3, 1.3e-3, 300


class Fill(torch.autograd.Function):
    """The generator's output layer, tied to its embedding: loss, draws, and the gradient in one pass over the logits."""

    @staticmethod
    def forward(ctx, hidden, w, name, bias, targets):
        logits = F.linear(hidden, w.B[name], bias)
        drawn = torch.empty(len(targets), dtype=torch.int32)
        loss = kernels().cross_entropy(ptr(logits), ptr(targets), ptr(torch.rand(len(targets))), ptr(drawn), num(len(targets)),
                                       small(logits.shape[1]), num(1.0 / len(targets)))
        ctx.args = w, name
        ctx.save_for_backward(hidden, logits)
        ctx.mark_non_differentiable(drawn)
        return torch.tensor(loss / len(targets)), drawn

    @staticmethod
    def backward(ctx, grad, _):
        (hidden, logits), (w, name) = ctx.saved_tensors, ctx.args
        w.G[name].add_(torch.mm(logits.t(), hidden))
        return torch.mm(logits, w.B[name]), None, None, None, None


class Pretraining:
    def __init__(self, size, counts, device):
        self.device = device
        self.w, self.gw = Weights(device), Weights(device)
        self.encoder = Encoder(self.w, size, **SHAPE)
        self.generator = Encoder(self.gw, size, prefix="gen.", **GENERATOR)
        self.w.add("replaced.w", (SHAPE["width"], SHAPE["width"]), SHAPE["width"] ** -0.5)
        self.w.add("replaced.v", (1, SHAPE["width"]), 0.02)
        self.w.build()
        self.gw.build()
        self.bias = torch.log((counts + 1.0) / counts.sum()).add(8).to(BF16).to(device)
        self.lengths = torch.full((BATCH,), LENGTH, dtype=torch.int32, device=device)

    def fill(self, ids, where):
        masked = ids.clone()
        masked.view(-1)[where] = MASK
        targets = ids.view(-1)[where].contiguous()
        hidden = self.generator(masked, self.lengths)[where]
        if self.device == "cpu":
            return Fill.apply(hidden, self.gw, "gen.emb", self.bias, targets)
        logits = F.linear(hidden, self.gw.get("gen.emb").to(BF16)).float() + self.bias.float()
        drawn = torch.multinomial(logits.detach().softmax(-1), 1).view(-1).int()
        return F.cross_entropy(logits, targets.long()), drawn

    def replaced(self, ids):
        hidden = self.encoder(ids, self.lengths)
        if self.device == "cpu":
            return Linear.apply(Gelu.apply(Linear.apply(hidden, self.w, "replaced.w")), self.w, "replaced.v").view(-1)
        u = F.linear(hidden, self.w.get("replaced.w").to(BF16))
        return F.linear(u * torch.sigmoid(1.702 * u), self.w.get("replaced.v").to(BF16)).view(-1)

    def step(self, ids, rate):
        """One step over ids [BATCH, LENGTH]; returns both losses."""
        n = ids.numel()
        where = torch.randperm(n, device=self.device)[:int(n * MASKED) // 16 * 16].sort().values
        fill_loss, drawn = self.fill(ids, where)
        fill_loss.backward()
        self.gw.step(GENERATOR_RATE * rate)
        seen = ids.clone()
        seen.view(-1)[where] = drawn
        wrong = (seen != ids).view(-1).float()
        loss = F.binary_cross_entropy_with_logits(self.replaced(seen).float(), wrong)
        (loss * WEIGHT).backward()
        self.w.step(RATE * rate)
        return float(fill_loss), float(loss)

    def save(self, path, done):
        parts = {n: {k: getattr(w, k).detach().cpu() for k in ("p", "m", "v")} | {"steps": w.steps}
                 for n, w in (("encoder", self.w), ("generator", self.gw))}
        torch.save(parts | {"done": done}, str(path) + ".part")
        pathlib.Path(str(path) + ".part").replace(path)

    def resume(self, path):
        parts = torch.load(path, map_location="cpu")
        with torch.no_grad():
            for n, w in (("encoder", self.w), ("generator", self.gw)):
                for k in ("p", "m", "v"):
                    getattr(w, k).copy_(parts[n][k])
                w.steps = parts[n]["steps"]
                w.b.copy_(w.p)
        return parts["done"]


def stream(vocabulary, data, work):
    path = work / "pretrain.npy"
    if not path.exists():
        print("reading and cutting the text ...", flush=True)
        np.save(path, corpus.token_stream(vocabulary, corpus.raw_text(data)))
    tokens = np.load(path)
    return tokens[:len(tokens) // LENGTH * LENGTH].reshape(-1, LENGTH)


def batches(sequences, done):
    """Endless; an order per epoch, and it goes on where a former run ended."""
    at = done
    while True:
        order = np.random.default_rng(at // len(sequences)).permutation(len(sequences))
        for i in range(at % len(sequences), len(sequences) - BATCH + 1, BATCH):
            yield torch.from_numpy(sequences[order[i:i + BATCH]].astype(np.int32))
            at += BATCH
        at = (at // len(sequences) + 1) * len(sequences)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--minutes", required=True, type=float)
    p.add_argument("--cooldown", action="store_true")
    p.add_argument("--device", default="cpu")
    a = p.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    vocabulary = Vocabulary((ROOT / "model/vocabulary.bin").read_bytes())
    sequences = stream(vocabulary, a.data, a.work)
    counts = torch.from_numpy(np.bincount(sequences[::7].reshape(-1), minlength=vocabulary.size)).float()
    print(f"{sequences.size / 1e6:.0f} M tokens, vocabulary {vocabulary.size}", flush=True)
    job = Pretraining(vocabulary.size, counts, a.device)
    state = a.work / "pretrain.pt"
    done = job.resume(state) if state.exists() else 0
    begin, first, saved, losses, steps = time.time(), done, time.time(), None, 0
    for ids in batches(sequences, done):
        share = (time.time() - begin) / (a.minutes * 60)
        if share >= 1:
            break
        rate = min(1.0, (done / BATCH + 1) / WARM) * (1 - share if a.cooldown else 1)
        new = np.array(job.step(ids.to(a.device), rate))
        losses = new if losses is None else losses * 0.99 + new * 0.01
        done, steps = done + BATCH, steps + 1
        if steps % 100 == 0:
            speed = (done - first) * LENGTH / (time.time() - begin)
            print(f"{done * LENGTH / 1e6:.1f} M tokens, fill {losses[0]:.3f}, replaced {losses[1]:.4f}, {speed:.0f} tokens/s", flush=True)
        if time.time() - saved > 240 and not a.cooldown:
            job.save(state, done)
            saved = time.time()
    if a.cooldown:
        torch.save(job.w.state(), a.work / "encoder.pt")
    else:
        job.save(state, done)


if __name__ == "__main__":
    main()
