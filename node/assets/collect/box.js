// The collector's page, part two: what is kept on this phone.
//
//   drafts  {id, owner, state, box}   what was written; everything about it but owner and state is in the box
//   photos  {id, draft, owner, box}   one photo
//   keys    owner → key               opens the boxes of whoever is signed in on this phone
//   facts   name → value              who that is, what the node last said
//
// A box is AES-GCM under a key that the node gives to its owner's session alone. The phone keeps it, so that
// the page opens cold without a network, and cannot hand it out (not extractable). When the owner signs out or
// somebody else signs in, the key is thrown away: what was not delivered stays, and nobody can read it on this
// phone until the owner signs in again.
(() => {
  const NAME = "yishi-collect";
  let opened = null;

  const of = (request) =>
    new Promise((done, failed) => {
      request.onsuccess = () => done(request.result);
      request.onerror = () => failed(request.error);
    });
  const base = () => {
    opened ??= new Promise((done, failed) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => {
        const db = request.result;
        db.createObjectStore("drafts", { keyPath: "id" }).createIndex("owner", "owner");
        db.createObjectStore("photos", { keyPath: "id" }).createIndex("draft", "draft");
        db.createObjectStore("keys");
        db.createObjectStore("facts");
      };
      request.onsuccess = () => {
        // Another page of a newer program wants to change the stores: let it.
        request.result.onversionchange = () => request.result.close();
        done(request.result);
      };
      request.onerror = () => failed(request.error);
    });
    return opened;
  };
  /// One transaction: durable when this resolves.
  const within = async (stores, mode, work) => {
    const tx = (await base()).transaction(stores, mode, { durability: "strict" });
    const ended = new Promise((done, failed) => {
      tx.oncomplete = done;
      tx.onerror = () => failed(tx.error);
      tx.onabort = () => failed(tx.error ?? new DOMException("aborted", "AbortError"));
    });
    // A failure shows at the end of the transaction; it is not reported twice.
    ended.catch(() => {});
    const result = await work(...stores.map((s) => tx.objectStore(s)));
    await ended;
    return result;
  };

  Collect.fact = (name) => within(["facts"], "readonly", (facts) => of(facts.get(name)));
  Collect.note = (name, value) =>
    within(["facts"], "readwrite", (facts) => of(value === null ? facts.delete(name) : facts.put(value, name)));

  let me = null;
  let key = null;
  /// Who works on this phone now; nobody before the first sign-in and after signing out.
  Collect.me = () => me;
  Collect.wake = async () => {
    me = (await Collect.fact("me")) ?? null;
    key = me ? ((await within(["keys"], "readonly", (keys) => of(keys.get(me.person)))) ?? null) : null;
    if (!key) me = null;
    return me;
  };
  const hex = (bytes) => [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, "0")).join("");
  /// Somebody is signed in: their key comes, anybody else's goes.
  Collect.greet = async (who, secret) => {
    const bytes = Uint8Array.from(secret.match(/../g), (pair) => parseInt(pair, 16));
    const mark = hex(await crypto.subtle.digest("SHA-256", bytes)).slice(0, 16);
    const known = { ...who, mark };
    const same = me?.person === who.person;
    if (same && me.mark === mark) {
      await Collect.note("me", known);
      me = known;
      return;
    }
    const fresh = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
    // The same person under another key: the place moved to another machine. What lies here moves along.
    const moved = same ? await Promise.all([relocked("drafts", fresh), relocked("photos", fresh)]) : [[], []];
    await within(["drafts", "photos", "keys", "facts"], "readwrite", async (drafts, photos, keys, facts) => {
      for (const draft of moved[0]) await of(drafts.put(draft));
      for (const photo of moved[1]) await of(photos.put(photo));
      await of(keys.clear());
      await of(keys.put(fresh, who.person));
      await of(facts.put(known, "me"));
    });
    [me, key] = [known, fresh];
  };
  const relocked = async (store, fresh) => {
    const all = await within([store], "readonly", (rows) => of(rows.getAll()));
    const done = [];
    for (const row of all.filter((r) => r.owner === me.person)) {
      try {
        done.push({ ...row, box: await sealed(await unsealed(row.box), fresh) });
      } catch {
        // Locked before: it stays so.
      }
    }
    return done;
  };
  /// Signs out on this phone: the key and what was delivered go, what was not stays locked.
  Collect.leave = async ({ all = false } = {}) => {
    const owner = me?.person;
    await within(["drafts", "photos", "keys", "facts"], "readwrite", async (drafts, photos, keys, facts) => {
      for (const draft of await of(drafts.getAll())) {
        if (draft.owner !== owner) continue;
        const pictures = await of(photos.index("draft").getAllKeys(draft.id));
        // Arrived, and its photos too.
        if (!all && (draft.state !== "arrived" || pictures.length > 0)) continue;
        await of(drafts.delete(draft.id));
        for (const photo of pictures) await of(photos.delete(photo));
      }
      await of(keys.clear());
      await of(facts.delete("me"));
    });
    [me, key] = [null, null];
  };

  const sealed = async (bytes, under = key) => {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, under, bytes) };
  };
  const unsealed = (box) => crypto.subtle.decrypt({ name: "AES-GCM", iv: box.iv }, key, box.data);

  /// Keeps a draft; it is on the phone when this resolves.
  Collect.keep = async (draft) => {
    const { id, owner, state, ...inside } = draft;
    // Somebody else signed in meanwhile: sealed for them, its owner could not open it.
    if (owner !== me?.person) throw new DOMException("another person is signed in", "OwnerChanged");
    const box = await sealed(new TextEncoder().encode(JSON.stringify(inside)));
    await within(["drafts"], "readwrite", (drafts) => of(drafts.put({ id, owner, state, box })));
    return draft;
  };
  const read = async ({ id, owner, state, box }) => {
    try {
      return { id, owner, state, ...JSON.parse(new TextDecoder().decode(await unsealed(box))) };
    } catch {
      // Written under a key the node no longer gives: shown as locked, never thrown away.
      return { id, owner, state: "locked", at: 0, body: "", photos: [] };
    }
  };
  Collect.draft = async (id) => {
    const found = await within(["drafts"], "readonly", (drafts) => of(drafts.get(id)));
    return found && found.owner === me?.person ? read(found) : null;
  };
  /// My drafts, newest first; and how many of somebody else's are not delivered.
  Collect.drafts = async () => {
    const all = await within(["drafts"], "readonly", (drafts) => of(drafts.getAll()));
    const mine = await Promise.all(all.filter((d) => d.owner === me?.person).map(read));
    mine.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
    const others = all.filter((d) => d.owner !== me?.person && d.state !== "arrived").length;
    return { mine, others };
  };
  Collect.drop = (id) =>
    within(["drafts", "photos"], "readwrite", async (drafts, photos) => {
      await of(drafts.delete(id));
      for (const photo of await of(photos.index("draft").getAllKeys(id))) await of(photos.delete(photo));
    });

  Collect.keepPhoto = async (draft, blob) => {
    const photo = { id: Collect.fresh(), draft: draft.id, owner: draft.owner };
    photo.box = await sealed(await blob.arrayBuffer());
    await within(["photos"], "readwrite", (photos) => of(photos.put(photo)));
    return photo.id;
  };
  Collect.photo = async (id) => {
    const found = await within(["photos"], "readonly", (photos) => of(photos.get(id)));
    return found ? new Blob([await unsealed(found.box)], { type: "image/jpeg" }) : null;
  };
  Collect.dropPhoto = (id) => within(["photos"], "readwrite", (photos) => of(photos.delete(id)));
})();
