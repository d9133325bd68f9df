// Evidence: texts of prompts and answers around what was found. Secrets are masked before they are sealed; here what was found, the masks and the hidden
// characters are marked, and what was encoded is shown step by step. Opening it is recorded, so it is opened by a person's decision and not by looking at
// an alert (pages/alert.js asks for it).
import { html } from "./html.js";
import { Passage, Seen } from "./visible.js";
import { Time } from "./time.js";

// The table of supportingEvidence as objects: {Time, Interaction, Part, Rule, Found, Reason, Masked, Confidence, Layers?}
export function rowsOf(table) {
  return (table?.rows || []).map((cells) => Object.fromEntries(table.columns.map((c, i) => [c, cells[i]])));
}

// What was opened beside what is told without opening: rows may have come since, so they are matched by what they are about.
export function withTexts(rows, findings) {
  const left = [...findings];
  return rows.map((r) => {
    const i = left.findIndex((f) => f.interaction === r.Interaction && f.part === r.Part && f.rule === r.Rule);
    return i < 0 ? r : { ...r, ...left.splice(i, 1)[0] };
  });
}

// Findings with the same text are one passage with several reasons.
export function groups(rows) {
  const all = new Map();
  for (const r of rows) {
    const key = JSON.stringify([r.Interaction, r.Part, r.text || "", r.Layers || "", r.decoded || "", r.closed || ""]);
    if (!all.has(key)) all.set(key, { ...r, found: [] });
    all.get(key).found.push(r);
  }
  return [...all.values()];
}

// The place in a text of an offset in its UTF-8.
export function placeOf(text, bytes) {
  let at = 0;
  for (const c of text) {
    if (bytes <= 0) break;
    const p = c.codePointAt(0);
    bytes -= p < 0x80 ? 1 : p < 0x800 ? 2 : p < 0x10000 ? 3 : 4;
    at += c.length;
  }
  return at;
}

// What was found, and every place where a masked value stands. Spans that overlap become one: marks cannot be nested.
export function marksOf(text, found, spans = true) {
  const marks = [];
  for (const f of found) {
    if (spans && f.span) marks.push({ start: placeOf(text, f.span[0]), end: placeOf(text, f.span[1]), kind: f.Masked ? "secret" : "", words: f.Found });
    for (let i = f.Masked ? text.indexOf(f.Masked) : -1; i >= 0; i = text.indexOf(f.Masked, i + f.Masked.length)) marks.push({ start: i, end: i + f.Masked.length, kind: "secret", words: f.Found });
  }
  const out = [];
  for (const m of marks.filter((k) => k.end > k.start).sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = out.at(-1);
    if (!last || m.start >= last.end) { out.push(m); continue; }
    last.end = Math.max(last.end, m.end);
    if (!last.words.split("; ").includes(m.words)) last.words += "; " + m.words;
    last.kind ||= m.kind;
  }
  return out;
}

const closed = {
  EvidenceKeyMissing: "The private key that this text is sealed to is not on this machine.",
  EvidenceKeyUnavailable: "The private key could not be had; vedette keys check says why.",
  EvidenceExpired: "Its time is over: the key to this text was deleted, and nobody can read it any more.",
  EvidenceDamaged: "This text does not open with its key: it was changed, or put into another place.",
};

function Decoding({ group }) {
  const layers = group.Layers ? group.Layers.split(", ").filter(Boolean) : [];
  if (!layers.length) return html`<${Passage} text=${group.text} marks=${marksOf(group.text, group.found)} label="Evidence" />`;
  return html`<ol class="steps"><li><p>What was sent</p>${group.text ? html`<${Passage} text=${group.text} marks=${marksOf(group.text, group.found)} label="As it was sent" />` : html`<p class="dim">not kept</p>`}</li>
    ${layers.map((l, i) => html`<li key=${i}><p>${i ? "under that, " : "encoded as "}<strong><${Seen} text=${l} /></strong></p></li>`)}
    <li><p>What it says</p>${group.decoded ? html`<${Passage} text=${group.decoded} marks=${marksOf(group.decoded, group.found, false)} label="Decoded" />` : html`<p class="dim">not kept</p>`}</li></ol>`;
}

const sides = { request: "The whole request", response: "The whole answer" };

function Whole({ side, name }) {
  if (!side) return null;
  if (side.closed) return html`<p class="note">${sides[name]}: ${closed[side.closed] || side.closed}</p>`;
  return html`<details><summary>${sides[name]}</summary>${side.parts.map((p, i) => html`<p key=${"p" + i} class="dim">${p.role} in <code><${Seen} text=${p.part} limit=${80} /></code></p><${Passage} key=${"t" + i} text=${p.text} label=${`${sides[name]}, ${p.role}`} />`)}
    ${side.leftOut > 0 && html`<p class="dim">${side.leftOut} bytes more were not kept.</p>`}</details>`;
}

// opened: {findings, texts} of the API, or null while the texts are closed
export function Evidence({ table, opened }) {
  const rows = groups(opened ? withTexts(rowsOf(table), opened.findings) : rowsOf(table));
  return html`${rows.map((g, i) => html`<article key=${i} class="find">
    <p class="dim"><${Time} at=${g.Time} /> in <code><${Seen} text=${g.Part || "the whole interaction"} limit=${80} /></code></p>
    ${g.closed && html`<p class="note">${closed[g.closed] || g.closed}</p>`}${(g.text || g.decoded) && html`<${Decoding} group=${g} />`}
    <ul>${g.found.map((f, k) => html`<li key=${k}><strong><${Seen} text=${f.Found} /></strong>${f.Masked && html` <code><${Seen} text=${f.Masked} /></code>`} <span class="dim">(${f.Confidence} %, rule <${Seen} text=${f.Rule} />: <${Seen} text=${f.Reason} limit=${300} />)</span></li>`)}</ul></article>`)}
    ${(opened?.texts || []).map((t) => html`<article key=${t.interaction} class="find"><p class="dim">Interaction <code>${t.interaction}</code></p><${Whole} side=${t.request} name="request" /><${Whole} side=${t.response} name="response" /></article>`)}`;
}
