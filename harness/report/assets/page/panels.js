/** Pixels that a panel needs beside others. */
const NARROWEST = 250;

/** Panels side by side at most. */
const MOST_COLUMNS = 4;

/** Pixels of a row of panels, and of what is above and below all of them, as in harness/report/figures/panels.py. */
const ROW = 240;
const PANELS_AROUND = 80;

/** Shares of the width between two panels, and of a row's height between two rows. */
const GAP = { across: 0.05, down: 0.35 };

/**
 * Arrange a figure's panels for the width there is; a figure without panels is left as it is.
 * @param {Layout} layout
 * @param {number} width - of the figure, in pixels
 */
export function arrangePanels(layout, width) {
  const panels = layout.meta?.panels;
  if (!panels) return;
  const columns = Math.max(1, Math.min(panels.length, MOST_COLUMNS, Math.floor(width / NARROWEST)));
  const rows = Math.ceil(panels.length / columns);
  panels.forEach((_, place) => {
    const [row, column] = [Math.floor(place / columns), place % columns];
    const number = place ? String(place + 1) : "";
    layout[`xaxis${number}`].domain = span(column, columns, GAP.across);
    layout[`yaxis${number}`].domain = span(rows - 1 - row, rows, GAP.down / rows);
    layout[`yaxis${number}`].showticklabels = column === 0;
    layout[`xaxis${number}`].showticklabels = place + columns >= panels.length;
  });
  layout.meta = { ...layout.meta, columns };
  layout.height = PANELS_AROUND + ROW * rows;
}

/**
 * Return whether a panel stands at the left edge, and whether nothing is below it.
 * @param {Layout} layout
 * @param {string} axis - such as "xaxis2"
 * @returns {{left: boolean, lowest: boolean}}
 */
export function edgesOf(layout, axis) {
  const { panels, columns } = layout.meta ?? {};
  if (!panels) return { left: true, lowest: true };
  const place = Number(axis.slice("xaxis".length) || 1) - 1;
  const across = columns ?? 1;
  return { left: place % across === 0, lowest: place + across >= panels.length };
}

/**
 * Return the names of all axes of one direction.
 * @param {Layout} layout
 * @param {"x" | "y"} direction
 * @returns {string[]}
 */
export function axesOf(layout, direction) {
  return Object.keys(layout).filter((name) => name.startsWith(`${direction}axis`));
}

/**
 * Return the part of the width, or of the height, that one of several panels takes.
 * @param {number} place
 * @param {number} count
 * @param {number} gap
 * @returns {[number, number]}
 */
function span(place, count, gap) {
  const size = (1 - gap * (count - 1)) / count;
  return [place * (size + gap), Math.min(1, place * (size + gap) + size)];
}
