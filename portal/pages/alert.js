// One alert: what happened, the evidence, what belongs to it, who and from where, what to do, and what was done about it.
import { html, useEffect, useState } from "../lib/html.js";
import { go, to } from "../lib/router.js";
import { announce, useLoad } from "../lib/live.js";
import { useKeys } from "../lib/keys.js";
import { Time } from "../lib/time.js";
import { Seen } from "../lib/visible.js";
import { Copy, Empty, Loaded, Problem, Severity, State, states } from "../lib/ui.js";
import { ChangeDialog, VerbButtons, classifications, verbs } from "../lib/triage.js";
import { Techniques, list } from "../lib/attack.js";
import { GlassDialog } from "../lib/glass.js";
import { Evidence } from "../lib/evidence.js";
import { IncidentGraph } from "../lib/graph.js";
import { Story } from "../lib/story.js";
import { HoldDialog } from "../lib/holds.js";
import { SuppressDialog } from "../lib/suppress.js";
import { alertAt, alertEvidence, alertHistory, alertTypes, changeAlert, listAlerts, may, mayBreakGlass, nameOf } from "../api.js";

const POLL_MS = 5000, RELATED_MS = 864e5;
const addressOf = (id) => to(["alert", ...id.split("/").filter(Boolean)]);
const sibling = (id, name) => id.slice(0, id.lastIndexOf("/") + 1) + name;

// ---- evidence: asked for only when a person opens it ----

function EvidenceCard({ id, alert }) {
  const p = alert.properties, x = p.extendedProperties;
  const [opened, open] = useState(null);
  const [error, fail] = useState(null);
  const [asking, ask] = useState(false);
  const sees = may("readEvidence"), glass = !sees && mayBreakGlass();
  const withheld = x.evidenceWithheld === "true";
  const show = () => alertEvidence(id).then((e) => { open(e); fail(null); announce("The evidence is open."); }, fail);
  useEffect(() => { open(null); fail(null); }, [id]);
  useKeys([["e", "open the evidence", () => withheld && (sees ? !opened && show() : glass && ask(true))]]);
  if (!p.supportingEvidence?.rows?.length) return null;
  return html`<section class="card" aria-label="Evidence"><div class="row bar"><h2>Evidence</h2>${+x.evidenceTotal > +x.evidenceKept && html`<span class="dim">${x.evidenceKept} of ${x.evidenceTotal} findings were kept</span>`}</div>
    ${error && html`<${Problem} error=${error} />`}
    ${withheld && !(opened && sees) && (sees ? html`<div class="note row"><span>The texts are closed. Opening them is recorded in the audit log with your name.</span><button type="button" onClick=${show}>Open the evidence <kbd class="wide">e</kbd></button></div>`
      : glass ? html`<div class="note row"><span>Your role works without texts of prompts and answers. When they have to be seen at once, you can break the glass: with a reason, for a bounded time, on record.</span><button type="button" onClick=${() => ask(true)}>Break glass… <kbd class="wide">e</kbd></button></div>`
      : html`<p class="note">Your role does not show texts of prompts and answers. What was found is below; somebody with the role evidence-reader can read the texts.</p>`)}
    ${opened && sees && html`<p class="note">This view is audited: your name, this alert and the time are in the audit log.</p>`}
    <${Evidence} table=${p.supportingEvidence} opened=${sees ? opened : null} />${asking && html`<${GlassDialog} onOpen=${show} onClose=${() => ask(false)} />`}</section>`;
}

// ---- what belongs to it ----

// The alerts of the incident; without one, what the same user or caller raised within a day of it.
async function related(alert, signal) {
  const p = alert.properties, x = p.extendedProperties;
  const titles = Object.fromEntries((await alertTypes()).value.map((t) => [t.alertType, t.alertDisplayName]));
  const incident = p.isIncident ? alert : x.incident ? await alertAt(sibling(alert.id, x.incident), { signal }).catch(() => null) : null;
  if (incident) {
    const members = incident.properties.supportingEvidence?.rows || [];
    return { incident, rows: members.map(([start, name, type, severity, status]) => ({ id: sibling(alert.id, name), start, title: titles[type] || type, severity, status })) };
  }
  const middle = new Date(p.startTimeUtc).getTime(), at = (ms) => new Date(ms).toISOString().replace(/\.\d+/, "");
  const who = x.endUserId ? { user: x.endUserId } : { q: (x.principal || "").replace(/^[a-z]+:/, "") };
  const found = await listAlerts({ ...who, from: at(middle - RELATED_MS), to: at(middle + RELATED_MS), sort: "start", order: "asc", top: 20 }, signal);
  return { incident: null, rows: found.value };
}

