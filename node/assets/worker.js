// The collector's page without a network: the page and its files, by a list this node wrote, and nothing else. No
// page with anything of anybody in it is kept here. What was written on the phone is the page's own business.
"use strict";
const CACHE = `yishi-collect-${BUILD}`;
const PAGE = "/collect";

self.addEventListener("install", (event) => {
  // All or nothing: half a page is worse than the old one. Asked for without a cookie: the same for everybody.
  const fetched = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(FILES.map((file) => new Request(file, { cache: "reload", credentials: "omit" })));
    await self.skipWaiting();
  };
  event.waitUntil(fetched());
});

self.addEventListener("activate", (event) => {
  const taken = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("yishi-collect-") && name !== CACHE) await caches.delete(name);
    }
    await self.clients.claim();
  };
  event.waitUntil(taken());
});

/// Signed out on another page: the key and what was delivered leave the phone; what was not delivered stays, locked.
const wiped = () =>
  new Promise((done) => {
    const request = indexedDB.open("yishi-collect");
    request.onupgradeneeded = () => request.transaction.abort();
    request.onerror = done;
    request.onsuccess = () => {
      const db = request.result;
      const tx = db.transaction(["drafts", "photos", "keys", "facts"], "readwrite");
      tx.oncomplete = tx.onabort = () => (db.close(), done());
      tx.objectStore("keys").clear();
      tx.objectStore("facts").delete("me");
      const [drafts, photos] = [tx.objectStore("drafts"), tx.objectStore("photos").index("draft")];
      drafts.getAll().onsuccess = (event) => {
        for (const { id } of event.target.result.filter((d) => d.state === "arrived")) {
          photos.count(id).onsuccess = (left) => left.target.result === 0 && drafts.delete(id);
        }
      };
    };
  });

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (request.method !== "GET") {
      if (url.pathname === "/logout") event.waitUntil(wiped());
      return;
    }
    if (url.pathname === PAGE) {
      const lang = url.searchParams.get("lang");
      const kept = lang === "zh" || lang === "en" ? `${PAGE}?lang=${lang}` : PAGE;
      event.respondWith(caches.match(kept, { cacheName: CACHE, ignoreVary: true }).then((page) => page ?? fetch(request)));
      return;
    }
    // Any other page without a network: to the one that opens.
    event.respondWith(fetch(request).catch(() => Response.redirect(`${PAGE}?away=${encodeURIComponent(url.pathname)}`)));
    return;
  }
  if (request.method === "GET" && FILES.includes(url.pathname)) {
    event.respondWith(caches.match(url.pathname, { cacheName: CACHE, ignoreVary: true }).then((file) => file ?? fetch(request)));
  }
});
