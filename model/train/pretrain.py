#!/usr/bin/python3
"""Pre-trains the encoder on raw text by replaced-token detection: a small generator fills masked tokens in, the encoder learns to say
which tokens are not the original ones. It learns from every token, which is what counts when text and time are scarce.

    model/train/pretrain.py --work DIR --minutes N [--keep-rate] [--from encoder.half] [--device cuda]

Reads what pack.py wrote; raw text that arrives in DIR while it runs is taken up. Goes on from DIR/pretrain.pt when it is there. The rate falls to zero
over the run and DIR/encoder.pt is what finetune.py begins with; --keep-rate holds it, so that more minutes can follow, and writes DIR/pretrain.pt.
--from begins with the encoder of an earlier run, beside a new generator. Prints tokens, losses and the speed.
"""
import argparse
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F

import pack
from network import GENERATOR, SHAPE
from ops import BF16, Encoder, Gelu, Linear, Weights, keep, kept, kernels, num, plain_layer, product, ptr, small
from text import MASK

LENGTH, MASKED, WEIGHT, WARM = 128, 0.15, 25.0, 300
# Sequences of a step and the rates that go with it: a GPU idles with few, a CPU learns more from many small steps.
BATCH = {"cpu": 128, "cuda": 512}
RATE = {"cpu": 1.0e-3, "cuda": 1.6e-3}
GENERATOR_RATE = {"cpu": 1.3e-3, "cuda": 2.0e-3}


class Fill(torch.autograd.Function):
    """The generator's output layer, tied to its embedding: loss, draws, and the gradient in one pass over the logits."""

    @staticmethod
    def forward(ctx, hidden, w, name, bias, targets):
        logits = product(hidden, w.B[name].t()).add_(bias)
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
        w.G[name].add_(product(logits.t(), hidden))
        return product(logits, w.B[name]), None, None, None, None


def filled(hidden, table, bias, targets):
    """The same on a GPU, where it is compiled: nothing of the size of the logits but themselves is ever written."""
    logits = F.linear(hidden, table.to(BF16), bias)
    noise = torch.rand_like(logits, dtype=torch.float32)  # the largest of logit + Gumbel noise is a draw by the softmax
    drawn = (logits.detach().float() - torch.log(-torch.log(noise))).argmax(-1)
    return F.cross_entropy(logits.float(), targets), drawn.int()


class Reader:
    """An encoder that learns to see replaced tokens."""

    def __init__(self, size, device):
        self.device, d = device, SHAPE["width"]
        self.w = Weights(device)
        self.encoder = Encoder(self.w, size, **SHAPE)
        self.w.add("replaced.w", (d, d), d ** -0.5)
        self.w.add("replaced.v", (1, d), 0.02)
        self.w.build()

    def replaced(self, ids):
        hidden = self.encoder(ids)[0]
        if self.device == "cpu":
            return Linear.apply(Gelu.apply(Linear.apply(hidden, self.w, "replaced.w")), self.w, "replaced.v").view(-1)
        u = F.linear(hidden, self.w.P["replaced.w"].to(BF16))
        return F.linear(F.silu(u * 1.702), self.w.P["replaced.v"].to(BF16)).view(-1)

    def step(self, seen, wrong, rate):
        loss = F.binary_cross_entropy_with_logits(self.replaced(seen).float(), wrong)
        (loss * WEIGHT).backward()
        self.w.step(RATE[self.device] * rate)
        return loss.detach()


