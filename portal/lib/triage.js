// Changing the state of alerts, one or many, from the list and from an alert's page with the same keys, and saying why.
import { html, useState } from "./html.js";
import { Dialog } from "./keys.js";
import { Problem } from "./ui.js";
import { announce } from "./live.js";
import { changeAlerts } from "../api.js";

export const classifications = { "": "not said", Undetermined: "undetermined", TruePositive: "true positive", BenignPositive: "benign positive", FalsePositive: "false positive" };

// verb of the API: [words on the button, key, what was done]
export const verbs = {
  inProgress: ["Take", "t", "taken into work"],
  resolve: ["Resolve", "r", "resolved"],
  dismiss: ["Dismiss", "d", "dismissed"],
  activate: ["Reopen", "a", "reopened"],
};

export const count = (n) => (n === 1 ? "1 alert" : `${n} alerts`);

const verbTo = { Active: "activate", InProgress: "inProgress", Resolved: "resolve", Dismissed: "dismiss" };

// Makes each what it was before; the history keeps both.
async function takeBack(before, onDone) {
  let failed = 0;
  for (const [status, verb] of Object.entries(verbTo)) {
    const ids = Object.keys(before).filter((id) => before[id] === status);
    if (ids.length) failed += await changeAlerts(ids, verb, { comment: "Taken back." }).then((d) => d.failed, () => ids.length);
  }
  announce(failed ? `${count(failed)} could not be made what they were` : "Taken back.");
  onDone();
}

// ids: of ARM; before: what state each has now, by its id, for taking it back. onDone after a change that went through.
export function ChangeDialog({ ids, before, verb, onDone, onClose }) {
  const [error, fail] = useState(null);
  const [busy, wait] = useState(false);
  const [words, , done] = verbs[verb];
  const submit = async (e) => {
    e.preventDefault();
    const form = new FormData(e.currentTarget);
    const note = Object.fromEntries(["classification", "comment"].map((k) => [k, form.get(k).trim()]).filter(([, v]) => v));
    wait(true);
    fail(null);
    try {
      const { failed } = await changeAlerts(ids, verb, note);
      announce(failed ? `${count(ids.length - failed)} ${done}; ${failed} could not be changed` : `${count(ids.length)} ${done}`, failed || !before ? null : () => takeBack(before, onDone));
      onDone();
      onClose();
    } catch (reason) {
      fail(reason);
      wait(false);
    }
  };
  const keys = (e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) e.currentTarget.requestSubmit(); };
  return html`<${Dialog} title=${`${words}: ${count(ids.length)}`} onClose=${onClose}>
    ${error && html`<${Problem} error=${error} />`}
    <form onSubmit=${submit} onKeyDown=${keys} class="stack">
      <label>Classification<select name="classification" data-first>${Object.entries(classifications).map(([k, v]) => html`<option key=${k} value=${k}>${v}</option>`)}</select></label>
      <label>Comment (stays in the history)<textarea name="comment" maxlength="1000"></textarea></label>
      <div class="row"><button type="submit" class="main" disabled=${busy}>${words}</button><button type="button" onClick=${onClose}>Cancel</button><span class="dim wide">Ctrl+Enter sends</span></div>
    </form></${Dialog}>`;
}

// Buttons for all verbs that change something, given the states of the alerts.
const changes = { inProgress: "InProgress", resolve: "Resolved", dismiss: "Dismissed", activate: "Active" };
export function VerbButtons({ statuses, onVerb }) {
  return Object.entries(verbs).filter(([verb]) => statuses.some((s) => s !== changes[verb])).map(([verb, [words, key]]) =>
    html`<button key=${verb} type="button" onClick=${() => onVerb(verb)}>${words} <kbd class="wide">${key}</kbd></button>`);
}
