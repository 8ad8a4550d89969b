// The collector's page, part six: the list, and how it stands.
(() => {
  const CLOCK_MS = 5 * 60_000;
  const ROOMS = ["list", "matter", "meeting", "asking", "insecure", "old"];
  const { at, say, make } = Collect;

  Collect.page = (shown) => {
    for (const room of ROOMS) at(room).hidden = room !== shown;
    window.scrollTo(0, 0);
  };
  /// A question with buttons; gives the one pressed.
  Collect.choose = (words, more, answers) =>
    new Promise((done) => {
      at("asking-words").textContent = words;
      at("asking").querySelector(".more").textContent = more;
      const buttons = answers.map(([answer, label, cls]) => {
        const button = make("button", { type: "button", text: label, cls });
        button.addEventListener("click", () => done(answer));
        return button;
      });
      at("asking").querySelector(".buttons").replaceChildren(...buttons);
      Collect.page("asking");
      at("asking-words").focus();
    });

  let passing = "";
  Collect.notice = (words) => {
    passing = words;
    return Collect.refresh();
  };

  const span = (ms) => {
    const minutes = Math.round(Math.abs(ms) / 60_000);
    if (minutes < 90) return say("minutes", { n: minutes });
    const hours = Math.round(minutes / 60);
    return hours < 48 ? say("hours", { n: hours }) : say("days", { n: Math.round(hours / 24) });
  };
  const clock = (node) => {
    if (!node) return "";
    if (Collect.news().link !== "here" && Date.now() < node.now_ms - CLOCK_MS) return say("clockBack");
    if (Math.abs(node.ahead) < CLOCK_MS) return "";
    return say(node.ahead > 0 ? "clockAhead" : "clockBehind", { much: span(node.ahead) });
  };

  const STATES = { writing: "wait", here: "wait", unsure: "work", arrived: "done", refused: "stop", locked: "stop" };
  const photoLine = (draft) => {
    const waiting = draft.photos.length;
    const lines = [];
    if (draft.state !== "arrived") return waiting > 0 ? [say("photos", { n: waiting })] : [];
    if (draft.photosArrived) lines.push(say("photosArrived", { n: draft.photosArrived }));
    if (waiting > 0 && draft.photoTrouble === "none") lines.push(say("photosNone", { n: waiting }));
    else if (waiting > 0 && draft.photoTrouble) lines.push(say("photosRefused", { n: waiting, reason: draft.photoTrouble }));
    else if (waiting > 0) lines.push(say("photosWait", { n: waiting }));
    return lines;
  };
  const row = (draft, mine) => {
    const title = draft.title || Collect.snippet(draft.kind === "meeting" ? draft.place || draft.body : draft.body) || say("untitled");
    const kind = draft.kind === "meeting" ? say("meeting") : draft.meeting ? say("ofMeeting") : "";
    const li = make("li", { cls: `state-${draft.state}` });
    Object.assign(li.dataset, { state: draft.state, photos: draft.photos.length });
    li.append(make("p", { cls: "title" }, ...(kind ? [make("span", { cls: "category", text: kind }), " "] : []), make("b", { text: title })));
    li.append(make("p", { cls: `stage ${STATES[draft.state]}` }, make("i", { "aria-hidden": "true" }), say(draft.state)));
    if (draft.at) li.append(make("p", { cls: "when", text: Collect.seen(draft.at) }));
    if (draft.number) li.append(make("p", { cls: "codes", text: say("number", { number: draft.number, check: draft.check }) }));
    if (draft.reason && draft.state === "refused") li.append(make("p", { cls: "trouble", text: draft.reason }));
    for (const line of photoLine(draft)) li.append(make("p", { cls: "hint", text: line }));
    const buttons = [];
    if (["writing", "here", "refused"].includes(draft.state)) {
      const change = make("button", { type: "button", text: say(draft.state === "refused" ? "mend" : "open") });
      const items = mine.filter((d) => d.meeting === draft.id && ["writing", "here", "refused"].includes(d.state)).reverse();
      change.addEventListener("click", () => Collect.change(draft, items));
      buttons.push(change);
    }
    if (["unsure", "locked"].includes(draft.state)) {
      const drop = make("button", { type: "button", cls: "dangerous", text: say("drop") });
      drop.addEventListener("click", () => dropped(draft));
      buttons.push(drop);
    }
    if (draft.state === "arrived" && draft.matter) {
      buttons.push(make("a", { cls: "button", href: `/m/${encodeURIComponent(draft.matter)}`, text: say("look") }));
    }
    li.append(make("div", { cls: "buttons" }, ...buttons));
    return li;
  };
  const dropped = async (draft) => {
    const answer = await Collect.choose(say("dropAsk"), say(draft.state === "unsure" ? "dropAskUnsure" : "dropAskMore"),
      [["yes", say("yesDrop"), "dangerous"], ["no", say("no"), ""]]);
    if (answer === "yes") await Collect.drop(draft.id);
    Collect.page("list");
    await Collect.refresh();
  };

  let drawing = Promise.resolve();
  /// Draws the list as it is on the phone now.
  Collect.refresh = () => (drawing = drawing.then(draw, draw));
  const draw = async () => {
    const [{ mine, others }, node] = [await Collect.drafts(), await Collect.fact("node")];
    const news = Collect.news();
    const me = Collect.me();
    const waiting = Collect.waiting(mine).length;
    const photos = Collect.photosWaiting(mine).length;
    at("who").textContent = me ? say("signedIn", { name: me.name }) : `${say("signedOut")} ${say("signInFirst")}`;
    const notices = [];
    if (passing) notices.push(passing);
    if (news.link === "away") notices.push(say("away"));
    if (me && news.link === "here" && news.session === "off") notices.push(say("expired"));
    if (me && news.link === "here" && node && !node.may_report && news.session === "on") notices.push(say("cannotReport"));
    if (others > 0) notices.push(say("others", { n: others }));
    notices.push(clock(node));
    const lines = notices.filter(Boolean);
    if (lines.join() !== [...at("notices").children].map((p) => p.textContent).join()) {
      at("notices").replaceChildren(...lines.map((text) => make("p", { cls: "trouble", text })));
    }
    at("new-matter").disabled = at("new-meeting").disabled = !me;
    at("waiting").textContent = waiting > 0 ? say("waiting", { n: waiting }) : mine.some((d) => d.state === "arrived") && photos === 0 ? say("sentAll") : say("waitingNone");
    at("send").hidden = !me || (waiting === 0 && photos === 0) || news.session === "off";
    at("send").disabled = news.busy;
    at("sign-in").hidden = news.link !== "here" || news.session !== "off";
    at("sign-out").hidden = !me;
    at("progress-line").hidden = !news.busy || news.all === 0;
    at("progress").max = Math.max(1, news.all);
    at("progress").value = news.done;
    at("progress-words").textContent = say("sendingN", { n: Math.min(news.done + 1, news.all), all: news.all });
    at("delivery-words").textContent = news.words;
    at("drafts").replaceChildren(...mine.map((d) => row(d, mine)));
    at("none").hidden = mine.length > 0;
    at("clear").hidden = !mine.some((d) => d.state === "arrived" && d.photos.length === 0);
    at("categories").replaceChildren(...(node?.categories ?? []).map((value) => make("option", { value })));
  };

  /// Asks the browser to keep what is written; says what it answered.
  Collect.lasting = async () => {
    const kept = (await navigator.storage?.persist?.().catch(() => false)) ?? false;
    await storage(kept);
  };
  const storage = async (kept) => {
    const promised = kept ?? (await navigator.storage?.persisted?.().catch(() => false)) ?? false;
    const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.().catch(() => ({}))) ?? {};
    const mega = (bytes) => Math.max(0, Math.round(bytes / 1_048_576));
    at("storage").textContent = say(promised ? "kept" : "notKept", { used: mega(usage), free: mega(quota - usage) });
  };

  const leave = async () => {
    const { mine } = await Collect.drafts();
    const left = mine.filter((d) => d.state !== "arrived" || d.photos.length > 0).length;
    let answer = "keep";
    if (left > 0) {
      answer = await Collect.choose(say("leaveAsk", { n: left }), say("leaveMore"), [
        ["deliver", say("leaveDeliver"), "primary"], ["keep", say("leaveKeep"), ""], ["all", say("leaveAll"), "dangerous"], ["no", say("no"), ""],
      ]);
      Collect.page("list");
    }
    if (answer === "no") return;
    if (answer === "deliver") return Collect.deliver();
    await Collect.note("leaving", true);
    await Collect.leave({ all: answer === "all" });
    await Collect.hello();
    const away = Collect.news().link === "away";
    await Collect.notice(say(away ? "leftAway" : "left"));
  };

  const begin = async () => {
    if (!window.isSecureContext) return Collect.page("insecure");
    if (!navigator.serviceWorker || !window.indexedDB || !crypto.subtle || !navigator.locks || !window.createImageBitmap) {
      return Collect.page("old");
    }
    try {
      await Collect.wake();
    } catch {
      return Collect.page("old");
    }
    const registering = navigator.serviceWorker.register("/worker.js", { scope: "/" });
    registering.then(
      (worker) => {
        if (navigator.onLine) worker.update().catch(() => {});
      },
      // The certificate was only waved through, not trusted: the browser keeps no page for such an address.
      () => {
        if (location.protocol === "https:" && navigator.onLine) Collect.notice(at("insecure").querySelector(".trouble").textContent);
      },
    );
    const before = navigator.serviceWorker.controller;
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      if (before) Collect.notice(say("update"));
    });
    await Collect.refresh();
    Collect.page("list");
    document.body.dataset.ready = "yes";
    document.addEventListener("collect:news", Collect.refresh);
    at("new-matter").addEventListener("click", () => Collect.write("matter"));
    at("new-meeting").addEventListener("click", () => Collect.write("meeting"));
    at("send").addEventListener("click", () => Collect.deliver());
    at("sign-out").addEventListener("click", leave);
    at("clear").addEventListener("click", async () => {
      for (const draft of (await Collect.drafts()).mine) {
        if (draft.state === "arrived" && draft.photos.length === 0) await Collect.drop(draft.id);
      }
      await Collect.refresh();
    });
    window.addEventListener("online", () => Collect.deliver());
    document.addEventListener("visibilitychange", async () => {
      if (document.visibilityState !== "visible") return;
      // Somebody may have signed out on another page meanwhile.
      if (at("matter").hidden && at("meeting").hidden) await Collect.wake();
      await Collect.refresh();
      Collect.deliver();
    });
    storage();
    await Collect.deliver();
  };
  begin();
})();
