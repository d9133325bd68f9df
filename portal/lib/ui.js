// Small pieces that pages share. A page that waits, has nothing, or failed says so with these, in the same words everywhere.
import { html } from "./html.js";
import { Time } from "./time.js";

export const number = (n) => (Number.isFinite(+n) ? (+n).toLocaleString() : "–");

// Text for large numbers where room is short: 12.3k
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
export const compact = (n) => (Number.isFinite(+n) ? short.format(+n) : "–");

export function Loading({ what = "" }) {
  return html`<p class="dim pad" role="status">Loading ${what}…</p>`;
}

// Nothing there: what would be here, and how it comes to be.
export function Empty({ title, children }) {
  return html`<div class="empty"><p><strong>${title}</strong></p>${children}</div>`;
}

// error: of api.js, with message, code and advice (what to do)
export function Problem({ error, again }) {
  return html`<div class="problem" role="alert"><p><strong>${error.message || "Something went wrong."}</strong></p>
    ${error.advice && html`<p>${error.advice}</p>`}
    <p class="row">${again && html`<button type="button" onClick=${again}>Try again</button>`}${error.code && html`<small class="dim">${error.code}</small>`}</p></div>`;
}

// <${Loaded} of=${useLoad(…)} what="alerts">${(data) => …}<//>
export function Loaded({ of, what, children }) {
  if (of.data === undefined) return of.error ? html`<${Problem} error=${of.error} again=${of.reload} />` : html`<${Loading} what=${what} />`;
  return html`${of.error && html`<${Problem} error=${of.error} again=${of.reload} />`}${children(of.data)}`;
}

const severities = { High: "high", Medium: "medium", Low: "low", Informational: "info" };
export function Severity({ of }) {
  return html`<span class=${"badge sev-" + (severities[of] || "info")}>${of}</span>`;
}

export const states = { Active: "Active", InProgress: "In progress", Resolved: "Resolved", Dismissed: "Dismissed" };
export function State({ of }) {
  return html`<span class="badge state">${states[of] || of}</span>`;
}

// Updated: when the data came; for pages that poll.
export function Fresh({ at }) {
  return at ? html`<span class="dim">updated <${Time} at=${new Date(at).toISOString()} short /></span>` : null;
}

// A link to another place that the reader opens knowingly: this page loads nothing from there.
export function Outside({ href, children }) {
  return html`<a href=${href} target="_blank" rel="noopener noreferrer" class="outside">${children}<span class="sr"> (opens another site)</span></a>`;
}

// text, or a function that gives it when it is pressed
export function Copy({ text, children }) {
  const copy = async (e) => {
    const button = e.currentTarget;
    await navigator.clipboard?.writeText(typeof text === "function" ? text() : text).then(() => { button.dataset.done = "1"; setTimeout(() => delete button.dataset.done, 1500); }, () => {});
  };
  return html`<button type="button" class="quiet" onClick=${copy}>${children || "Copy"}</button>`;
}

export function Bar({ part, of, label }) {
  return html`<meter min="0" max=${of || 1} value=${part} aria-label=${label}></meter>`;
}
