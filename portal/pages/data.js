// The data statement as a page: what is kept where and how long, who may read it, what leaves, what is not kept, who looked. Everything on it is what the
// API says of the configuration that runs and of the stores as they are now; the page adds nothing of its own but the drawing.
import { html } from "../lib/html.js";
import { useLoad } from "../lib/live.js";
import { Time } from "../lib/time.js";
import { Seen } from "../lib/visible.js";
import { Loaded } from "../lib/ui.js";
import { RegionMap } from "../lib/map.js";
import { Classes, RetentionBars } from "../lib/keeping.js";
import { Connections, Sent } from "../lib/ledger.js";
import { Verify } from "../lib/verify.js";
import { AccessLog } from "../lib/auditlog.js";
import { Holds } from "../lib/holds.js";
import { dataStatement } from "../api.js";

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
    <tbody>${rows.map((d) => html`<tr key=${d.workspace + "/" + d.name}><th scope="row"><${Seen} text=${d.name} limit=${60} /></th><td><${Seen} text=${d.workspace} limit=${60} /></td><td>${d.promptEvidence ? "kept" : "none"}</td><td>${d.sharedWithPurview ? "yes" : "no"}</td></tr>`)}</tbody></table></div>`;
}

function Absent({ rows }) {
  return html`<table class="facts"><tbody>${rows.map((r) => html`<tr key=${r.what}><th scope="row">${r.what}</th><td>${r.why}</td></tr>`)}</tbody></table>`;
}

function Statement({ s, at, query }) {
  return html`<p class="dim">As of <${Time} at=${s.made} />, ${s.program}. It is made of the configuration that runs and of what is stored at this moment.</p>
    <nav class="row parts" aria-label="Parts of the statement">${parts.map(([id, words]) => html`<a key=${id} href=${"#part-" + id} onClick=${(e) => jump(e, id)}>${words}</a>`)}</nav>
    <div class="grid wide-grid"><${Part} id="places" title="Places"><${RegionMap} workspaces=${s.workspaces} /><${Deployments} workspaces=${s.workspaces} /><//>
      <${Part} id="retention" title="How long" about="The oldest item that is there now, against how long it may be kept."><${RetentionBars} statement=${s} /><//></div>
    <${Part} id="classes" title="What is kept" about="Open a class for what it holds, where, how it is protected and who may read it."><p>The state folder is <code><${Seen} text=${s.stateFolder} limit=${200} /></code>, of <${Seen} text=${s.owner} /> and the group <${Seen} text=${s.group} />; the gateway runs as <${Seen} text=${s.gatewayAccount} />.</p><${Classes} statement=${s} /><//>
    <${Part} id="verify" title="Verify" about="Whether what lies on the disk is what this statement says."><${Verify} /><//>
    <${Part} id="sent" title="What left"><${Sent} sent=${s.sent} /><//>
    <${Part} id="connections" title="Outgoing connections"><${Connections} statement=${s} /><//>
    <div class="grid"><${Part} id="holds" title="Legal holds"><${Holds} key=${at} workspaces=${s.workspaces.map((w) => w.name)} /><//><${Part} id="absent" title="What is not kept"><${Absent} rows=${s.notKept} /><//></div>
    <${Part} id="log" title="Access log" about="Who read the evidence of which alerts, and who changed what. It is append-only; vedette audit verify proves it."><${AccessLog} key=${at} query=${query} /><//>`;
}

export default function Data({ route: { query } }) {
  const load = useLoad((signal) => dataStatement(signal), []);
  return html`<div class="row bar"><h1>Data</h1><button type="button" onClick=${load.reload} disabled=${load.busy}>Look again</button></div><${Loaded} of=${load} what="the data statement">${(s) => html`<${Statement} s=${s} at=${load.at} query=${query} />`}<//>`;
}
