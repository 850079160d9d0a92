import { armCount, isArmShown } from "./arms.js";
import { fillCurves, setAxes, unfoldRuns } from "./curves.js";
import { findAll, get } from "./dom.js";
import { cutWays } from "./film.js";
import { clipOutliers, endLabels } from "./notes.js";
import { arrange } from "./panels.js";
import { curvePlots, isDrawn, plots } from "./plots.js";
import { readSwitches } from "./switches.js";
import { ink } from "./theme.js";
import { figureOf, unpackFigure } from "./unpacking.js";
import { linkZoom } from "./zoom.js";

/** Plotly's settings: figures are saved by the page's own buttons, and selecting points does nothing here. */
export const CONFIG = {
  responsive: true,
  displaylogo: false,
  modeBarButtonsToRemove: ["lasso2d", "select2d", "toImage"],
};

/** Pixels that a row of the legend takes, and the entries in it, as harness/report/style.py reckons them. */
const LEGEND_ROW = { pixels: 20, entries: 5 };

/**
 * What a figure has besides what Plotly was given.
 * @typedef {object} Source
 * @property {Trace[]} traces - all of its traces, drawn or not
 * @property {string | undefined} fitting - the type of its vertical axis that fits its numbers
 */

/** @type {Map<PlotElement, Source>} */
const sources = new Map();

/** @type {Map<PlotElement, Promise<void>>} */
const drawings = new Map();

/**
 * Draw a figure, if that has not been done.
 * @param {PlotElement} plot
 * @returns {Promise<void>} fulfilled when it is drawn, also where that had begun before
 */
export function draw(plot) {
  return drawings.get(plot) ?? drawAgain(plot);
}

/**
 * Draw a figure from its data, in the place of what is there.
 * @param {PlotElement} plot
 * @returns {Promise<void>}
 */
function drawAgain(plot) {
  const drawing = drawFromData(plot);
  drawings.set(plot, drawing);
  return drawing;
}

/**
 * Unpack a figure, so that it can be drawn at once when that is asked for.
 * @param {PlotElement} plot
 */
export function prepare(plot) {
  return unpackFigure(keyOf(plot));
}

/**
 * Unpack a figure and give it to Plotly. One that is unpacked already is drawn before the call returns, which
 * printing needs: what is drawn later is not on the paper.
 * @param {PlotElement} plot
 */
async function drawFromData(plot) {
  const key = keyOf(plot);
  let figure = figureOf(key);
  if (!figure) {
    await unpackFigure(key);
    figure = figureOf(key);
  }
  const { data, layout } = /** @type {Figure} */ (figure);
  const source = { traces: unfoldRuns(data), fitting: layout.yaxis?.type };
  const first = !sources.has(plot);
  sources.set(plot, source);
  layout.font.color = ink();
  arrange(layout, plot.clientWidth);
  const traces = tracesNow(plot, layout, true);
  dropLegend(layout, traces);
  await Plotly.react(plot, traces, layout, CONFIG);
  await nameEnds(plot);
  if (first && curvePlots.includes(plot)) linkZoom(plot, curvePlots);
  plot.removeAttribute("aria-busy");
}

/**
 * Return the name of the data of a figure: its own, or the one chosen in its menu.
 * @param {PlotElement} plot
 * @returns {string}
 */
function keyOf(plot) {
  return plot.dataset.of ? menuOf(plot.dataset.of).value : plot.id;
}

/**
 * Return the menu that chooses what a figure shows.
 * @param {string} id
 * @returns {HTMLSelectElement}
 */
function menuOf(id) {
  return /** @type {HTMLSelectElement} */ (get(`#${id}`));
}

/**
 * Return the traces that a figure shows, as arms and switches are now.
 * @param {PlotElement} plot
 * @param {Layout} layout - its axes are set where the switches were moved
 * @param {boolean} moved - whether the switches were moved, or the figure is new
 * @returns {Trace[]}
 */
