// The access log: who read evidence and who changed what, newest first. The server gives it page by page; filters look at what was fetched, and what was
// looked at is said.
import { html, useEffect, useRef, useState } from "./html.js";
import { Seen } from "./visible.js";
import { Time } from "./time.js";
import { setQuery } from "./router.js";
import { Empty, Loading, Problem, number } from "./ui.js";
import { auditPage } from "../api.js";

const SHOWN = 20, MORE = 200, PAGES = 10; // rows at first, rows for each press, and at most so many pages for one

const has = (text, part) => !part || String(text ?? "").toLowerCase().includes(part.toLowerCase());
const fits = (r, { who, what, text }) => has(r.who, who) && has(r.what, what) && has(`${r.target} ${r.detail}`, text);
const values = (rows, key) => [...new Set(rows.map((r) => r[key]))].sort();

// Pages until enough fit or there are no more.
async function fetchMore(have, filter, want, signal) {
  let { rows, next, begun } = have;
  for (let i = 0; i < PAGES && (!begun || next) && rows.filter((r) => fits(r, filter)).length < want; i++) {
    const page = await auditPage(next, signal);
    rows = [...rows, ...page.value];
    next = page.next;
    begun = true;
  }
  return { rows, next, begun };
}

// What is typed is the field's own until it has rested: an answer that comes meanwhile does not take it back. options: what was met so far.
function Part({ name, words, value: text, options }) {
  const [value, type] = useState(text);
  const timer = useRef();
  useEffect(() => type(text), [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = (e) => {
    const now = e.target.value;
    type(now);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery({ [name]: now.trim() }), 300);
  };
  return html`<label>${words}<input type="search" name=${name} value=${value} onInput=${typed} list=${options && "audit-" + name} />${options && html`<datalist id=${"audit-" + name}>${options.map((v) => html`<option key=${v} value=${v}></option>`)}</datalist>`}</label>`;
}

function Rows({ rows }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Entries of the audit log"><table><thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">Of</th></tr></thead>
    <tbody>${rows.map((r, i) => html`<tr key=${i}><td><${Time} at=${r.time} short /></td><td><${Seen} text=${r.who} limit=${60} /></td><td><${Seen} text=${r.what} limit=${60} /></td><td><${Seen} text=${r.target} limit=${120} />${r.detail && html`<br /><span class="dim"><${Seen} text=${r.detail} limit=${240} /></span>`}</td></tr>`)}</tbody></table></div>`;
}

export function AccessLog({ query }) {
  const filter = { who: query.get("who") || "", what: query.get("what") || "", text: query.get("text") || "" };
  const [have, set] = useState({ rows: [], next: "", begun: false });
  const [busy, work] = useState(true);
  const [error, fail] = useState(null);
  const [want, more] = useState(SHOWN);
  const latest = useRef(have);
  latest.current = have;
  const key = JSON.stringify(filter);
  useEffect(() => {
    const control = new AbortController();
    work(true);
    fail(null);
    fetchMore(latest.current, filter, want, control.signal).then((h) => { set(h); work(false); }, (e) => { if (!control.signal.aborted) { fail(e); work(false); } });
    return () => control.abort();
  }, [key, want]);
  const rows = have.rows.filter((r) => fits(r, filter));
  const older = have.next || rows.length > want;
  return html`<form class="row filters" role="search" aria-label="Filter the access log" onSubmit=${(e) => e.preventDefault()}><${Part} name="who" words="Who" value=${filter.who} options=${values(have.rows, "who")} /><${Part} name="what" words="What" value=${filter.what} options=${values(have.rows, "what")} /><${Part} name="text" words="Of" value=${filter.text} /></form>
    ${error && html`<${Problem} error=${error} again=${() => more(want + 1)} />`}
    ${rows.length > 0 && html`<${Rows} rows=${rows.slice(0, want)} />`}${busy && html`<${Loading} what="the access log" />`}
    ${!busy && !error && !rows.length && html`<${Empty} title=${have.rows.length ? "No entry is like this." : "No entry yet."}><p>${have.rows.length ? "Loosen the filter, or look further back." : "Opening the evidence of an alert, changing one, and every change of settings leave an entry here."}</p><//>`}
    ${!busy && html`<p class="row"><span class="dim">${number(Math.min(rows.length, want))} shown of the newest ${number(have.rows.length)} entries${older ? "" : "; there are no older ones"}.</span>${older && html`<button type="button" onClick=${() => more(want + MORE)}>Look further back</button>`}</p>`}`;
}
