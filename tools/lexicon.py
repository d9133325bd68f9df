#!/usr/bin/env python3
"""Frequent words of Latin text: makes src/engine/decode_lexicon.inc, by which the decoders part words that are run together and mend those that are cut
or misspelt.

usage: tools/lexicon.py TEXT.jsonl.xz... > src/engine/decode_lexicon.inc

Words that the most rows have come first; short ones must be frequent, for anything can be cut into short words.
"""
import collections, re, sys
import latin

ROWS, CHARS = 20000, 3000  # of each file; of each row
WORDS = 10000
LONGEST = 15
# Of so few letters a word is taken from among so many; of one letter none but those that are words.
SHORT = {1: 100, 2: 700, 3: 3000}
ONE = "aieoy"
rows = collections.Counter()

for path in sys.argv[1:]:
    for text in latin.rows(path, ROWS, CHARS):
        rows.update(set(re.findall(r"(?<![a-z0-9_'’])[a-z]{1,%d}(?![a-z0-9_'’])" % LONGEST, text)))
kept = []
for rank, (word, _) in enumerate(sorted(rows.items(), key=lambda x: (-x[1], x[0]))):
    if rank < SHORT.get(len(word), rank + 1) and (len(word) > 1 or word in ONE):
        kept.append(word)
    if len(kept) == WORDS:
        break
print("/* Made by tools/lexicon.py, which says what it is; do not edit. */")
for i in range(0, len(kept), 12):
    print(", ".join(f'"{w}"' for w in kept[i:i + 12]) + ",")
