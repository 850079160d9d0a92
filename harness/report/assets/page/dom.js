/**
 * Return the first element that a selector finds, or null.
 * @param {string} selector
 * @param {ParentNode} [root] - where to look; the whole page by default
 * @returns {HTMLElement | null}
 */
export function find(selector, root = document) {
  return root.querySelector(selector);
}

/**
 * Return the first element that a selector finds.
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {HTMLElement}
 * @throws {Error} if the page has none: a template and its script disagree
 */
export function get(selector, root = document) {
  const element = find(selector, root);
  if (!element) throw new Error(`the page has no ${selector}`);
  return element;
}

/**
 * Return all elements that a selector finds, in the order of the page.
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {HTMLElement[]}
 */
export function findAll(selector, root = document) {
  return [...root.querySelectorAll(selector)].map((element) => /** @type {HTMLElement} */ (element));
}

/**
 * Return the element, or the nearest one around it, that an event happened in and a selector finds; else null.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closest(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}
