#!/usr/bin/python3
"""Makes the vocabulary: model/vocabulary.bin, the pieces that src/model/tokens.c cuts texts into.

    model/train/vocabulary.py --data SHARED/data --work DIR

Takes a sample of all texts but those kept out for validation, more of what is not in Latin letters, since pieces learnt from English alone
cut everything else into single characters; lets sentencepiece (Debian's) find unigram pieces; keeps those that longest match can use.
A new vocabulary means a new model: pre-training begins again.
"""
import argparse
import pathlib
import random
import re
import subprocess
import unicodedata

import corpus
from text import ROOT

PIECES, LONGEST = 32000, 64
GONE = re.compile("[\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u00ad]")


def view(text):
    """About what src/engine/view.c and tokens.c make of a text; nearly is enough here."""
    if not text.isascii():
        text = "".join(c if "\uac00" <= c <= "\ud7af" else unicodedata.normalize("NFD", unicodedata.normalize("NFKC", c)) for c in text)
        text = unicodedata.normalize("NFC", GONE.sub("", text))
    return re.sub("[ \t\r\f\v]+", " ", text.casefold())


def sample(data, out):
    chance = random.Random(1)
    for text in corpus.raw_text(data):
        other = sum(ord(c) > 0x24f for c in text[:400]) > 0.25 * len(text[:400])
        if chance.random() > (1.0 if other else 0.2):
            continue
        for line in view(text[:6000]).split("\n"):
            if len(line.strip()) >= 8:
                out.write(line.strip()[:2000] + "\n")


def usable(piece):
    """Blanks only in front; single ASCII characters are bytes already."""
    return piece and len(piece) <= LONGEST and b" " not in piece[1:] and piece != b" " and not (len(piece) == 1 and piece[0] < 128)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--work", required=True, type=pathlib.Path)
    a = p.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    lines, prefix = a.work / "vocabulary.txt", a.work / "sentencepiece"
    with open(lines, "w", encoding="utf-8") as out:
        sample(a.data, out)
    subprocess.run(["spm_train", f"--input={lines}", f"--model_prefix={prefix}", f"--vocab_size={PIECES}", "--model_type=unigram",
                    "--character_coverage=0.9995", "--max_sentencepiece_length=20", "--input_sentence_size=1000000",
                    "--shuffle_input_sentence=true", "--normalization_rule_name=identity", "--split_digits=true", "--num_threads=2",
                    "--max_sentence_length=3000"], check=True)
    pieces = {}
    for line in open(f"{prefix}.vocab", encoding="utf-8"):
        piece = line.split("\t")[0].replace("\u2581", " ").encode()
        if usable(piece) and piece not in (b"<unk>", b"<s>", b"</s>"):
            pieces[piece] = None
    (ROOT / "model/vocabulary.bin").write_bytes(b"".join(bytes([len(p)]) + p for p in pieces))
    print(f"{len(pieces)} pieces")


if __name__ == "__main__":
    main()
