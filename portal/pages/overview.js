// The first page in the morning: what needs attention, how much traffic there was and what was stopped, who and what raised alerts, how vedette itself is.
import { html } from "../lib/html.js";
import { setQuery, to } from "../lib/router.js";
import { useLoad } from "../lib/live.js";
import { Chart } from "../lib/chart.js";
import { Range, moment } from "../lib/range.js";
import { Seen } from "../lib/visible.js";
import { Bar, Empty, Fresh, Loaded, Severity, compact, number } from "../lib/ui.js";
import { overview } from "../api.js";

const POLL_MS = 15000;
// [in the address, words, seconds, seconds of a step: few enough that a bar can be seen]
const spans = [["1h", "Last hour", 3600, 300], ["24h", "Last day", 86400, 1800], ["7d", "Last week", 604800, 7200], ["30d", "Last 30 days", 2592000, 43200]];

const own = ["own", "From … to …"];
const steps = [300, 900, 1800, 3600, 7200, 21600, 43200, 86400], BARS = 60, DAYS = 400;

// What the server is asked, from the address. A range of one's own that has no end ends now; one without a beginning is a day; one that is none is not asked for.
export function question(query, now = Math.floor(Date.now() / 1000)) {
  const text = (s) => new Date(s * 1000).toISOString().replace(/\.\d+/, "");
  const seconds = (name) => Math.floor(Date.parse(moment(query.get(name) || "")) / 1000);
  if (query.get("span") === own[0]) {
    const to = seconds("to") || now, from = seconds("from") || to - 86400;
    if (from >= to) throw new Error("The time is to begin before it ends.");
    if (to - from > DAYS * 86400) throw new Error(`At most ${DAYS} days are shown at once.`);
    return { from: text(from), to: text(to), step: steps.find((s) => (to - from) / s <= BARS) || 86400 };
  }
  const [, , length, step] = spans.find(([name]) => name === query.get("span")) || spans[1];
  return { from: text(now - length), to: text(now), step };
}

const sum = (list) => list.reduce((x, y) => x + y, 0);

// ---- parts ----

const where = { "open-high": () => to(["alerts"], { severity: "High" }) };

function Attention({ rows }) {
  return html`<section class="card" aria-label="What needs attention"><h2>What needs attention</h2>${rows.length ? html`<ul class="attention">${rows.map((a) => html`<li key=${a.id}><${Severity} of=${a.severity} /> <strong>${where[a.id] ? html`<a href=${where[a.id]()}>${a.title}</a>` : a.title}</strong> <span><${Seen} text=${a.says} limit=${300} /> <span class="dim">${a.todo}</span></span></li>`)}</ul>` : html`<p class="ok">Nothing. Every part works, and no alert of high severity is open.</p>`}</section>`;
}

function Tiles({ totals, alerts }) {
  const open = sum(Object.values(alerts.open));
  const rows = [["Requests", totals.requests], ["Tokens", totals.tokens], ["Blocked", totals.blocked, "bad"], ["Masked or cut", totals.redacted + totals.cut, "warn"], ["Detected, let through", totals.detected, "warn"], ["Not inspected", totals.notInspected], ["Failed", totals.failed]];
  return html`<div class="tiles"><a class="tile" href="#/alerts"><b>${compact(open)}</b><span>open alerts, ${number(alerts.open.High)} high</span></a>
    ${rows.map(([words, n, kind]) => html`<div class="tile" key=${words} title=${number(n)}><b class=${n ? kind : ""}>${compact(n)}</b><span>${words}</span></div>`)}</div>`;
}

function Top({ title, rows, filter, none }) {
  const most = Math.max(1, ...rows.map((r) => r.alerts));
  return html`<section class="card" aria-label=${title}><h2>${title}</h2>${rows.length ? html`<ul class="top-list">${rows.map((r) => html`<li key=${r.name}><a href=${to(["alerts"], { [filter]: r.name, status: "any" })}><${Seen} text=${r.title || r.name} limit=${80} /></a><span class="num">${number(r.alerts)}</span>
    <${Bar} part=${r.alerts} of=${most} label=${`${number(r.alerts)} alerts`} /></li>`)}</ul>` : html`<p class="dim">${none}</p>`}</section>`;
}

