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
 * Arrange what stands side by side in a figure for the width there is.
 * @param {Layout} layout
 * @param {number} width - of the figure, in pixels
 */
export function arrange(layout, width) {
  arrangePanels(layout, width);
  stackGrid(layout, width);
}

/**
 * Arrange a figure's panels for the width there is; a figure without panels is left as it is.
 * @param {Layout} layout
 * @param {number} width - of the figure, in pixels
 */
function arrangePanels(layout, width) {
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
 * Put fewer of a grid's plots side by side where the width is too small for all of its columns, with their titles. Each
 * keeps axes of its own; a figure without a grid is left as it is.
 * @param {Layout} layout
 * @param {number} width - of the figure, in pixels
 */
function stackGrid(layout, width) {
  const grid = layout.meta?.grid;
  const columns = Math.max(1, Math.floor(width / NARROWEST));
  if (!grid || columns >= grid.across) return;
  const rows = Math.ceil(grid.plots / columns);
  for (let place = 0; place < grid.plots; place += 1) movePlot(layout, place, columns, rows);
  layout.height += grid.row * (rows - Math.ceil(grid.plots / grid.across));
}

/**
 * Move one plot of a grid, with its title, to its place among so many columns and rows.
 * @param {Layout} layout
 * @param {number} place - of the plot, from 0 on
 * @param {number} columns
 * @param {number} rows
 */
function movePlot(layout, place, columns, rows) {
  const [row, column] = [Math.floor(place / columns), place % columns];
  const number = place ? String(place + 1) : "";
  const [xaxis, yaxis] = [layout[`xaxis${number}`], layout[`yaxis${number}`]];
  xaxis.domain = span(column, columns, GAP.across);
  yaxis.domain = span(rows - 1 - row, rows, GAP.down / rows);
  // plots that share their scale have its labels at the left only
  if (yaxis.matches) yaxis.showticklabels = column === 0;
  if (column === 0) yaxis.title = layout.yaxis.title;
  const below = layout[`xaxis${place + columns + 1}`];
  if (below && below.title?.text === xaxis.title?.text) xaxis.title = { text: "" };
  const title = layout.annotations?.[place];
  if (title) Object.assign(title, { x: (xaxis.domain[0] + xaxis.domain[1]) / 2, y: yaxis.domain[1] });
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
