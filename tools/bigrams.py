#!/usr/bin/env python3
"""Letter pairs of Latin text: makes src/engine/decode_bigrams.inc, by which the decoders tell language from cipher.

usage: tools/bigrams.py TEXT.jsonl.xz... > src/engine/decode_bigrams.inc

What is no letter is a boundary (row and column 0). An entry is log2 P(second | first) in eighths of a bit, not below -112 (14 bits).
"""
import math, re, sys
import latin

ROWS, CHARS = 6000, 1500  # of each file; of each row
counts = [[0.5] * 27 for _ in range(27)]

for path in sys.argv[1:]:
    for text in latin.rows(path, ROWS, CHARS):
        s = re.sub(r"[^a-z]+", "`", "`" + text + "`")
        for a, b in zip(s, s[1:]):
            counts[ord(a) - 96][ord(b) - 96] += 1
print("/* Made by tools/bigrams.py, which says what it is; do not edit. */")
for row in counts:
    total = sum(row)
    print("{" + ", ".join(str(max(-112, round(8 * math.log2(n / total)))) for n in row) + "},")
