import { copyText } from "./copying.js";
import { csvCell } from "./csv.js";
import { closest, findAll } from "./dom.js";

/** Tables that are copied: not that of all runs, which the store has. */
const TABLES = ".forest:not(details .forest), .scroll > table:not(#table)";

/** @type {Record<string, (rows: string[][]) => string>} */
const FORMATS = { csv: csvTable, markdown: markdownTable, latex: latexTable };

/** @type {Record<string, string>} */
const LATEX = {
  "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}", "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}", "\\": "\\textbackslash{}", "−": "$-$", "×": "$\\times$", "—": "---", "…": "\\ldots{}",
};

/** Give every table buttons that copy it. */
export function startTables() {
  for (const table of findAll(TABLES)) {
    const bar = Object.assign(document.createElement("p"), { className: "note save", textContent: "Copy as " });
    for (const [format, name] of [["csv", "CSV"], ["markdown", "Markdown"], ["latex", "LaTeX"]]) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
      button.dataset.table = format;
      bar.append(button, " ");
    }
    (table.closest(".scroll") ?? table).after(bar);
    bar.addEventListener("click", (event) => {
      const format = closest(event, "[data-table]")?.dataset.table;
      if (format) copyText(FORMATS[format](rowsOf(table, format === "csv")));
    });
  }
}

/**
 * Return the texts of a table, its heads first.
 * @param {HTMLElement} table
 * @param {boolean} exact - whether numbers are given in full, an interval in three columns
 * @returns {string[][]}
 */
function rowsOf(table, exact) {
  const rows = findAll("tr, [role=row]", table.matches(".forest") ? table.parentElement ?? table : table);
  const shown = rows.filter((row) => row.querySelector("td, [role=cell]") || row === rows[0]);
  const texts = shown.map((row) => findAll(":scope > :is(td, th, [role=cell], [role=columnheader])", row)
    .filter((cell) => !cell.matches(".evidence, .drawn, .sides")));
  const widths = texts[0].map((_, column) => Math.max(...texts.map((cells) => valuesOf(cells[column], exact).length)));
  return texts.map((cells, row) => cells.flatMap((cell, column) => {
    const own = valuesOf(cell, exact);
    const names = widths[column] === 3 ? [own[0], "low", "high"] : own;
    return row === 0 ? names.slice(0, widths[column]) : [...own, ...Array(widths[column] - own.length).fill("")];
  }));
}

/**
 * Return what a cell says.
 * @param {HTMLElement | undefined} cell
 * @param {boolean} exact
 * @returns {string[]}
 */
function valuesOf(cell, exact) {
  const text = (cell?.textContent ?? "").replace(/\s+/g, " ").trim();
  return exact && cell?.dataset.values && text !== "—" ? cell.dataset.values.split(" ") : [text];
}

/**
 * Return a table as CSV.
 * @param {string[][]} rows
 * @returns {string}
 */
function csvTable(rows) {
  return rows.map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

/**
 * Return a table as Markdown.
 * @param {string[][]} rows
 * @returns {string}
 */
function markdownTable([heads, ...rows]) {
  const line = (/** @type {string[]} */ row) => `| ${row.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return [line(heads), line(heads.map((_, column) => (column ? "--:" : "---"))), ...rows.map(line)].join("");
}

/**
 * Return a table as LaTeX; it needs the package booktabs.
 * @param {string[][]} rows
 * @returns {string}
 */
function latexTable([heads, ...rows]) {
  const line = (/** @type {string[]} */ row) => `  ${row.map(latexText).join(" & ")} \\\\\n`;
  const columns = heads.map((_, column) => (column ? "r" : "l")).join("");
  const body = [line(heads), "  \\midrule\n", ...rows.map(line)].join("");
  return `\\begin{tabular}{${columns}}\n  \\toprule\n${body}  \\bottomrule\n\\end{tabular}\n`;
}

/**
 * Return a text with what LaTeX would read as commands escaped, and signs and powers in mathematics.
 * @param {string} text
 * @returns {string}
 */
function latexText(text) {
  const raised = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹";
  const plain = (/** @type {string} */ power) => [...power].map((sign) => "-0123456789"[raised.indexOf(sign)]).join("");
  const escaped = text.replace(/[&%$#_{}~^\\−×—…]/g, (sign) => LATEX[sign]);
  return escaped.replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (power) => `$^{${plain(power)}}$`);
}
