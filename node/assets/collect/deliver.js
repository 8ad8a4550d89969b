// The collector's page, part four: to the village.
//
// Every draft has a random key of its own, made when it was begun; it goes along as the Idempotency-Key. What is sent
// is fixed and on the phone before it is sent, so that sending again after a lost answer sends the same, and the
// node answers it once more instead of doing it twice. A draft is struck off only when the node said that it has it:
// its answer comes after its disk.
//
//   writing → here → (sent, no answer yet: unsure) → arrived
//                        └→ refused → mended → here
(() => {
  const PATIENCE_MS = 60_000;
  /// A node that is there says who is signed in at once; one that is not leaves a phone waiting.
  const HELLO_MS = 10_000;
  const AGAIN_MS = 60_000;
  const BUSY = new Set([408, 425, 429, 500, 502, 503, 504]);

  /// Asks the node. `{ away }` when nobody answered.
  Collect.ask = async (method, path, { body, headers = {}, within = PATIENCE_MS } = {}) => {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), within);
    try {
      const answer = await fetch(path, { method, body, headers, signal: patience.signal, cache: "no-store", redirect: "error" });
      const text = await answer.text();
      let said = {};
      try {
        said = text ? JSON.parse(text) : {};
      } catch {
        // Not our node: the sign-in page of some Wi-Fi, a proxy's words.
        return { away: true };
      }
      return { ok: answer.ok, status: answer.status, said };
    } catch {
      return { away: true };
    } finally {
      clearTimeout(timer);
    }
  };
  const post = (path, key, body, type = "application/json") =>
    Collect.ask("POST", path, { body, headers: { "content-type": type, "idempotency-key": `phone-${key}` } });

  /// Works on a draft unless another page, or the form on this one, has it open.
  Collect.holding = (id, work) =>
    navigator.locks.request(`yishi-draft-${id}`, { ifAvailable: true }, (lock) => (lock ? work() : "passed"));

  const news = { link: "unknown", session: "unknown", busy: false, done: 0, all: 0, words: "" };
  Collect.news = () => news;
  const tell = (change) => {
    Object.assign(news, change);
    document.dispatchEvent(new Event("collect:news"));
  };

  /// Who is signed in, as the node says; what it says is kept for when it cannot be asked.
  Collect.hello = async () => {
    if (await Collect.fact("leaving")) {
      // Signed out here while the node was out of reach: the session ends now.
      const ended = await Collect.ask("DELETE", "/api/v1/session", { within: HELLO_MS });
      if (ended.away) return tell({ link: "away" });
      await Collect.note("leaving", null);
    }
    const heard = await Collect.ask("GET", "/collect/state", { within: HELLO_MS });
    if (heard.away || !heard.ok) return tell({ link: "away" });
    const { person, secret, ...node } = heard.said;
    await Collect.note("node", { ...node, ahead: Date.now() - node.now_ms });
    if (person) await Collect.greet({ person, name: node.name, may_handle: node.may_handle }, secret);
    tell({ link: "here", session: person ? "on" : "off" });
  };

  const told = (said) => (Collect.lang === "zh" ? said.detail_zh : said.detail) ?? said.detail ?? "";
  /// What an answer means: "arrived", "refused", "session", "later".
  const meaning = (answer) => {
    if (answer.away) return "later";
    if (answer.ok) return "arrived";
    if (answer.status === 401) return "session";
    if (BUSY.has(answer.status) || answer.said.code === "under_way") return "later";
    return "refused";
  };

  /// The day it was raised: as written, else the day of writing, put right by how wrong this phone's clock is.
  const dayOf = (draft, node) => {
    const day = draft.day || Collect.dayOf(draft.at - (node?.ahead ?? 0));
    return node?.today && day > node.today ? node.today : day;
  };
  const payload = (draft, node, meeting) => {
    const paragraphs = [draft.body.trim()];
    const asked = { channel: draft.channel || "home_visit", raised_on: dayOf(draft, node) };
    if (draft.kind === "meeting") {
      asked.title = Collect.say("meetingTitle", { place: draft.place.trim() || Collect.say("meetingNowhere") });
      asked.channel = "courtyard";
      if (draft.people) paragraphs.unshift(Collect.say("meetingPeople", { n: draft.people }));
      if (paragraphs.join("").trim() === "") paragraphs[0] = asked.title;
      // Who was there is named nowhere but in the sealed part.
      if (draft.names?.trim()) asked.petitioner = { kind: "named", name: draft.names.trim() };
    } else {
      if (meeting?.number) paragraphs.push(Collect.say("raisedAt", { number: meeting.number }));
      if (draft.meeting) asked.channel = "courtyard";
      if (draft.category) asked.category = draft.category;
      const { kind, name, phone, address } = draft.petitioner ?? {};
      const who = Object.fromEntries(Object.entries({ kind, name, phone, address }).filter(([, v]) => v?.trim()));
      if (Object.keys(who).length > 0) asked.petitioner = who;
      if (draft.settled?.trim()) {
        // Who may not close a matter writes down what was done; the clerk closes it.
        if (Collect.me().may_handle) Object.assign(asked, { settle: draft.settled.trim(), told: true });
        else paragraphs.push(Collect.say("settledNote", { text: draft.settled.trim() }));
      }
    }
    return JSON.stringify({ body: paragraphs.join("\n"), ...asked });
  };

  const text = async (draft, node, meeting) => {
    draft.payload ??= payload(draft, node, meeting);
    await Collect.keep({ ...draft, state: "unsure" });
    const answer = await post("/api/v1/matters", draft.key, draft.payload);
    const meant = meaning(answer);
    if (meant === "arrived" || answer.said?.code === "done_before") {
      // It is there: what was written leaves the phone, but for its first words.
      const { id, number = "", check_code: check = "" } = answer.said;
      const { body, place, names, petitioner, settled, payload: sent, reason, ...kept } = draft;
      const title = Collect.snippet(draft.kind === "meeting" ? place || body : body, Collect.lang === "zh" ? 14 : 32);
      await Collect.keep({ ...kept, state: "arrived", matter: id, number, check, title, body: "" });
      return "arrived";
    }
    if (meant === "refused") {
      const { payload: sent, ...mended } = draft;
      await Collect.keep({ ...mended, state: "refused", reason: told(answer.said) });
    } else {
      await Collect.keep({ ...draft, state: "unsure" });
    }
    return meant;
  };

  const photos = async (draft) => {
    for (const photo of [...draft.photos]) {
      const blob = await Collect.photo(photo);
      const answer = blob
        ? await post(`/api/v1/matters/${draft.matter}/attachments`, photo, blob, blob.type)
        : { ok: true };
      const meant = meaning(answer);
      if (meant === "session" || meant === "later") return meant;
      if (meant === "refused") {
        // A node whose program is older takes no photos yet: they wait.
        const none = answer.said.code === "no_such_address" || answer.status === 405;
        await Collect.keep({ ...draft, photoTrouble: none ? "none" : told(answer.said) });
        return "refused";
      }
      draft.photos = draft.photos.filter((p) => p !== photo);
      draft.photosArrived = (draft.photosArrived ?? 0) + 1;
      delete draft.photoTrouble;
      await Collect.keep(draft);
      await Collect.dropPhoto(photo);
    }
    return "arrived";
  };

  /// The meeting names what was raised at it, once all of it is there.
  const linked = async (meeting, items) => {
    if (meeting.linked || items.length === 0 || items.some((i) => i.state !== "arrived" || !i.number)) return "arrived";
    const words = Collect.say("meetingItems", { numbers: items.map((i) => i.number).reverse().join("、") });
    const body = (meeting.payload ??= JSON.stringify({ act: "comment", text: words }));
    await Collect.keep(meeting);
    const meant = meaning(await post(`/api/v1/matters/${meeting.matter}/acts`, `${meeting.key}-c`, body));
    if (meant === "arrived" || meant === "refused") await Collect.keep({ ...meeting, linked: true });
    return meant;
  };

  const WAITING = new Set(["here", "unsure"]);
  /// What is still on the phone only.
  Collect.waiting = (drafts) => drafts.filter((d) => WAITING.has(d.state));
  Collect.photosWaiting = (drafts) =>
    drafts.filter((d) => d.state === "arrived" && d.matter && d.photos.length > 0);

  /// One draft, looked at anew: it may have been opened for mending meanwhile.
  const one = async (id, node) => {
    const draft = await Collect.draft(id);
    if (!draft || !WAITING.has(draft.state)) return "passed";
    const meeting = draft.meeting ? await Collect.draft(draft.meeting) : null;
    // Without its meeting's number it waits for it.
    if (meeting && meeting.state !== "arrived") return "passed";
    return text(draft, node, meeting);
  };

  const round = async () => {
    const node = await Collect.fact("node");
    if (!node.may_report) return;
    const { mine } = await Collect.drafts();
    const waiting = Collect.waiting(mine).reverse();
    // A meeting goes before what was raised at it: that names its number.
    const order = [...waiting.filter((d) => d.kind === "meeting"), ...waiting.filter((d) => d.kind !== "meeting")];
    const pictures = mine.reduce((n, d) => n + (d.state === "locked" ? 0 : d.photos.length), 0);
    tell({ busy: true, done: 0, all: order.length, words: "" });
    for (const planned of order) {
      const meant = await Collect.holding(planned.id, () => one(planned.id, node));
      if (meant === "session") return tell({ session: "off" });
      if (meant === "later") return tell({ words: Collect.say("later") });
      tell({ done: news.done + 1 });
    }
    const after = (await Collect.drafts()).mine;
    const withPhotos = Collect.photosWaiting(after).reverse();
    if (pictures > 0) tell({ done: 0, all: withPhotos.length, words: Collect.say("sendingPhotos") });
    for (const draft of withPhotos) {
      const meant = await photos(draft);
      if (meant === "session") return tell({ session: "off" });
      if (meant === "later") return tell({ words: Collect.say("later") });
      tell({ done: news.done + 1 });
    }
    for (const meeting of after.filter((d) => d.kind === "meeting" && d.state === "arrived" && d.matter)) {
      const meant = await linked(await Collect.draft(meeting.id), after.filter((d) => d.meeting === meeting.id));
      if (meant === "session") return tell({ session: "off" });
      if (meant === "later") return tell({ words: Collect.say("later") });
    }
    tell({ words: "" });
  };

  let again = 0;
  let next = null;
  /// Delivers what waits, if the node is there and its owner signed in. One page at a time does so; asked for
  /// during a round, one more follows.
  Collect.deliver = () => (next ??= navigator.locks.request("yishi-collect-deliver", async () => {
      next = null;
      clearTimeout(again);
      try {
        await Collect.hello();
        if (news.link === "here" && news.session === "on") await round();
      } catch (trouble) {
        tell({ words: Collect.troubled(trouble) });
      } finally {
        tell({ busy: false });
        const { mine } = await Collect.drafts().catch(() => ({ mine: [] }));
        const left = Collect.waiting(mine).length + Collect.photosWaiting(mine).length;
        if (left > 0 && news.session !== "off") again = setTimeout(Collect.deliver, AGAIN_MS);
      }
    }));

  /// A failure of the phone in words.
  Collect.troubled = (trouble) =>
    trouble?.name === "QuotaExceededError" ? Collect.say("full") : Collect.say("phoneTrouble", { what: trouble?.name ?? "" });
})();
