import { closest, find, findAll } from "./dom.js";

// A chip is of an arm, or, where factors cross, of a level with all arms that have it.
const chips = findAll("[data-arms]");

/** @type {Map<HTMLElement, string[]>} */
const armsOf = new Map(chips.map((chip) => [chip, JSON.parse(chip.dataset.arms ?? "[]")]));

/**
 * The chips that are switched off.
 * @type {Set<HTMLElement>}
 */
const off = new Set();

/**
 * The only arms to be seen; null for all that no chip switches off.
 * @type {Set<string> | null}
 */
let only = null;

/** How many arms the page has chips for. */
export const armCount = new Set([...armsOf.values()].flat()).size;

/**
 * Return whether an arm is to be seen.
 * @param {string} arm
 * @returns {boolean}
 */
export function isArmShown(arm) {
  if (only) return only.has(arm);
  return ![...off].some((chip) => armsOf.get(chip)?.includes(arm));
}

/**
 * Let the chips switch arms: a click one chip, a double click all others of its factor, and the buttons beside them
 * all or the best.
 * @param {() => void} redraw - called after every change
 */
export function startArms(redraw) {
  const strip = find(".arms");
  const apply = () => {
    for (const chip of chips) chip.setAttribute("aria-pressed", String(armsOf.get(chip)?.some(isArmShown)));
    redraw();
  };
  strip?.addEventListener("click", (event) => {
    const chip = closest(event, "[data-arms]");
    const pick = closest(event, "[data-pick]");
    if (chip) toggle(chip);
    if (pick) show(pick.dataset.pick ?? "");
    if (chip || pick) apply();
  });
  strip?.addEventListener("dblclick", (event) => {
    const chip = closest(event, "[data-arms]");
    if (!chip) return;
    const others = chips.filter((other) => other !== chip && other.dataset.factor === chip.dataset.factor);
    only = null;
    off.clear();
    for (const other of others) off.add(other);
    apply();
  });
}

/**
 * Switch a chip off, or on again.
 * @param {HTMLElement} chip
 */
function toggle(chip) {
  if (only) off.clear();
  only = null;
  if (!off.delete(chip)) off.add(chip);
}

/**
 * Show some arms alone, or all.
 * @param {string} names - as JSON; empty for all
 */
function show(names) {
  off.clear();
  only = names ? new Set(JSON.parse(names)) : null;
}
