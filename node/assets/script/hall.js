// The hall's screen: one leaf of the board at a time, turned by itself, held by the space key. Without this
// all leaves stand below each other.
(() => {
  "use strict";
  const root = document.documentElement;
  if (!root.classList.contains("hall")) return;
  // A second for every eight characters, within what a hall bears.
  const SHORTEST_MS = 10000;
  const LONGEST_MS = 40000;
  const bar = document.querySelector(".turn");
  const button = bar.querySelector("button");
  const leaves = () => [...document.querySelectorAll("[data-leaf]")];
  let at = 0;
  let id = null;
  let timer = 0;
  let paused = false;

  const show = () => {
    const all = leaves();
    if (all.length === 0) return;
    at = (at + all.length) % all.length;
    id = all[at].dataset.leaf;
    all.forEach((leaf, n) => leaf.toggleAttribute("hidden", n !== at));
    bar.querySelector(".at").textContent = `${at + 1} / ${all.length}`;
    clearTimeout(timer);
    const reading = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, all[at].textContent.trim().length * 125));
    if (!paused && all.length > 1) timer = setTimeout(() => turn(1), reading);
  };
  const turn = (by) => {
    at += by;
    show();
  };
  const hold = () => {
    paused = !paused;
    button.textContent = paused ? button.dataset.go : button.dataset.pause;
    show();
  };
  button.addEventListener("click", hold);
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    if (e.key === "ArrowRight" || e.key === "PageDown") turn(1);
    else if (e.key === "ArrowLeft" || e.key === "PageUp") turn(-1);
    else if (e.key === " " && document.activeElement !== button) hold();
    else return;
    e.preventDefault();
  });
  // Brought up to date: the same leaf stays, wherever it is now.
  document.addEventListener("yishi:updated", () => {
    const same = leaves().findIndex((leaf) => leaf.dataset.leaf === id);
    at = same < 0 ? Math.min(at, leaves().length - 1) : same;
    show();
  });
  root.classList.add("turning");
  bar.hidden = false;
  show();
})();
