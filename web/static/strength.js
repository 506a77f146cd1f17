// A meter beside the passphrase: asks the server, which measures and keeps nothing, when the reader stops typing.
"use strict";

const box = document.getElementById("strength");
const field = document.getElementById("passphrase");
const words = ["Very easy to guess.", "Easy to guess.", "Good enough.", "Strong.", "Very strong."];
let waiting = 0;

const measure = async () => {
  const asked = field.value;
  const body = new URLSearchParams({ passphrase: asked });
  const answer = await fetch(box.dataset.ask, { method: "POST", body, credentials: "same-origin" });
  if (!answer.ok || field.value !== asked) {
    return;
  }
  const { score, advice } = await answer.json();
  box.querySelector("meter").value = score;
  box.querySelector("p").textContent = [words[score], ...advice].join(" ");
  box.hidden = false;
};

field.addEventListener("input", () => {
  clearTimeout(waiting);
  box.hidden = box.hidden || !field.value;
  if (field.value) {
    // Without an answer there is no meter, and the form does without.
    waiting = setTimeout(() => measure().catch(() => {}), 300);
  }
});
