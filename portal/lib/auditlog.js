// The access log: who read evidence and who changed what, newest first. The server filters and pages; the filter is in the address.
import { html, useEffect, useRef, useState } from "./html.js";
import { Seen } from "./visible.js";
import { Time } from "./time.js";
import { setQuery } from "./router.js";
import { Empty, Loading, Problem, number } from "./ui.js";
import { auditPage } from "../api.js";

const SHOWN = 20, MORE = 200; // entries at first, and for each press
const spans = { "": "Any", "24h": "Last day", "7d": "Last week", "30d": "Last 30 days" };
const lengths = { "24h": 864e5, "7d": 7 * 864e5, "30d": 30 * 864e5 };
const values = (rows, key) => [...new Set(rows.map((r) => r[key]))].sort();

// What the server is asked, from the address. A time is of this minute, so that a page that is drawn again asks the same.
export function question(query) {
  const get = (k) => query.get(k) || "", back = lengths[get("when")];
  return { who: get("who"), what: get("what"), text: get("text"), from: back ? new Date(Math.floor((Date.now() - back) / 6e4) * 6e4).toISOString().replace(/\.\d+/, "") : "" };
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
  return html`<label>${words}<input type="search" name=${name} value=${value} onInput=${typed} maxlength="200" list=${options && "audit-" + name} />${options && html`<datalist id=${"audit-" + name}>${options.map((v) => html`<option key=${v} value=${v}></option>`)}</datalist>`}</label>`;
}

function Rows({ rows }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Entries of the audit log"><table><thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">Of</th><th scope="col">Workspace</th></tr></thead>
    <tbody>${rows.map((r, i) => html`<tr key=${i}><td class="nobreak"><${Time} at=${r.time} short /></td><td><${Seen} text=${r.who} limit=${60} /></td><td><${Seen} text=${r.what} limit=${60} /></td><td><${Seen} text=${r.target} limit=${120} />${r.detail && html`<br /><span class="dim"><${Seen} text=${r.detail} limit=${240} /></span>`}</td><td><${Seen} text=${r.workspace} limit=${60} /></td></tr>`)}</tbody></table></div>`;
}

export function AccessLog({ query }) {
  const filter = question(query), key = JSON.stringify(filter);
  const [have, set] = useState({ rows: [], next: "" });
  const [busy, work] = useState(true);
  const [error, fail] = useState(null);
  const met = useRef([]); // what was seen on the way, to choose from
  const fetch = async (old, top, signal) => {
    work(true);
    fail(null);
    try {
      const page = await auditPage({ ...filter, top }, old.next, signal);
      if (signal?.aborted) return;
      met.current = [...met.current, ...page.value].slice(-2000);
      set({ rows: [...old.rows, ...page.value], next: page.next });
    } catch (e) {
      if (signal?.aborted) return;
      fail(e);
    }
    work(false);
  };
  useEffect(() => {
    const control = new AbortController();
    fetch({ rows: [], next: "" }, SHOWN, control.signal);
    return () => control.abort();
  }, [key]);
  const filtered = Object.values(filter).some(Boolean);
  return html`<form class="row filters" role="search" aria-label="Filter the access log" onSubmit=${(e) => e.preventDefault()}><${Part} name="who" words="Who" value=${filter.who} options=${values(met.current, "who")} /><${Part} name="what" words="What" value=${filter.what} options=${values(met.current, "what")} /><${Part} name="text" words="Of" value=${filter.text} />
      <label>When<select onChange=${(e) => setQuery({ when: e.target.value })}>${Object.entries(spans).map(([k, w]) => html`<option key=${k} value=${k} selected=${k === (query.get("when") || "")}>${w}</option>`)}</select></label></form>
    ${error && html`<${Problem} error=${error} again=${() => fetch(have, MORE)} />`}
    ${have.rows.length > 0 && html`<${Rows} rows=${have.rows} />`}${busy && html`<${Loading} what="the access log" />`}
    ${!busy && !error && !have.rows.length && html`<${Empty} title=${filtered ? "No entry is like this." : "No entry yet."}><p>${filtered ? "Loosen the filter: all of the log was looked through." : "Opening the evidence of an alert, changing one, and every change of settings leave an entry here."}</p><//>`}
    ${!busy && have.rows.length > 0 && html`<p class="row"><span class="dim">${number(have.rows.length)} ${have.rows.length === 1 ? "entry" : "entries"} shown${have.next ? "" : "; there are no older ones"}.</span>${have.next && html`<button type="button" onClick=${() => fetch(have, MORE)}>Look further back</button>`}</p>`}`;
}
