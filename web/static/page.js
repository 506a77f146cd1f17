// Additions only: every page does the same without this file.
"use strict";

// A time in the reader's own zone, beside the one in UTC.
const english = navigator.languages.find((language) => language.startsWith("en")) ?? "en-GB";
const local = new Intl.DateTimeFormat(english, {
  weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit", timeZoneName: "short",
});
for (const time of document.querySelectorAll("time")) {
  const at = new Date(time.dateTime);
  if (at.getTimezoneOffset() !== 0) {
    time.after(` (${local.format(at)})`);
  }
}

// A passphrase that can be read while it is typed.
for (const field of document.querySelectorAll("input[type=password]")) {
  const button = document.createElement("button");
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide passphrase" : "Show passphrase";
  };
  button.type = "button";
  button.className = "quiet";
  button.addEventListener("click", () => show(field.type === "password"));
  // Hidden again before it is sent, so that no browser keeps it among the texts that it offers later.
  field.form.addEventListener("submit", () => show(false));
  field.after(button);
  show(false);
}

// A button that only keeps programs out which open links: a reader need not press it.
document.querySelector("form[data-auto]")?.requestSubmit();

for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A double click sends a form once: a code works only once, and the second answer would say so.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) {
    event.preventDefault();
  }
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
  }
});
