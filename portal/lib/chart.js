// A chart over time: uPlot draws, and the same numbers are a table for those who do not see it. uPlot is loaded when the first chart is.
import { html, useEffect, useRef } from "./html.js";
import { number } from "./ui.js";
import { Time } from "./time.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const minute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const utcDay = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" }); // a value of a whole day of UTC is of no hour here
const dayName = (t) => new Date(t * 1000).toISOString().slice(0, 10);

async function make(box, series, times, { unit, lines, daily }) {
  const { default: uPlot } = await import("../vendor/uplot.js");
  if (!box.isConnected) return null;
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  const bars = !lines && times.length > 1 && times.length <= 90 ? uPlot.paths.bars({ size: [0.8, 40] }) : undefined;
  return new uPlot({
    width: box.clientWidth || 300, height: 200, cursor: { y: false }, legend: { live: true }, tzDate: daily ? (t) => uPlot.tzDate(new Date(t * 1000), "UTC") : undefined,
    scales: { y: { range: (u, min, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [{ ...axis, incrs: daily ? [1, 2, 7, 14, 28, 56].map((n) => n * 86400) : undefined, values: (u, at, i, space, step) => at.map((t) => (daily ? utcDay : step >= 86400 ? day : minute).format(t * 1000)) }, { ...axis, size: 56, values: (u, v) => v.map((n) => (Number.isInteger(n) ? number(n) : "")) }],
    series: [{ value: (u, t) => (!t ? "–" : daily ? dayName(t) : new Date(t * 1000).toLocaleString()) }, ...series.map((s, i) => ({ label: s.label, stroke: colour(s.colour), fill: bars && i === 0 ? colour(s.colour) + "55" : undefined, width: 2,
      paths: bars && i === 0 ? bars : undefined, points: { show: Boolean(lines) && times.length < 40 }, value: (u, n) => (n === null || n === undefined ? "–" : number(n) + (unit || "")) }))],
  }, [times, ...series.map((s) => s.values)], box);
}

// <${Chart} title times=${[seconds]} series=${[{label, values, colour: "--blue"}]} />; lines: no bars; daily: values of whole days of UTC
export function Chart({ title, times, series, unit, lines, daily }) {
  const ref = useRef();
  const key = JSON.stringify([times, series]);
  useEffect(() => {
    const box = ref.current;
    let plot, gone = false;
    const build = () => make(box, series, times, { unit, lines, daily }).then((p) => { plot?.destroy(); plot = p; if (gone) p?.destroy(); });
    const sized = new ResizeObserver(() => !gone && plot?.setSize({ width: box.clientWidth, height: 200 }));
    build();
    sized.observe(box);
    addEventListener("themechange", build);
    return () => { gone = true; sized.disconnect(); removeEventListener("themechange", build); plot?.destroy(); };
  }, [key]);
  return html`<figure class="chart"><figcaption>${title}</figcaption><div ref=${ref} class="plot" aria-hidden="true"></div>
    <details><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label=${title + " as a table"}><table class="plain"><thead><tr><th scope="col">Time</th>${series.map((s) => html`<th scope="col" key=${s.label}>${s.label}</th>`)}</tr></thead>
    <tbody>${times.map((t, i) => html`<tr key=${t}><th scope="row">${daily ? dayName(t) : html`<${Time} at=${new Date(t * 1000).toISOString()} />`}</th>${series.map((s) => html`<td key=${s.label} class="num">${number(s.values[i])}</td>`)}</tr>`)}</tbody></table></div></details></figure>`;
}