function Related({ alert }) {
  const p = alert.properties, x = p.extendedProperties;
  const load = useLoad((signal) => related(alert, signal), [alert.id, p.status]);
  return html`<section class="card" aria-label="Related alerts"><h2>${p.isIncident || x.incident ? "Incident" : "Related alerts"}</h2><${Loaded} of=${load} what="related alerts">${({ incident, rows }) => html`
    ${incident && !p.isIncident && html`<p>This alert is part of <a href=${addressOf(incident.id)}>an incident</a>, “${incident.properties.alertDisplayName}”, severity ${incident.properties.severity}.</p>`}
    ${rows.length < 2 && !p.isIncident ? html`<${Empty} title="Nothing else."><p>Nobody with this name raised another alert within a day.</p><//>` : html`
    <${IncidentGraph} who=${[["user", x.endUserId || x.principal], ["application", x.application], ["address", x.sourceIp || x.clientIp]].filter(([, n]) => n).map(([kind, name]) => ({ kind, name }))}
      what=${[["deployment", x.deployment], ["model", x.model]].filter(([, n]) => n).map(([kind, name]) => ({ kind, name }))}
      alerts=${rows.slice(0, 12).map((r) => ({ title: r.title, sub: `${r.severity} · ${states[r.status] || r.status}`, own: r.id === alert.id, link: addressOf(r.id) }))} />
    <ol class="timeline">${rows.map((r) => html`<li key=${r.id} aria-current=${r.id === alert.id ? "true" : undefined}><${Time} at=${r.start} /> <${Severity} of=${r.severity} /> <a href=${addressOf(r.id)}>${r.title}</a> <span class="dim">${states[r.status] || r.status}</span></li>`)}</ol>`}`}<//></section>`;
}

// ---- facts ----

const facts = [["endUserId", "User", "user"], ["principal", "Caller"], ["application", "Application", "application"], ["tenant", "Tenant"], ["sourceIp", "Source address"], ["sourceCountry", "Country"], ["sourceNetwork", "Network"],
  ["clientIp", "Client address"], ["keyId", "Credential (hash)"], ["userAgent", "User agent"], ["deployment", "Deployment", "deployment"], ["model", "Model"], ["policy", "Policy"], ["actionTaken", "Action taken"], ["detector", "Detector"],
  ["rules", "Rules"], ["workspace", "Workspace", "workspace"], ["verdictSource", "Verdict by"], ["firstInteraction", "First interaction"], ["lastInteraction", "Last interaction"]];

function Facts({ p }) {
  const x = p.extendedProperties;
  return html`<section class="card" aria-label="Who and from where"><h2>Who and from where</h2><table class="facts"><tbody>${facts.filter(([k]) => x[k]).map(([k, words, filter]) => html`<tr key=${k}><th scope="row">${words}</th>
    <td>${filter ? html`<a href=${to(["alerts"], { [filter]: x[k], status: "any" })}><${Seen} text=${x[k]} limit=${400} /></a>` : html`<${Seen} text=${x[k]} limit=${400} />`}</td></tr>`)}</tbody></table></section>`;
}

// ---- what was done ----

function said(h) {
  const parts = [];
  if (h.to !== h.from) parts.push(html`made it <strong>${states[h.to] || h.to}</strong>`);
  if (h.classification) parts.push(html`called it <strong>${classifications[h.classification] || h.classification}</strong>`);
  return parts.map((part, i) => html`${i > 0 && ", "}${part}`);
}

function History({ id, version, onChange }) {
  const load = useLoad((signal) => alertHistory(id, signal), [id, version]);
  const [error, fail] = useState(null);
  const submit = async (e) => {
    e.preventDefault();
    const form = e.currentTarget, note = Object.fromEntries([...new FormData(form)].map(([k, v]) => [k, v.trim()]).filter(([, v]) => v));
    if (!note.comment && !note.classification) return;
    fail(null);
    try {
      await changeAlert(id, "comment", note);
      form.reset();
      announce("Written down.");
      onChange();
      load.reload();
    } catch (reason) { fail(reason); }
  };
  return html`<section class="card" aria-label="History"><h2>History</h2><${Loaded} of=${load} what="the history">${(d) => (d.value.length ? html`<ol class="timeline">${d.value.map((h, i) => html`<li key=${i}><${Time} at=${h.time} /> <strong><${Seen} text=${h.who} limit=${60} /></strong> ${said(h)}
      ${h.comment && html`<blockquote><${Seen} text=${h.comment} limit=${4096} /></blockquote>`}</li>`)}</ol>` : html`<p class="dim">Nobody has touched it yet.</p>`)}<//>
    ${may("changeAlerts") && html`<form class="stack" onSubmit=${submit}>${error && html`<${Problem} error=${error} />`}<label>Comment<textarea name="comment" id="comment" maxlength="1000"></textarea></label>
      <div class="row"><label>Classification<select name="classification">${Object.entries(classifications).map(([k, v]) => html`<option key=${k} value=${k}>${v}</option>`)}</select></label><button>Write down</button></div></form>`}</section>`;
}

