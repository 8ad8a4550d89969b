// The collector's page, part one: its words and small shapes. The page comes in one language with all its words in
// a template; nothing is said that is not in there.
"use strict";
const Collect = {};

(() => {
  const template = document.getElementById("words");
  const words = {};
  for (const word of template ? template.content.querySelectorAll("[data-w]") : []) words[word.dataset.w] = word.textContent;

  /// A word of the page, with {names} put in.
  Collect.say = (name, values = {}) => (words[name] ?? name).replace(/\{(\w+)\}/g, (all, key) => values[key] ?? all);
  Collect.lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
  Collect.at = (id) => document.getElementById(id);

  /// An element with its text.
  Collect.make = (tag, { text, cls, ...rest } = {}, ...inside) => {
    const made = document.createElement(tag);
    if (cls) made.className = cls;
    if (text !== undefined) made.textContent = text;
    for (const [name, value] of Object.entries(rest)) {
      if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...inside);
    return made;
  };

  const two = (n) => String(n).padStart(2, "0");
  /// A moment's civil day as this phone counts it.
  Collect.dayOf = (ms) => {
    const d = new Date(ms);
    return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  };
  Collect.seen = (ms) => {
    const d = new Date(ms);
    const day = Collect.lang === "zh" ? `${d.getMonth() + 1}月${d.getDate()}日` : Collect.dayOf(ms);
    return `${day} ${two(d.getHours())}:${two(d.getMinutes())}`;
  };
  Collect.fresh = () => [...crypto.getRandomValues(new Uint8Array(24))].map((b) => b.toString(16).padStart(2, "0")).join("");
  Collect.snippet = (text, most = 24) => {
    const line = text.trim().replace(/\s+/g, " ");
    return [...line].length > most ? `${[...line].slice(0, most).join("")}…` : line;
  };
})();
