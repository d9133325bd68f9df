#!/usr/bin/env python3
"""Frequent words of Latin text: makes src/engine/decode_lexicon.inc, by which the decoders part words that are run together and mend those that are cut.

usage: tools/lexicon.py TEXT.jsonl.xz... > src/engine/decode_lexicon.inc

Each input row has a "text". A row counts when most of its letters are Latin, so every language written with them is in the table, in
the proportions of the input. Letters lose case and marks, as in the view. Words that the most rows have come first; short ones must be
frequent, for anything can be cut into short words.
"""
import collections, json, lzma, re, sys, unicodedata

ROWS, CHARS = 20000, 3000  # of each file; of each row
WORDS = 10000
LONGEST = 15
# Of so few letters a word is taken from among so many; of one letter none but those that are words.
SHORT = {1: 100, 2: 700, 3: 3000}
ONE = "aieoy"
rows = collections.Counter()


def learn(path):
    with lzma.open(path, "rt", encoding="utf-8") as f:
        for n, line in enumerate(f):
            if n >= ROWS:
                return
            text = json.loads(line)["text"][:CHARS]
            if sum(c.isascii() for c in text) < 0.7 * len(text):
                continue
            plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
            rows.update(set(re.findall(r"(?<![a-z0-9_'’])[a-z]{1,%d}(?![a-z0-9_'’])" % LONGEST, plain)))


for path in sys.argv[1:]:
    learn(path)
kept = []
for rank, (word, _) in enumerate(sorted(rows.items(), key=lambda x: (-x[1], x[0]))):
    if rank < SHORT.get(len(word), rank + 1) and (len(word) > 1 or word in ONE):
        kept.append(word)
    if len(kept) == WORDS:
        break
print("/* Made by tools/lexicon.py, which says what it is; do not edit. */")
for i in range(0, len(kept), 12):
    print(", ".join(f'"{w}"' for w in kept[i:i + 12]) + ",")
