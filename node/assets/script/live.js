// What has changed elsewhere is shown without loading the page anew: the server says that something changed
// (/live), the page is fetched once more, and its parts marked data-live are put in place of the old ones.
// Never a part somebody is typing in or has opened; what fails, fails silently: the page stays as it is.
(() => {
  "use strict";
  const main = document.getElementById("main");
  const parts = () => [...document.querySelectorAll("[data-live]")];
  if (!main || !window.EventSource || parts().length === 0) return;

  // Not oftener than this: everybody who looks at the same list hears of it at the same moment.
  const CALM_MS = 4000;
  const AGAIN_MS = 60000;
  let version = Number(main.dataset.version) || 0;
  let last = 0;
  let waiting = 0;
  let source = null;

  const said = document.createElement("p");
  said.className = "sr";
  said.setAttribute("role", "status");
  said.setAttribute("aria-live", "polite");
  main.append(said);

  const typed = (field) =>
    field.matches("select")
      ? [...field.options].some((o) => o.selected !== o.defaultSelected) && field.selectedIndex > 0
      : field.type === "checkbox" || field.type === "radio"
        ? field.checked !== field.defaultChecked
        : field.type !== "hidden" && field.value !== field.defaultValue;
  const inUse = (part) =>
    [...part.querySelectorAll("input, select, textarea")].some((f) => f === document.activeElement || typed(f)) ||
    [...part.querySelectorAll("details")].some((d) => d.open && d.querySelector("form")) ||
    part.dataset.chosen === "yes";

  // Every form carries a key of its own sending; it is no news.
  const words = (part) => part.className + part.innerHTML.replace(/name="once" value="[^"]*"/g, "");

  const put = (old, fresh) => {
    if (words(old) === words(fresh) || inUse(old)) return false;
    old.className = fresh.className;
    // What is folded open stays open, and who was on a link stays on it.
    const open = [...old.querySelectorAll("details[open] > summary")].map((s) => s.textContent);
    const at = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    old.replaceChildren(...document.importNode(fresh, true).childNodes);
    for (const summary of old.querySelectorAll("details > summary")) {
      if (open.includes(summary.textContent)) summary.parentElement.open = true;
    }
    if (at !== null) [...old.querySelectorAll("a")].find((a) => a.getAttribute("href") === at)?.focus();
    return true;
  };

  const fetched = async () => {
    waiting = 0;
    last = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
      // Elsewhere by now: signed out, or the matter is gone.
      if (!answer.ok || new URL(answer.url).pathname !== location.pathname) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      let changed = false;
      for (const old of parts()) {
        const fresh = page.querySelector(`[data-live="${CSS.escape(old.dataset.live)}"]`);
        if (fresh) changed = put(old, fresh) || changed;
      }
      if (changed) {
        said.textContent = main.dataset.updated ?? "";
        document.dispatchEvent(new CustomEvent("yishi:updated"));
      }
    } catch {
      // Not reached: the next change tries again.
    }
  };
  const soon = () => {
    if (waiting) return;
    const calm = Math.max(0, last + CALM_MS - Date.now());
    waiting = setTimeout(fetched, calm + Math.random() * 500);
  };

  const heard = (event) => {
    let news;
    try {
      news = JSON.parse(event.data);
    } catch {
      return;
    }
    if (news.version === version) return;
    const missed = news.matters === null || news.matters.length === 0;
    version = news.version;
    // A page of one matter cares for that one.
    const own = main.querySelector("[data-matter]")?.dataset.matter;
    if (missed || !own || news.matters.includes(own)) soon();
  };
  const listen = () => {
    if (source || document.hidden) return;
    source = new EventSource("/live");
    source.addEventListener("changed", heard);
    source.addEventListener("error", () => {
      // Refused (no room, signed out): asked again much later. A line that broke the browser mends itself.
      if (source?.readyState !== EventSource.CLOSED) return;
      rest();
      setTimeout(listen, AGAIN_MS);
    });
  };
  const rest = () => {
    source?.close();
    source = null;
  };
  // A page nobody looks at holds no connection: a browser has six for one address.
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  window.addEventListener("pagehide", rest);
  window.addEventListener("pageshow", listen);
  listen();
})();
