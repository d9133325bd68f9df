"""From rows to the batches that finetune.py learns from."""
import collections
import re

import numpy as np

import corpus
from text import DOCUMENT, PROMPT

CATEGORIES = ("changing-rules", "conversation-mockup", "role-play", "encoding", "manipulated-content", "system-access",
              "information-gathering", "availability", "fraud", "malware")  # src/model/categories.def
_PROMPT = (("encoding", r"encod|cipher|obfusc|spaced|translit|romaji|split|base64|code_trick|leet"),
           ("conversation-mockup", r"mockup|conversation|fake|turn|few-?shot|log|end$|system_message|access|leaked"),
           ("role-play", r"role-?play|persona|fiction|hypothe|virtual|story|movie|grand|game|simul|world|character|dual|opposite|tutor"))
_DOCUMENT = (("malware", r"malware|code-add|download|script|import"),
             ("fraud", r"fraud|phish|credential-ask|transaction|invoice|payment|discount"),
             ("information-gathering", r"exfil|extract|information|markdown-exfil|secret|internals"),
             ("system-access", r"system-access|tool|delete|agent|command|scope|memory|persist"),
             ("availability", r"availab|suppress|deny|timeout|refus"))

# How many rows' worth a source may count, and how much a debatable one does (data README, "Known noise").
MOST, OURS, ATTACKS = 4000, 4.0, 1.5
DAMPED = {"atk_aisafetylab": 0.5, "atk_synth_direct": 0.4, "atk_latent_jailbreak": 0.2, "atk_trustllm": 0.4, "atk_gcg_suffix": 0.5,
          "ind_bare": 0.5, "bipia_train": 0.6, "ind_composites": 0.7, "ben_xquad": 0.5}
# Typed as often as read. ind_composites and ind_bare put orders into texts of the first two: clean ones must be seen as documents too.
EITHER = {"ben_t0_tasks", "ben_zh_questions", "ben_taskmaster", "ben_gpteacher_tool", "bh_gpts_prompts"}
LONGEST = 1024   # tokens of a text that training looks at
SHORT = 72       # an instruction short enough to be put into a document

Example = collections.namedtuple("Example", "tokens attack role category weight source harmful ours", defaults=(False,))


def category_of(row):
    if not row.attack or not row.technique:
        return -1
    technique = row.technique.lower()
    if technique in CATEGORIES:
        return CATEGORIES.index(technique)
    for name, pattern in _PROMPT if row.role == "prompt" else _DOCUMENT:
        if re.search(pattern, technique):
            return CATEGORIES.index(name)
    return CATEGORIES.index("changing-rules" if row.role == "prompt" else "manipulated-content")


def instructions_of_composites(rows):
    """What was put into the carriers of bipia_train: injected text less the clean carrier, so that it can be seen in others too."""
    clean = {}
    for r in rows:
        if r.source == "bipia_train" and not r.attack and len(r.text) > 80:
            clean[r.text[:40]] = clean[r.text[-40:]] = r.text
    found = collections.Counter()
    for r in rows:
        if r.source != "bipia_train" or not r.attack:
            continue
        carrier = clean.get(r.text[:40]) or clean.get(r.text[-40:])
        if not carrier:
            continue
        a = next((i for i, (x, y) in enumerate(zip(r.text, carrier)) if x != y), len(carrier))
        rest = len(carrier) - a
        middle = r.text[a:len(r.text) - rest] if rest else r.text[a:]
        if r.text.endswith(carrier[a:]) and 12 < len(middle) < 1500:
            found[middle.strip()] += 1
    return [t for t, n in found.items() if n >= 3]


def build(rows, vocabulary):
    """Examples of rows, weighted by source."""
    per_source = collections.Counter(r.source for r in rows)
    out = []
    for r in rows:
        weight = min(1.0, MOST / per_source[r.source]) * DAMPED.get(r.source, 1.0)
        weight *= (OURS if r.ours else 1.0) * (ATTACKS if r.attack else 1.0)
        tokens = vocabulary.tokens(r.text[:40000], 8192)
        if len(tokens):
            out.append(Example(tokens, r.attack, DOCUMENT if r.role == "document" else PROMPT, category_of(r), weight, r.source, r.harmful,
                               r.ours))
    return out


class Sampler:
    """Draws examples by weight and mixes them: an instruction or an honest line put into a document, texts joined, roles changed."""

    def __init__(self, examples, extra, rng):
        self.examples, self.rng = examples, rng
        weights = np.array([e.weight for e in examples])
        self.share = np.cumsum(weights / weights.sum())
        pick = lambda want: [e for e in examples if want(e)]
        self.carriers = pick(lambda e: (e.role == DOCUMENT or e.source in EITHER) and not e.attack and len(e.tokens) > 40)
        self.orders = pick(lambda e: e.role == DOCUMENT and e.attack and len(e.tokens) < SHORT and e.source != "ind_injecagent") + extra
        self.lines = pick(lambda e: e.role == DOCUMENT and not e.attack and len(e.tokens) < SHORT)
        self.prompts = pick(lambda e: e.role == PROMPT and not e.attack and len(e.tokens) < 400)
        self.direct = pick(lambda e: e.role == PROMPT and e.attack and len(e.tokens) < 300 and e.weight > 0.3)

    def one(self, pool):
        return pool[self.rng.integers(len(pool))]

    def insert(self, carrier, line):
        """The line within the carrier, at a line's or sentence's end when there is one near."""
        tokens = carrier.tokens
        if len(tokens) > 500:
            at = self.rng.integers(len(tokens) - 400)
            tokens = tokens[at:at + 400]
        at = self.rng.integers(len(tokens) + 1)
        ends = np.flatnonzero(np.isin(tokens[at:at + 40], self.ends))
        at = at + int(ends[0]) + 1 if len(ends) else at
        return np.concatenate([tokens[:at], line.tokens, tokens[at:]])

    def mixed(self):
        """A composite, attacks and harmless ones in equal number."""
        attack = self.rng.random() < 0.5
        if self.rng.random() < 0.6:
            line = self.one(self.orders if attack else self.lines if self.lines and self.rng.random() < 0.7 else self.carriers)
            line = line._replace(tokens=line.tokens[:SHORT])
            return Example(self.insert(self.one(self.carriers), line), attack, DOCUMENT, line.category if attack else -1, 1, "mixed", False)
        first, second = self.one(self.prompts), self.one(self.direct if attack else self.prompts)
        parts = [first.tokens[:200], second.tokens]
        if self.rng.random() < 0.3:
            parts.reverse()
        return Example(np.concatenate(parts), attack, PROMPT, second.category if attack else -1, 1, "mixed", False)

    def draw(self):
        if self.rng.random() < 0.15:
            return self.mixed()
        e = self.examples[min(np.searchsorted(self.share, self.rng.random()), len(self.examples) - 1)]
        if e.role == PROMPT and e.attack and self.rng.random() < 0.12:
            return e._replace(role=DOCUMENT, category=-1)
        if e.role == DOCUMENT and self.rng.random() < 0.25:
            return e._replace(role=PROMPT)
        if e.source in EITHER and self.rng.random() < 0.4:
            return e._replace(role=DOCUMENT)
        return e


def windows(tokens, size, stride):
    """(begin, end) of the windows of a text: size tokens with one for the role."""
    body = size - 1
    if len(tokens) <= body:
        return [(0, len(tokens))]
    starts = list(range(0, len(tokens) - body, stride))
    return [(s, s + body) for s in starts] + [(len(tokens) - body, len(tokens))]
