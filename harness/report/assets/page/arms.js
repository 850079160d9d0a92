import { closest, find, findAll } from "./dom.js";

const chips = findAll("[data-arm]");

/** @type {Set<string>} */
const hidden = new Set();

/** How many arms the page has chips for. */
export const armCount = chips.length;

/**
 * Return whether an arm is to be seen.
 * @param {string} arm
 * @returns {boolean}
 */
export function isArmShown(arm) {
  return !hidden.has(arm);
}

/**
 * Let the chips switch arms: a click one arm, a double click all but one, and the buttons beside them all or the best.
 * @param {() => void} redraw - called after every change
 */
export function startArms(redraw) {
  const strip = find(".arms");
  const apply = () => {
    for (const chip of chips) chip.setAttribute("aria-pressed", String(isArmShown(armOf(chip))));
    redraw();
  };
  strip?.addEventListener("click", (event) => {
    const chip = closest(event, "[data-arm]");
    const pick = closest(event, "[data-pick]");
    if (chip) toggle(armOf(chip));
    if (pick) showFirst(pick.dataset.pick ?? "all");
    if (chip || pick) apply();
  });
  strip?.addEventListener("dblclick", (event) => {
    const chip = closest(event, "[data-arm]");
    if (!chip) return;
    hideBut([chip]);
    apply();
  });
}

/**
 * Return the arm that a chip is of.
 * @param {HTMLElement} chip
 * @returns {string}
 */
function armOf(chip) {
  return chip.dataset.arm ?? "";
}

/**
 * Hide an arm that is shown, or show one that is hidden.
 * @param {string} arm
 */
function toggle(arm) {
  if (!hidden.delete(arm)) hidden.add(arm);
}

/**
 * Show the first arms, which are the best ones, and hide the others.
 * @param {string} count - how many, or "all"
 */
function showFirst(count) {
  hideBut(count === "all" ? chips : chips.slice(0, Number(count)));
}

/**
 * Hide all arms but those of some chips.
 * @param {HTMLElement[]} kept
 */
function hideBut(kept) {
  hidden.clear();
  for (const chip of chips) if (!kept.includes(chip)) hidden.add(armOf(chip));
}
