import { find, findAll, get } from "./dom.js";
import { canUnpack, unpackRuns } from "./unpacking.js";

/** Fill the table of runs, and let it be searched and sorted. A page without one is left as it is. */
export async function startTable() {
  const table = /** @type {HTMLTableElement | null} */ (find("#table"));
  if (!table || !canUnpack()) return;
  const columns = await unpackRuns();
  const kinds = findAll("th", table).map((head) => head.className);
  const rows = columns[0].map((_, at) => makeRow(columns.map((cells) => cells[at]), kinds, table));
  table.tBodies[0].append(...rows);
  startSearch(rows);
  startSorting(table, rows);
}

/**
 * Return the row of a run.
 *
 * The page holds each id once: the last cell becomes a link, and where the table has a column for it there is a button
 * that copies a command. Both written out for every run would be most of the table's bytes.
 * @param {string[]} texts - of the cells; the last is the whole id of the run
 * @param {string[]} kinds - the classes of the columns' cells
 * @param {HTMLTableElement} table - says the address of a run in MLflow's UI, with {} in the place of its id
 * @returns {HTMLTableRowElement}
 */
function makeRow(texts, kinds, table) {
  const row = document.createElement("tr");
  texts.forEach((textContent, column) => {
    row.append(Object.assign(document.createElement("td"), { className: kinds[column], textContent }));
  });
  const id = texts[texts.length - 1];
  const code = Object.assign(document.createElement("code"), { textContent: id.slice(0, 8) });
  const anchor = Object.assign(document.createElement("a"), { href: (table.dataset.link ?? "").replace("{}", id) });
  anchor.append(code);
  row.cells[row.cells.length - 1].replaceChildren(anchor);
  if (!table.dataset.reproduce) return row;
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "copy command" });
  button.dataset.copy = `harness reproduce ${id}`;
  row.insertCell().append(button);
  return row;
}

/**
 * Show the rows that have every word typed into the search field, and say how many they are.
 * @param {HTMLTableRowElement[]} rows
 */
function startSearch(rows) {
  const field = /** @type {HTMLInputElement} */ (get("#find"));
  const count = get("#count");
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = (row.textContent ?? "").toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} runs`;
  });
}

/**
 * Sort the rows by the column whose head is pressed, and the other way round when it is pressed again.
 * @param {HTMLTableElement} table
 * @param {HTMLTableRowElement[]} rows
 */
function startSorting(table, rows) {
  const heads = findAll("th", table);
  heads.forEach((head, column) => {
    get("button", head).addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const sorted = [...rows].sort((a, b) => (up ? 1 : -1) * compareCells(a.cells[column], b.cells[column]));
      table.tBodies[0].append(...sorted);
    });
  });
}

/**
 * Return a number below, at or above 0 where a cell comes before, with or after another: numbers by size, then texts.
 * @param {HTMLTableCellElement} a
 * @param {HTMLTableCellElement} b
 * @returns {number}
 */
function compareCells(a, b) {
  const [x, y] = [numberIn(a), numberIn(b)];
  if (x !== null && y !== null) return x - y;
  if (x !== null) return -1;
  if (y !== null) return 1;
  return textOf(a).localeCompare(textOf(b));
}

/**
 * Return the number that a cell shows, or null where it shows anything else.
 * @param {HTMLTableCellElement} cell
 * @returns {number | null}
 */
function numberIn(cell) {
  const text = textOf(cell).replace("−", "-").replace(/ × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$/, (_, power) => `e${lowered(power)}`);
  return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
}

/**
 * Return a power of ten in plain digits.
 * @param {string} power - in raised ones
 * @returns {string}
 */
function lowered(power) {
  return [...power].map((digit) => "-0123456789"["⁻⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(digit)]).join("");
}

/**
 * Return a cell's text without the space around it.
 * @param {HTMLTableCellElement} cell
 * @returns {string}
 */
function textOf(cell) {
  return (cell.textContent ?? "").trim();
}