function tracesNow(plot, layout, moved) {
  const { traces, fitting } = /** @type {Source} */ (sources.get(plot));
  if (!curvePlots.includes(plot)) {
    const all = cutWays(plot, showArms(traces), layout.meta?.steps);
    if (moved && layout.meta?.clipped) clipOutliers(layout, all);
    return all;
  }
  const switches = readSwitches();
  // single runs are many: they go to Plotly only while they are asked for
  const kept = switches.seeds ? traces : traces.filter((trace) => trace.meta?.kind !== "seed");
  if (moved) {
    fillCurves(/** @type {Curve[]} */ (kept), switches);
    setAxes(layout, switches, fitting);
  }
  const shown = showCurves(kept, switches);
  if (moved) clipOutliers(layout, shown);
  return shown;
}

/**
 * Show the traces of arms that are shown, and hide the others; what is of no arm stays as it is.
 * @param {Trace[]} traces
 * @returns {Trace[]}
 */
function showArms(traces) {
  for (const trace of traces) if (trace.meta?.arm !== undefined) trace.visible = isArmShown(trace.meta.arm);
  return traces;
}

/**
 * Show the curves that arms and switches ask for, and hide the others.
 * @param {Trace[]} traces
 * @param {import("./switches.js").Switches} switches
 * @returns {Trace[]}
 */
function showCurves(traces, switches) {
  for (const trace of showArms(traces)) {
    const { part, kind } = trace.meta ?? {};
    const partShown = part === "train" ? switches.train : part === "valid" ? switches.valid : true;
    const kindShown = kind === "seed" ? switches.seeds : kind === "band" ? switches.bands : true;
    trace.visible = trace.visible !== false && partShown && kindShown;
  }
  return traces;
}

/**
 * Leave out the legend of a figure whose arms have chips, and the height that was kept for it.
 * @param {Layout} layout
 * @param {Trace[]} traces
 */
function dropLegend(layout, traces) {
  const ofArms = traces.filter((trace) => trace.meta?.arm !== undefined);
  if (armCount >= 2 && !ofArms.length) return;
  layout.showlegend = false;
  if (!layout.meta?.panels && ofArms.some((trace) => trace.showlegend !== false))
    layout.height -= LEGEND_ROW.pixels * Math.ceil(armCount / LEGEND_ROW.entries);
}

/**
 * Put the names of curves at their ends.
 * @param {PlotElement} plot - drawn
 */
async function nameEnds(plot) {
  const update = curvePlots.includes(plot) ? endLabels(plot) : null;
  if (update) await Plotly.relayout(plot, update);
}

/**
 * Bring a drawn figure up to date.
 * @param {PlotElement} plot
 * @param {boolean} moved - whether the switches of the curves were moved
 */
async function refresh(plot, moved) {
  if (!isDrawn(plot)) return;
  await Plotly.react(plot, tracesNow(plot, plot.layout, moved), plot.layout, CONFIG);
  await nameEnds(plot);
}

/** Bring all drawn figures up to date after arms were switched. */
export function refreshArms() {
  for (const plot of plots) refresh(plot, false);
}

/** Bring all drawn curves up to date after their switches were moved. */
export function refreshCurves() {
  for (const plot of curvePlots) refresh(plot, true);
}

/**
 * Bring a drawn figure up to date after its slider was moved.
 * @param {PlotElement} plot
 */
export function refreshFilm(plot) {
  refresh(plot, false);
}

/** Give all drawn figures the colour of the page's text. */
export function repaint() {
  const colour = ink();
  for (const plot of plots) if (isDrawn(plot)) Plotly.relayout(plot, { "font.color": colour });
}

/** Let the menus of figures choose what they show. */
export function startMenus() {
  for (const plot of findAll("[data-of]"))
    menuOf(plot.dataset.of ?? "").addEventListener("change", () => drawAgain(/** @type {PlotElement} */ (plot)));
}
