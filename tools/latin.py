"""Texts in Latin letters, for what is counted in them: rows of JSON Lines, xz, with a "text" each."""
import json, lzma, unicodedata


def rows(path, most, chars):
    """Of the first `most` rows those whose letters are mostly Latin, so every language written with them in the proportions of the input; the first
    `chars` characters, without case and marks, as in the view."""
    with lzma.open(path, "rt", encoding="utf-8") as f:
        for n, line in enumerate(f):
            if n >= most:
                return
            text = json.loads(line)["text"][:chars]
            if sum(c.isascii() for c in text) >= 0.7 * len(text):
                yield "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