function View({ alert, reload }) {
  const id = alert.id, p = alert.properties, x = p.extendedProperties;
  const [verb, act] = useState(null);
  const [suppressing, suppress] = useState(false);
  const [holding, hold] = useState(false);
  const [version, changed] = useState(0);
  const change = may("changeAlerts");
  const refresh = () => { changed((n) => n + 1); reload(); };
  useKeys([...(change ? [...Object.entries(verbs).map(([v, [words, key]]) => [key, words.toLowerCase() + " this alert", () => act(v)]), ["c", "comment", () => document.getElementById("comment")?.focus()],
    ["s", "suppress alerts like this", () => !p.isIncident && suppress(true)]] : []), ["u", "back to the list", () => (history.length > 1 ? history.back() : go("#/alerts"))]]);
  return html`<p data-alert=${nameOf(id)}><a href="#/alerts">← Alerts</a></p><div class="row bar"><h1>${p.alertDisplayName}</h1><${Severity} of=${p.severity} /><${State} of=${p.status} />${x.classification && html`<span class="badge state">${classifications[x.classification] || x.classification}</span>`}</div>
    ${x.suppressedBy && html`<p class="note">Dismissed as it came by the suppression rule <strong><${Seen} text=${x.suppressedBy} /></strong>.</p>`}
    ${change && html`<div class="row bar" role="group" aria-label="Change this alert"><${VerbButtons} statuses=${[p.status]} onVerb=${act} />${!p.isIncident && html`<button type="button" onClick=${() => suppress(true)}>Suppress alerts like this <kbd class="wide">s</kbd></button>`}${may("administer") && html`<button type="button" onClick=${() => hold(true)}>Hold…</button>`}<${Copy} text=${id}>Copy id<//><${Copy} text=${() => location.href}>Copy link<//></div>`}
    <div class="two"><div>
      <section class="card" aria-label="What happened"><h2>What happened</h2><${Story} p=${p} /><p class="dim">${p.description}</p><${Techniques} label="Tactics:" names=${list(x.tactics)} />
        <${Techniques} label="ATT&CK:" names=${[...(p.techniques || []), ...(p.subTechniques || [])]} /><${Techniques} label="ATLAS:" names=${list(x.atlasTechniques)} /><${Techniques} label="OWASP:" names=${list(x.owaspLlm)} /></section>
      ${!p.isIncident && html`<${EvidenceCard} id=${id} alert=${alert} />`}<${Related} alert=${alert} /></div>
    <div><section class="card" aria-label="What to do"><h2>What to do</h2><ol>${(p.remediationSteps || []).map((s) => html`<li key=${s}>${s}</li>`)}</ol></section>
      <${Facts} p=${p} /><${History} id=${id} version=${version} onChange=${refresh} /></div></div>
    ${verb && html`<${ChangeDialog} ids=${[id]} before=${{ [id]: p.status }} verb=${verb} onClose=${() => act(null)} onDone=${refresh} />`}${suppressing && html`<${SuppressDialog} alert=${alert} onClose=${() => suppress(false)} />`}
    ${holding && html`<${HoldDialog} fresh workspaces=${[x.workspace]} hold=${{ workspace: x.workspace, alert: nameOf(id) }} onClose=${() => hold(false)} />`}`;
}

const form = /^\/subscriptions\/[^/?#]+\/resourceGroups\/[^/?#]+\/providers\/Microsoft\.Security\/locations\/[^/?#]+\/alerts\/[\w-]+$/;

export default function Alert({ route }) {
  const id = "/" + route.segments.slice(1).join("/");
  // An address that somebody made up must not lead the portal to another route of the API.
  if (!form.test(id) || /\/\.\.?\//.test(id)) return html`<h1>Alert</h1><${Problem} error=${{ message: "This is not the address of an alert.", advice: "Open it from the list of alerts." }} />`;
  return html`<${Known} id=${id} />`;
}

function Known({ id }) {
  const load = useLoad((signal) => alertAt(id, { signal }), [id], POLL_MS, { push: true });
  const stale = load.data && nameOf(load.data.id) !== nameOf(id);
  return html`<${Loaded} of=${stale ? { busy: true } : load} what="the alert">${(alert) => html`<${View} key=${alert.id} alert=${alert} reload=${load.reload} />`}<//>`;
}
