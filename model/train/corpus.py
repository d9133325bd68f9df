"""What is trained on, what is kept out, and how rows become examples.

Data stands in two places: the shared folder (public sources and our first rows; named on the command line, not in this repository) and
model/data (rows that we wrote, in this repository). A source is a file. Sources in VALIDATION are never trained on, not even as raw
text: thresholds are set and choices are made on them. Random rows of a source that is trained on say little: they are too easy.
"""
import collections
import hashlib
import pathlib
import random

import numpy as np

from text import ROOT, read_rows, source_of

# Whole sources kept out of training. The tool answers of one generator, clean and injected, stay together.
VALIDATION = {
    "atk_gptfuzzer", "atk_tencent_jb", "atk_giskard", "atk_selfreminder", "ind_injecagent", "ben_injecagent_clean",
    "ben_mtbench", "ben_userinstr", "ben_trustllm", "ben_fuzzyai", "ben_tool_responses", "ben_company_docs", "ben_zh_seed",
    "bh_nemo", "bh_promptguide", "bh_synth_hardneg", "trigger_words", "unseen",
}
ATTACK_LABELS = {"jailbreak", "indirect_injection", "attack"}

Row = collections.namedtuple("Row", "source text attack harmful role lang pair ours technique")


def files(data):
    """(path, ours) of every labelled file: ours are rows that we wrote."""
    data = pathlib.Path(data)
    for folder in ("train", "extra", "authored"):
        for path in sorted((data / "injection" / folder).glob("*.jsonl.xz")):
            yield path, folder == "authored"
    for path in sorted((ROOT / "model/data").glob("*.jsonl")):
        yield path, True


def role_of(row, label, source):
    """Where a text without a role of its own was found."""
    if row.get("role") in ("prompt", "document"):
        return row["role"]
    if label == "indirect_injection" or source in DOCUMENT_SOURCES:
        return "document"
    return "prompt"


# Benign sources whose texts are read rather than typed.
DOCUMENT_SOURCES = {
    "ben_azure_docs", "ben_clean_carriers", "ben_code", "ben_company_docs", "ben_injecagent_clean", "ben_tool_responses", "ben_xquad",
    "bh_payloads_web", "bh_promptguide", "bipia_train", "ind_bare",
}


def load(data):
    """All labelled rows, without repeated texts."""
    seen, out = set(), []
    for path, ours in files(data):
        source = source_of(path)
        for row in read_rows(path):
            label, text = row["label"], row["text"]
            if not text.strip() or text in seen:
                continue
            seen.add(text)
            out.append(Row(source, text, label in ATTACK_LABELS, label == "harmful_request" or row.get("technique") == "harmful-plain",
                           role_of(row, label, source), row.get("lang", ""), row.get("pair", ""), ours, row.get("technique", "")))
    return out


def kept_out(row):
    """Validation: whole sources, and one of twelve pairs (or rows) of what we wrote, for a look at what was learnt of it."""
    if row.source in VALIDATION:
        return True
    if not row.ours:
        return False
    return hashlib.sha256((row.source + (row.pair or row.text)).encode()).digest()[0] % 12 == 0


def ordinary(source, attack, harmful, ours):
    """Harmless text as it occurs, which thresholds are set on. Twins of attacks are not: they are made to be mistaken, and reported apart."""
    return not attack and not harmful and (not ours or source == "benign")


# Shards of raw text that is nobody's prompt: novels, guides, translated documentation, dialogues. The last one is kept out of fine-tuning:
# long ordinary text to measure on (it was pre-trained on, unlabelled).
PLAIN, PLAIN_OUT = ("more-0", "more-1", "more-2", "more-3", "more-4"), ("more-5",)
PRETRAINED = ("text-0", "text-1", "text-2", "text-3", *PLAIN_OUT)  # and nothing else: neither fine-tuning nor a gate saw them


def plain_text(data, shards=PLAIN):
    for shard in shards:
        for row in read_rows(pathlib.Path(data) / "text" / f"{shard}.jsonl.xz"):
            yield row["text"]


def long_texts(data, number=600):
    """Rows of long ordinary text that fine-tuning never saw, half as prompts: what is flagged more often the more of it there is."""
    chance, part, out = random.Random(5), [], []
    texts = list(plain_text(data, PLAIN_OUT))
    chance.shuffle(texts)
    size = 4000
    for text in texts:
        part.append(text)
        if sum(map(len, part)) < size:
            continue
        out.append(Row("long_text", "\n\n".join(part), False, False, ("prompt", "document")[len(out) % 2], "", "", False, ""))
        part, size = [], chance.randrange(2000, 16000)
        if len(out) == number:
            break
    return out


def raw_text(data):
    """Unlabelled text for pre-training, and the texts of the rows that may be trained on."""
    for path in sorted((pathlib.Path(data) / "text").glob("*.jsonl.xz")):
        for row in read_rows(path):
            yield row["text"]
    for row in load(data):
        if not kept_out(row):
            yield row.text


def token_stream(vocabulary, texts, longest=1 << 15):
    parts = [vocabulary.tokens(t, longest) for t in texts]
    return np.concatenate(parts)
