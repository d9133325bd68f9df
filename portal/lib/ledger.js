// What leaves: every connection that vedette opens and why, and what was sent by day and destination.
import { html } from "./html.js";
import { Chart } from "./chart.js";
import { Seen } from "./visible.js";
import { Empty, number } from "./ui.js";
import { bytes } from "./keeping.js";

const colours = ["--blue", "--violet", "--green", "--amber", "--red"];
const DAY = 86400, DAYS_MIN = 6, DAYS_MAX = 400;
const seconds = (day) => Date.parse(day + "T00:00:00Z") / 1000;

const label = (s) => (s.destination && s.destination !== s.name ? `${s.name} at ${s.destination}` : s.name || s.destination);

// {times, series: [{label, values}]}: bytes sent by day to those that got most, the rest in one; days without any are 0.
export function byDay(sent) {
  const total = new Map(), cell = new Map();
  for (const s of sent) {
    total.set(label(s), (total.get(label(s)) || 0) + s.sentBytes);
    cell.set(`${s.day} ${label(s)}`, (cell.get(`${s.day} ${label(s)}`) || 0) + s.sentBytes);
  }
  const days = sent.map((s) => seconds(s.day)).filter(Number.isFinite), last = Math.max(...days), first = Math.max(Math.min(...days, last - DAYS_MIN * DAY), last - DAYS_MAX * DAY);
  const times = [];
  for (let t = first; t <= last; t += DAY) times.push(t);
  const names = [...total].sort((p, q) => q[1] - p[1]).map(([name]) => name);
  const shown = names.slice(0, names.length > colours.length ? colours.length - 1 : colours.length), rest = names.slice(shown.length);
  const at = (t, name) => cell.get(`${new Date(t * 1000).toISOString().slice(0, 10)} ${name}`) || 0;
  const series = shown.map((name) => ({ label: name.slice(0, 60), values: times.map((t) => at(t, name)) }));
  if (rest.length) series.push({ label: `${rest.length} others`, values: times.map((t) => rest.reduce((sum, name) => sum + at(t, name), 0)) });
  return { times, series: series.map((s, i) => ({ ...s, colour: colours[i] })) };
}

function sums(sent) {
  const out = new Map();
  for (const s of sent) {
    const key = JSON.stringify([s.kind, s.name, s.destination]), o = out.get(key) || { ...s, count: 0, sentBytes: 0, receivedBytes: 0 };
    out.set(key, { ...o, count: o.count + s.count, sentBytes: o.sentBytes + s.sentBytes, receivedBytes: o.receivedBytes + s.receivedBytes, last: s.day > (o.last || "") ? s.day : o.last });
  }
  return [...out.values()].sort((p, q) => q.sentBytes - p.sentBytes);
}

export function Sent({ sent }) {
  if (!sent.length) return html`<${Empty} title="Nothing has been sent."><p>Each request to a model, each question to an outside shield and each download of a feed is counted here, by the day (UTC) and by where it went.</p><//>`;
  const { times, series } = byDay(sent);
  return html`<${Chart} title="Bytes sent, by day (UTC) and destination" lines daily times=${times} series=${series} unit=" B" />
    <div class="scroll" tabindex="0" role="region" aria-label="What was sent, by destination"><table><thead><tr><th scope="col">To</th><th scope="col">Kind</th><th scope="col" class="num">Times</th><th scope="col" class="num">Sent</th><th scope="col" class="num">Received</th><th scope="col">Last day</th></tr></thead>
    <tbody>${sums(sent).map((s, i) => html`<tr key=${i}><th scope="row"><${Seen} text=${s.name} limit=${60} /> <span class="dim"><${Seen} text=${s.destination} limit=${80} /></span></th><td>${s.kind}</td><td class="num">${number(s.count)}</td><td class="num" title=${number(s.sentBytes) + " bytes"}>${bytes(s.sentBytes)}</td><td class="num" title=${number(s.receivedBytes) + " bytes"}>${bytes(s.receivedBytes)}</td><td>${s.last}</td></tr>`)}</tbody></table></div>`;
}

export function Connections({ statement }) {
  if (!statement.configurationKnown) return html`<${Empty} title="The configuration is not known."><p>Connections follow from the configuration that <code>vedette run</code> keeps. Where only <code>vedette serve</code> runs, ask <code>vedette data statement vedette.yaml</code>.</p><//>`;
  const rows = [...statement.connections].sort((p, q) => q.leavesTheMachine - p.leavesTheMachine), leaving = rows.filter((c) => c.leavesTheMachine).length;
  return html`<p>${leaving ? `${leaving} of ${rows.length} lead away from this machine. There are no others.` : "None leads away from this machine."}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Outgoing connections"><table><thead><tr><th scope="col">To</th><th scope="col">Why</th><th scope="col">What is sent</th><th scope="col">For</th></tr></thead>
    <tbody>${rows.map((c, i) => html`<tr key=${i}><th scope="row"><${Seen} text=${c.destination || c.name} limit=${120} /> <span class=${c.leavesTheMachine ? "badge warn" : "badge state"}>${c.leavesTheMachine ? "leaves the machine" : "stays here"}</span></th><td>${c.why}</td><td>${c.sends}</td><td><${Seen} text=${c.usedBy || c.name} limit=${160} /></td></tr>`)}</tbody></table></div>`;
}
