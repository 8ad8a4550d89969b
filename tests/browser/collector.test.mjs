// A collector's week: signed in once on the village's Wi-Fi, out to the houses with no network at all, the phone
// switched off by force, home again. A real node, a real browser with a profile on disk; between the two a door
// that can be shut (village-wifi.mjs).
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { checkServerIdentity, connect } from "node:tls";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";
import { open, Visit } from "./browser.mjs";
import { Federation, PASSWORD, PEOPLE, until } from "./federation.mjs";
import { Wifi } from "./village-wifi.mjs";
import { WORDS } from "./words.mjs";

const PHONE = { width: 360, height: 740 };
const SAY = {
  write: "记一件事", meet: "记一场坝坝会", said: "群众说了什么", done: "记好了", back: "返回", send: "现在送", name: "姓名（密封）", phone: "电话（密封）",
  place: "在哪儿开的", people: "来了多少人", names: "谁来了（密封）", talk: "会上说了什么、议定了什么", item: (n) => `第 ${n} 件`, add: "再加一件",
};
let federation;
let village;
let wifi;
let profile;
let phone;

/// Switches the phone on: a browser with what its profile holds, and nothing else.
async function on({ away = false, lang = "zh" } = {}) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"], baseURL: wifi.pages,
    locale: lang === "zh" ? "zh-CN" : "en-GB", timezoneId: "Asia/Shanghai", viewport: PHONE, isMobile: true, hasTouch: true,
  });
  context.setDefaultTimeout(20_000);
  if (away) await context.setOffline(true);
  const visit = new Visit();
  Object.assign(visit, { context, node: { pages: wifi.pages, name: "phone" }, lang, script: true, page: context.pages()[0] ?? (await context.newPage()), strange: [] });
  visit.page.on("pageerror", (e) => visit.strange.push(String(e)));
  // Chromium puts its process id into the profile.
  visit.pid = Number(readlinkSync(join(profile, "SingletonLock")).split("-").pop());
  phone = visit;
  return visit;
}
/// By force, as when the battery falls out.
async function killed() {
  process.kill(phone.pid, "SIGKILL");
  await phone.context.close().catch(() => {});
  await pause(300);
}
const ready = async (v) => {
  await v.page.waitForSelector("body[data-ready=yes]");
  await v.page.waitForSelector("#list:not([hidden])");
};
const opened = async (v, address = "/collect") => {
  await v.page.goto(address);
  await ready(v);
};
const tap = (v, words) => v.page.getByRole("button", { name: words, exact: true }).filter({ visible: true }).first().click();
const rows = (v, state) => v.page.locator(`#drafts > li${state ? `[data-state=${state}]` : ""}`);
async function signIn(v, person = PEOPLE.collector) {
  await v.page.goto("/login?back=/collect");
  await v.fill("账号", person.name);
  await v.fill("密码", PASSWORD);
  await tap(v, "登录");
  await ready(v);
  await v.page.getByText(`${person.shown}，记下的都算您的`).waitFor();
}
/// A photo of 3000 by 2000 points, as a camera makes it, with a place in its EXIF.
async function picture(v, n) {
  const bytes = await v.page.evaluate(async (n) => {
    const canvas = new OffscreenCanvas(3000, 2000);
    const pen = canvas.getContext("2d");
    pen.fillStyle = `hsl(${n * 37} 60% 50%)`;
    pen.fillRect(0, 0, 3000, 2000);
    pen.fillStyle = "#fff";
    pen.font = "400px sans-serif";
    pen.fillText(String(n), 800, 1200);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer())];
  }, n);
  const tiff = Buffer.from("Exif\0\0MM\0*GPS 30.87N 104.25E secret place", "latin1");
  const app1 = Buffer.concat([Buffer.from([0xff, 0xe1, 0, tiff.length + 2]), tiff]);
  const jpeg = Buffer.from(bytes);
  return { name: `IMG_${n}.jpg`, mimeType: "image/jpeg", buffer: Buffer.concat([jpeg.subarray(0, 2), app1, jpeg.subarray(2)]) };
}
async function write(v, words, { photo, name } = {}) {
  await tap(v, SAY.write);
  await v.fill(SAY.said, words);
  if (name) await v.fill(SAY.name, name);
  if (photo) {
    await v.page.locator("#matter input[name=album]").setInputFiles([photo]);
    await v.page.locator("#matter .thumbs canvas").waitFor();
  }
  await tap(v, SAY.done);
  await v.page.waitForSelector("#list:not([hidden])");
}
const here = async () => (await village.call("GET", "/matters?limit=500")).items;
const count = async (words) => (await here()).filter((m) => m.title.includes(words)).length;
const delivered = (v) => v.page.waitForFunction(() => !document.querySelector("#drafts > li:is([data-state=here], [data-state=unsure])"), null, { timeout: 120_000 });

