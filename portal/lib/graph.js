// The incident as a picture: who on the left, what happened in the middle in the order of time, what was reached on the right. Elements are SVG that
// Preact makes with createElementNS; texts are text. The same is said in the list beside it.
import { html } from "./html.js";
import { pieces } from "./visible.js";

const WIDTH = 720, ROW = 64, TOP = 30;
const plain = (text, n) => {
  const value = pieces(String(text ?? "").slice(0, 200)).map((p) => (p.words ? "·" : p.text)).join("");
  return value.length > n ? value.slice(0, n - 1) + "…" : value;
};

// Nodes of a column, spread over the height.
const spread = (items, height) => items.map((item, i) => ({ ...item, y: TOP + (height / (items.length + 1)) * (i + 1) }));

function Node({ x, y, title, sub, square, own, anchor = "middle", link }) {
  const at = anchor === "middle" ? { x, y: y + 26 } : { x: x + (anchor === "start" ? 16 : -16), y: y + 4 };
  const inner = html`${square ? html`<rect x=${x - 9} y=${y - 9} width="18" height="18" rx="4" />` : html`<circle cx=${x} cy=${y} r="9" />`}
    <text x=${at.x} y=${at.y} text-anchor=${anchor}>${title}</text>${sub && html`<text class="sub" x=${at.x} y=${at.y + 14} text-anchor=${anchor}>${sub}</text>`}`;
  return html`<g class=${own ? "this" : ""}>${link ? html`<a href=${link}>${inner}</a>` : inner}</g>`;
}

// who, what: [{kind, name}]; alerts: [{id, title, sub, own, link}]
export function IncidentGraph({ who, what, alerts }) {
  const height = Math.max(alerts.length, who.length, what.length) * ROW;
  const left = spread(who, height), right = spread(what, height), middle = spread(alerts, height);
  const label = `${who.map((w) => w.kind).join(", ")} connected by ${alerts.length} alerts to ${what.map((w) => w.kind).join(", ")}`;
  return html`<svg class="graph" viewBox=${`0 0 ${WIDTH} ${height + TOP * 2}`} role="group" aria-label=${label}>
    ${left.map((l) => middle.map((m) => html`<line x1="140" y1=${l.y} x2="340" y2=${m.y} />`))}${right.map((r) => middle.map((m) => html`<line x1="380" y1=${m.y} x2="580" y2=${r.y} />`))}
    ${middle.slice(1).map((m, i) => html`<line x1="360" y1=${middle[i].y} x2="360" y2=${m.y} />`)}
    ${left.map((l) => html`<${Node} x=${130} y=${l.y} square title=${plain(l.name, 26)} sub=${l.kind} />`)}
    ${middle.map((m) => html`<${Node} x=${360} y=${m.y} title=${plain(m.title, 44)} sub=${m.sub} own=${m.own} link=${m.link} />`)}
    ${right.map((r) => html`<${Node} x=${590} y=${r.y} square title=${plain(r.name, 26)} sub=${r.kind} />`)}</svg>`;
}
