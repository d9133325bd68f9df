#!/usr/bin/python3
"""From WORK/model.pt, gate.xz, witness.xz and letters.xz to the weights file of the product: 8-bit weights, gate, exit, calibration (src/model/weights.h).

    model/train/export.py --data SHARED/data --work DIR --out model/shield.weights --version N [--model model.half]

Chosen here, on the texts that were kept out: from which forecast of gate and letters on windows are read, and below which logit they leave at the exit. Calibration is
done on what the product itself computes, over the benign sources that were kept out, each source counting the same.
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

import corpus
import examples
import gate as gates
import letters as of_letters
import pack
from evaluation import score_stages
from finetune import Classifier
from network import EXIT, GATE_BITS, LETTERS_BITS, LETTERS_SHARE, NAME, RULES, SHAPE, SHARE, STANDS, STRIDE, WINDOW
from ops import rotary
from text import DOCUMENT, PROMPT, ROOT, Reader, Vocabulary

# What a score means: the share of ordinary texts that score at least that much. docs/detection.md
RATES = ((0.5, 0.02), (0.2, 0.10), (0.1, 0.20), (0.05, 0.35), (0.02, 0.50), (0.01, 0.60), (0.005, 0.75), (0.002, 0.90), (0.001, 0.95))
# Of the attacks that would be found at a score of AIM, by role, the gate may let go the first of LOST, letters the second, and the exit LEFT of the rest. Somebody
# waits for a prompt: a lower AIM finds little more in prompts and doubles what the worst harmless ones in a hundred cost (model/EXPERIMENTS.md).
AIM, LOST, LEFT = (0.50, 0.35), ((0.01, 0.02), (0.03, None)), 0.02
ALL = -1e9  # of a stage that lets nothing go
FORMAT = 7  # src/model/weights.h


def quantise(w):
    """int8 rows and their scales."""
    w = np.asarray(w, np.float32)
    scale = np.maximum(np.abs(w).max(1), 1e-12) / 127
    return np.rint(w / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def packed_rows(w):
    """[n,k] to [n/16][k/4][16][4]."""
    n, k = w.shape
    return np.ascontiguousarray(w.reshape(n // 16, 16, k // 4, 4).transpose(0, 2, 1, 3))


def factors(trained, last):
    """Of both roles: reach, factors, bias and a last number."""
    return np.array([[t["reach"], *t["factors"], t["bias"], number] for t, number in zip(trained, last)], np.float32)


def sections(state, vocabulary, pieces, gate, witness, letters, marks, knots):
    """marks: of each role the forecasts of the gate and with letters from which on windows are read, and the logit below which they leave."""
    d = SHAPE["width"]
    shape = [d, SHAPE["layers"], SHAPE["heads"], SHAPE["inner"], vocabulary, WINDOW, len(examples.CATEGORIES), STRIDE, GATE_BITS,
             LETTERS_BITS, len(knots[0]), EXIT]
    yield "shape", np.array(shape, np.uint32)
    table, scale = quantise(state["emb"])
    yield "embedding", table
    yield "embedding.scale", scale
    cosine, sine = (t.numpy() for t in rotary(WINDOW, d // SHAPE["heads"]))
    yield "rotary", np.stack([cosine, sine], 1)
    for i in range(SHAPE["layers"]):
        for part in ("qkv", "out", "up", "down"):
            w, scale = quantise(state[f"{i}.{part}"])
            yield f"{i}.{part}", packed_rows(w)
            yield f"{i}.{part}.scale", scale
        for norm, name in (("n1", "norm1"), ("n2", "norm2")):
            yield f"{i}.{name}", np.concatenate([state[f"{i}.{norm}g"], state[f"{i}.{norm}b"]])
    for prefix, norm, head in (("", "n", ""), ("exit.", "exit.", "exit_")):
        yield prefix + "norm", np.concatenate([state[norm + "g"], state[norm + "b"]])
        for name in ("query", "pooled", "mean", "bias"):
            yield prefix + name, state[f"head.{head}{name}"]
    yield "exit.leave", np.array([leave for *_, leave in marks], np.float32)
    yield "category", state["head.category"]
    yield "category.bias", state["head.category_bias"]
    yield "gate", factors(gate, [at for at, *_ in marks])
    yield "witness", factors(witness, SHARE)
    yield "gate.table", np.stack([np.stack([g["table"], w["table"]], 1) for g, w in zip(gate, witness)])
    yield "letters", np.array([*letters["factors"], LETTERS_SHARE, marks[0][1]], np.float32)
    yield "letters.table", letters["table"]
    yield "rules", np.array(RULES, np.float32)
    yield "calibration", np.array(knots, np.float32)
    yield "pieces", np.frombuffer(pieces, np.uint8)


def of_roles(trained):
    """What gate.py or witness.py saved, by role."""
    return [{k: trained[f"{k}-{role}"] for k in ("reach", "factors", "bias", "table")} for role in (PROMPT, DOCUMENT)]


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
    head = struct.pack("<8sIIQQII24s", b"VDTMODEL", FORMAT, version, 64 + len(rest), 0, zlib.crc32(rest), len(parts), NAME.encode())
    pathlib.Path(path).write_bytes(head + rest)


def below(reach, source, lost):
    """What `lost` of the texts do not reach, every source counting much the same; those that reach nothing at all (-inf) do not count."""
    found = np.isfinite(reach)
    reach, source = reach[found], source[found]
    count, order = collections.Counter(source), np.argsort(reach)
    weight = np.array([1 / max(count[s], 25) for s in source])
    return float(reach[order][np.searchsorted(np.cumsum(weight[order]) / weight.sum(), lost)])


def falling(value, source):
    """Values of ordinary texts, the largest first, and the share of such texts that reach each, every source of ten and more texts counting the same."""
    count, order = collections.Counter(source), np.argsort(-value)
    weight = np.array([1 / count[s] if count[s] >= 10 else 0 for s in source])
    return value[order], np.cumsum(weight[order]) / weight.sum()


class Shares:
    """What each has in the logit of a window (src/model/gate.h): the witness in its mean with the encoder, and letters beside that mean."""

    def __init__(self, witness, letters):
        self.witness, self.letters = witness, letters

    def foretold(self, witness, encoder):
        return self.witness * witness + (1 - self.witness) * encoder

    def logit(self, witness, letters, encoder):
        return self.letters * letters + (1 - self.letters) * self.foretold(witness, encoder)


class Windows:
    """The windows of texts of one role, and what each stage says of them: the gate, letters, the exit, and the whole network."""

    def __init__(self, model, gate, witness, letters, vocabulary, kept, role):
        parts = [gates.cut(e.tokens) for e in kept]
        flat = [w for p in parts for w in p]
        self.texts, self.of = kept, np.repeat(np.arange(len(parts)), [len(p) for p in parts])
        said, guess, shares = gates.guesses(witness, flat), gates.guesses(gate, flat), Shares(SHARE[role == DOCUMENT], LETTERS_SHARE * (role == PROMPT))
        told = of_letters.ask(vocabulary, letters, flat) if role == PROMPT else 0
        self.first = shares.foretold(said, guess)
        self.second, self.logit, self.early = (shares.logit(said, told, by) for by in (guess, *score_stages(model, flat, role)))

    def lowest(self, said, use, lost):
        """What a stage must say for a window to go on: `lost` of the texts lie below it with all windows that they are found by (use), every
        source counting much the same."""
        reach = np.full(len(self.texts), -np.inf)
        np.maximum.at(reach, self.of[use], said[use])
        return below(reach, np.array([e.source for e in self.texts]), lost)


def stages(of, role, detect):
    """Of each stage from which forecast on windows go on (the gate, letters, the exit), and says what they let through of the harmless."""
    attacks, harmless = of(lambda e: e.role == role and e.attack, role), of(lambda e: e.role == role and not e.attack, role)
    found, past, marks, said = attacks.logit >= detect, np.ones(len(harmless.of), bool), [], []
    for name, stage, lost in zip(("gate", "letters", "exit"), ("first", "second", "early"), (*LOST[role == DOCUMENT], LEFT)):
        forecast, theirs = getattr(harmless, stage), getattr(attacks, stage)
        marks.append(ALL if lost is None else attacks.lowest(theirs, found, lost))
        found, past = found & (theirs >= marks[-1]), past & (forecast >= marks[-1])
        if lost is not None:
            said.append(f"{past.mean():.1%} the {name} (at {marks[-1]:.2f}, correlation {np.corrcoef(forecast, harmless.logit)[0, 1]:.3f})")
    print(f"role {role}: scores of {AIM[role == DOCUMENT]} from logit {detect:.2f}. Of the harmless windows kept out pass {', '.join(said)}", flush=True)
    return marks


def calibrate(kept, logit, role):
    """Knots: at each rate the lowest logit that no more than this share of ordinary texts reaches, every source counting the same; with those that
    a rule flags whatever the model says (inf), unless these use up more than half of it."""
    use = [i for i, e in enumerate(kept) if e.role == role and corpus.ordinary(e.source, e.attack, e.harmful, e.ours)]
    value, share = falling(logit[use], [kept[i].source for i in use])
    sure, knots = max(share[np.isinf(value)], default=0), [(float(value[-1]) - 1, 0.0)]
    for rate, score in RATES:
        most = max(rate, sure + rate / 2)
        at = float(value[min(np.searchsorted(share, most, "right"), len(value) - 1)]) + 0.01
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
    a = p.parse_args()
    pieces = (ROOT / "model/vocabulary.bin").read_bytes()
    vocabulary = Vocabulary(pieces)
    state = {k: v.float() for k, v in torch.load(a.work / a.model).items()}
    model = Classifier(vocabulary.size).load(state)
    gate, witness = (of_roles(pack.load(a.work / f"{name}.xz")) for name in ("gate", "witness"))
    letters = pack.load(a.work / "letters.xz")
    rows = [*filter(corpus.kept_out, corpus.load(a.data)), *corpus.long_texts(a.data)]
    kept = [(r, e) for r in rows for e in examples.build([r], vocabulary)]
    kept_examples = [e for _, e in kept]
    flat = [[(-30.0, 0.0), (30.0, 1.0)]] * 2
    parts = lambda marks, knots: sections(state, vocabulary.size, pieces, gate, witness, letters, marks, knots)
    of = lambda want, role: Windows(model, gate[role == DOCUMENT], witness[role == DOCUMENT], letters, vocabulary, [*filter(want, kept_examples)], role)
    write(a.out, a.version, parts([(ALL,) * 3] * 2, flat))
    ruled = rule_scores([r for r, _ in kept])
    rules = np.where(ruled >= STANDS, np.inf, np.array([RULES[e.role == DOCUMENT] for _, e in kept]) * ruled)

    def knots():
        reader = Reader(a.out)
        joined = rules + [reader.judge(r.text, e.role == DOCUMENT)[0] for r, e in kept]
        return [calibrate(kept_examples, joined, role) for role in (PROMPT, DOCUMENT)]

    first = knots()
    detect = [dict((s, l) for l, s in k)[aim] for k, aim in zip(first, AIM)]
    marks = [stages(of, role, d) for role, d in zip((PROMPT, DOCUMENT), detect)]
    write(a.out, a.version, parts(marks, first))
    write(a.out, a.version, parts(marks, knots()))
    print(f"{a.out}: {pathlib.Path(a.out).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
