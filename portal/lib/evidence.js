// Evidence: texts of prompts and answers around what was found. Secrets are masked before they are stored; here the masks and the hidden characters
// are marked, and what was encoded is shown step by step. Opening it is recorded, so it is opened by a person's decision and not by looking at an alert.
import { html } from "./html.js";
import { Passage, Seen } from "./visible.js";
import { Time } from "./time.js";

// The table of supportingEvidence as objects: {Time, Rule, …, segment}
export function rowsOf(table) {
  if (!table?.rows) return [];
  return table.rows.map((cells) => {
    const row = Object.fromEntries(table.columns.map((c, i) => [c, cells[i]]));
    const column = table.columns.find((c) => c.endsWith("Suspicious Segment"));
    return { ...row, segment: column ? row[column] : "" };
  });
}

// Findings with the same text are one passage with several reasons.
export function groups(rows) {
  const all = new Map();
  for (const r of rows) {
    const key = JSON.stringify([r.Interaction, r.Part, r.segment, r.Layers || "", r.Decoded || ""]);
    if (!all.has(key)) all.set(key, { ...r, found: [] });
    all.get(key).found.push(r);
  }
  return [...all.values()];
}

// Every place where a masked value stands in the text.
export function marksOf(text, found) {
  const marks = [];
  for (const f of found)
    for (let i = f.Masked ? text.indexOf(f.Masked) : -1; i >= 0; i = text.indexOf(f.Masked, i + f.Masked.length)) marks.push({ start: i, end: i + f.Masked.length, kind: "secret", words: f.Found });
  return marks;
}

function Decoding({ group }) {
  const layers = group.Layers ? group.Layers.split(", ").filter(Boolean) : [];
  if (!layers.length) return html`<${Passage} text=${group.segment} marks=${marksOf(group.segment, group.found)} label="Evidence" />`;
  return html`<ol class="steps"><li><p>What was sent</p>${group.segment ? html`<${Passage} text=${group.segment} label="As it was sent" />` : html`<p class="dim">not kept</p>`}</li>
    ${layers.map((l, i) => html`<li key=${i}><p>${i ? "under that, " : "encoded as "}<strong><${Seen} text=${l} /></strong></p></li>`)}
    <li><p>What it says</p>${group.Decoded ? html`<${Passage} text=${group.Decoded} marks=${marksOf(group.Decoded, group.found)} label="Decoded" />` : html`<p class="dim">not kept</p>`}</li></ol>`;
}

export function Evidence({ table, open }) {
  const rows = groups(rowsOf(table));
  return html`${rows.map((g, i) => html`<article key=${i} class="find">
    <p class="dim"><${Time} at=${g.Time} /> in <code><${Seen} text=${g.Part || "the whole interaction"} limit=${80} /></code></p>
    ${open && (g.segment || g.Decoded) && html`<${Decoding} group=${g} />`}
    <ul>${g.found.map((f, k) => html`<li key=${k}><strong><${Seen} text=${f.Found} /></strong>${f.Masked && html` <code><${Seen} text=${f.Masked} /></code>`} <span class="dim">(${f.Confidence} %, rule <${Seen} text=${f.Rule} />: <${Seen} text=${f.Reason} limit=${300} />)</span></li>`)}</ul></article>`)}`;
}
