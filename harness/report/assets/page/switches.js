import { find, get } from "./dom.js";

/**
 * How curves are drawn.
 * @typedef {object} Switches
 * @property {boolean} train - whether curves on training data are shown
 * @property {boolean} valid - whether curves on held-out data are shown
 * @property {boolean} bands - whether intervals are shown
 * @property {boolean} seeds - whether every run's own curve is shown
 * @property {string} centre - "mean", "median" or "IQM"
 * @property {string} unit - of the horizontal axis: "epoch", "step", "samples" or "seconds"
 * @property {number} smooth - weight of what came before in the moving average, from 0 to below 1
 * @property {boolean} logx - whether the horizontal axis is logarithmic
 * @property {string} yaxis - "as fits", "log" or "linear"
 */

const panel = find("#curves ~ .controls");

/**
 * Return one of the switches.
 * @param {string} name
 * @returns {HTMLInputElement}
 */
function field(name) {
  return /** @type {HTMLInputElement} */ (get(`[name=${name}]`, panel ?? document));
}

/**
 * Return how curves are to be drawn now; pages with curves only.
 * @returns {Switches}
 */
export function readSwitches() {
  return {
    train: field("train").checked,
    valid: field("valid").checked,
    bands: field("bands").checked,
    seeds: field("seeds").checked,
    centre: field("centre").value,
    unit: field("unit").value,
    smooth: Number(field("smooth").value),
    logx: field("logx").checked,
    yaxis: field("yaxis").value,
  };
}

/**
 * Call an action whenever a switch is moved.
 * @param {() => void} action
 */
export function startSwitches(action) {
  panel?.addEventListener("input", action);
}
