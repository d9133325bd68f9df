// A table whose rows are chosen with the keyboard: j and k (or the arrows) move, x marks, Enter opens. Rows come from the server a page at a time, so
// there are never more than a hundred elements however many rows there are.
import { Component, html, useEffect, useRef, useState } from "./html.js";
import { useKeys } from "./keys.js";

// A row is drawn again when it is another one, is marked, or the keyboard comes or goes; not because another row is. `on` is the same as long as the table is.
class Row extends Component {
  shouldComponentUpdate(next) {
    return ["row", "n", "at", "marked", "columns"].some((k) => next[k] !== this.props[k]);
  }
  render({ row, n, at, marked, columns, on }) {
    return html`<tr tabindex=${at ? 0 : -1} class=${at ? "at" : ""} onFocus=${() => on.current.move(row)} onDblClick=${() => on.current.open(row)}>
      ${marked !== undefined && html`<td class="check"><input type="checkbox" tabindex="-1" aria-label=${"Mark row " + (n + 1)} checked=${marked} onChange=${() => on.current.mark(row)} /></td>`}
      ${columns.map((c) => html`<td key=${c.key} class=${`${c.key} ${c.narrow === false ? "wide " : ""}${c.num ? "num" : ""}`}>${c.cell(row)}</td>`)}</tr>`;
  }
}

// columns: [{key, title, sort?: name for the server, cell: (row) => …, narrow?: false hides it on a phone}]
// rows: with an id; open: (row) => address; marked: Set of ids with onMark(Set), or none; sort: "name" or "-name" with onSort;
// onAt: told which row the keyboard is at
export function Table({ label, columns, rows, id, open, marked, onMark, sort, onSort, onAt }) {
  // The row that the keyboard is at, by its id: rows that arrive above it do not move it.
  const [at, move] = useState(null);
  const body = useRef();
  const row = Math.max(0, rows.findIndex((r) => id(r) === at));
  const focus = (n) => {
    const next = Math.max(0, Math.min(rows.length - 1, n));
    if (rows[next]) move(id(rows[next]));
    body.current?.children[next]?.focus();
  };
  const mark = (key) => {
    const set = new Set(marked);
    set.has(key) ? set.delete(key) : set.add(key);
    onMark(set);
  };
  const all = rows.length > 0 && marked && rows.every((r) => marked.has(id(r)));
  const down = () => focus(document.activeElement?.parentElement === body.current ? row + 1 : row);
  useKeys([
    ["j", "next row", down], ["k", "row before", () => focus(row - 1)], ["ArrowDown", "", down], ["ArrowUp", "", () => focus(row - 1)],
    ...(marked ? [["x", "mark the row", () => rows[row] && mark(id(rows[row]))], ["*", "mark all of the page, or none", () => onMark(all ? new Set() : new Set(rows.map(id)))]] : []),
    ...(open ? [["Enter", "open the row", () => rows[row] && (location.hash = open(rows[row]))]] : []),
  ]);
  useEffect(() => onAt?.(rows[row]), [rows, row]);
  const on = useRef();
  on.current = { move: (r) => move(id(r)), open: (r) => open && (location.hash = open(r)), mark: (r) => mark(id(r)) };
  const head = (c) => {
    if (!c.sort || !onSort) return html`<th scope="col" key=${c.key} class=${c.narrow === false ? "wide" : ""}>${c.title}</th>`;
    const up = sort === c.sort, desc = sort === "-" + c.sort;
    return html`<th scope="col" key=${c.key} class=${c.narrow === false ? "wide" : ""} aria-sort=${up ? "ascending" : desc ? "descending" : "none"}>
      <button type="button" class="head" onClick=${() => onSort(desc ? c.sort : "-" + c.sort)}>${c.title}<span aria-hidden="true">${up ? " ↑" : desc ? " ↓" : ""}</span></button></th>`;
  };
  return html`<div class="scroll"><table class="list" aria-label=${label}><thead><tr>
      ${marked && html`<th scope="col" class="check"><input type="checkbox" aria-label="Mark all of this page" checked=${all} onChange=${() => onMark(all ? new Set() : new Set(rows.map(id)))} /></th>`}
      ${columns.map(head)}</tr></thead>
    <tbody ref=${body}>${rows.map((r, i) => html`<${Row} key=${id(r)} row=${r} n=${i} at=${i === row} marked=${marked ? marked.has(id(r)) : undefined} columns=${columns} on=${on} />`)}</tbody></table></div>`;
}
