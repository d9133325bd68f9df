#!/usr/bin/python3
"""What gate, letters and exit let through and what is found behind them, for the shares and thresholds that export.py could choose: on the logits of every window of
the texts kept out, with rules, without paragraphs read again. SHARE and LETTERS_SHARE (network.py), AIM, LOST and LEFT (export.py) were chosen with it.

    model/train/cascade.py --data SHARED/data --work DIR [--model model.pt] [--gate gate.xz] [--witness witness.xz] [--letters letters.xz]

Recall is the mean over attack sources where 1, 2, 5 and 10 % of ordinary text is flagged, every source counting the same.
"""
import argparse
import pathlib

import numpy as np

import corpus
import examples
import export
import gate as gates
import letters as of_letters
import pack
from evaluation import score_stages
from finetune import load
from network import RULES, STANDS
from text import DOCUMENT, PROMPT, ROOT, Vocabulary

SHARES = {PROMPT: ((0.5, 0.0), (0.5, 0.2), (0.4, 0.3), (0.5, 0.3), (0.6, 0.3), (0.5, 0.4)), DOCUMENT: ((0.2, 0.0), (0.3, 0.0), (0.4, 0.0), (0.5, 0.0))}  # witness, letters
AIMS, RATES = ((0.01, 0.007, 0.013, 0.01), (0.02, 0.01, 0.02, 0.02), (0.05, 0.01, 0.02, 0.02)), (0.01, 0.02, 0.05, 0.10)
FIRST, REST = 260, 520  # microseconds of a window: the layers before the exit, and those after it (model/EXPERIMENTS.md)


class Role:
    """The texts of one role, their windows, and what each stage says of them."""

    def __init__(self, model, gate, witness, letters, vocabulary, kept, rules, role):
        use = [i for i, e in enumerate(kept) if e.role == role and not e.harmful]
        self.texts, self.rules, self.role = [kept[i] for i in use], rules[use], role
        parts = [gates.cut(e.tokens) for e in self.texts]
        flat = [w for p in parts for w in p]
        self.of, self.guess = np.repeat(np.arange(len(parts)), [len(p) for p in parts]), gates.guesses(gate, flat)
        self.witness, self.letters = gates.guesses(witness, flat), of_letters.ask(vocabulary, letters, flat) if role == PROMPT else 0
        self.last, self.early = score_stages(model, flat, role)
        self.attack, self.source = np.array([e.attack for e in self.texts]), np.array([e.source for e in self.texts])
        self.ordinary = np.array([corpus.ordinary(e.source, e.attack, e.harmful, e.ours) for e in self.texts])

    def largest(self, said, use=slice(None)):
        out = np.full(len(self.texts), -np.inf)
        np.maximum.at(out, self.of[use], said[use])
        return out

    def joined(self, said):
        logit = self.largest(said)
        return np.where(self.rules >= STANDS, 50 + logit / 100, logit + RULES[self.role == DOCUMENT] * self.rules)

    def threshold(self, score, rate):
        value, share = export.falling(score[self.ordinary], self.source[self.ordinary])
        return value[min(np.searchsorted(share, rate), len(value) - 1)]

    def recall(self, score):
        sources = [s for s in sorted(set(self.source[self.attack])) if (self.attack & (self.source == s)).sum() >= 10]
        return [np.mean([(score[self.attack & (self.source == s)] >= at).mean() for s in sources]) for at in (self.threshold(score, r) for r in RATES)]

    def line(self, witness, letters, aim, first, second, left):
        shares = export.Shares(witness, letters)
        both, early, guess = (shares.logit(self.witness, self.letters, said) for said in (self.last, self.early, self.guess))
        found = self.attack[self.of] & (both >= self.threshold(self.joined(both), aim))
        forecast = shares.foretold(self.witness, self.guess)
        past = forecast >= export.below(self.largest(forecast, found), self.source, first)
        past &= guess >= export.below(self.largest(guess, found & past), self.source, second)
        on = past & (early >= export.below(self.largest(early, found & past), self.source, left))
        harmless = ~self.attack[self.of]
        passed, stayed = past[harmless].mean(), on[harmless].mean()
        found = self.recall(self.joined(np.where(on, both, np.where(past, early, guess))))
        print(f"{'document' if self.role == DOCUMENT else 'prompt':8} shares {witness:.2f} {letters:.2f}, aim {aim:.0%}, lost {first + second:.0%}, {left:.0%}: of harmless windows {passed:5.1%} are read, "
              f"{stayed:4.1%} the exit, {passed * FIRST + stayed * REST:3.0f} us each; found " + " ".join(f"{f:6.1%}" for f in found), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--model", default="model.pt")
    p.add_argument("--gate", default="gate.xz")
    p.add_argument("--witness", default="witness.xz")
    p.add_argument("--letters", default="letters.xz")
    a = p.parse_args()
    vocabulary = Vocabulary((ROOT / "model/vocabulary.bin").read_bytes())
    kept = [(r, e) for r in filter(corpus.kept_out, corpus.load(a.data)) for e in examples.build([r], vocabulary)]
    rules, model = export.rule_scores([r for r, _ in kept]), load(a.work, a.model, vocabulary.size, "cpu")
    gate, witness = (export.of_roles(pack.load(a.work / name)) for name in (a.gate, a.witness))
    for role, guess, other in zip((PROMPT, DOCUMENT), gate, witness):
        of = Role(model, guess, other, pack.load(a.work / a.letters), vocabulary, [e for _, e in kept], rules, role)
        for shares in SHARES[role]:
            for aim in AIMS:
                of.line(*shares, *aim)


if __name__ == "__main__":
    main()
