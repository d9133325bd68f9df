"""Scores of a trained network on the sources that were kept out, and the table of them. The product's own figures come from
model/evaluate, which asks `vedette scan`; this is for choosing between experiments."""
import collections

import numpy as np

from examples import windows
from network import STRIDE, WINDOW
from text import DOCUMENT

def score_stages(model, pieces, roles):
    """The logit of each piece of tokens, and that of the exit; roles: one for all, or a list."""
    import torch  # here, since model/evaluate has no need of it
    from finetune import pad
    roles = [roles] * len(pieces) if isinstance(roles, int) else roles
    order, out, at = sorted(range(len(pieces)), key=lambda i: len(pieces[i])), np.zeros((2, len(pieces))), 0
    most = 16384 if model.device == "cpu" else 32768  # beside others on one GPU
    with torch.no_grad():
        while at < len(order):
            n = max(1, most // (len(pieces[order[min(at + 256, len(order) - 1)]]) + 1))
            group = order[at:at + n]
            ids, lengths = (torch.from_numpy(x).to(model.device) for x in pad([pieces[i] for i in group], [roles[i] for i in group]))
            for row, logits in zip(out, model(ids, lengths)[:2]):
                row[group] = logits.float().cpu().numpy()
            at += n
    return out


def score_windows(model, pieces, roles):
    return score_stages(model, pieces, roles)[0]


def score_all(model, kept, size=WINDOW, stride=STRIDE):
    """The logit of each example: the largest of its windows."""
    jobs = [(i, e.tokens[a:b]) for i, e in enumerate(kept) for a, b in windows(e.tokens[:8192], size, stride)]
    out = np.full(len(kept), -1e9)
    np.maximum.at(out, [i for i, _ in jobs], score_windows(model, [p for _, p in jobs], [kept[i].role for i, _ in jobs]))
    return out


def auc(attack, score):
    order = np.argsort(score, kind="stable")
    rank = np.empty(len(score))
    rank[order] = np.arange(1, len(score) + 1)
    p, n = attack.sum(), (~attack).sum()
    return (rank[attack].sum() - p * (p + 1) / 2) / max(1, p * n)


def report(kept, score):
    """Per role: AUC over everything kept out, thresholds at mean accuracy over benign sources, recall per source."""
    for role in sorted({e.role for e in kept}):
        use = np.array([e.role == role and not e.harmful for e in kept])
        attack, value = np.array([e.attack for e in kept])[use], score[use]
        source = np.array([e.source + ("+" if e.attack else "-") for e in kept])[use]
        if not attack.any() or attack.all():
            continue
        benign = sorted({s for s in source if s[-1] == "-" and (source == s).sum() >= 10})
        marks = {}
        for accuracy in (0.90, 0.95, 0.98, 0.99):
            low, high = value.min(), value.max()
            for _ in range(40):  # the threshold at which the mean accuracy over the benign sources is that
                t = (low + high) / 2
                low, high = (t, high) if np.mean([(value[source == s] < t).mean() for s in benign]) < accuracy else (low, t)
            marks[accuracy] = high
        print(f"\n{'document' if role == DOCUMENT else 'prompt'}: pooled AUC {auc(attack, value):.4f}, "
              f"{attack.sum()} attacks, {(~attack).sum()} benign")
        print("  at mean benign accuracy " + "  ".join(f"{a:.0%} (>{t:.2f})" for a, t in marks.items()))
        table = collections.defaultdict(list)
        for s in sorted(set(source)):
            hit = [(value[source == s] >= t).mean() for t in marks.values()]
            table[s[-1]].append(hit)
            print(f"  {s:28} {(source == s).sum():6}  " + "  ".join(f"{h:6.1%}" for h in hit))
        print(f"  {'mean recall':28} {'':6}  " + "  ".join(f"{h:6.1%}" for h in np.mean(table['+'], 0)))
