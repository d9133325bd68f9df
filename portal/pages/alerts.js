// The alerts: what is asked for is in the address, so that a filter is a link; the server filters, sorts and pages. New ones appear by themselves.
import { html, useEffect, useMemo, useRef, useState } from "../lib/html.js";
import { setQuery, to } from "../lib/router.js";
import { announce, useLoad } from "../lib/live.js";
import { useKeys } from "../lib/keys.js";
import { Table } from "../lib/table.js";
import { Preview } from "../lib/preview.js";
import { csv, save } from "../lib/csv.js";
import { Time, relative } from "../lib/time.js";
import { Range, moment } from "../lib/range.js";
import { Seen } from "../lib/visible.js";
import { Copy, Empty, Fresh, Loaded, Problem, Severity, State, number, states } from "../lib/ui.js";
import { ChangeDialog, VerbButtons, count, verbs } from "../lib/triage.js";
import { alertTypes, listAlerts, may } from "../api.js";

const POLL_MS = 5000;
const spans = { "1h": 36e5, "24h": 864e5, "7d": 7 * 864e5, "30d": 30 * 864e5 };
const named = ["deployment", "application", "user", "workspace"]; // filters that are set by a click on a value

// What the server is asked, from the address. Without a status the open ones are shown: those are what somebody has to do.
export function question(query) {
  const get = (k) => query.get(k) || "";
  const status = get("status") || "open";
  const since = spans[get("since")], own = get("since") === "own";
  const sort = get("sort") || "-start";
  return {
    status: status === "any" ? "" : status === "open" ? "Active,InProgress" : status, severity: get("severity"), type: get("type"), q: get("q"), after: get("after"),
    ...Object.fromEntries(named.map((k) => [k, get(k)])),
    from: since ? new Date(Math.floor((Date.now() - since) / 6e4) * 6e4).toISOString().replace(/\.\d+/, "") : own ? moment(get("from")) : "", to: own ? moment(get("to")) : "",
    sort: sort.replace(/^-/, ""), order: sort.startsWith("-") ? "desc" : "asc", top: 50,
  };
}

const saved = {
  read() { try { return JSON.parse(localStorage.getItem("vedette.views")) || {}; } catch { return {}; } },
  write(views) { try { localStorage.setItem("vedette.views", JSON.stringify(views)); } catch { /* a private window: the address itself can be kept */ } },
};

function Views({ query }) {
  const [views, set] = useState(saved.read);
  const keep = (next) => { saved.write(next); set(next); };
  const here = new URLSearchParams(query);
  here.delete("after");
  const save = (e) => {
    e.preventDefault();
    const name = new FormData(e.currentTarget).get("name").trim();
    if (name) keep({ ...views, [name]: here.toString() });
    e.currentTarget.reset();
  };
  return html`<details class="views"><summary>Saved views</summary>
    <ul class="plain">${Object.entries(views).map(([name, q]) => html`<li key=${name} class="row"><a href=${"#/alerts?" + q}><${Seen} text=${name} limit=${60} /></a>
      <button type="button" class="quiet" aria-label=${"Forget the view " + name} onClick=${() => keep(Object.fromEntries(Object.entries(views).filter(([k]) => k !== name)))}>✕</button></li>`)}</ul>
    <form class="row" onSubmit=${save}><label>Name<input name="name" required maxlength="60" /></label><button>Save this view</button></form>
    <p class="dim">A view is the address of this page; send it to a colleague. Names are kept in this browser.</p></details>`;
}

function Filters({ query, search }) {
  const types = useLoad(alertTypes, []);
  const [text, type] = useState(query.get("q") || "");
  const timer = useRef();
  useEffect(() => type(query.get("q") || ""), [query.get("q")]);
  const ask = (changes) => setQuery({ ...changes, after: "" });
  const typed = (e) => {
    const value = e.target.value;
    type(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => ask({ q: value.trim() }), 250);
  };
  const choice = (name, words, options) => html`<label>${words}<select value=${query.get(name) || ""} onChange=${(e) => ask({ [name]: e.target.value })}>${options.map(([v, w]) => html`<option key=${v} value=${v} selected=${v === (query.get(name) || "")}>${w}</option>`)}</select></label>`;
  const rows = types.data?.value || [];
  return html`<form class="row filters" role="search" aria-label="Filter alerts" onSubmit=${(e) => e.preventDefault()}>
    <label>Search<input ref=${search} type="search" value=${text} onInput=${typed} placeholder="user, app, deployment" /></label>
    ${choice("status", "State", [["", "Open"], ["any", "Any"], ...Object.entries(states)])}
    ${choice("severity", "Severity", [["", "Any"], ["High", "High"], ["High,Medium", "Medium and up"], ["Medium", "Medium"], ["Low", "Low"], ["Informational", "Informational"]])}
    ${choice("since", "Time", [["", "Any"], ["1h", "Last hour"], ["24h", "Last day"], ["7d", "Last week"], ["30d", "Last 30 days"], ["own", "From … to …"]])}
    ${query.get("since") === "own" && html`<${Range} query=${query} ask=${ask} />`}
    ${choice("type", "Type", [["", "Any"], ...rows.map((t) => [t.alertType, t.alertDisplayName + (/Agentic/.test(t.alertType) ? " (agent)" : "")])])}
    ${named.filter((k) => query.get(k)).map((k) => html`<button key=${k} type="button" aria-label=${`Remove the filter ${k} ${query.get(k)}`} onClick=${() => ask({ [k]: "" })}>${k}: <${Seen} text=${query.get(k)} limit=${30} /> ✕</button>`)}</form>`;
}

