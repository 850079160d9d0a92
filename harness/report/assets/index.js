"use strict";
const field = document.querySelector("#find");
const cards = [...document.querySelectorAll(".card")];
const none = document.querySelector("#none");
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const card of cards) {
    const text = card.textContent.toLowerCase();
    card.hidden = !words.every((word) => text.includes(word));
  }
  for (const topic of document.querySelectorAll(".topic")) {
    topic.hidden = !topic.querySelector(".card:not([hidden])");
  }
  none.hidden = cards.some((card) => !card.hidden);
});
