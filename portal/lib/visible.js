// Text that somebody else wrote, shown so that nothing in it hides: characters that draw nothing become labels, text in tag characters is read out,
// piles of combining marks are counted, directions cannot leave their box. It is only ever put into the page as text.
import { html, useState } from "./html.js";

const names = {
  0x00ad: "soft hyphen", 0x034f: "grapheme joiner", 0x061c: "arabic letter mark", 0x200b: "zero width space", 0x200c: "zero width non-joiner", 0x200d: "zero width joiner",
  0x200e: "left-to-right mark", 0x200f: "right-to-left mark", 0x202a: "left-to-right embedding", 0x202b: "right-to-left embedding", 0x202c: "pop direction",
  0x202d: "left-to-right override", 0x202e: "right-to-left override", 0x2060: "word joiner", 0x2066: "left-to-right isolate", 0x2067: "right-to-left isolate",
  0x2068: "first strong isolate", 0x2069: "pop isolate", 0x3164: "hangul filler", 0xfeff: "byte order mark", 0x00a0: "no-break space", 0x3000: "ideographic space",
};

// One run of: tag characters | combining marks, three or more | one character that draws nothing or is an unusual blank.
const hidden = /([\u{E0000}-\u{E007F}]+)|(\p{M}{3,})|([\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u00A0\u034F\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200A\u202F\u205F\u2800\u3000\u3164\uFE00-\uFE0E\uFFA0\u{E0100}-\u{E01EF}])/gu;

const code = (c) => "U+" + c.toString(16).toUpperCase().padStart(4, "0");

function label(match, tags, marks) {
  if (tags) {
    const said = [...tags].map((c) => c.codePointAt(0) - 0xe0000).filter((c) => c >= 32 && c < 127).map((c) => String.fromCharCode(c)).join("");
    return { text: said || "tags", kind: "tags", words: `${[...tags].length} invisible tag characters${said ? " that read: " + said : ""}` };
  }
  if (marks) return { text: `${[...marks].length} marks`, kind: "", words: `${[...marks].length} combining marks on one character` };
  const c = match.codePointAt(0);
  return { text: code(c), kind: "", words: names[c] ? `${code(c)} ${names[c]}` : `${code(c)}, a character that is not seen` };
}

// [{text} | {text, kind, words}]: what is seen, and labels for what is not. Line ends and tabs are themselves.
export function pieces(text) {
  const out = [];
  let at = 0;
  for (const m of text.matchAll(hidden)) {
    if (m[0] === "\n" || m[0] === "\t") continue;
    if (m.index > at) out.push({ text: text.slice(at, m.index) });
    out.push(label(m[0], m[1], m[2]));
    at = m.index + m[0].length;
  }
  if (at < text.length) out.push({ text: text.slice(at) });
  return out;
}

const draw = (text) => pieces(text).map((p) => (p.words ? html`<span class=${"unseen " + p.kind} title=${p.words}><span class="sr">[${p.words}] </span><span aria-hidden="true">${p.text}</span></span>` : p.text));

// Never cuts a surrogate pair: half of one would be shown as an unseen character that nobody sent.
function head(text, n) {
  const c = text.charCodeAt(n - 1);
  return text.slice(0, c >= 0xd800 && c < 0xdc00 ? n - 1 : n);
}

// <${Seen} text=${value} /> in a line, cut at `limit` characters; the rest is in the title of nothing: open the alert to read it.
export function Seen({ text, limit = 160 }) {
  const value = String(text ?? "");
  const shown = value.length > limit ? head(value, limit) : value;
  return html`<bdi class="seen">${draw(shown)}${shown !== value && html`<span class="dim" title=${`${value.length} characters`}>…</span>`}</bdi>`;
}

// <${Passage} text marks=${[{start, end, kind, words}]} /> a block; marks are offsets in the text's UTF-16 and do not overlap.
export function Passage({ text, marks = [], limit = 3000, label: name }) {
  const [all, set] = useState(false);
  const value = String(text ?? "");
  const shown = all || value.length <= limit ? value : head(value, limit);
  const out = [];
  let at = 0;
  for (const m of [...marks].sort((a, b) => a.start - b.start)) {
    if (m.start < at || m.start >= shown.length) continue;
    out.push(draw(shown.slice(at, m.start)), html`<mark class=${m.kind} title=${m.words}>${draw(shown.slice(m.start, m.end))}</mark>`);
    at = m.end;
  }
  out.push(draw(shown.slice(at)));
  return html`<div class="passage" role="region" tabindex="0" aria-label=${name || "Text"}><bdi class="seen">${out}</bdi>
    ${shown !== value && html`<button type="button" onClick=${() => set(true)}>Show all ${value.length} characters</button>`}</div>`;
}
