// What lies between an encoded text and what it says, when it is under several encodings. The last step is never taken here: what a text says in the end
// comes from vedette, with its secrets masked. What cannot be peeled off here is left out, and nothing is guessed.
const utf8 = new TextDecoder("utf-8", { fatal: true });

// Bytes as text, or null when they are no text of people.
function read(bytes) {
  try {
    const text = utf8.decode(Uint8Array.from(bytes));
    return /[\u0000-\u0008\u000e-\u001f\u007f]/.test(text) ? null : text;
  } catch { return null; }
}

const instead = (text, pattern, decode) => text.replace(pattern, (...m) => decode(...m) ?? m[0]);
const letters = (text, move) => text.replace(/[a-z]/gi, (c) => String.fromCharCode(move(c.charCodeAt(0) & 31) + (c.charCodeAt(0) & 96)));

function base64(run) {
  try { return read([...atob(run.replace(/\s/g, "").replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, ""))].map((c) => c.charCodeAt(0))); } catch { return null; }
}

// By the names of docs/detection.md.
const peels = {
  base64: (t) => instead(t, /[A-Za-z0-9+/_-]{8,}(?:\s[A-Za-z0-9+/_-]{8,})*={0,2}/g, base64),
  hex: (t) => instead(t, /(?:(?:0x)?[0-9a-f]{2}[ :,-]?){3,}[0-9a-f]{2}/gi, (run) => read(run.replace(/0x/gi, "").match(/[0-9a-f]{2}/gi).map((h) => parseInt(h, 16)))),
  binary: (t) => instead(t, /(?:[01]{8}\s?){3,}[01]{8}/g, (run) => read(run.match(/[01]{8}/g).map((b) => parseInt(b, 2)))),
  percent: (t) => instead(t, /(?:%[0-9a-f]{2})+/gi, (run) => read(run.match(/[0-9a-f]{2}/gi).map((h) => parseInt(h, 16)))),
  escapes: (t) => instead(t, /\\x([0-9a-f]{2})|\\u([0-9a-f]{4})/gi, (_, x, u) => String.fromCharCode(parseInt(x || u, 16))),
  "html-entities": (t) => instead(t, /&#(?:x([0-9a-f]{1,6})|(\d{1,7}));/gi, (_, x, d) => { const c = x ? parseInt(x, 16) : +d; return c > 31 && c < 0x110000 ? String.fromCodePoint(c) : null; }),
  rot13: (t) => letters(t, (n) => ((n + 12) % 26) + 1),
  atbash: (t) => letters(t, (n) => 27 - n),
  reversed: (t) => [...t].reverse().join(""),
  "tag-characters": (t) => instead(t, /[\u{E0020}-\u{E007E}]+/gu, (run) => [...run].map((c) => String.fromCodePoint(c.codePointAt(0) - 0xe0000)).join("")),
};

// The texts after each layer but the last. null stands where one could not be had, and for all behind it.
export function between(text, layers) {
  const out = [];
  let at = text;
  for (const layer of layers.slice(0, -1)) {
    const next = at === null || !Object.hasOwn(peels, layer) ? null : peels[layer](at);
    at = next === at ? null : next;
    out.push(at);
  }
  return out;
}