before(async () => {
  federation = await Federation.start();
  village = federation.nodes.village;
  wifi = await Wifi.before(village);
  profile = mkdtempSync(join(tmpdir(), "yishi-phone"));
});
after(async () => {
  await phone?.context.close().catch(() => {});
  await wifi?.away().catch(() => {});
  await federation?.stop();
  rmSync(profile, { recursive: true, force: true });
});

test("without a script the page says what to do instead", async () => {
  const browser = await open();
  try {
    for (const lang of ["zh", "en"]) {
      const v = await Visit.begin(browser, { ...village, pages: wifi.pages }, { lang, size: "phone", script: false });
      await v.go("/collect");
      await v.sees(lang === "zh" ? "直接用“登记事项”" : "use “Register a matter”", "JavaScript");
      await v.follow(WORDS[lang].newMatter);
      await v.sees(WORDS[lang].signIn);
      await v.end();
    }
  } finally {
    await browser.close();
  }
});

test("a phone that took the certificate from /trust goes to this node without a warning, and to nobody else", async () => {
  const browser = await open();
  try {
    for (const way of [{ lang: "zh", size: "phone" }, { lang: "en", size: "desk", dark: true }, { lang: "zh", size: "phone", script: false }]) {
      const v = await Visit.begin(browser, village, way);
      await v.go("/trust");
      const shown = (await v.page.locator(".fingerprint").innerText()).replace(/\s/g, "");
      const answer = await v.page.request.get("/trust/yishi.crt");
      assert.equal(answer.headers()["content-type"], "application/x-x509-ca-cert");
      const root = new X509Certificate(await answer.body());
      assert.equal(root.fingerprint256.replaceAll(":", ""), shown);
      assert.ok(root.ca && root.verify(root.publicKey));
      const port = Number(/192\.168\.8\.1:(\d+)\/collect/.exec(await v.text())[1]);
      const pem = await (await v.page.request.get("/trust/yishi.pem")).text();
      const asked = (name) =>
        new Promise((done) => {
          const socket = connect({ host: "127.0.0.1", port, ca: pem, checkServerIdentity: (_, cert) => checkServerIdentity(name, cert) }, () => {
            socket.destroy();
            done("trusted");
          });
          socket.once("error", (e) => done(e.code ?? String(e)));
        });
      for (const name of ["192.168.8.1", "127.0.0.1", "localhost"]) assert.equal(await asked(name), "trusted");
      assert.equal(await asked("192.168.8.2"), "ERR_TLS_CERT_ALTNAME_INVALID");
      await v.end();
    }
    // On paper it is one sheet.
    const v = await Visit.begin(browser, village, {});
    await v.go("/trust");
    const pdf = await v.page.pdf({ format: "A4", preferCSSPageSize: true });
    assert.equal(pdf.toString("latin1").match(/\/Type\s*\/Page[^s]/g).length, 1);
    await v.end();
  } finally {
    await browser.close();
  }
});

