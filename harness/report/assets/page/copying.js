import { closest } from "./dom.js";

/** How long a button says that it has copied, in milliseconds. */
const COPIED_FOR = 1500;

/** Let every button with a text to copy copy it. */
export function startCopying() {
  document.addEventListener("click", (event) => {
    const button = closest(event, "[data-copy]");
    if (!button) return;
    copyText(button.dataset.copy ?? "");
    const before = button.textContent;
    button.textContent = "copied";
    setTimeout(() => { button.textContent = before; }, COPIED_FOR);
  });
}

/**
 * Put a text on the clipboard.
 *
 * navigator.clipboard is refused where a file is opened from the disk, so the text is selected and copied the old way.
 * @param {string} text
 */
export function copyText(text) {
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
