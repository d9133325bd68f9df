// Evidence: texts of prompts and answers around what was found. Secrets are masked before they are sealed; here what was found, the masks and the hidden
// characters are marked, and what was encoded is shown step by step. Opening it is recorded, so it is opened by a person's decision and not by looking at
// an alert (pages/alert.js asks for it).
import { between } from "./decode.js";
import { html } from "./html.js";
import { marks, places } from "./spans.js";
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

// Every place where a masked value stands, as bytes like a span.
function masks(text, f) {
  const out = [], bytes = (n) => new TextEncoder().encode(text.slice(0, n)).length;
  for (let i = f.Masked ? text.indexOf(f.Masked) : -1; i >= 0; i = text.indexOf(f.Masked, i + f.Masked.length)) out.push([bytes(i), bytes(i + f.Masked.length)]);
  return out;
}

// What was found, and masks, as marks for Passage that do not overlap.
export function marksOf(text, found, spans = true) {
  const all = found.flatMap((f) => [...(spans && f.span ? [f.span] : []), ...masks(text, f)].map(([start, end]) => ({ start, end, title: f.Found, secret: Boolean(f.Masked) })));
  const secret = marks(text, all.filter((m) => m.secret));
  return marks(text, all).map((m) => ({ ...m, kind: secret.some((s) => s.start < m.end && s.end > m.start) ? "secret" : "" }));
}

const closed = {
  EvidenceKeyMissing: "The private key that this text is sealed to is not on this machine.",
  EvidenceKeyUnavailable: "The private key could not be had; vedette keys check says why.",
  EvidenceExpired: "Its time is over: the key to this text was deleted, and nobody can read it any more.",
  EvidenceDamaged: "This text does not open with its key: it was changed, or put into another place.",
};

// The encoded part of what was sent, where it is known.
function encoded(group) {
  const span = group.found.find((f) => f.span)?.span;
  const at = span && places(group.text, span);
  return at ? group.text.slice(at.get(span[0]), at.get(span[1])) : group.text || "";
}

function Decoding({ group }) {
  const layers = group.Layers ? group.Layers.split(", ").filter(Boolean) : [];
  if (!layers.length) return html`<${Passage} text=${group.text} marks=${marksOf(group.text, group.found)} label="Evidence" />`;
  const texts = between(encoded(group), layers);
  return html`<ol class="steps"><li><p>What was sent</p>${group.text ? html`<${Passage} text=${group.text} marks=${marksOf(group.text, group.found)} label="As it was sent" />` : html`<p class="dim">not kept</p>`}</li>
    ${layers.map((l, i) => html`<li key=${i}><p>${i ? "under that, " : "encoded as "}<strong><${Seen} text=${l} /></strong></p>${texts[i] && html`<${Passage} text=${texts[i]} label=${`After ${l}`} />`}</li>`)}
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
