import { get } from "./dom.js";

const root = document.documentElement;
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

/**
 * Return whether the page is dark: as its reader chose, else as the system is.
 * @returns {boolean}
 */
export function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark.matches;
}

/**
 * Return the colour of the page's text, as the style sheet says it for the theme of now.
 * @returns {string}
 */
export function ink() {
  return getComputedStyle(root).getPropertyValue("--ink").trim();
}

/**
 * Let the button of the theme switch it.
 * @param {() => void} repaint - called after every change: figures don't see the style sheet
 */
export function startTheme(repaint) {
  systemIsDark.addEventListener("change", repaint);
  get("#theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    repaint();
  });
}
