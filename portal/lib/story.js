// What happened, in one paragraph: made from the alert's own facts, so that somebody who has never seen this kind of alert knows what to think of it.
import { html } from "./html.js";
import { Time } from "./time.js";
import { Seen } from "./visible.js";
import { number } from "./ui.js";

const actions = { block: "stopped it before it reached its goal", redact: "masked what was found and let the rest pass", cut: "ended the answer there", detect: "let it pass and recorded it", allow: "let it pass" };

// "block, redact": what was done, in words; what is not known stays as it is.
function did(text) {
  return String(text || "").split(", ").filter(Boolean).map((a) => actions[a] || a).join(", or ");
}

export function Story({ p }) {
  const x = p.extendedProperties;
  const value = (t) => html`<strong><${Seen} text=${t} limit=${120} /></strong>`;
  const who = x.endUserId ? html`the user ${value(x.endUserId)}` : x.principal ? html`the caller ${value(x.principal)}` : "a caller without a name";
  const ip = x.sourceIp || x.clientIp;
  const times = +x.count > 1 ? html` It came ${number(x.count)} times, the last <${Time} at=${p.endTimeUtc} />.` : "";
  if (p.isIncident) return html`<p>From <${Time} at=${p.startTimeUtc} near /> on, ${who} raised ${number(x.count)} alerts at the deployment ${value(x.deployment)} that make a chain: ${value(x.found)}.</p>`;
  return html`<p><${Time} at=${p.startTimeUtc} near />, ${who}${x.application && html` of the application ${value(x.application)}`}${ip && html` came from ${value(ip)}${x.sourceCountry && html` (${value(x.sourceCountry)})`}`} to
    the deployment ${value(x.deployment)}${x.model && x.model !== x.deployment && html` (model ${value(x.model)})`}. vedette found: ${value(x.found || p.alertDisplayName)}, with a confidence of ${number(x.confidence)} %.
    ${x.attackKind === "indirect" ? " It stood in a document or in a tool's result, not in what the user wrote." : ""}${x.actionTaken && html` The policy ${value(x.policy)} ${did(x.actionTaken)}.`}${times}</p>`;
}
