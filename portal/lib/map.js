// A map of regions: where a workspace keeps its data, by the coordinates of the region's city. The outline is a rough one of our own, drawn as shapes;
// nothing is loaded. A region that is not in the table is named below the map instead.
import { html } from "./html.js";
import { Seen } from "./visible.js";

// Regions of Azure: [city or area, longitude, latitude], in degrees.
export const regions = {
  eastus: ["Virginia", -79.8, 37.4], eastus2: ["Virginia", -78.4, 36.7], centralus: ["Iowa", -93.6, 41.6], northcentralus: ["Illinois", -87.6, 41.9], southcentralus: ["Texas", -98.5, 29.4], westcentralus: ["Wyoming", -110.2, 40.9],
  westus: ["California", -122.4, 37.8], westus2: ["Washington", -119.9, 47.2], westus3: ["Arizona", -112.1, 33.4], usgovvirginia: ["Virginia", -78.4, 36.7], usgovarizona: ["Arizona", -111.9, 33.4], usgovtexas: ["Texas", -98.5, 29.4],
  canadacentral: ["Toronto", -79.4, 43.7], canadaeast: ["Quebec", -71.2, 46.8], mexicocentral: ["Querétaro", -100.4, 20.6], brazilsouth: ["São Paulo", -46.6, -23.6], brazilsoutheast: ["Rio de Janeiro", -43.2, -22.9], chilecentral: ["Santiago", -70.7, -33.4],
  northeurope: ["Ireland", -6.3, 53.3], westeurope: ["Netherlands", 4.9, 52.4], uksouth: ["London", -0.8, 50.9], ukwest: ["Cardiff", -3.1, 53.4], francecentral: ["Paris", 2.4, 46.4], francesouth: ["Marseille", 2.2, 43.8],
  germanywestcentral: ["Frankfurt", 8.7, 50.1], germanynorth: ["Berlin", 8.8, 53.1], switzerlandnorth: ["Zürich", 8.6, 47.5], switzerlandwest: ["Geneva", 6.1, 46.2], norwayeast: ["Oslo", 10.8, 59.9], norwaywest: ["Stavanger", 5.7, 59],
  swedencentral: ["Gävle", 17.1, 60.7], polandcentral: ["Warsaw", 21, 52.2], italynorth: ["Milan", 9.2, 45.5], spaincentral: ["Madrid", -3.7, 40.4], austriaeast: ["Vienna", 16.4, 48.2], israelcentral: ["Israel", 34.8, 31.3],
  qatarcentral: ["Doha", 51.4, 25.6], uaenorth: ["Dubai", 55.3, 25.3], uaecentral: ["Abu Dhabi", 54.4, 24.5], southafricanorth: ["Johannesburg", 28.2, -25.7], southafricawest: ["Cape Town", 18.8, -34.1],
  centralindia: ["Pune", 73.9, 18.6], southindia: ["Chennai", 80.2, 13], westindia: ["Mumbai", 72.9, 19.1], jioindiawest: ["Jamnagar", 70.1, 22.5], jioindiacentral: ["Nagpur", 79.1, 21.1],
  eastasia: ["Hong Kong", 114.2, 22.3], southeastasia: ["Singapore", 103.8, 1.3], malaysiawest: ["Kuala Lumpur", 101.7, 3.1], indonesiacentral: ["Jakarta", 106.8, -6.2], japaneast: ["Tokyo", 139.8, 35.7], japanwest: ["Osaka", 135.5, 34.7],
  koreacentral: ["Seoul", 127, 37.6], koreasouth: ["Busan", 129.1, 35.2], chinaeast: ["Shanghai", 121.5, 31.2], chinaeast2: ["Shanghai", 121.5, 31.2], chinanorth: ["Beijing", 116.4, 39.9], chinanorth2: ["Beijing", 116.4, 39.9],
  australiaeast: ["New South Wales", 151.2, -33.9], australiasoutheast: ["Victoria", 145, -37.8], australiacentral: ["Canberra", 149.1, -35.3], newzealandnorth: ["Auckland", 174.8, -36.8],
};

