// A curve figure is packed without what can be put together here: the page holds each run's values and each arm's
// centres once, and the switches decide which of them become the traces' x and y.

import { axesOf, edgesOf } from "./panels.js";

/** Lowest end of an interval on a logarithmic axis, as a share of the lowest centre. */
const LOWEST_SHARE = 0.2;

/**
 * Return the figure's traces with one for each single run.
 * @param {Trace[]} traces - as the page holds them: runs that look the same share one trace
 * @returns {Trace[]}
 */
export function unfoldRuns(traces) {
  return traces.flatMap(({ runs, ...shared }) =>
    runs ? runs.map((run) => traceOfRun(shared, run)) : [shared]);
}

/**
 * Return the trace of one run.
 * @param {Trace} shared - what all runs of the arm share
 * @param {PackedRun} run
 * @returns {Trace}
 */
function traceOfRun(shared, { seed, at, y }) {
  return { ...shared, y, meta: { ...shared.meta, seed, at, raw: y } };
}

/**
 * Give the traces of a curve figure the x and y that the switches ask for.
 * @param {Curve[]} traces
 * @param {import("./switches.js").Switches} switches
 */
export function fillCurves(traces, switches) {
  const means = new Map();
  for (const { meta } of traces) if (meta.kind === "mean") means.set(bandOf(meta), meta);
  for (const trace of traces) {
    const mean = /** @type {TraceMeta} */ (means.get(bandOf(trace.meta)));
    if (trace.meta.kind === "seed") fillRun(trace, mean, switches);
    if (trace.meta.kind === "mean") fillMean(trace, mean, switches);
    if (trace.meta.kind === "band") fillBand(trace, mean, switches);
  }
}

/**
 * Return what a mean, its interval and its runs have in common.
 * @param {TraceMeta} meta
 * @returns {string}
 */
function bandOf(meta) {
  return `${meta.part} ${meta.arm}`;
}

/**
 * Give a single run's trace its values, smoothed.
 * @param {Curve} trace
 * @param {TraceMeta} mean - the positions and centres of its band
 * @param {import("./switches.js").Switches} switches
 */
function fillRun(trace, mean, switches) {
  const values = trace.meta.raw ?? [];
  trace.x = placesOf(trace.meta.at, values.length, mean, switches.unit);
  trace.y = smoothed(values, switches.smooth);
}

/**
 * Give the trace of an arm the centre of its runs.
 * @param {Curve} trace
 * @param {TraceMeta} mean
 * @param {import("./switches.js").Switches} switches
 */
function fillMean(trace, mean, switches) {
  const [centre] = centreOf(mean, switches);
  trace.x = placesOf(mean.at, centre.length, mean, switches.unit);
  trace.y = centre;
}

/**
 * Give the trace of an interval its outline: along the upper ends, and back along the lower ones.
 * @param {Curve} trace
 * @param {TraceMeta} mean
 * @param {import("./switches.js").Switches} switches
 */
function fillBand(trace, mean, switches) {
  const [centre, low, high] = centreOf(mean, switches);
  const x = placesOf(mean.at, centre.length, mean, switches.unit);
  // a logarithmic axis has no place for what is not above 0
  const positive = centre.every((value) => value !== null && value > 0);
  const lowest = positive ? LOWEST_SHARE * Math.min(...centre.map(Number)) : -Infinity;
  const bottom = low.map((value) => (value === null ? null : Math.max(value, lowest)));
  trace.x = [...x, ...[...x].reverse()];
  trace.y = [...high, ...bottom.reverse()];
}

/**
 * Return the chosen centre with its low and high ends, smoothed.
 * @param {TraceMeta} mean
 * @param {import("./switches.js").Switches} switches
 * @returns {Numbers[]}
 */
function centreOf(mean, { centre, smooth }) {
  const rows = mean.centres?.[centre] ?? [[], [], []]; // runs without a point in common have no centre
  return rows.map((row) => smoothed(row, smooth));
}

/**
 * Return the positions of some points in a unit.
 * @param {number[] | null | undefined} at - their places among the positions; null: the first ones
 * @param {number} count - how many points they are
 * @param {TraceMeta} mean
 * @param {string} unit
 * @returns {number[]}
 */
function placesOf(at, count, mean, unit) {
  const positions = mean.positions?.[unit] ?? [];
  return at ? at.map((place) => positions[place]) : positions.slice(0, count);
}

/**
 * Return the exponential moving average m, without its bias towards the start:
 * s = weight s + (1 − weight) v, n = weight n + (1 − weight), m = s / n.
 * @param {Numbers} values
 * @param {number} weight - of what came before, from 0 to below 1
 * @returns {Numbers}
 */
export function smoothed(values, weight) {
  if (!weight) return values;
  let sum = 0;
  let norm = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return sum / norm;
  });
}

/**
 * Set the axes of a curve figure as the switches ask for, and forget where it was zoomed to.
 * @param {Layout} layout
 * @param {import("./switches.js").Switches} switches
 * @param {string | undefined} fitting - the type of the vertical axis that fits the figure's numbers
 */
export function setAxes(layout, switches, fitting) {
  const title = layout.yaxis.title ?? { text: "" };
  for (const name of axesOf(layout, "x")) {
    const text = edgesOf(layout, name).lowest ? switches.unit : "";
    const type = switches.logx ? "log" : "linear";
    Object.assign(layout[name], { title: { text }, type, autorange: true, range: undefined });
  }
  for (const name of axesOf(layout, "y")) {
    const type = switches.yaxis === "as fits" ? fitting : switches.yaxis;
    const text = edgesOf(layout, name).left ? title.text : "";
    Object.assign(layout[name], { title: { text }, type, autorange: true, range: undefined });
  }
}
