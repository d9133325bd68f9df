// A list as CSV (RFC 4180) for spreadsheets. What begins like a formula gets an apostrophe before it: a spreadsheet would run what a client wrote.
export function cell(value) {
  const text = String(value ?? "").toWellFormed?.() ?? String(value ?? "");
  return '"' + (/^[\s\p{Cf}]*[=+\-@|%\t\r\n＝＋－＠]/u.test(text) ? "'" + text : text).replaceAll('"', '""') + '"';
}

export const csv = (names, rows) => [names, ...rows.map((r) => names.map((n) => r[n]))].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";

// Hands a file to the browser. It is made here; nothing is sent anywhere.
export function save(name, text) {
  const address = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
