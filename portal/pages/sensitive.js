// Sensitive information that was met: which kinds, by whom, with which application, over time. Names, kinds and numbers only: no text and no value exists
// of it. What is asked is in the address; each number leads to the alerts of the same filter.
import { html } from "../lib/html.js";
import { setQuery, to } from "../lib/router.js";
import { useLoad } from "../lib/live.js";
import { Chart } from "../lib/chart.js";
import { Seen } from "../lib/visible.js";
import { Bar, Empty, Fresh, Loaded, compact, number } from "../lib/ui.js";
import { sensitiveInformation } from "../api.js";

const POLL_MS = 30000, ROWS = 200, HOUR = 3600, DAY = 86400;
// [in the address, words, seconds, bucket, seconds of it, the same on the list of alerts]
const spans = [["24h", "Last day", DAY, "hour", HOUR, "24h"], ["7d", "Last week", 7 * DAY, "day", DAY, "7d"], ["30d", "Last 30 days", 30 * DAY, "day", DAY, "30d"], ["90d", "Last 90 days", 90 * DAY, "day", DAY, ""]];
const ways = [["kind", "Kind"], ["application", "Application"], ["user", "User"], ["deployment", "Deployment"], ["user,kind", "User and kind"], ["application,kind", "Application and kind"]];
const filters = { kind: "Kind", application: "Application", user: "User", deployment: "Deployment", detector: "Detector", workspace: "Workspace" };
const colours = ["--blue", "--violet", "--green", "--amber", "--red"];
const counted = ["interactions", "findings", "inRequests", "inResponses", "detected", "redacted", "stopped"];

const chosen = (list, value, otherwise) => list.find(([name]) => name === value) || list[otherwise];

function question(query) {
  const span = chosen(spans, query.get("span"), 2), by = chosen(ways, query.get("by"), 0)[0];
  const end = Math.ceil(Date.now() / 1000 / span[4]) * span[4], text = (s) => new Date(s * 1000).toISOString().replace(/\.\d+/, "");
  return { span, by, from: end - span[2], to: end, asked: { from: text(end - span[2]), to: text(end), bucket: span[3], by, top: 10, ...Object.fromEntries(Object.keys(filters).map((k) => [k, query.get(k) || ""])) } };
}

// ---- what rows are called and where they lead ----

const kindWords = (r) => (r.type ? `${r.type} (${r.kind})` : r.kind || "");
function nameOf(r, key) {
  if (key === "kind") return kindWords(r);
  return r[key] || { application: "no application named", user: "no user named" }[key] || "";
}
const nameAll = (r, by) => by.split(",").map((k) => nameOf(r, k)).join(" · ");

// Alerts are not filtered by kind: their type says credentials or other sensitive data.
const types = { credential: "AI.Azure_CredentialTheftAttempt", sensitive: "AI.Azure_DataLeakInModelResponse.Sensitive" };

export function alertsOf(query, row, detectors) {
  const { span } = question(query), pick = (k) => row[k] || query.get(k) || "";
  const user = pick("user"), key = /^key:(.*)/.exec(user), kind = pick("kind");
  return to(["alerts"], { status: "any", application: pick("application"), deployment: pick("deployment"), workspace: query.get("workspace"), ...(key ? { q: key[1] } : { user }),
    type: types[row.detector || query.get("detector") || (kind && detectors.get(kind))] || "", since: span[5] });
}

// ---- parts ----

function Filters({ query, by, span }) {
  const choice = (name, words, list, now) => html`<label>${words}<select onChange=${(e) => setQuery({ [name]: e.target.value })}>${list.map(([v, w]) => html`<option key=${v} value=${v} selected=${v === now}>${w}</option>`)}</select></label>`;
  return html`<form class="row filters" role="search" aria-label="Filter sensitive information" onSubmit=${(e) => e.preventDefault()}>${choice("span", "Time", spans, span[0])}${choice("by", "By", ways, by)}
    ${choice("detector", "What", [["", "Anything"], ["credential", "Credentials"], ["sensitive", "Personal and financial data"]], query.get("detector") || "")}
    ${Object.entries(filters).filter(([k]) => k !== "detector" && query.get(k)).map(([k, words]) => html`<button key=${k} type="button" aria-label=${`Remove the filter ${words} ${query.get(k)}`} onClick=${() => setQuery({ [k]: "" })}>${words.toLowerCase()}: <${Seen} text=${query.get(k)} limit=${40} /> ✕</button>`)}</form>`;
}

function Tiles({ total, query, detectors }) {
  const rows = [["Findings", total.findings], ["In requests", total.inRequests], ["In answers", total.inResponses], ["Masked", total.redacted, "warn"], ["Stopped", total.stopped, "bad"], ["Only noted", total.detected]];
  return html`<div class="tiles"><a class="tile" href=${alertsOf(query, {}, detectors)}><b>${compact(total.interactions)}</b><span>interactions; see the alerts</span></a>
    ${rows.map(([words, n, kind]) => html`<div class="tile" key=${words} title=${number(n)}><b class=${n ? kind : ""}>${compact(n)}</b><span>${words}</span></div>`)}</div>`;
}

// Rows by what they are called, over all times, the most first: [{row, name, values: {time: interactions}, sums}]
export function lines(rows, by) {
  const out = new Map();
  for (const r of rows) {
    const id = JSON.stringify(by.split(",").map((k) => r[k]));
    const o = out.get(id) || { row: r, name: nameAll(r, by), values: new Map(), sums: Object.fromEntries(counted.map((k) => [k, 0])) };
    for (const k of counted) o.sums[k] += r[k];
    const t = Date.parse(r.time) / 1000;
    o.values.set(t, (o.values.get(t) || 0) + r.interactions);
    out.set(id, o);
  }
  return [...out.values()].sort((p, q) => q.sums.interactions - p.sums.interactions || (p.name < q.name ? -1 : 1));
}