test("signed in once, the page opens cold with no network and keeps thirty matters and a meeting through a kill", async () => {
  let v = await on();
  await opened(v);
  await v.sees("这部手机上没有人登录");
  assert.ok(await v.page.locator("#new-matter").isDisabled());
  await v.look();
  await signIn(v);
  await v.look();
  await v.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await v.context.close();

  await wifi.away();
  v = await on({ away: true });
  // From the home screen, and from a bookmark of another page.
  await opened(v);
  await v.page.goto("/");
  await ready(v);
  assert.equal(new URL(v.page.url()).pathname, "/collect");
  await v.sees("现在联不上村里", PEOPLE.collector.shown);
  await v.look();
  for (let n = 1; n <= 30; n += 1) {
    await write(v, `走访第${n}户：路灯不亮`, { photo: n % 3 === 0 ? await picture(v, n) : null, name: n === 3 ? "王小明" : null });
  }
  await tap(v, SAY.meet);
  await v.fill(SAY.place, "三组老槐树下");
  await v.fill(SAY.people, "41");
  await v.fill(SAY.names, "王小明、李大爷、刘桂芳");
  await v.fill(SAY.talk, "先说了上次的事，大家同意先修水渠。");
  await v.page.locator("#meeting input[name=camera]").setInputFiles([await picture(v, 99)]);
  await v.page.locator("#meeting .thumbs canvas").waitFor();
  await v.fill(SAY.item(1), "会上提：水渠垮了八米");
  await tap(v, SAY.add);
  await v.fill(SAY.item(2), "会上提：老井没有盖子");
  await v.look();
  await tap(v, SAY.done);
  await v.page.waitForSelector("#list:not([hidden])");
  // In the middle of a word.
  await tap(v, SAY.write);
  await v.look();
  await v.fill(SAY.said, "还没写完的一件");
  await v.page.getByText("已存在手机上").filter({ visible: true }).first().waitFor();
  await killed();

  v = await on({ away: true });
  await opened(v);
  assert.equal(await rows(v, "here").count(), 33);
  assert.equal(await rows(v, "writing").count(), 1);
  await v.sees("还没写完的一件", "走访第30户", "三组老槐树下", "还有 33 件在手机上");
  await v.look();
  // What lies on the disk is locked: no text of it in the clear.
  const clear = await v.page.evaluate(async () => {
    const db = await new Promise((done) => (indexedDB.open("yishi-collect").onsuccess = (e) => done(e.target.result)));
    const all = (store) => new Promise((done) => (db.transaction(store).objectStore(store).getAll().onsuccess = (e) => done(e.target.result)));
    return JSON.stringify([await all("drafts"), await all("photos")]);
  });
  assert.ok(!/王小明|路灯|水渠/.test(clear), "a draft lies open in the browser's store");
});