function Deployments({ rows }) {
  return html`<section class="card" aria-label="Deployments"><h2>Deployments</h2><div class="scroll" tabindex="0" role="region" aria-label="Table of deployments"><table><thead><tr><th scope="col">Deployment</th>${["Requests", "Tokens", "Blocked", "Masked or cut", "Detected", "Not inspected", "Failed"].map((h) => html`<th scope="col" class="num" key=${h}>${h}</th>`)}</tr></thead>
    <tbody>${rows.map((d) => html`<tr key=${d.others ? "others" : "d:" + d.deployment}><th scope="row">${d.others ? "all others" : html`<a href=${to(["alerts"], { deployment: d.deployment, status: "any" })}><${Seen} text=${d.deployment} limit=${60} /></a>`}</th>
      ${[d.totals.requests, d.totals.tokens, d.totals.blocked, d.totals.redacted + d.totals.cut, d.totals.detected, d.totals.notInspected, d.totals.failed].map((n, i) => html`<td class="num" key=${i}>${number(n)}</td>`)}</tr>`)}</tbody></table></div></section>`;
}

const words = { ok: ["ok", "works"], attention: ["warn", "needs attention"], bad: ["bad", "does not work"], off: ["dim", "off"] };

function Health({ rows }) {
  return html`<section class="card" aria-label="Health"><h2>Health</h2><table class="facts"><tbody>${rows.map((h) => html`<tr key=${h.part}><th scope="row">${h.title}</th><td><span class=${(words[h.state] || words.off)[0]}>● ${(words[h.state] || ["", h.state])[1]}</span> <${Seen} text=${h.says} limit=${400} /></td></tr>`)}</tbody></table></section>`;
}

const colours = ["--blue", "--violet", "--green", "--amber", "--red"];

function Charts({ d }) {
  const s = d.series, busiest = d.deployments.filter((x) => !x.others).slice(0, colours.length);
  return html`<div class="grid charts"><section class="card" aria-label="Requests"><${Chart} title="Requests" times=${d.times} series=${[{ label: "requests", values: s.requests, colour: "--blue" }, { label: "failed", values: s.failed, colour: "--red" }]} /></section>
    <section class="card" aria-label="Stopped and found"><${Chart} title="Stopped and found" times=${d.times} series=${[{ label: "blocked", values: s.blocked, colour: "--red" }, { label: "masked or cut", values: s.redacted.map((n, i) => n + s.cut[i]), colour: "--violet" }, { label: "detected", values: s.detected, colour: "--amber" }]} /></section>
    <section class="card" aria-label="Tokens"><${Chart} title="Tokens" times=${d.times} series=${[{ label: "tokens", values: s.tokens, colour: "--green" }]} /></section>
    ${busiest.length > 1 && html`<section class="card" aria-label="Requests by deployment"><${Chart} title="Requests by deployment" lines times=${d.times} series=${busiest.map((x, i) => ({ label: x.deployment.slice(0, 40), values: x.requests, colour: colours[i] }))} /></section>`}</div>`;
}

function First() {
  return html`<section class="card"><${Empty} title="No request came in this time."><p>Point a client at the gateway instead of at the model; its endpoint is all that changes. To see something now, raise every alert with harmless attacks:</p><pre>vedette drill --many</pre><//></section>`;
}

export default function Overview({ route: { query } }) {
  const choices = [...spans, own], span = choices.find(([name]) => name === query.get("span")) || spans[1];
  const load = useLoad(async (signal) => overview(question(query), signal), [span[0], query.get("from"), query.get("to")], POLL_MS);
  return html`<div class="row bar"><h1>Overview</h1><${Fresh} at=${load.at} /><label class="wordless"><span class="sr">Time</span><select onChange=${(e) => setQuery({ span: e.target.value })}>${choices.map(([name, text]) => html`<option key=${name} value=${name} selected=${name === span[0]}>${text}</option>`)}</select></label>${span === own && html`<${Range} query=${query} ask=${setQuery} />`}</div>
    <${Loaded} of=${load} what="the overview">${(d) => html`<${Attention} rows=${d.attention} /><${Tiles} totals=${d.totals} alerts=${d.alerts} />
      ${d.totals.requests ? html`<${Charts} d=${d} /><${Deployments} rows=${d.deployments} />` : html`<${First} />`}
      <div class="grid"><${Top} title="Alert types" filter="type" rows=${d.alerts.types} none="No alert in this time." /><${Top} title="Users" filter="user" rows=${d.alerts.users} none="No alert that names a user. Name users with user_security_context or a header (docs/gateway.md)." />
        <${Top} title="Applications" filter="application" rows=${d.alerts.applications} none="No alert that names an application." /></div><${Health} rows=${d.health} />`}<//>`;
}
