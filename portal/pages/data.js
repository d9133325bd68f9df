// The data statement as a page: what is kept where and how long, who may read it, what leaves, what is not kept, who looked. Everything on it is what the
// API says of the configuration that runs and of the stores as they are now; the page adds nothing of its own but the drawing.
import { html } from "../lib/html.js";
import { useLoad } from "../lib/live.js";
import { Time } from "../lib/time.js";
import { Seen } from "../lib/visible.js";
import { Empty, Loaded } from "../lib/ui.js";
import { RegionMap } from "../lib/map.js";
import { Classes, RetentionBars } from "../lib/keeping.js";
import { Connections, Sent } from "../lib/ledger.js";
import { Verify } from "../lib/verify.js";
import { AccessLog } from "../lib/auditlog.js";
import { dataStatement, legalHolds } from "../api.js";

const parts = [["places", "Places"], ["retention", "How long"], ["classes", "What is kept"], ["verify", "Verify"], ["sent", "What left"], ["connections", "Connections"], ["holds", "Legal holds"], ["absent", "Not kept"], ["log", "Access log"]];

function jump(e, id) {
  e.preventDefault();
  const part = document.getElementById("part-" + id);
  part.scrollIntoView();
  part.focus({ preventScroll: true });
}

function Part({ id, title, about, children }) {
  return html`<section class="card part" id=${"part-" + id} tabindex="-1" aria-label=${title}><h2>${title}</h2>${about && html`<p class="dim">${about}</p>`}${children}</section>`;
}

function Deployments({ workspaces }) {
  const rows = workspaces.flatMap((w) => w.deployments.map((d) => ({ ...d, workspace: w.name })));
  if (!rows.length) return html`<p class="dim">No deployment of these workspaces is known: the configuration that runs is not.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Deployments and their evidence"><table><thead><tr><th scope="col">Deployment</th><th scope="col">Workspace</th><th scope="col">Text as evidence</th><th scope="col">Shared with Purview</th></tr></thead>
    <tbody>${rows.map((d) => html`<tr key=${d.workspace + "/" + d.name}><th scope="row"><${Seen} text=${d.name} limit=${60} /></th><td><${Seen} text=${d.workspace} limit=${60} /></td><td>${d.promptEvidence ? "the suspicious part" : "none"}</td><td>${d.sharedWithPurview ? "yes" : "no"}</td></tr>`)}</tbody></table></div>`;
}

const about = (h) => [["user", h.endUserId], ["deployment", h.deployment], ["alert", h.alert]].filter(([, v]) => v);

async function everyHold(workspaces, signal) {
  const lists = await Promise.all(workspaces.map((w) => legalHolds(w.name, signal)));
  return lists.flatMap((list, i) => list.value.map((h) => ({ ...h, workspace: workspaces[i].name })));
}

function Hold({ h }) {
  return html`<li><strong><${Seen} text=${h.name} limit=${80} /></strong>: ${about(h).length || h.since || h.until ? html`${about(h).map(([words, v], i) => html`${i > 0 && ", "}${words} <${Seen} text=${v} limit=${120} />`)}${h.since && html` from <${Time} at=${h.since} />`}${h.until && html` up to <${Time} at=${h.until} />`}` : "everything"} in workspace <${Seen} text=${h.workspace} limit=${60} />.
    ${h.reason && html` <${Seen} text=${h.reason} limit=${400} />.`} <span class="dim">Set by <${Seen} text=${h.who} limit=${60} />, <${Time} at=${h.set} />.</span></li>`;
}

function Holds({ workspaces }) {
  const load = useLoad((signal) => everyHold(workspaces.filter((w) => w.legalHolds), signal), [JSON.stringify(workspaces.map((w) => [w.name, w.legalHolds]))]);
  return html`<${Loaded} of=${load} what="legal holds">${(rows) => (rows.length ? html`<p>What they are about stays, however old it is and whoever purges.</p><ul>${rows.map((h) => html`<${Hold} key=${h.workspace + "/" + h.name} h=${h} />`)}</ul><p class="dim"><code>vedette retention release NAME</code> lets go.</p>`
    : html`<${Empty} title="Nothing is held."><p>A hold keeps what it is about, whatever its age and whoever purges:</p><pre>vedette retention hold case-4711 --user anna --reason 'case 4711'</pre><//>`)}<//>`;
}

function Absent({ rows }) {
  return html`<table class="facts"><tbody>${rows.map((r) => html`<tr key=${r.what}><th scope="row">${r.what}</th><td>${r.why}</td></tr>`)}</tbody></table>`;
}

function Statement({ s, query }) {
  return html`<p class="dim">As of <${Time} at=${s.made} />, ${s.program}. It is made of the configuration that runs and of what is stored at this moment.</p>
    <nav class="row parts" aria-label="Parts of the statement">${parts.map(([id, words]) => html`<a key=${id} href=${"#part-" + id} onClick=${(e) => jump(e, id)}>${words}</a>`)}</nav>
    <div class="grid wide-grid"><${Part} id="places" title="Places"><${RegionMap} workspaces=${s.workspaces} /><${Deployments} workspaces=${s.workspaces} /><//>
      <${Part} id="retention" title="How long" about="The oldest item that is there now, against how long it may be kept."><${RetentionBars} statement=${s} /><//></div>
    <${Part} id="classes" title="What is kept" about="Open a class for what it holds, where, how it is protected and who may read it."><p>The state folder is <code><${Seen} text=${s.stateFolder} limit=${200} /></code>, of <${Seen} text=${s.owner} /> and the group <${Seen} text=${s.group} />; the gateway runs as <${Seen} text=${s.gatewayAccount} />.</p><${Classes} statement=${s} /><//>
    <${Part} id="verify" title="Verify" about="Whether what lies on the disk is what this statement says."><${Verify} /><//>
    <${Part} id="sent" title="What left"><${Sent} sent=${s.sent} /><//>
    <${Part} id="connections" title="Outgoing connections"><${Connections} statement=${s} /><//>
    <div class="grid"><${Part} id="holds" title="Legal holds"><${Holds} workspaces=${s.workspaces} /><//><${Part} id="absent" title="What is not kept"><${Absent} rows=${s.notKept} /><//></div>
    <${Part} id="log" title="Access log" about="Who read the evidence of which alerts, and who changed what. It is append-only; vedette audit verify proves it."><${AccessLog} key=${s.made} query=${query} /><//>`;
}

export default function Data({ route: { query } }) {
  const load = useLoad((signal) => dataStatement(signal), []);
  return html`<div class="row bar"><h1>Data</h1><button type="button" onClick=${load.reload} disabled=${load.busy}>Look again</button></div><${Loaded} of=${load} what="the data statement">${(s) => html`<${Statement} s=${s} query=${query} />`}<//>`;
}