test("back on the Wi-Fi everything arrives once, though answers are lost and the session is over", async () => {
  const v = phone;
  // The session ended meanwhile.
  await v.context.clearCookies();
  let asked = 0;
  let shown = 0;
  wifi.lose = (request) => {
    if (request.method !== "POST") return false;
    if (request.url === "/api/v1/matters") return [2, 9, 20].includes((asked += 1));
    return request.url.endsWith("/attachments") && (shown += 1) === 4;
  };
  await wifi.back();
  await v.context.setOffline(false);
  await v.page.reload();
  await ready(v);
  await v.page.getByText("登录过期了").waitFor();
  assert.equal(await rows(v, "here").count(), 33);
  await v.look();
  await v.page.getByRole("link", { name: "登录", exact: true }).click();
  await v.fill("账号", PEOPLE.collector.name);
  await v.fill("密码", PASSWORD);
  await tap(v, "登录");
  await ready(v);
  for (let lost = 1; lost <= 3; lost += 1) {
    await until(`answer ${lost} to be lost`, () => wifi.lost >= lost);
    await v.page.getByText("再送不会变成两件").first().waitFor();
    await v.page.waitForSelector("#send:not([disabled])");
    await tap(v, SAY.send);
  }
  await delivered(v);
  await until("a photo's answer to be lost", () => wifi.lost >= 4);
  await v.page.waitForSelector("#send:not([disabled])");
  await v.sees("还有 1 张照片在手机上，没送到");
  await tap(v, SAY.send);
  await v.page.waitForFunction(() => !document.querySelector("#drafts > li[data-state=arrived]:not([data-photos='0'])"));
  assert.equal(wifi.lost, 4);
  await until("the list", async () => (await count("老井没有盖子")) > 0);
  for (let n = 1; n <= 30; n += 1) await until(`matter ${n}`, async () => (await count(`走访第${n}户`)) === 1);
  const all = await here();
  assert.equal(all.length, 33, all.map((m) => m.title).join("\n"));
  assert.equal(await rows(v, "arrived").count(), 33);
  assert.equal(await rows(v, "writing").count(), 1);
  const meeting = all.find((m) => m.title.includes("坝坝会："));
  await v.sees(`编号 ${meeting.number}`, `校验码 ${meeting.check_code}`);
  await v.look();
  // The meeting's matters say where they come from, and the meeting names them.
  const item = await village.call("GET", `/matters/${all.find((m) => m.title.includes("水渠")).id}`);
  assert.ok(item.body.includes(meeting.number), item.body);
  assert.equal(item.channel ?? "courtyard", "courtyard");
  const held = await village.call("GET", `/matters/${meeting.id}`);
  assert.ok(held.body.includes("到会 41 人") && !held.body.includes("李大爷"), held.body);
  await until("the meeting to name its matters", async () => {
    const { timeline } = await village.call("GET", `/matters/${meeting.id}`);
    const told = timeline.filter((t) => t.kind === "comment" && t.text.includes(item.number));
    assert.ok(told.length <= 1);
    return told.length === 1;
  });
  // Each photo once, smaller than the camera made it, without the place it was taken at.
  const files = [];
  for (const { id, title } of all) {
    const { attachments } = await village.call("GET", `/matters/${id}`);
    const n = Number(/走访第(\d+)户/.exec(title)?.[1] ?? 0);
    assert.equal(attachments.length, title.includes("坝坝会：") || (n > 0 && n % 3 === 0) ? 1 : 0, title);
    files.push(...attachments.map((a) => a.file));
  }
  assert.equal(new Set(files).size, 11);
  const photo = await v.page.evaluate(async (file) => {
    const answer = await fetch(`/api/v1/attachments/${file}`);
    const blob = await answer.blob();
    const { width, height } = await createImageBitmap(blob);
    return { width, height, text: new TextDecoder("latin1").decode(await blob.arrayBuffer()) };
  }, files[0]);
  assert.deepEqual([photo.width, photo.height], [1600, 1067]);
  assert.ok(!photo.text.includes("GPS") && !photo.text.includes("Exif"));
  // Who raised it is sealed, and nowhere on the list.
  const third = all.find((m) => m.title.includes("走访第3户"));
  assert.ok(!JSON.stringify(await village.call("GET", `/matters/${third.id}`)).includes("王小明"));
  assert.equal((await village.call("GET", `/matters/${third.id}/petitioner`)).name, "王小明");
});

