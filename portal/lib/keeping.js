// Classes of data as the statement has them: what, where, how protected, how long, who may read; and how old the oldest item of each is now.
import { html } from "./html.js";
import { Seen } from "./visible.js";
import { Time } from "./time.js";
import { Bar, Empty, number } from "./ui.js";

const DAY = 86400;
const HOUR = 3600;
// "30 days", "5 hours": what an age is said in
export const span = (s) => (s >= 2 * DAY ? `${Math.floor(s / DAY)} days` : s >= 2 * HOUR ? `${Math.floor(s / HOUR)} hours` : s >= 120 ? `${Math.floor(s / 60)} minutes` : "a moment");

const sizes = ["B", "kB", "MB", "GB", "TB"];
export function bytes(n) {
  const i = n < 1000 ? 0 : Math.min(sizes.length - 1, Math.floor(Math.log10(n) / 3));
  return `${(n / 1000 ** i).toLocaleString(undefined, { maximumFractionDigits: i ? 1 : 0 })} ${sizes[i]}`;
}

const oldestOf = (list) => list.map((r) => r.oldest).filter(Boolean).sort()[0];

// A row for each class with a limit in each workspace.
export function limits(statement) {
  const now = new Date(statement.made).getTime() / 1000;
  const held = Object.fromEntries(statement.workspaces.map((w) => [w.name, w.legalHolds]));
  return statement.data.flatMap((c) => c.stores.filter((s) => s.keptSeconds).map((s) => {
    const oldest = oldestOf(s.rows), age = oldest ? Math.max(0, now - new Date(oldest).getTime() / 1000) : null;
    return { title: c.title, workspace: s.workspace, limit: s.keptSeconds, oldest, age, held: held[s.workspace], late: age !== null && age > s.keptSeconds + DAY };
  }));
}

function Age({ r }) {
  if (r.age === null) return html`<span class="dim">nothing there now</span>`;
  const words = `oldest is ${span(r.age)} old`;
  if (!r.late) return html`<span title=${r.oldest}>${words}</span>`;
  return r.held ? html`<span class="warn" title=${r.oldest}>${words}: it may be held</span>` : html`<span class="bad" title=${r.oldest}>${words}: it should be gone. See state/logs/serve.log, or run vedette retention expire</span>`;
}

export function RetentionBars({ statement }) {
  const rows = limits(statement), several = statement.workspaces.length > 1;
  if (!rows.length) return html`<${Empty} title="No time limit is known."><p>Say under <code>retention</code> of a workspace in <code>vedette.yaml</code> how long what is kept.</p><//>`;
  return html`<ul class="top-list keeps">${rows.map((r) => html`<li key=${r.title + r.workspace}><span>${r.title}${several && html` <span class="dim"><${Seen} text=${r.workspace} limit=${40} /></span>`}</span><span class="num">kept ${span(r.limit)}</span>
    <${Bar} part=${Math.min(r.age || 0, r.limit)} of=${r.limit} label=${`${r.title}: the oldest item against the limit`} /><small class="after"><${Age} r=${r} /></small></li>`)}</ul>`;
}

// ---- classes ----

function Where({ paths, folder }) {
  if (!paths.length) return html`<span class="dim">memory only</span>`;
  return html`<ul class="plain">${paths.map((p) => html`<li key=${p}><code><${Seen} text=${p.startsWith(folder + "/") ? p.slice(folder.length + 1) : p} limit=${200} /></code></li>`)}</ul>`;
}

const roles = { none: "nobody, through the API", reader: "every role", "evidence-reader": "evidence-reader and administrator" };

function Found({ c }) {
  const rows = c.stores.flatMap((s) => s.rows.filter((r) => r.rows).map((r) => ({ ...r, workspace: s.workspace })));
  const files = [c.files, ...c.stores.map((s) => s.files)].reduce((sum, f) => ({ files: sum.files + f.files, bytes: sum.bytes + f.bytes }), { files: 0, bytes: 0 });
  if (!rows.length && !files.files) return html`<span class="dim">nothing</span>`;
  return html`<ul class="plain">${rows.map((r) => html`<li key=${r.workspace + r.table}>${number(r.rows)} rows of <code>${r.table}</code>${r.oldest && html` since <${Time} at=${r.oldest} short />`}</li>`)}${files.files > 0 && html`<li>${number(files.files)} files, ${bytes(files.bytes)}</li>`}</ul>`;
}

function Texts({ c }) {
  const rows = c.stores.flatMap((s) => s.texts || []);
  if (c.class !== "evidence") return null;
  return html`<tr><th scope="row">Texts now</th><td>${rows.length ? html`<ul class="plain">${rows.map((t) => html`<li key=${t.deployment}><${Seen} text=${t.deployment} limit=${60} />: ${number(t.rows)}</li>`)}</ul>` : html`<span class="dim">none</span>`}</td></tr>`;
}

function Kept({ c }) {
  const texts = [...new Set(c.stores.length ? c.stores.map((s) => s.kept) : [c.kept])];
  return html`${texts.join("; ")}`;
}

function Readers({ readers }) {
  const shown = readers.tokens.slice(0, 12);
  return html`${roles[readers.role] || readers.role}${shown.length > 0 && html`<span class="dim">: </span>${shown.map((t, i) => html`${i > 0 && ", "}<${Seen} text=${t.name} limit=${40} /> <span class="dim">(${t.role})</span>`)}${readers.tokens.length > shown.length && ` and ${readers.tokens.length - shown.length} more`}`}`;
}

// Each class opens to all that is known of it; closed, it says what most ask.
export function Classes({ statement }) {
  return html`<div class="classes">${statement.data.map((c) => html`<details key=${c.class}><summary><strong>${c.title}</strong> <span class="dim"><${Kept} c=${c} /></span></summary><table class="facts"><tbody>
    <tr><th scope="row">What</th><td>${c.holds}</td></tr><tr><th scope="row">Of</th><td>${c.concerns}</td></tr><tr><th scope="row">Where</th><td><${Where} paths=${[...c.where, ...c.stores.flatMap((s) => s.where)]} folder=${statement.stateFolder} /></td></tr>
    <tr><th scope="row">Protected</th><td>${c.protection}</td></tr><tr><th scope="row">Kept</th><td><${Kept} c=${c} /></td></tr><tr><th scope="row">Who may read</th><td><${Readers} readers=${c.readers} /></td></tr>
    <tr><th scope="row">There now</th><td><${Found} c=${c} /></td></tr><${Texts} c=${c} />${c.tables.length + c.members.length > 0 && html`<tr><th scope="row">Columns</th><td>${c.tables.map((t) => html`<p key=${t.table}><code>${t.table}</code>: ${t.columns.join(", ")}</p>`)}${c.members.length > 0 && html`<p>Members of a record: ${c.members.join(", ")}</p>`}</td></tr>`}</tbody></table></details>`)}</div>`;
}
