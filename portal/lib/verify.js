// "Verify now": the server holds what lies on the disk against the statement, while the page waits and says how far it is; each fault with its place and
// what to do about it.
import { html, useEffect, useState } from "./html.js";
import { announce } from "./live.js";
import { Seen } from "./visible.js";
import { Time } from "./time.js";
import { Empty, Loading, Problem, number } from "./ui.js";
import { beginVerification, dataVerification } from "../api.js";

const POLL_MS = 700;

const looked = (v) => `${number(v.files)} files, ${number(v.tables)} tables, ${number(v.records)} records, ${number(v.lines)} lines of journals and logs`;

function Faults({ v }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="What is there and is not in the statement"><table><thead><tr><th scope="col">Where</th><th scope="col">What</th><th scope="col">What to do</th></tr></thead>
    <tbody>${v.value.map((f, i) => html`<tr key=${i}><th scope="row"><code><${Seen} text=${f.place} limit=${240} /></code></th><td><strong>${f.fault}</strong>: ${f.means}${f.detail && html`<br /><span class="dim"><${Seen} text=${f.detail} limit=${240} /></span>`}</td><td>${f.todo}</td></tr>`)}</tbody></table></div>
    ${v.faults > v.value.length && html`<p class="dim">The first ${number(v.value.length)} of ${number(v.faults)}; <code>vedette data verify</code> lists all.</p>`}`;
}

function Outcome({ v }) {
  if (v.state === "never") return html`<${Empty} title="Nobody has looked since vedette was started."><p>“Verify now” looks at every file, table, record and line, and tells what is there and is not in this statement. It takes a while where much is stored, and no request waits for it.</p><//>`;
  if (v.state === "running") return html`<p role="status">Looking since <${Time} at=${v.started} />: ${looked(v)} so far.</p>`;
  return html`${v.state === "failed" && html`<${Problem} error=${{ message: `It could not be looked at as a whole: ${v.why}.`, advice: "state/logs/serve.log may say more; vedette data verify looks with your own rights." }} />`}
    ${v.state === "stopped" && html`<p class="note">Not all was looked at: it took longer than 15 minutes. <code>vedette data verify</code> has no such limit.</p>`}
    ${v.state === "done" && !v.faults && html`<p class="ok">● Nothing is there that this statement does not cover.</p>`}${v.faults > 0 && html`<p class="bad">● ${number(v.faults)} ${v.faults === 1 ? "thing is" : "things are"} not as the statement says.</p><${Faults} v=${v} />`}
    ${v.configurationKnown === false && html`<p class="note">The configuration that runs is not known, so deployments and destinations were not checked.</p>`}
    <p class="dim">Looked at ${looked(v)}; ended <${Time} at=${v.ended} near />.</p>`;
}

export function Verify() {
  const [v, set] = useState(null);
  const [error, fail] = useState(null);
  useEffect(() => {
    const control = new AbortController();
    dataVerification(control.signal).then(set, (e) => { if (!control.signal.aborted) fail(e); });
    return () => control.abort();
  }, []);
  const running = v?.state === "running";
  useEffect(() => {
    if (!running) return undefined;
    const control = new AbortController();
    const timer = setTimeout(() => dataVerification(control.signal).then((next) => {
      set(next);
      if (next.state !== "running") announce(next.faults ? `${number(next.faults)} things are not as the statement says.` : "The look at the disk is over.");
    }, (e) => { if (!control.signal.aborted) { fail(e); set(null); } }), POLL_MS);
    return () => { clearTimeout(timer); control.abort(); };
  }, [v]);
  const begin = () => { fail(null); beginVerification().then(set, fail); };
  return html`<div class="stack">${error && html`<${Problem} error=${error} again=${begin} />`}${!v && !error && html`<${Loading} what="the last look" />`}${v && html`<${Outcome} v=${v} />`}
    ${(v || error) && html`<p class="row"><button type="button" class="main" disabled=${running} onClick=${begin}>${running ? "Looking…" : "Verify now"}</button></p>`}</div>`;
}
