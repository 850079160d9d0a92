import { isDrawn } from "./plots.js";

/** Whether figures are being moved by the page, whose own reports of it must not move others in turn. */
let following = false;

/**
 * Zoom all other figures along x whenever one is zoomed.
 * @param {PlotElement} plot - a drawn figure
 * @param {PlotElement[]} all - the figures that share their zoom
 */
export function linkZoom(plot, all) {
  plot.on("plotly_relayout", async (change) => {
    const update = following ? null : zoomIn(change);
    if (!update) return;
    following = true;
    try {
      await Promise.all(all.filter((other) => other !== plot && isDrawn(other)).map((other) =>
        Plotly.relayout(other, update())));
    } finally {
      following = false;
    }
  });
}

/**
 * Return what makes the update of another figure's layout; null where the change was no zoom along x.
 *
 * Each figure gets an update of its own: Plotly keeps the range that it is given.
 * @param {Record<string, unknown>} change - as Plotly reports it: both ends, or one range, or back to everything
 * @returns {(() => Record<string, unknown>) | null}
 */
function zoomIn(change) {
  const ends = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
  const range = ends[0] === undefined ? change["xaxis.range"] : ends;
  if (Array.isArray(range)) return () => ({ "xaxis.range": [...range] });
  if (change["xaxis.autorange"]) return () => ({ "xaxis.autorange": true, "yaxis.autorange": true });
  return null;
}