function OverTime({ all, q, words }) {
  const times = [];
  for (let t = q.from; t < q.to; t += q.span[4]) times.push(t);
  const shown = all.slice(0, all.length > colours.length ? colours.length - 1 : colours.length), rest = all.slice(shown.length);
  const series = shown.map((l) => ({ label: l.name.slice(0, 60), values: times.map((t) => l.values.get(t) || 0) }));
  if (rest.length) series.push({ label: `${rest.length} others`, values: times.map((t) => rest.reduce((sum, l) => sum + (l.values.get(t) || 0), 0)) });
  return html`<section class="card" aria-label="Over time"><${Chart} title=${`Interactions by ${words.toLowerCase()}, per ${q.span[3]}${q.span[3] === "day" ? " (UTC)" : ""}`} lines daily=${q.span[3] === "day"} times=${times} series=${series.map((s, i) => ({ ...s, colour: colours[i] }))} /></section>`;
}

function Everything({ all, by, words, query, detectors }) {
  const heads = [["interactions", "Interactions"], ["findings", "Findings"], ["inRequests", "In requests"], ["inResponses", "In answers"], ["detected", "Only noted"], ["redacted", "Masked"], ["stopped", "Stopped"]];
  return html`<section class="card" aria-label="All of it"><h2>By ${words.toLowerCase()}</h2><div class="scroll" tabindex="0" role="region" aria-label=${"Sensitive information by " + words.toLowerCase()}><table><thead><tr><th scope="col">${words}</th>${heads.map(([k, h]) => html`<th scope="col" class="num" key=${k}>${h}</th>`)}<th scope="col">Alerts</th></tr></thead>
    <tbody>${all.slice(0, ROWS).map((l, i) => html`<tr key=${i}><th scope="row"><${Seen} text=${l.name} limit=${120} /></th>${heads.map(([k]) => html`<td class="num" key=${k}>${number(l.sums[k])}</td>`)}<td><a href=${alertsOf(query, l.row, detectors)}>alerts<span class="sr"> of <${Seen} text=${l.name} limit=${120} /></span></a></td></tr>`)}</tbody></table></div>
    ${all.length > ROWS && html`<p class="dim">The first ${ROWS} of ${number(all.length)}. A filter narrows it; <code>vedette data sensitive</code> writes all of it.</p>`}</section>`;
}

function Top({ title, rows, name, filter, none }) {
  const most = Math.max(1, ...rows.map((r) => r.interactions));
  return html`<section class="card" aria-label=${title}><h2>${title}</h2>${rows.length ? html`<ul class="top-list">${rows.map((r, i) => html`<li key=${i}>${r[filter] ? html`<button type="button" class="link" onClick=${() => setQuery({ [filter]: r[filter] })}><${Seen} text=${name(r)} limit=${80} /></button>` : html`<span class="dim">${name(r)}</span>`}<span class="num">${number(r.interactions)}</span>
    <${Bar} part=${r.interactions} of=${most} label=${`${number(r.interactions)} interactions`} /></li>`)}</ul>` : html`<p class="dim">${none}</p>`}</section>`;
}

function Nothing({ query }) {
  if (Object.keys(filters).some((k) => query.get(k))) return html`<section class="card"><${Empty} title="Nothing in this time is like that."><p>Remove a filter above, or take a longer time.</p><//></section>`;
  return html`<section class="card"><${Empty} title="No sensitive information was met in this time."><p>Credentials and personal or financial data are counted as soon as a policy does something about them (<code>credential</code> and <code>sensitive</code> in <code>vedette.yaml</code>). To see some now, with values that are none:</p><pre>vedette drill --many</pre><//></section>`;
}

// What was asked goes with its answer: while the next one is on its way, the one that is shown keeps its own names and links.
async function answered(query, signal) {
  const q = question(query);
  return { q, query: new URLSearchParams(query), d: await sensitiveInformation(q.asked, signal) };
}

function Answer({ q, query, d }) {
  const words = chosen(ways, q.by, 0)[1], all = lines(d.value, q.by), detectors = new Map(d.top.kinds.map((k) => [k.kind, k.detector]));
  if (!d.total.interactions) return html`<${Nothing} query=${query} />`;
  return html`${!d.complete && html`<p class="note">There is more than is shown: narrow the time or add a filter.</p>`}<${Tiles} total=${d.total} query=${query} detectors=${detectors} /><${OverTime} all=${all} q=${q} words=${words} />
    <div class="grid"><${Top} title="Kinds" rows=${d.top.kinds} name=${kindWords} filter="kind" none="None." /><${Top} title="Applications" rows=${d.top.applications} name=${(r) => nameOf(r, "application")} filter="application" none="None is named." /><${Top} title="Users" rows=${d.top.users} name=${(r) => nameOf(r, "user")} filter="user" none="None is named." /></div>
    <${Everything} all=${all} by=${q.by} words=${words} query=${query} detectors=${detectors} />`;
}

export default function Sensitive({ route: { query } }) {
  const q = question(query);
  const load = useLoad((signal) => answered(query, signal), [JSON.stringify(q.asked)], POLL_MS);
  return html`<div class="row bar"><h1>Sensitive information</h1><${Fresh} at=${load.at} /></div><${Filters} query=${query} by=${q.by} span=${q.span} />
    <${Loaded} of=${load} what="sensitive information">${(a) => html`<${Answer} ...${a} />`}<//>`;
}
