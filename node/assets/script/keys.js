// The keyboard in the inbox: down, up, choose, and each act by one key. It only moves the cursor and opens what
// is on the page already; without it everything is reached by Tab. Never while somebody types.
(() => {
  const inbox = document.getElementById("inbox");
  if (!inbox) return;
  const rows = [...inbox.querySelectorAll(".in-rows > li")];
  const help = document.getElementById("in-keys");
  const switched = document.getElementById("in-keys-on");
  const count = document.getElementById("in-count");
  const all = document.getElementById("in-all");
  const tick = (row) => row.querySelector("input[type=checkbox]");
  const ticks = rows.map(tick).filter(Boolean);
  const typing = (e) => e.isContentEditable || /^(TEXTAREA|SELECT)$/.test(e.tagName) || (e.tagName === "INPUT" && !/^(checkbox|radio|submit|button)$/.test(e.type));

  // Whoever speaks to the machine, or has a hand that trembles, turns single keys off; this browser remembers.
  const kept = (value) => {
    try {
      return value === undefined ? localStorage.getItem("yishi-keys") : localStorage.setItem("yishi-keys", value);
    } catch {
      return null;
    }
  };
  if (switched) {
    switched.checked = kept() !== "off";
    switched.closest("label").hidden = false;
    switched.addEventListener("change", () => kept(switched.checked ? "on" : "off"));
  }

  const counted = () => {
    const chosen = ticks.filter((t) => t.checked);
    if (count) count.textContent = chosen.length > 0 ? `· ${count.dataset.words} ${chosen.length}` : "";
    // Who leads is one of those chosen.
    for (const option of inbox.querySelectorAll("select[name='merge.lead'] option")) {
      option.hidden = option.value !== "" && chosen.length > 0 && !chosen.some((t) => t.value === option.value);
    }
    if (all) all.querySelector("input").checked = chosen.length > 0 && chosen.length === ticks.length;
  };
  if (all && ticks.length > 1) {
    all.hidden = false;
    all.querySelector("input").addEventListener("change", (e) => {
      for (const t of ticks) t.checked = e.target.checked;
      counted();
    });
  }
  for (const t of ticks) t.addEventListener("change", counted);
  counted();

  const at = () => {
    const focused = rows.findIndex((row) => row.contains(document.activeElement));
    return focused >= 0 ? focused : rows.findIndex((row) => row.classList.contains("here"));
  };
  const go = (n) => {
    const row = rows[Math.max(0, Math.min(n, rows.length - 1))];
    if (!row) return;
    row.querySelector("a").focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const choose = () => {
    const box = rows[Math.max(0, at())] && tick(rows[Math.max(0, at())]);
    if (!box) return;
    box.checked = !box.checked;
    counted();
  };
  const act = (key) => {
    const panel = inbox.querySelector(`details[data-key="${key}"]`);
    if (!panel) return;
    const row = rows[at()];
    // With none chosen it is about the one somebody is on.
    if (!ticks.some((t) => t.checked) && row && tick(row)) tick(row).checked = true;
    counted();
    panel.open = true;
    panel.scrollIntoView({ block: "nearest" });
    panel.querySelector("select, textarea, input, button")?.focus();
  };
  const keys = {
    j: () => go(at() + 1),
    k: () => go(at() < 0 ? 0 : at() - 1),
    x: choose,
    a: () => act("a"),
    s: () => act("s"),
    m: () => act("m"),
    r: () => act("r"),
    e: () => act("e"),
    "/": () => document.getElementById("in-q")?.focus(),
    "?": () => {
      if (!help) return;
      help.open = !help.open;
      help.querySelector("summary").focus();
      help.scrollIntoView({ block: "nearest" });
    },
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && inbox.contains(event.target)) {
      const panel = event.target.closest("details[data-key]");
      if (panel) panel.open = false;
      if (panel || typing(event.target)) go(Math.max(0, at()));
      return;
    }
    const work = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (!work || typing(event.target) || (switched && !switched.checked)) return;
    event.preventDefault();
    work();
  });
})();