const filterLink = (name, value) => (value ? html`<a href=${to(["alerts"], { [name]: value })}><${Seen} text=${value} limit=${40} /></a>` : "");

export const alertAddress = (id) => to(["alert", ...id.split("/").filter(Boolean)]);

const columns = [
  { key: "severity", title: "Severity", sort: "severity", cell: (a) => html`<${Severity} of=${a.severity} />` },
  { key: "start", title: "Began", sort: "start", narrow: false, cell: (a) => html`<${Time} at=${a.start} short />` },
  { key: "title", title: "Alert", sort: "type", cell: (a) => html`${a.isIncident && html`<span class="badge">incident</span> `}<a href=${alertAddress(a.id)}>${a.isSample ? "[SAMPLE ALERT] " : ""}${a.title}</a><small class="narrow dim"><${Seen} text=${a.user || a.principal} limit=${28} /> · ${relative(new Date(a.start))}</small>` },
  { key: "status", title: "State", sort: "status", narrow: false, cell: (a) => html`<${State} of=${a.status} />` },
  { key: "deployment", title: "Deployment", sort: "deployment", narrow: false, cell: (a) => filterLink("deployment", a.deployment) },
  { key: "user", title: "User", sort: "user", narrow: false, cell: (a) => filterLink("user", a.user) || html`<span class="dim"><${Seen} text=${a.principal} limit=${40} /></span>` },
  { key: "application", title: "Application", sort: "application", narrow: false, cell: (a) => filterLink("application", a.application) },
  { key: "action", title: "Action", narrow: false, cell: (a) => html`<${Seen} text=${a.action} limit=${30} />` },
  { key: "count", title: "Events", sort: "count", narrow: false, num: true, cell: (a) => number(a.count) },
];

const few = new Set(["severity", "start", "title", "status", "user"]); // beside a preview

const hidden = {
  read() { try { return new Set(JSON.parse(localStorage.getItem("vedette.columns")) || []); } catch { return new Set(); } },
  write(set) { try { localStorage.setItem("vedette.columns", JSON.stringify([...set])); } catch { /* a private window: it holds for this page */ } },
};

// Which columns there are, kept in this browser; the alert itself always.
function Columns({ without, onChange }) {
  const toggle = (key) => { const next = new Set(without); next.has(key) ? next.delete(key) : next.add(key); hidden.write(next); onChange(next); };
  return html`<details class="menu wide"><summary>Columns</summary><div class="card">${columns.filter((c) => c.key !== "title").map((c) => html`<label key=${c.key} class="tick"><input type="checkbox" checked=${!without.has(c.key)} onChange=${() => toggle(c.key)} /> ${c.title}</label>`)}</div></details>`;
}

// ---- as a file ----

const CSV_ROWS = 10000;
const csvColumns = ["start", "end", "severity", "status", "type", "title", "deployment", "application", "user", "principal", "sourceIp", "country", "action", "found", "count", "confidence", "classification", "incident", "workspace", "id"];

async function download(query) {
  const rows = [];
  let next = "";
  do {
    const page = await listAlerts({ ...question(query), top: 500, after: next });
    rows.push(...page.value);
    next = page.next;
  } while (next && rows.length < CSV_ROWS);
  save(`vedette-alerts-${new Date().toISOString().slice(0, 10)}.csv`, csv(csvColumns, rows));
  announce(next ? `The first ${number(rows.length)} alerts were written; filter to get the rest.` : `${count(rows.length)} written`);
}

function Nothing({ query }) {
  if ([...query.keys()].some((k) => k !== "sort" && k !== "after")) return html`<${Empty} title="No alert is like this."><p><a href="#/alerts?status=any">Show all alerts</a> or loosen the filter.</p><//>`;
  return html`<${Empty} title="No open alerts."><p>Alerts appear here within a second of what raised them. <a href="#/alerts?status=any">Show those that were closed</a>, or raise every type
    with harmless attacks:</p><pre>vedette drill --many</pre><//>`;
}

// What comes by itself moves nothing under the reader: rows stay where they are, with what is new of them; new ones wait until they are asked for.
export function quietly(old, fresh) {
  if (!old.value.length) return fresh;
  const now = new Map(fresh.value.map((r) => [r.id, r])), same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const newest = old.value.reduce((m, r) => (r.start > m ? r.start : m), "");
  return { ...old, total: fresh.total, totalIsExact: fresh.totalIsExact, value: old.value.map((r) => (now.has(r.id) && !same(r, now.get(r.id)) ? now.get(r.id) : r)), waiting: fresh.value.filter((r) => r.start > newest).length };
}

