import { get } from "./dom.js";

/**
 * Return whether the browser can unpack gzip by itself; all can since 2023.
 * @returns {boolean}
 */
export function canUnpack() {
  return typeof DecompressionStream !== "undefined";
}

/**
 * Return the text behind gzip in base64.
 * @param {string} packed
 * @returns {Promise<string>}
 */
async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/**
 * Return the text of a part of the page that is packed.
 * @param {string} key - the part's name
 * @returns {Promise<string>}
 */
function unpackPart(key) {
  return unpack(get(`[id="data-${CSS.escape(key)}"]`).textContent ?? "");
}

/**
 * Return the columns of the table of runs.
 * @returns {Promise<string[][]>}
 */
export async function unpackRuns() {
  return JSON.parse(await unpackPart("runs"));
}

/** @type {Map<string, string>} */
const unpacked = new Map();

/**
 * Unpack a figure that the page holds, if that has not been done.
 * @param {string} key - the figure's name
 */
export async function unpackFigure(key) {
  if (!unpacked.has(key)) unpacked.set(key, await unpackPart(key));
}

/**
 * Return a figure that has been unpacked, a new one at each call; null before that.
 * @param {string} key - the figure's name
 * @returns {Figure | null}
 */
export function figureOf(key) {
  const text = unpacked.get(key);
  return text === undefined ? null : JSON.parse(text);
}

/**
 * Unpack plotly.js, from the page itself or from the file beside published pages, and run it.
 *
 * It runs as a script within the page, so that the page's policy checks its hash whichever way it came.
 * @returns {Promise<boolean>} whether it runs: not where the file is missing or holds another version
 */
export async function loadPlotly() {
  const packed = globalThis.packedPlotly ?? document.getElementById("plotly")?.textContent;
  if (!packed) return false;
  const library = document.createElement("script");
  library.textContent = await unpack(packed);
  document.head.append(library);
  return "Plotly" in globalThis;
}
