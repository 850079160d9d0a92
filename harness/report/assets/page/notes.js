import { axesOf } from "./panels.js";

/** Spans of the middle 90 % of the values beyond which a value is cut off. */
const FAR = 3;

/** Fewer values have no outliers. */
const FEWEST = 20;

/** Pixels of a line of text at a curve's end, and of a letter. */
const LINE = 14;
const LETTER = 6.4;

/** Letters of a text at a curve's end, and the share of the figure that they may take. */
const LONGEST = 20;
const WIDEST = 0.3;

/** Pixels above and below the plotting area. */
const AXES_AROUND = 80;

/** @type {Record<string, string>} */
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/**
 * Cut the vertical axes where few values lie far from all others, and say how many they are.
 * @param {Layout} layout
 * @param {Trace[]} traces - those that are drawn
 */
export function clipOutliers(layout, traces) {
  layout.annotations = (layout.annotations ?? []).filter((note) => note.name !== "clipped");
  const axes = axesOf(layout, "y");
  // panels share their axis: what is far is far in all of them
  const groups = layout.meta?.panels ? [axes] : axes.map((axis) => [axis]);
  for (const group of groups) clipAxes(layout, group, valuesOn(group, traces));
}

/**
 * Cut axes that share a range.
 * @param {Layout} layout
 * @param {string[]} axes - names of vertical axes
 * @param {number[]} values - all that is drawn on them, in order of size
 */
function clipAxes(layout, axes, values) {
  if (layout[axes[0]].type === "log" || values.length < FEWEST) return;
  const [low, high] = [0.05, 0.95].map((share) => values[Math.round(share * (values.length - 1))]);
  const reach = FAR * (high - low);
  const kept = values.filter((value) => value >= low - reach && value <= high + reach);
  if (!(reach > 0) || kept.length === values.length) return;
  const [least, most] = [kept[0], kept[kept.length - 1]];
  const margin = 0.05 * (most - least);
  for (const axis of axes) Object.assign(layout[axis], { range: [least - margin, most + margin], autorange: false });
  const above = values.filter((value) => value > high + reach);
  const below = values.filter((value) => value < low - reach);
  const number = axes[0].slice("yaxis".length);
  const notes = layout.annotations ?? [];
  if (above.length) {
    notes.push(clipNote(number, 1, `▲ ${above.length} beyond, up to ${short(above[above.length - 1])}`));
  }
  if (below.length) notes.push(clipNote(number, 0, `▼ ${below.length} beyond, down to ${short(below[0])}`));
}

/**
 * Return the finite values of the lines on some axes, in order of size.
 * @param {string[]} axes
 * @param {Trace[]} traces
 * @returns {number[]}
 */
function valuesOn(axes, traces) {
  const shown = traces.filter((trace) => (trace.visible ?? true) === true && trace.meta?.kind !== "band"
    && axes.includes((trace.yaxis ?? "y").replace("y", "yaxis")));
  const values = shown.flatMap((trace) => trace.y ?? []);
  return /** @type {number[]} */ (values.filter((value) => typeof value === "number")).sort((a, b) => a - b);
}

/**
 * Return the mark of values that are cut off.
 * @param {string} number - of the axes
 * @param {number} side - 1 above, 0 below
 * @param {string} text
 * @returns {Note}
 */
function clipNote(number, side, text) {
  return {
    name: "clipped", text, showarrow: false, font: { size: 11 },
    xref: `x${number} domain`, yref: `y${number} domain`,
    x: 1, y: side, xanchor: "right", yanchor: side ? "top" : "bottom",
  };
}

/**
 * Return a number in three digits.
 * @param {number} value
 * @returns {string}
 */
function short(value) {
  const [digits, power] = value.toPrecision(3).replace("+", "").split("e");
  const raised = power && ` × 10${[...power].map((digit) => RAISED[digit]).join("")}`;
  return `${digits}${raised ?? ""}`.replace("-", "−");
}

/**
 * Return what puts the names of curves at their ends, one below the other; null where no curve has one to show.
 * @param {PlotElement} plot - drawn; its axes have their ranges
 * @returns {Record<string, unknown> | null}
 */
export function endLabels(plot) {
  const { data = [], layout } = plot;
  if (!layout || layout.meta?.panels) return null;
  const before = layout.annotations ?? [];
  const others = before.filter((note) => note.name !== "end");
  const ends = data.flatMap((trace) => endOf(trace, layout.yaxis.type === "log"));
  if (!ends.length && others.length === before.length) return null;
  const notes = endNotes(ends, layout, Math.min(LONGEST, Math.floor((WIDEST * plot.clientWidth) / LETTER)));
  const longest = Math.max(0, ...notes.map(({ text }) => text.length));
  return { annotations: [...others, ...notes], "margin.r": 12 + longest * LETTER };
}

/**
 * A curve's end, in the coordinates of its axis.
 * @typedef {{y: number, text: string, colour: string}} End
 */

/**
 * Return the names of curves beside their ends, moved down where they would overlap.
 * @param {End[]} ends
 * @param {Layout} layout
 * @param {number} letters - that fit
 * @returns {Note[]}
 */
function endNotes(ends, layout, letters) {
  const [low, high] = (layout.yaxis.range ?? [0, 1]).map(Number);
  const perUnit = Math.max(1, layout.height - AXES_AROUND) / (high - low || 1);
  let last = -Infinity;
  const shown = ends.filter(({ y }) => y >= low && y <= high).sort((a, b) => b.y - a.y);
  return shown.map(({ y, text, colour }) => {
    const wanted = (high - y) * perUnit;
    last = Math.max(wanted, last + LINE);
    return {
      name: "end", text: text.length > letters ? `${text.slice(0, letters - 1)}…` : text, showarrow: false,
      xref: "paper", x: 1, xanchor: "left", xshift: 4, yref: "y", y, yshift: wanted - last, yanchor: "middle",
      font: { size: 11, color: colour },
    };
  });
}

/**
 * Return where a curve ends and what it is called there; nothing for what has no name or is not shown.
 * @param {Trace} trace
 * @param {boolean} logarithmic - whether the vertical axis is
 * @returns {End[]}
 */
function endOf(trace, logarithmic) {
  if (trace.visible !== true || !trace.meta?.label) return [];
  const y = Number((trace.y ?? []).filter((value) => value !== null).pop() ?? NaN);
  const place = logarithmic ? Math.log10(y) : y;
  return Number.isFinite(place) ? [{ y: place, text: trace.meta.label, colour: trace.line?.color ?? "" }] : [];
}
