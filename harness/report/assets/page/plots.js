import { findAll } from "./dom.js";

/** The places of all figures, in the order of the page. */
export const plots = findAll(".plot").map((element) => /** @type {PlotElement} */ (element));

/** Those of curves, which share switches and zoom. */
export const curvePlots = plots.filter((plot) => plot.closest(".linked"));

/**
 * Return whether Plotly has drawn into a place.
 * @param {PlotElement} plot
 * @returns {plot is PlotElement & {data: Trace[], layout: Layout}}
 */
export function isDrawn(plot) {
  return plot.data !== undefined;
}
