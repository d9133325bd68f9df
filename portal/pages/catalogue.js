// The catalogue: detectors, alert types and rules with their documentation and how often they were met; the policies that hold, and what changed last.
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { useLoad } from "../lib/live.js";
import { setQuery, to } from "../lib/router.js";
import { useKeys } from "../lib/keys.js";
import { Time } from "../lib/time.js";
import { Passage, Seen } from "../lib/visible.js";
import { Bar, Empty, Loaded, Severity, number } from "../lib/ui.js";
import { catalogue, catalogueRules, policies } from "../api.js";

const tabs = [["", "Detectors"], ["types", "Alert types"], ["rules", "Rules"], ["policies", "Policies"]];

function Tabs({ here }) {
  return html`<nav class="row bar" aria-label="Parts of the catalogue">${tabs.map(([name, words]) => html`<a key=${name} href=${to(name ? ["catalogue", name] : ["catalogue"])} aria-current=${name === here ? "page" : undefined} class="badge">${words}</a>`)}</nav>`;
}

function Region({ name, children }) {
  return html`<div class="scroll" role="region" tabindex="0" aria-label=${name}>${children}</div>`;
}

// ---- detectors and types ----

function Detectors() {
  const load = useLoad(catalogue, []);
  return html`<${Loaded} of=${load} what="detectors">${(d) => {
    const most = Math.max(1, ...d.detectors.map((x) => x.hits));
    return html`<p>${number(d.rules)} rules and a trained model. Hits are findings in the evidence of alerts of the last 30 days.</p><${Region} name="Detectors"><table aria-label="Detectors"><thead><tr><th scope="col">Detector</th><th scope="col">Reads</th><th scope="col">Rules</th><th scope="col">Hits</th></tr></thead>
      <tbody>${d.detectors.map((x) => html`<tr key=${x.name}><th scope="row"><a href=${to(["catalogue", "rules"], { detector: x.name })}>${x.title}</a><br /><small class="dim">${x.name}</small></th><td>${x.reads.join(", ")}</td><td class="num">${number(x.rules)}</td><td class="num">${number(x.hits)}<${Bar} part=${x.hits} of=${most} label=${`${x.hits} hits`} /></td></tr>`)}</tbody></table><//>`;
  }}<//>`;
}

const list = (values) => (values?.length ? values.join(", ") : "–");

function Types() {
  const load = useLoad(catalogue, []);
  return html`<${Loaded} of=${load} what="alert types">${(d) => html`<p>${d.alertTypes.length} types of alerts; numbers are of the alerts that are kept.</p>${d.alertTypes.map((t) => html`<details class="card" key=${t.alertType}><summary><${Severity} of=${t.severity} /> <strong>${t.alertDisplayName}</strong> <span class="dim">${t.alertType}</span> · ${number(t.alerts)}</summary>
    <p>${t.description}</p><table class="plain facts"><tbody><tr><th scope="row">Tactics</th><td>${list(t.tactics)}</td></tr><tr><th scope="row">ATT&CK</th><td>${list(t.techniques)}</td></tr><tr><th scope="row">ATLAS</th><td>${list(t.atlasTechniques)}</td></tr><tr><th scope="row">OWASP</th><td>${list(t.owaspLlm)}</td></tr></tbody></table>
    <h3>What to do</h3><ol>${t.remediationSteps.map((s) => html`<li key=${s}>${s}</li>`)}</ol><p><a href=${to(["alerts"], { type: t.alertType, status: "any" })}>Alerts of this type</a></p></details>`)}`}<//>`;
}

// ---- rules ----

function Examples({ title, of }) {
  return of.length ? html`<h3>${title}</h3><ul class="plain">${of.map((text, i) => html`<li key=${i}><${Passage} text=${text} limit=${1000} label=${`${title} ${i + 1}`} /></li>`)}</ul>` : null;
}

function Rule({ r }) {
  return html`<details class="card" id=${"rule-" + r.id}><summary><${Severity} of=${r.severity} /> <strong>${r.title}</strong> <code>${r.id}</code> <span class="dim">${r.detector}</span> · ${r.hits ? html`${number(r.hits)} hits` : "not met"}</summary>
    <table class="plain facts"><tbody><tr><th scope="row">${r.weight === undefined ? "Confidence" : "Weight"}</th><td>${r.weight ?? r.confidence}</td></tr>
      ${r.check && html`<tr><th scope="row">Check</th><td class="dim">${r.check}</td></tr>`}${r.category && html`<tr><th scope="row">Category</th><td>${r.category}</td></tr>`}${r.gates.length > 0 && html`<tr><th scope="row">Begins with</th><td>${r.gates.map((g, i) => html`${i ? ", " : ""}<code><${Seen} text=${g} /></code>`)}</td></tr>`}
      ${r.pattern && html`<tr><th scope="row">Pattern</th><td><code><${Seen} text=${r.pattern} limit=${400} /></code></td></tr>`}${r.purview && html`<tr><th scope="row">Purview</th><td>${r.purview}</td></tr>`}
      ${r.lastHit && html`<tr><th scope="row">Last met</th><td><${Time} at=${r.lastHit} /></td></tr>`}<tr><th scope="row">Stands in</th><td><code><${Seen} text=${r.file + ":" + r.line} /></code></td></tr></tbody></table>
    ${r.remediation && html`<h3>What to do</h3><p>${r.remediation}</p>`}<${Examples} title="Is found" of=${r.match} /><${Examples} title="Is not found" of=${r.clean} /></details>`;
}

