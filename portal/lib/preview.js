// The alert that the keyboard is at, beside the list: enough to decide whether to open it. It follows j and k, and asks for no evidence.
import { html, useEffect, useRef, useState } from "./html.js";
import { useLoad } from "./live.js";
import { Seen } from "./visible.js";
import { Story } from "./story.js";
import { Empty, Loaded, Severity, State } from "./ui.js";
import { alertAt } from "../api.js";

const RESTS_MS = 150; // who goes through rows quickly reads none of them
const facts = [["endUserId", "User"], ["application", "Application"], ["sourceIp", "Address"], ["deployment", "Deployment"], ["actionTaken", "Action taken"], ["rules", "Rules"]];

function Shown({ alert, address }) {
  const p = alert.properties, x = p.extendedProperties;
  return html`<div class="row"><h2>${p.alertDisplayName}</h2></div><p class="row"><${Severity} of=${p.severity} /><${State} of=${p.status} /><a href=${address}>Open <kbd>Enter</kbd></a></p>
    <${Story} p=${p} /><table class="facts"><tbody>${facts.filter(([k]) => x[k]).map(([k, words]) => html`<tr key=${k}><th scope="row">${words}</th><td><${Seen} text=${x[k]} limit=${120} /></td></tr>`)}</tbody></table>
    ${p.remediationSteps?.length > 0 && html`<h3>What to do</h3><ol>${p.remediationSteps.map((s) => html`<li key=${s}>${s}</li>`)}</ol>`}`;
}

function Known({ id, address }) {
  const load = useLoad((signal) => alertAt(id, { signal }), [id]);
  return html`<${Loaded} of=${load} what="the alert">${(alert) => html`<${Shown} alert=${alert} address=${address} />`}<//>`;
}

// first: the row to begin with; tell: a ref that gets what is to be called with each row that the keyboard comes to; addressOf: of the alert's page
export function Preview({ first, tell, addressOf, onClose }) {
  const [row, set] = useState(first);
  const timer = useRef();
  useEffect(() => {
    tell.current = (r) => { clearTimeout(timer.current); timer.current = setTimeout(() => set(r), RESTS_MS); };
    return () => { clearTimeout(timer.current); tell.current = null; };
  }, []);
  return html`<aside class="card preview" aria-label="Preview of the alert" tabindex="0"><button type="button" class="quiet close" onClick=${onClose} aria-label="Close the preview">✕</button>
    ${row ? html`<${Known} key=${row.id} id=${row.id} address=${addressOf(row.id)} />` : html`<${Empty} title="No alert is chosen."><p>Go through the rows with <kbd>j</kbd> and <kbd>k</kbd>.</p><//>`}</aside>`;
}
