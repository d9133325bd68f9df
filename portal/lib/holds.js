// Legal holds: what is held, and for administrators setting, changing and releasing one. Every one of these is an entry in the audit log, with the reason.
import { html, useState } from "./html.js";
import { Dialog } from "./keys.js";
import { Seen } from "./visible.js";
import { Time, fromField, toField } from "./time.js";
import { Empty, Loaded, Problem } from "./ui.js";
import { announce, useLoad } from "./live.js";
import { legalHolds, may, releaseHold, setHold } from "../api.js";

const about = (h) => [["user", h.endUserId], ["deployment", h.deployment], ["alert", h.alert]].filter(([, v]) => v);

// What a form says; a time that was not touched keeps its seconds.
export function holdOf(form, old = {}) {
  const text = (k) => form[k]?.trim() || undefined;
  const time = (k) => (form[k] === toField(old[k]) ? old[k] : fromField(form[k]));
  return { endUserId: text("endUserId"), deployment: text("deployment"), alert: text("alert"), since: time("since"), until: time("until"), reason: text("reason") };
}

// hold: what there is, or what the fields begin with; fresh: it has no name yet.
export function HoldDialog({ workspaces, hold = {}, fresh, onDone, onClose }) {
  const [error, fail] = useState(null);
  const [busy, wait] = useState(false);
  const submit = async (e) => {
    e.preventDefault();
    const form = Object.fromEntries(new FormData(e.currentTarget));
    wait(true);
    fail(null);
    try {
      await setHold(hold.workspace || form.workspace, fresh ? form.name.trim() : hold.name, holdOf(form, hold));
      announce(fresh ? "It is held." : "The hold is changed.");
      onDone?.();
      onClose();
    } catch (reason) { fail(reason); wait(false); }
  };
  return html`<${Dialog} title=${fresh ? "Set a legal hold" : `Change the hold ${hold.name}`} onClose=${onClose}><p>What fits all of this stays, whatever its age and whoever purges. What is left empty fits everything.</p>
    ${error && html`<${Problem} error=${error} />`}
    <form class="stack" onSubmit=${submit}>
      ${fresh && html`<div class="row"><label>Name<input name="name" required maxlength="63" pattern="[A-Za-z0-9._\\-]+" title="letters, digits, - _ and ." placeholder="case-4711" data-first /></label>${!hold.workspace && html`<label>Workspace<select name="workspace">${workspaces.map((w) => html`<option key=${w} value=${w}>${w}</option>`)}</select></label>`}</div>`}
      <label>User<input name="endUserId" maxlength="256" value=${hold.endUserId || ""} data-first=${fresh ? undefined : ""} /></label>
      <label>Deployment<input name="deployment" maxlength="256" value=${hold.deployment || ""} /></label>
      <label>Alert (its whole name)<input name="alert" maxlength="256" value=${hold.alert || ""} /></label>
      <div class="row"><label>From<input type="datetime-local" name="since" value=${toField(hold.since)} /></label><label>Up to<input type="datetime-local" name="until" value=${toField(hold.until)} /></label></div>
      <label>Why (stays in the audit log)<input name="reason" required maxlength="1000" value=${hold.reason || ""} /></label>
      <div class="row"><button class="main" disabled=${busy}>${fresh ? "Hold" : "Change"}</button><button type="button" onClick=${onClose}>Cancel</button></div></form></${Dialog}>`;
}

function ReleaseDialog({ hold, onDone, onClose }) {
  const [error, fail] = useState(null);
  const submit = (e) => {
    e.preventDefault();
    releaseHold(hold.workspace, hold.name, new FormData(e.currentTarget).get("reason").trim()).then(() => { announce("It is released."); onDone(); onClose(); }, fail);
  };
  return html`<${Dialog} title=${`Release the hold ${hold.name}`} onClose=${onClose}><p>What is older than it may be kept goes within a minute then, unless another hold keeps it. That cannot be taken back.</p>
    ${error && html`<${Problem} error=${error} />`}
    <form class="stack" onSubmit=${submit}><label>Why (stays in the audit log)<input name="reason" required maxlength="1000" data-first /></label><div class="row"><button class="main">Release</button><button type="button" onClick=${onClose}>Cancel</button></div></form></${Dialog}>`;
}

function Hold({ h, onAct }) {
  return html`<li><strong><${Seen} text=${h.name} limit=${80} /></strong>: ${about(h).length || h.since || h.until ? html`${about(h).map(([words, v], i) => html`${i > 0 && ", "}${words} <${Seen} text=${v} limit=${120} />`)}${h.since && html` from <${Time} at=${h.since} />`}${h.until && html` up to <${Time} at=${h.until} />`}` : "everything"} in workspace <${Seen} text=${h.workspace} limit=${60} />.
    ${h.reason && html` <${Seen} text=${h.reason} limit=${400} />.`} <span class="dim">Set by <${Seen} text=${h.who} limit=${60} />, <${Time} at=${h.set} />.</span>
    ${onAct && html`<span class="row"><button type="button" aria-label=${"Change the hold " + h.name} onClick=${() => onAct({ kind: "change", hold: h })}>Change…</button><button type="button" aria-label=${"Release the hold " + h.name} onClick=${() => onAct({ kind: "release", hold: h })}>Release…</button></span>`}</li>`;
}

async function everyHold(workspaces, signal) {
  const lists = await Promise.all(workspaces.map((w) => legalHolds(w, signal)));
  return lists.flatMap((list, i) => list.value.map((h) => ({ ...h, workspace: workspaces[i] })));
}

// workspaces: names
export function Holds({ workspaces }) {
  const load = useLoad((signal) => everyHold(workspaces, signal), [workspaces.join("\n")]);
  const [doing, act] = useState(null);
  const changes = may("administer"), close = () => act(null);
  return html`<${Loaded} of=${load} what="legal holds">${(rows) => (rows.length ? html`<p>What they are about stays, however old it is and whoever purges.</p><ul class="holds">${rows.map((h) => html`<${Hold} key=${h.workspace + "/" + h.name} h=${h} onAct=${changes ? act : null} />`)}</ul>`
    : html`<${Empty} title="Nothing is held."><p>A hold keeps what it is about, whatever its age and whoever purges:</p><pre>vedette retention hold case-4711 --user anna --reason 'case 4711'</pre><//>`)}<//>
    ${changes ? html`<p><button type="button" onClick=${() => act({ kind: "set", hold: {} })}>Set a hold…</button></p>` : html`<p class="dim">An administrator sets and releases holds.</p>`}
    ${doing?.kind === "release" ? html`<${ReleaseDialog} hold=${doing.hold} onDone=${load.reload} onClose=${close} />` : doing && html`<${HoldDialog} workspaces=${workspaces} hold=${doing.hold} fresh=${doing.kind === "set"} onDone=${load.reload} onClose=${close} />`}`;
}