test("what the village refuses says why, is mended and sent again", async () => {
  const v = phone;
  await tap(v, SAY.write);
  await v.fill(SAY.said, "日期写错的一件");
  // A guess, until somebody knows better.
  await v.fill(SAY.said, "机耕道的路面坏了，日期写错的一件");
  assert.equal(await v.label("类别").inputValue(), "道路");
  await v.sees("照说的话猜的");
  await v.page.locator("#matter input[name=category]").evaluate((f) => {
    f.removeAttribute("maxlength");
    f.value = "长".repeat(400);
    f.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await tap(v, SAY.done);
  await rows(v, "refused").first().waitFor();
  await v.sees("村里没有收下");
  assert.equal(await count("机耕道的路面坏了"), 0);
  await v.look();
  await tap(v, "改好再送");
  await v.look();
  await v.page.locator("#matter input[name=category]").fill("道路");
  await tap(v, SAY.done);
  await rows(v, "refused").first().waitFor({ state: "detached" });
  await delivered(v);
  await until("the mended matter", async () => (await count("机耕道的路面坏了")) === 1);
});

test("somebody else on the same phone sees that there is something, not what", async () => {
  const v = phone;
  await wifi.away();
  await v.context.setOffline(true);
  await write(v, "只有陈跑腿看得到的一件");
  // Opened in the settings, then signed out: asked first, kept locked.
  await v.unfold("关于这部手机");
  await tap(v, "退出");
  await v.page.getByText("件没有送到村里").or(v.page.getByText("件没送到村里")).first().waitFor();
  await v.look();
  await tap(v, "锁着留下，退出");
  await v.page.getByText("已从这部手机退出").waitFor();
  await v.seesNot("只有陈跑腿看得到");
  await wifi.back();
  await v.context.setOffline(false);
  await v.page.reload();
  await ready(v);
  await signIn(v, PEOPLE.clerk);
  await v.page.getByText("这部手机上还有别人没送出的 2 件").waitFor();
  await v.seesNot("只有陈跑腿看得到", "还没写完的一件");
  const keys = await v.page.evaluate(async () => {
    const db = await new Promise((done) => (indexedDB.open("yishi-collect").onsuccess = (e) => done(e.target.result)));
    return new Promise((done) => (db.transaction("keys").objectStore("keys").getAllKeys().onsuccess = (e) => done(e.target.result)));
  });
  assert.equal(keys.length, 1, "the first person's key is still on the phone");
  await v.look();
  assert.equal(await count("只有陈跑腿看得到"), 0);
  // Signing out on any other page takes the key too.
  await v.page.goto("/");
  await tap(v, "退出");
  await opened(v);
  await v.page.getByText("这部手机上没有人登录").waitFor();
  await signIn(v);
  await delivered(v);
  await until("the first person's matter", async () => (await count("只有陈跑腿看得到")) === 1);
  assert.equal(await rows(v, "writing").count(), 1);
});

test("a wrong clock, a full phone and no picture are said in plain words", async () => {
  const v = phone;
  await v.page.clock.install({ time: Date.now() + 3 * 86_400_000 });
  await opened(v);
  await v.page.getByText("手机时间比村里快 3 天").waitFor();
  await v.look();
  await write(v, "时钟快了三天的一件");
  await delivered(v);
  await until("its matter", async () => (await count("时钟快了三天")) === 1);
  const found = (await here()).find((m) => m.title.includes("时钟快了三天"));
  assert.equal(found.raised_on, (await village.call("GET", "/node")).today);
  await tap(v, SAY.write);
  await v.page.locator("#matter input[name=album]").setInputFiles([{ name: "notes.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") }]);
  await v.page.getByText("“notes.jpg”不是这部手机能打开的照片").waitFor();
  await v.page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await v.fill(SAY.said, "存不下了");
  await v.page.getByText("手机存储满了").filter({ visible: true }).first().waitFor();
  assert.equal(await v.label(SAY.said).inputValue(), "存不下了");
  await v.look();
});

test("another build of the page takes over by itself, and opens without a network too", async () => {
  await phone.context.close();
  const v = await on();
  await opened(v);
  const caches = () => v.page.evaluate(async () => (await caches.keys()).filter((k) => k.startsWith("yishi-collect-")));
  const [old] = await caches();
  // The node with another program: another list, byte for byte, and other words on the page.
  wifi.amend = (url, text) => {
    if (url === "/worker.js") return text.replace(/^const BUILD = "[^"]*"/, 'const BUILD = "newer"');
    return url.startsWith("/collect") && !url.startsWith("/collect/") ? text.replaceAll("记一件事", "记下一件") : text;
  };
  await v.page.reload();
  await ready(v);
  await until("the new worker", async () => String(await caches()) === "yishi-collect-newer");
  assert.notEqual(old, "yishi-collect-newer");
  await v.page.getByText("程序更新了").waitFor();
  await wifi.away();
  await v.context.setOffline(true);
  await opened(v);
  await v.page.getByRole("button", { name: "记下一件", exact: true }).waitFor();
  await opened(v, "/collect?lang=en");
  await v.page.getByText("The village cannot be reached now").waitFor();
  await v.look();
  await wifi.back();
  await v.context.setOffline(false);
});