// Land as a few corners each, longitude and latitude by turns: enough to see which continent a dot is on.
const land = [
  [-168, 66, -156, 71, -128, 70, -95, 72, -82, 68, -94, 60, -82, 54, -78, 62, -65, 59, -56, 52, -66, 45, -75, 39, -81, 31, -80, 25, -84, 30, -97, 28, -97, 20, -88, 21, -83, 10, -78, 8, -92, 15, -106, 22, -114, 31, -124, 40, -124, 48, -135, 58, -152, 59, -165, 61],
  [-78, 8, -72, 12, -60, 9, -50, 0, -35, -7, -40, -22, -48, -27, -58, -38, -66, -47, -69, -55, -75, -48, -71, -30, -71, -18, -81, -5],
  [-55, 60, -44, 60, -22, 70, -20, 80, -45, 83, -65, 80, -55, 70],
  [-10, 37, -9, 44, -1, 44, -4, 48, 3, 51, 8, 54, 10, 57, 12, 54, 21, 55, 24, 59, 30, 60, 24, 65, 18, 62, 18, 58, 13, 56, 6, 58, 5, 62, 15, 68, 28, 71, 41, 67, 60, 69, 80, 73, 105, 77, 140, 72, 178, 68, 178, 63, 163, 59, 156, 51, 155, 59, 140, 54, 130, 43, 129, 35, 126, 37, 118, 39, 122, 31, 116, 23,
    108, 20, 109, 11, 104, 9, 101, 13, 104, 1, 100, 6, 98, 16, 90, 22, 80, 15, 77, 8, 72, 20, 66, 25, 57, 26, 52, 28, 56, 25, 60, 22, 52, 16, 43, 13, 35, 28, 34, 31, 36, 36, 27, 37, 27, 41, 23, 37, 19, 41, 13, 45, 18, 40, 16, 38, 9, 44, 3, 43, -1, 37],
  [-6, 36, 10, 37, 20, 32, 33, 31, 43, 12, 51, 12, 40, -3, 40, -16, 33, -27, 26, -34, 18, -34, 12, -17, 9, 4, -8, 5, -17, 14, -13, 28],
  [114, -22, 122, -18, 131, -12, 137, -15, 142, -11, 146, -19, 153, -27, 150, -37, 140, -38, 130, -32, 116, -35],
  [-6, 50, 1, 51, -2, 56, -5, 58, -3, 54], [-10, 52, -6, 52, -6, 55, -9, 54], [-24, 65, -14, 65, -18, 63], [130, 31, 140, 35, 142, 41, 138, 37], [141, 42, 145, 44, 142, 45], [95, 5, 106, -6, 100, 0], [109, 1, 117, 6, 116, -4],
  [105, -7, 115, -8, 108, -8], [131, -1, 141, -3, 150, -10, 138, -8], [120, 18, 126, 7, 122, 8], [44, -25, 50, -15, 47, -25], [167, -46, 178, -38, 173, -35, 172, -41], [80, 9, 82, 7, 80, 6],
];

const WIDTH = 720, HEIGHT = 300, NORTH = 80, SOUTH = -58;
const x = (longitude) => ((longitude + 180) / 360) * WIDTH;
const y = (latitude) => ((NORTH - latitude) / (NORTH - SOUTH)) * HEIGHT;
const shape = (corners) => corners.map((d, i) => (i % 2 ? y(Math.min(NORTH, d)) : x(d)).toFixed(1)).join(" ");
const key = (name) => String(name || "").toLowerCase().replace(/[^a-z0-9]/g, "");

// [{region, names: [workspace]}]: of a region once, in the order in which they come
function byRegion(workspaces) {
  const out = new Map();
  for (const w of workspaces) out.set(w.region, [...(out.get(w.region) || []), w.name]);
  return [...out].map(([region, names]) => ({ region, names, place: Object.hasOwn(regions, key(region)) ? regions[key(region)] : null }));
}

function Dot({ at: { place: [, longitude, latitude] }, n }) {
  return html`<g><circle cx=${x(longitude)} cy=${y(latitude)} r="11" class="halo" /><circle cx=${x(longitude)} cy=${y(latitude)} r="5" /><text x=${x(longitude) + (longitude > 140 ? -10 : 10)} y=${y(latitude) - 8} text-anchor=${longitude > 140 ? "end" : "start"}>${n}</text></g>`;
}

// <${RegionMap} workspaces=${[{name, region}]} />
export function RegionMap({ workspaces }) {
  const rows = byRegion(workspaces);
  const parallels = [60, 30, 0, -30], meridians = [-120, -60, 0, 60, 120];
  return html`<svg class="map" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">${parallels.map((l) => html`<line key=${"p" + l} x1="0" x2=${WIDTH} y1=${y(l)} y2=${y(l)} />`)}${meridians.map((l) => html`<line key=${"m" + l} y1="0" y2=${HEIGHT} x1=${x(l)} x2=${x(l)} />`)}
      ${land.map((corners, i) => html`<polygon key=${i} points=${shape(corners)} />`)}${rows.map((r, i) => r.place && html`<${Dot} key=${i} at=${r} n=${i + 1} />`)}</svg>
    <ol class="places">${rows.map((r) => html`<li key=${r.region}><strong><${Seen} text=${r.region || "no region"} limit=${60} /></strong>${r.place ? `, ${r.place[0]}` : html`<span class="dim"> (not on the map: no region of Azure has this name)</span>`}<span class="dim">: workspace${r.names.length > 1 ? "s" : ""} </span>${r.names.map((n, i) => html`${i > 0 && ", "}<${Seen} text=${n} limit=${60} />`)}</li>`)}</ol>`;
}