class Pretraining:
    def __init__(self, size, counts, device):
        self.device = device
        self.gw = Weights(device)
        self.generator = Encoder(self.gw, size, prefix="gen.", **GENERATOR)
        self.gw.build()
        self.reader = Reader(size, device)
        if device == "cuda":
            self.filled = torch.compile(filled, dynamic=False)
            self.generator.layer = self.reader.encoder.layer = torch.compile(plain_layer, dynamic=False)
        self.bias = torch.log((counts + 1.0) / counts.sum()).add(8).to(BF16).to(device)

    def fill(self, ids, where):
        masked = ids.clone()
        masked.view(-1)[where] = MASK
        targets = ids.view(-1)[where].contiguous()
        hidden = self.generator(masked)[0][where]
        if self.device == "cpu":
            return Fill.apply(hidden, self.gw, "gen.emb", self.bias, targets)
        return self.filled(hidden, self.gw.P["gen.emb"], self.bias, targets.long())

    def step(self, ids, rate):
        """One step over ids [BATCH, LENGTH]; returns the generator's loss and the reader's."""
        n = ids.numel()
        where = torch.randperm(n, device=self.device)[:int(n * MASKED) // 16 * 16].sort().values
        fill_loss, drawn = self.fill(ids, where)
        fill_loss.backward()
        self.gw.step(GENERATOR_RATE[self.device] * rate)
        seen = ids.clone()
        seen.view(-1)[where] = drawn
        wrong = (seen != ids).view(-1).float()
        return torch.stack([fill_loss.detach().float(), self.reader.step(seen, wrong, rate)])

    def all(self):
        return {"generator": self.gw, "encoder": self.reader.w}

    def save(self, path, done):
        parts = {n: {k: getattr(w, k).detach().cpu() for k in ("p", "m", "v")} | {"steps": w.steps} for n, w in self.all().items()}
        keep(parts | {"done": done}, path)

    def resume(self, path):
        parts = kept(path)
        with torch.no_grad():
            for n, w in self.all().items():
                for k in ("p", "m", "v"):
                    getattr(w, k).copy_(parts[n][k])
                w.steps = parts[n]["steps"]
                w.b.copy_(w.p)
        return parts["done"]


class Stream:
    """Sequences of everything that is packed in a folder; they wrap through all of it, epoch by epoch, each with its own order."""

    def __init__(self, work):
        self.work, self.names, self.parts = work, set(), []
        self.look()

    def look(self):
        """Takes up what is new. True when there was something."""
        new = [p for p in sorted([*self.work.glob("raw-*.xz"), self.work / "rows.xz"]) if p.name not in self.names]
        for path in new:
            got = pack.load(path)
            if "meta" in got:
                self.vocabulary = pack.meta_of(got)["vocabulary"]
                tokens = np.concatenate([t for t, kept in zip(pack.texts(got), got["kept"]) if not kept])
            else:
                tokens = got["tokens"]
            self.names.add(path.name)
            self.parts.append(tokens[:len(tokens) // LENGTH * LENGTH].reshape(-1, LENGTH))
        if new:
            self.sequences = np.concatenate(self.parts)
        return bool(new)

    def batches(self, size, at):
        """Endless: int32 [size, LENGTH], epoch by epoch; one ends when there is new text. at: sequences that were seen before."""
        while True:
            order = np.random.default_rng(at).permutation(len(self.sequences))
            for i in range(0, len(order) - size + 1, size):
                yield torch.from_numpy(self.sequences[order[i:i + size]].astype(np.int32))
                at += size
                if i // size % 64 == 63 and self.look():
                    break


def train(job, stream, a, done):
    size, began, first, said = BATCH[a.device], time.time(), done, time.time()
    losses = None
    for ids in stream.batches(size, done):
        share = (time.time() - began) / (a.minutes * 60)
        if share >= 1:
            return done
        rate = min(1.0, (done / size + 1) / WARM) * (1 if a.keep_rate else 1 - share)
        new = job.step(ids.to(a.device), rate)
        losses = new if losses is None else losses * 0.99 + new * 0.01
        done += size
        if time.time() - said > 10:
            said = time.time()
            print(f"{done * LENGTH / 1e6:.1f} M tokens, fill {losses[0]:.3f}, replaced {losses[1]:.4f}, {(done - first) * LENGTH / (said - began):.0f} tokens/s", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--minutes", required=True, type=float)
    p.add_argument("--keep-rate", action="store_true")
    p.add_argument("--from", dest="begin", help="file of DIR: an encoder, or a network that was fine-tuned")
    p.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    a = p.parse_args()
    stream = Stream(a.work)
    size = stream.vocabulary
    counts = torch.from_numpy(np.bincount(stream.sequences[::7].reshape(-1), minlength=size)).float()
    print(f"{stream.sequences.size / 1e6:.0f} M tokens, vocabulary {size}", flush=True)
    job, state = Pretraining(size, counts, a.device), a.work / "pretrain.pt"
    if a.begin:
        job.reader.w.load(kept(a.work / a.begin))
    done = train(job, stream, a, job.resume(state) if state.exists() else 0)
    if a.keep_rate:
        job.save(state, done)
    else:
        keep(job.reader.w.state(), a.work / "encoder.pt")


if __name__ == "__main__":
    main()
