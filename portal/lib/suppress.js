// "Suppress alerts like this": a rule made from the alert, its effect on the last days shown before it is written.
import { html, useState } from "./html.js";
import { Dialog } from "./keys.js";
import { Loaded, Problem, Severity, number } from "./ui.js";
import { Time } from "./time.js";
import { Seen } from "./visible.js";
import { announce, useLoad } from "./live.js";
import { nameOf, previewRule, putRule } from "../api.js";

const DAYS = 30;
const shown = { "entities.account.name": "User", "entities.application.name": "Application", "entities.ip.address": "Address", "entities.ai-deployment.name": "Deployment", "extendedProperties.userAgent": "User agent", "extendedProperties.rules": "Rules" };

// What a rule can be about: the alert's own values.
export function choices(p) {
  const found = [];
  for (const e of p.entities || []) for (const k of ["name", "address"]) if (e[k]) found.push([`entities.${e.type}.${k}`, e[k]]);
  for (const k of ["userAgent", "rules"]) if (p.extendedProperties[k]) found.push(["extendedProperties." + k, p.extendedProperties[k]]);
  return found.filter(([field]) => shown[field]);
}

export function ruleOf(p, picked, form) {
  return { alertType: p.alertType, reason: form.reason, state: "Enabled", comment: form.comment, ...(form.until ? { expirationDateUtc: new Date(form.until).toISOString().replace(/\.\d+/, "") } : {}),
    suppressionAlertsScope: { allOf: picked.map(([field, value]) => ({ field, in: [value] })) } };
}

function Preview({ id, rule }) {
  const load = useLoad(() => previewRule(id, rule, DAYS), [JSON.stringify(rule.suppressionAlertsScope)]);
  return html`<${Loaded} of=${load} what="what this would have hidden">${(d) => html`<p><strong>${number(d.matched)}</strong> of ${number(d.examined)} alerts of this type in the last ${DAYS} days would have been dismissed, ${number(d.open)} of them open
    now.${!d.complete && " There are more than could be looked at."}</p>
    <div class="scroll short" tabindex="0" role="region" aria-label="Alerts that the rule would have dismissed"><table class="plain"><tbody>${d.value.slice(0, 20).map((a) => html`<tr key=${a.id}><td><${Severity} of=${a.severity} /></td><td><${Time} at=${a.start} /></td><td><${Seen} text=${a.user || a.principal} limit=${40} /></td><td><${Seen} text=${a.deployment} limit=${30} /></td></tr>`)}</tbody></table></div>`}<//>`;
}

export function SuppressDialog({ alert, onClose }) {
  const p = alert.properties, all = choices(p);
  const [picked, pick] = useState(() => new Set(all.filter(([f]) => f === "entities.account.name" || f === "entities.ai-deployment.name").map(([f]) => f)));
  const [error, fail] = useState(null);
  const rows = all.filter(([f]) => picked.has(f));
  const toggle = (field) => { const next = new Set(picked); next.has(field) ? next.delete(field) : next.add(field); pick(next); };
  const submit = async (e) => {
    e.preventDefault();
    const form = Object.fromEntries(new FormData(e.currentTarget));
    try {
      await putRule(alert.id, "portal-" + nameOf(alert.id).slice(-12), ruleOf(p, rows, form));
      announce("The rule is in force: alerts like this are dismissed as they come.");
      onClose();
    } catch (reason) { fail(reason); }
  };
  return html`<${Dialog} title="Suppress alerts like this" onClose=${onClose}><p>Alerts of this type that have all of the marked values are dismissed as they come. What is there already stays as it is.</p>
    ${error && html`<${Problem} error=${error} />`}
    <form class="stack" onSubmit=${submit}><fieldset><legend>That have all of</legend>${all.map(([field, value]) => html`<label key=${field} class="tick"><input type="checkbox" checked=${picked.has(field)} onChange=${() => toggle(field)} /> ${shown[field]}: <${Seen} text=${value} limit=${80} /></label>`)}</fieldset>
      ${rows.length ? html`<${Preview} id=${alert.id} rule=${ruleOf(p, rows, { reason: "FalsePositive" })} />` : html`<p class="warn">Mark at least one value: a rule for everything would hide attacks.</p>`}
      <div class="row"><label>Why<select name="reason"><option value="FalsePositive">false positive</option><option value="BenignPositive">harmless here</option><option value="Other">other</option></select></label><label>Until (empty: no end)<input type="date" name="until" /></label></div>
      <label>Comment<input name="comment" maxlength="200" required /></label>
      <div class="row"><button class="main" disabled=${!rows.length}>Suppress</button><button type="button" onClick=${onClose}>Cancel</button></div></form></${Dialog}>`;
}
