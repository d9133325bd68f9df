// A chart over time: uPlot draws, and the same numbers are a table for those who do not see it. uPlot is loaded when the first chart is.
import { html, useEffect, useRef } from "./html.js";
import { number } from "./ui.js";
import { Time } from "./time.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

async function make(box, series, times, unit) {
  const { default: uPlot } = await import("../vendor/uplot.js");
  if (!box.isConnected) return null;
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  const bars = times.length > 1 && times.length <= 90 ? uPlot.paths.bars({ size: [0.8, 40] }) : undefined;
  return new uPlot({
    width: box.clientWidth || 300, height: 200, cursor: { y: false }, legend: { live: true },
    scales: { y: { range: (u, min, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [axis, { ...axis, size: 56, values: (u, v) => v.map((n) => (Number.isInteger(n) ? number(n) : "")) }],
    series: [{ value: (u, t) => (t ? new Date(t * 1000).toLocaleString() : "–") }, ...series.map((s, i) => ({ label: s.label, stroke: colour(s.colour), fill: bars && i === 0 ? colour(s.colour) + "55" : undefined, width: 2,
      paths: bars && i === 0 ? bars : undefined, points: { show: times.length < 40 }, value: (u, n) => (n === null || n === undefined ? "–" : number(n) + (unit || "")) }))],
  }, [times, ...series.map((s) => s.values)], box);
}

// <${Chart} title times=${[seconds]} series=${[{label, values, colour: "--blue"}]} />
export function Chart({ title, times, series, unit }) {
  const ref = useRef();
  const key = JSON.stringify([times, series]);
  useEffect(() => {
    let plot, gone = false;
    const build = () => make(ref.current, series, times, unit).then((p) => { plot?.destroy(); plot = p; if (gone) p?.destroy(); });
    const sized = new ResizeObserver(() => plot?.setSize({ width: ref.current.clientWidth, height: 200 }));
    build();
    sized.observe(ref.current);
    addEventListener("themechange", build);
    return () => { gone = true; sized.disconnect(); removeEventListener("themechange", build); plot?.destroy(); };
  }, [key]);
  return html`<figure class="chart"><figcaption>${title}</figcaption><div ref=${ref} class="plot" aria-hidden="true"></div>
    <details><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label=${title + " as a table"}><table class="plain"><thead><tr><th scope="col">Time</th>${series.map((s) => html`<th scope="col" key=${s.label}>${s.label}</th>`)}</tr></thead>
    <tbody>${times.map((t, i) => html`<tr key=${t}><th scope="row"><${Time} at=${new Date(t * 1000).toISOString()} /></th>${series.map((s) => html`<td key=${s.label} class="num">${number(s.values[i])}</td>`)}</tr>`)}</tbody></table></div></details></figure>`;
}