function Rules({ query }) {
  const detector = query.get("detector") || "", word = query.get("q") || "", after = query.get("after") || "";
  const load = useLoad((signal) => catalogueRules({ detector, q: word, after, top: 50 }, signal), [detector, word, after]);
  const known = useLoad(catalogue, []);
  const [text, type] = useState(word);
  const timer = useRef(), search = useRef();
  useEffect(() => type(word), [word]);
  useKeys([["/", "search", () => search.current?.focus()]]);
  const typed = (e) => {
    const value = e.target.value;
    type(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery({ q: value.trim(), after: "" }), 250);
  };
  return html`<form class="row filters" role="search" aria-label="Filter rules" onSubmit=${(e) => e.preventDefault()}><label>Search<input ref=${search} type="search" value=${text} onInput=${typed} placeholder="name, title, category, file" /></label>
      <label>Detector<select value=${detector} onChange=${(e) => setQuery({ detector: e.target.value, after: "" })}><option value="">Any</option>${(known.data?.detectors || []).map((d) => html`<option key=${d.name} value=${d.name} selected=${d.name === detector}>${d.title}</option>`)}</select></label></form>
    <${Loaded} of=${load} what="rules">${(d) => html`<p>${number(d.total)} rules${d.total > 50 ? html`, from ${number(+after + 1)}` : ""}</p>
      ${d.value.length ? d.value.map((r) => html`<${Rule} key=${r.id} r=${r} />`) : html`<${Empty} title="No rule is like this."><p><a href=${to(["catalogue", "rules"])}>Show all rules</a></p><//>`}
      <nav class="row pad" aria-label="Pages of the rules"><button type="button" disabled=${!+after} onClick=${() => setQuery({ after: +after > 50 ? String(+after - 50) : "" })}>← Before</button><button type="button" disabled=${!d.next} onClick=${() => setQuery({ after: d.next })}>Next →</button></nav>`}<//>`;
}

// ---- policies ----

function Settings({ of, name }) {
  return html`<${Region} name=${name}><table class="plain facts" aria-label=${name}><tbody>${of.map((s) => html`<tr key=${s.key}><th scope="row"><code>${s.key}</code></th><td><${Seen} text=${s.value} limit=${400} /></td></tr>`)}</tbody></table><//>`;
}

function Change({ of }) {
  if (!of) return html`<${Empty} title="No change is known."><p>When the configuration is changed and vedette run reloads it (SIGHUP) or is started again, what was different before stands here.</p><//>`;
  return html`<section class="card"><div class="row"><h2>The last change</h2><${Time} at=${of.time} /></div>${of.entries.length ? html`<${Region} name="The last change"><table aria-label="The last change"><thead><tr><th scope="col">Setting</th><th scope="col">Before</th><th scope="col">Now</th></tr></thead>
    <tbody>${of.entries.map((e) => html`<tr key=${e.key}><th scope="row"><code><${Seen} text=${e.key} limit=${300} /></code></th><td>${e.old === undefined ? html`<span class="dim">was not there</span>` : html`<${Seen} text=${e.old} limit=${400} />`}</td><td>${e.new === undefined ? html`<span class="dim">is gone</span>` : html`<${Seen} text=${e.new} limit=${400} />`}</td></tr>`)}</tbody></table><//>` : html`<p class="dim">Nothing of what you may see was changed.</p>`}</section>`;
}

function Policies() {
  const load = useLoad(policies, []);
  return html`<${Loaded} of=${load} what="policies">${(d) => html`<p class="dim">What holds now, defaults filled in. It is changed in the configuration file, not here; docs/configuration.md explains each setting.</p><${Change} of=${d.change} />
    <h2>Deployments</h2>${d.deployments.map((x) => html`<details class="card" key=${x.name}><summary><strong><${Seen} text=${x.name} /></strong> <span class="dim">workspace <${Seen} text=${x.workspace} />, policy <${Seen} text=${x.policy} /></span></summary><${Settings} of=${x.settings} name=${"Settings of deployment " + x.name} /></details>`)}
    <h2>Policies</h2>${d.policies.map((x) => html`<details class="card" key=${x.name}><summary><strong><${Seen} text=${x.name} /></strong> <span class="dim">of ${d.deployments.filter((y) => y.policy === x.name).map((y) => y.name).join(", ")}</span></summary><${Settings} of=${x.settings} name=${"Settings of policy " + x.name} /></details>`)}`}<//>`;
}

const parts = { "": Detectors, types: Types, rules: Rules, policies: Policies };

export default function Catalogue({ route: { segments, query } }) {
  const here = segments[1] || "", Part = parts[here];
  return html`<h1>Catalogue</h1><${Tabs} here=${here} />${Part ? html`<${Part} key=${here} query=${query} />` : html`<${Empty} title="There is no such part."><p><a href="#/catalogue">The detectors</a></p><//>`}`;
}
