// Findings point at bytes of UTF-8; a page's strings count UTF-16. And a line for a shell that says a text again, whatever is in it.

// What a string has at each of these byte offsets; an offset inside of a character is where the character begins. Half surrogates count three bytes, as
// they are sent (U+FFFD).
export function places(text, offsets) {
  const wanted = [...new Set(offsets)].sort((a, b) => a - b), out = new Map();
  let bytes = 0, at = 0, k = 0;
  for (const c of text) {
    const code = c.codePointAt(0), n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    while (k < wanted.length && wanted[k] < bytes + n) out.set(wanted[k++], at);
    bytes += n;
    at += c.length;
  }
  while (k < wanted.length) out.set(wanted[k++], text.length);
  return out;
}

// [{start, end, words}] for Passage: findings that touch are one mark with the words of all.
export function marks(text, findings) {
  const at = places(text, findings.flatMap((f) => [f.start, f.end]));
  const spans = findings.map((f) => ({ start: at.get(f.start), end: at.get(f.end), words: f.title })).filter((s) => s.end > s.start).sort((a, b) => a.start - b.start || a.end - b.end);
  const out = [];
  for (const s of spans) {
    const last = out.at(-1);
    if (last && s.start < last.end) {
      last.end = Math.max(last.end, s.end);
      if (!last.words.split("; ").includes(s.words)) last.words += "; " + s.words;
    } else out.push({ ...s });
  }
  return out;
}

// JSON in ASCII: what is not seen, or turns the line around, is written as an escape and survives copying.
export const asciiJson = (value) => JSON.stringify(value).replace(/[\u007f-\uffff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

// One word for sh, whatever it holds.
export const shWord = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

// The line that scans this text again, in the folder that holds the state folder.
export function scanLine({ text, as, deployment }) {
  return `printf '%s\\n' ${shWord(asciiJson({ text }))} | vedette scan --as ${as} --explain --config state/run/effective.yaml --deployment ${shWord(deployment)}`;
}
