// The collector's page, part five: writing down. What is typed is on the phone half a second later, finished or not.
(() => {
  const SAVE_MS = 500;
  const PHOTOS_MAX = 20;
  let open = null;

  const blank = (kind, more = {}) => ({
    id: Collect.fresh(), owner: Collect.me().person, state: "writing", kind, key: Collect.fresh(),
    at: Date.now(), body: "", photos: [], ...more,
  });
  const said = (form, words, wrong) => {
    const line = form.querySelector(".trouble");
    line.textContent = words;
    line.hidden = !words;
    for (const field of form.querySelectorAll(".field")) field.classList.toggle("wrong", field.contains(wrong));
    wrong?.focus();
  };

  /// Keeps what stands in the form, one keeping after the other.
  const keep = () => {
    const at = open;
    if (!at || at.closed) return Promise.resolve(true);
    clearTimeout(at.timer);
    at.work = at.work.then(async () => {
      try {
        take(at);
        for (const draft of [at.draft, ...at.items]) await Collect.keep(draft);
        for (const gone of at.gone.splice(0)) await Collect.drop(gone);
        at.dirty = false;
        at.form.querySelector(".saved").textContent = Collect.say("savedAt", { at: Collect.seen(Date.now()) });
        return true;
      } catch (trouble) {
        said(at.form, Collect.troubled(trouble));
        return false;
      }
    });
    return at.work;
  };
  /// From the form into the drafts.
  const take = ({ form, draft, items }) => {
    const value = (name) => form.elements[name]?.value ?? "";
    draft.body = value("body");
    draft.day = value("day");
    if (draft.kind === "meeting") {
      for (const name of ["place", "people", "names"]) draft[name] = value(name);
      const rows = [...form.querySelectorAll(".items li")];
      items.forEach((item, n) => {
        item.body = rows[n]?.querySelector("textarea").value ?? item.body;
        item.petitioner = { name: rows[n]?.querySelector("input").value ?? "" };
        item.day = draft.day;
      });
    } else {
      Object.assign(draft, { category: value("category"), settled: value("settled") });
      draft.channel = draft.meeting ? "courtyard" : value("channel");
      draft.petitioner = { kind: value("kind"), name: value("name"), phone: value("phone"), address: value("address") };
    }
  };
  const typed = () => {
    if (!open) return;
    open.dirty = true;
    clearTimeout(open.timer);
    open.timer = setTimeout(keep, SAVE_MS);
  };

  // What villages call things, by the category it mostly is. Only a guess, shown as one, and only of categories in force.
  const GUESSES = [
    ["邻里纠纷", /吵架|纠纷|争执|邻居|扯皮|界限/], ["社会保障", /医保|社保|低保|养老|残疾|五保|补贴/], ["环境卫生", /垃圾|臭|污水|厕所|焚烧|蚊/],
    ["用电用水", /停电|路灯|电线|电压|停水|自来水|水管|水表|变压器/], ["水利", /水渠|堰|山坪塘|灌溉|排灌|河堤|抽水/], ["道路", /路面|公路|机耕道|桥|涵洞|坑洼|斑马线|硬化/],
    ["房屋", /危房|漏雨|房顶|宅基地|建房|拆迁/], ["土地", /土地|承包|流转|征地|田坎|占地/], ["治安", /偷|打架|诈骗|赌博|噪音|狗咬/],
  ];
  let categories = [];
  const guess = (form) => {
    const field = form.elements.category;
    if (!field) return;
    const note = form.querySelector(".guessed");
    const body = form.elements.body.value;
    // What somebody chose stays; a guess goes with the words it came from.
    if (field.value !== "" && field.value !== field.dataset.guess) {
      note.hidden = true;
      return;
    }
    const found = categories.find((c) => body.includes(c)) ?? GUESSES.find(([c, words]) => categories.includes(c) && words.test(body))?.[0] ?? "";
    field.value = field.dataset.guess = found;
    note.hidden = found === "";
  };

  const rows = ({ form, items }) => {
    const list = form.querySelector(".items ol");
    list.replaceChildren(
      ...items.map((item, n) => {
        const text = Collect.make("textarea", { rows: 3, maxLength: 20000, value: item.body });
        const name = Collect.make("input", { maxLength: 200, autocomplete: "off", value: item.petitioner?.name ?? "" });
        const drop = Collect.make("button", { type: "button", text: Collect.say("itemDrop", { n: n + 1 }) });
        drop.addEventListener("click", () => {
          take(open);
          open.gone.push(...open.items.splice(n, 1).map((i) => i.id));
          rows(open);
          keep();
        });
        return Collect.make("li", {},
          Collect.make("label", { cls: "field" }, Collect.make("span", { text: Collect.say("item", { n: n + 1 }) }), text),
          Collect.make("label", { cls: "field" }, Collect.make("span", { text: Collect.say("itemName") }), name), drop);
      }),
    );
  };

  const thumbs = async (at) => {
    const list = at.form.querySelector(".thumbs");
    const made = [];
    for (const [n, id] of at.draft.photos.entries()) {
      const blob = await Collect.photo(id);
      if (!blob) continue;
      const drop = Collect.make("button", { type: "button", text: "×", "aria-label": Collect.say("photoDrop", { n: n + 1 }) });
      drop.addEventListener("click", async () => {
        at.draft.photos = at.draft.photos.filter((p) => p !== id);
        if (await keep()) await Collect.dropPhoto(id);
        await thumbs(at);
      });
      made.push(Collect.make("li", {}, await Collect.thumb(blob, Collect.say("photo", { n: n + 1 })), drop));
    }
    if (open === at) list.replaceChildren(...made);
  };
  const photographed = async (input) => {
    const at = open;
    const files = [...input.files];
    input.value = "";
    if (!at || files.length === 0) return;
    const line = at.form.querySelector(".photos .hint");
    const words = [];
    // The text first: should there be no room, it is the photo that is missing.
    if (!(await keep())) return;
    for (const file of files) {
      if (at.draft.photos.length >= PHOTOS_MAX) {
        words.push(Collect.say("photoMax", { n: PHOTOS_MAX }));
        break;
      }
      const blob = await Collect.smaller(file);
      if (!blob) {
        words.push(Collect.say("notPicture", { name: file.name }));
        continue;
      }
      try {
        const id = await Collect.keepPhoto(at.draft, blob);
        at.draft.photos = [...at.draft.photos, id];
        if (!(await keep())) return;
        words.push(Collect.say("photoKept", { n: Math.ceil(blob.size / 1024) }));
      } catch (trouble) {
        words.push(trouble?.name === "QuotaExceededError" ? Collect.say("fullPhoto") : Collect.troubled(trouble));
        break;
      }
    }
    line.textContent = words.join(" ");
    await thumbs(at);
  };

  const show = (at) => {
    const { form, draft } = at;
    form.reset();
    const put = (name, value) => {
      if (form.elements[name] && value !== undefined) form.elements[name].value = value;
    };
    for (const name of ["body", "day", "place", "people", "names", "category", "channel", "settled"]) put(name, draft[name]);
    for (const name of ["kind", "name", "phone", "address"]) put(name, draft.petitioner?.[name] ?? "");
    for (const fold of form.querySelectorAll("details")) {
      fold.open = [...fold.querySelectorAll("input, textarea")].some((f) => f.value !== "");
    }
    form.querySelector(".saved").textContent = "";
    form.querySelector(".photos .hint").textContent = "";
    if (form.elements.category) form.elements.category.dataset.guess = "";
    const note = form.querySelector(".guessed");
    if (note) note.hidden = true;
    said(form, draft.state === "refused" || draft.reason ? `${Collect.say("refused")}：${draft.reason ?? ""}` : "");
    who(form);
    if (draft.kind === "meeting") rows(at);
    Collect.page(form.id);
    form.querySelector("h1").focus();
    return thumbs(at);
  };
  const who = (form) => {
    const kind = form.elements.kind;
    if (kind) form.querySelector(".named").hidden = kind.value === "anonymous";
  };

  /// Opens a draft, or a fresh one; nothing else touches it until it is closed.
  const hold = async (draft, items = [], fresh = false) => {
    categories = (await Collect.fact("node"))?.categories ?? [];
    const ids = [draft, ...items].map((d) => d.id);
    const all = (n, work) => (n === ids.length ? work() : Collect.holding(ids[n], () => all(n + 1, work)));
    let at = null;
    const ended = all(0, async () => {
      // What was sent or sent without an answer meanwhile is not written in.
      const now = fresh ? [draft, ...items] : await Promise.all(ids.map(Collect.draft));
      if (now.some((d) => !d || !["here", "writing", "refused"].includes(d.state))) return "passed";
      at = { form: Collect.at(draft.kind === "meeting" ? "meeting" : "matter"), draft: now[0], items: now.slice(1), gone: [], work: Promise.resolve(true) };
      at.freed = new Promise((done) => (at.free = done));
      // Only looked at, it is as finished as before.
      at.finished = new Set(now.filter((d) => d.state === "here").map((d) => d.id));
      for (const d of now) d.state = "writing";
      open = at;
      if (!fresh) await keep();
      await show(at);
      await new Promise((done) => (at.close = done));
      at.closed = true;
      open = null;
      return "closed";
    });
    // Closed only when nobody holds it any more, so that it can be delivered.
    ended.finally(() => at?.free());
    return ended;
  };
  Collect.write = async (kind) => {
    const draft = blank(kind, kind === "meeting" ? { place: "", people: "", names: "" } : { channel: "home_visit" });
    const items = kind === "meeting" ? [blank("matter", { meeting: draft.id, channel: "courtyard" })] : [];
    await hold(draft, items, true);
  };
  Collect.change = async (draft, items) => {
    if ((await hold(draft, items)) === "passed") Collect.notice(Collect.say("held"));
  };

  const close = async () => {
    const at = open;
    if (!at) return;
    at.close();
    await at.freed;
    Collect.page("list");
    await Collect.refresh();
  };
  const empty = (draft) => !draft.body.trim() && draft.photos.length === 0;
  const done = async () => {
    const at = open;
    take(at);
    const { draft } = at;
    if (!draft.body.trim()) {
      const words = Collect.say(draft.kind === "meeting" ? "emptyMeeting" : "empty");
      return said(at.form, words, at.form.elements.body);
    }
    said(at.form, "");
    at.gone.push(...at.items.filter(empty).map((i) => i.id));
    at.items = at.items.filter((i) => !empty(i));
    for (const d of [draft, ...at.items]) {
      d.state = "here";
      delete d.reason;
    }
    if (!(await keep())) return;
    Collect.lasting();
    await close();
    Collect.deliver();
  };
  const back = async () => {
    const at = open;
    take(at);
    // Nothing was written: nothing is left behind.
    if (empty(at.draft) && at.items.every(empty) && !at.draft.names?.trim()) {
      at.closed = true;
      await at.work;
      for (const d of [at.draft, ...at.items]) await Collect.drop(d.id);
    } else {
      for (const d of [at.draft, ...at.items]) if (at.finished.has(d.id) && d.body.trim()) d.state = "here";
      if (!(await keep())) return;
    }
    await close();
    Collect.deliver();
  };
  const drop = async () => {
    const at = open;
    take(at);
    const filled = at.items.filter((i) => !empty(i)).length;
    const words = filled > 0 ? Collect.say("dropAskMeeting", { n: filled }) : Collect.say("dropAsk");
    const yes = await Collect.choose(words, Collect.say("dropAskMore"), [["yes", Collect.say("yesDrop"), "dangerous"], ["no", Collect.say("no"), ""]]);
    if (yes !== "yes") return Collect.page(at.form.id);
    at.closed = true;
    await at.work;
    for (const d of [at.draft, ...at.items]) await Collect.drop(d.id);
    await close();
  };

  for (const id of ["matter", "meeting"]) {
    const form = Collect.at(id);
    if (!form) continue;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      done();
    });
    form.addEventListener("input", (event) => {
      if (event.target.type === "file") return;
      who(form);
      if (event.target === form.elements.body) guess(form);
      typed();
    });
    form.addEventListener("change", (event) => {
      if (event.target.type === "file") photographed(event.target);
    });
    form.querySelector(".back").addEventListener("click", back);
    form.querySelector(".drop").addEventListener("click", drop);
    form.querySelector(".add")?.addEventListener("click", () => {
      take(open);
      open.items.push(blank("matter", { meeting: open.draft.id, channel: "courtyard", at: open.draft.at }));
      rows(open);
      typed();
      form.querySelector(".items li:last-child textarea").focus();
    });
  }
  // Put aside, or closed by the system: what was typed is kept at once.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden" && open?.dirty) keep();
  });
})();