export default function Alerts({ route: { query } }) {
  const [marked, mark] = useState(new Set());
  const [doing, act] = useState(null);
  const [without, show] = useState(hidden.read);
  const [beside, preview] = useState(false);
  const tell = useRef(null);
  const shown = useMemo(() => columns.filter((c) => !without.has(c.key) && (!beside || few.has(c.key))), [without, beside]);
  const at = useRef(null); // the row that the keyboard is at: nothing is drawn for it here
  const [fault, setFault] = useState(null);
  const [trail, follow] = useState([]); // cursors of the pages before this one
  const search = useRef();
  const setAt = useRef((r) => { at.current = r; tell.current?.(r); });
  const asked = JSON.stringify(question(query));
  const load = useLoad((signal) => listAlerts(question(query), signal), [asked], query.get("after") ? 0 : POLL_MS, { push: true, take: quietly });
  const rows = load.data?.value || [], waiting = load.data?.waiting || 0;
  useEffect(() => { if (waiting) announce(`${count(waiting)} came in`); }, [waiting]);
  useEffect(() => { mark(new Set()); if (!query.get("after")) follow([]); }, [asked]);
  const change = may("changeAlerts");
  const chosen = () => (marked.size ? rows.filter((r) => marked.has(r.id)) : at.current ? [at.current] : []);
  const begin = (v) => chosen().length && act({ verb: v, before: Object.fromEntries(chosen().map((r) => [r.id, r.status])) });
  const next = () => { if (load.data?.next) { follow([...trail, query.get("after") || ""]); setQuery({ after: load.data.next }); } };
  const back = () => { if (trail.length) { setQuery({ after: trail.at(-1) }); follow(trail.slice(0, -1)); } };
  useKeys([
    ["/", "search", () => search.current?.focus()], ["v", "look at the row beside the list", () => preview((on) => !on)], ["n", "show new alerts", () => waiting && load.reload()], ["]", "next page", next], ["[", "page before", back],
    ...Object.entries(change ? verbs : {}).map(([v, [words, key]]) => [key, words.toLowerCase() + " the marked rows, or this one", () => begin(v)]),
  ]);
  const total = load.data?.total;
  return html`<div class="row bar"><h1>Alerts</h1>${total !== undefined && html`<span>${number(total)}${load.data.totalIsExact === false ? " or more" : ""} ${total === 1 ? "alert" : "alerts"}</span>`}<${Fresh} at=${load.at} /><button type="button" onClick=${() => download(query).catch(setFault)}>Download CSV</button><button type="button" class="wide" aria-pressed=${beside} onClick=${() => preview(!beside)}>Preview <kbd>v</kbd></button><${Copy} text=${() => location.href}>Copy link<//><${Columns} without=${without} onChange=${show} /></div>
    ${fault && html`<${Problem} error=${fault} />`}<${Filters} query=${query} search=${search} /><${Views} query=${query} />
    ${marked.size > 0 && html`<div class="row note" role="group" aria-label="Change the marked alerts"><strong>${count(marked.size)} marked</strong><${VerbButtons} statuses=${chosen().map((r) => r.status)} onVerb=${begin} />
      <button type="button" class="quiet" onClick=${() => mark(new Set())}>Unmark</button></div>`}
    ${waiting > 0 && html`<div class="fresh"><button type="button" class="main" onClick=${load.reload}>${waiting === 1 ? "1 new alert" : `${number(waiting)}${waiting === rows.length ? " or more" : ""} new alerts`} <kbd class="wide">n</kbd></button></div>`}
    <${Loaded} of=${load} what="alerts">${() => (rows.length ? html`<div class=${beside ? "split" : ""}><${Table} label="Alerts" columns=${shown} rows=${rows} id=${(a) => a.id} open=${(a) => alertAddress(a.id)} marked=${change ? marked : undefined} onMark=${mark} onAt=${setAt.current}
      sort=${query.get("sort") || "-start"} onSort=${(s) => setQuery({ sort: s, after: "" })} />${beside && html`<${Preview} first=${at.current} tell=${tell} addressOf=${alertAddress} onClose=${() => preview(false)} />`}</div>` : html`<${Nothing} query=${query} />`)}<//>
    <nav class="row pad" aria-label="Pages of the list"><button type="button" disabled=${!trail.length} onClick=${back}>← Newer</button><button type="button" disabled=${!load.data?.next} onClick=${next}>Older →</button></nav>
    ${doing && html`<${ChangeDialog} ids=${Object.keys(doing.before)} before=${doing.before} verb=${doing.verb} onClose=${() => act(null)} onDone=${() => { mark(new Set()); load.reload(); }} />`}`;
}
