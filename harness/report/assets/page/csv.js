/**
 * Return the numbers that a figure shows as CSV, a row a point.
 * @param {Trace[]} traces - those of its traces that may be shown
 * @returns {string}
 */
export function csvOf(traces) {
  // what can't be hovered over is the area of an interval: its outline is no series of points
  const shown = traces.filter((trace) => (trace.visible ?? true) === true && trace.hoverinfo !== "skip");
  const rows = shown.flatMap((trace) => (trace.z ? gridRows(trace, trace.z) : pointRows(trace)));
  return [["trace", "x", "y", "z"], ...rows].map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

/**
 * Return the rows of a map: one for each of its cells.
 * @param {Trace} trace
 * @param {Numbers[]} z
 * @returns {unknown[][]}
 */
function gridRows(trace, z) {
  const name = nameOf(trace);
  return z.flatMap((row, i) => row.map((value, j) => [name, trace.x?.[j] ?? j, trace.y?.[i] ?? i, value]));
}

/**
 * Return the rows of points.
 * @param {Trace} trace
 * @returns {unknown[][]}
 */
function pointRows(trace) {
  const name = nameOf(trace);
  return (trace.x ?? trace.y ?? []).map((_, i) => [name, trace.x?.[i] ?? i, trace.y?.[i], ""]);
}

/**
 * Return what a trace is called in a table: its name, the part of the data, and the seed of a single run.
 * @param {Trace} trace
 * @returns {string}
 */
function nameOf(trace) {
  const { part, seed } = trace.meta ?? {};
  return [trace.name, part, seed === undefined ? "" : `seed ${seed}`].filter(Boolean).join(" ");
}

/**
 * Return a value as CSV: quoted where it holds what separates cells.
 * @param {unknown} value
 * @returns {string}
 */
export function csvCell(value) {
  const text = String(value ?? "");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
