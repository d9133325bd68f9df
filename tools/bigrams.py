#!/usr/bin/env python3
"""Letter pairs of Latin text: makes src/engine/decode_bigrams.inc, by which the decoders tell language from cipher.

usage: tools/bigrams.py TEXT.jsonl.xz... > src/engine/decode_bigrams.inc

Each input row has a "text". A row counts when most of its letters are Latin, so every language written with them is in the table, in
the proportions of the input. Letters lose case and marks, as in the view; anything else is a boundary (row and column 0). An entry is
log2 P(second | first) in eighths of a bit, not below -112 (14 bits).
"""
import json, lzma, math, re, sys, unicodedata

ROWS, CHARS = 6000, 1500  # of each file; of each row
counts = [[0.5] * 27 for _ in range(27)]


def letters(text):
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    return re.sub(r"[^a-z]+", "`", "`" + plain + "`")


def learn(path):
    with lzma.open(path, "rt", encoding="utf-8") as f:
        for n, line in enumerate(f):
            if n >= ROWS:
                return
            text = json.loads(line)["text"][:CHARS]
            if sum(c.isascii() for c in text) < 0.7 * len(text):
                continue
            s = letters(text)
            for a, b in zip(s, s[1:]):
                counts[ord(a) - 96][ord(b) - 96] += 1


for path in sys.argv[1:]:
    learn(path)
print("/* Made by tools/bigrams.py, which says what it is; do not edit. */")
for row in counts:
    total = sum(row)
    print("{" + ", ".join(str(max(-112, round(8 * math.log2(n / total)))) for n in row) + "},")
