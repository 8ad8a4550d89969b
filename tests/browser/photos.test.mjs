// Photos: chosen on a telephone or at a desk, with and without the script; refused in words; seen above, and said
// to be there. A federation of its own, real nodes, a real browser: see federation.mjs and browser.mjs.
// YISHI_PICTURES=DIR leaves a picture of every page with photos.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { deflateSync } from "node:zlib";
import { open, Visit } from "./browser.mjs";
import { Federation, PEOPLE, until } from "./federation.mjs";
import { WORDS } from "./words.mjs";

const SAY = {
  zh: { smaller: "照片已缩小", none: "不是照片", again: "不用再选", photos: "照片", above: "上级已存", choose: "选照片", add: "放照片", save: "放上", count: "唱票、计票", caption: "说明（可不填）", about: "照片上是什么", noneChosen: "没有选照片" },
  en: { smaller: "Made smaller", none: "The file is no photo", again: "no need to choose them again", photos: "Photos", above: "Kept above", choose: "Choose photos", add: "Add photos", save: "Add", count: "Votes being counted", caption: "What to write under them (optional)", about: "What they show", noneChosen: "No photo was chosen" },
};

const crcOf = (bytes) => {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
};
const chunk = (name, body) => {
  const named = Buffer.concat([Buffer.from(name), body]);
  const [len, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
  len.writeUInt32BE(body.length);
  crc.writeUInt32BE(crcOf(named));
  return Buffer.concat([len, named, crc]);
};

/// A picture with sky, field and some noise, as large as a telephone makes them, and where it was taken.
const picture = (width, height) => {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  let noise = 7;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      noise = (noise * 1103515245 + 12345) & 0x7fffffff;
      const grain = (noise >> 16) % 12;
      const at = y * (1 + 3 * width) + 1 + 3 * x;
      const road = Math.abs(x - width / 2) < (y - height / 2) * 0.6;
      const [r, g, b] = y < height / 2 ? [150, 180, 215] : road ? [120, 115, 110] : [96, 140, 70];
      rows.set([r + grain, g + grain, b + grain], at);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("tEXt", Buffer.from("Location\0GPS 30.8795")),
    chunk("IDAT", deflateSync(rows, { level: 1 })), chunk("IEND", Buffer.alloc(0)),
  ]);
};
const png = (name, buffer) => ({ name, mimeType: "image/png", buffer });
const LARGE = png("IMG_2026.png", picture(2000, 1500));
const SMALL = png("small.png", picture(320, 240));
const NONE = png("页面.png", Buffer.from("<html><script>alert(1)</script>"));

let federation;
let browser;
before(async () => {
  federation = await Federation.start();
  browser = await open();
});
after(async () => {
  await browser?.close();
  await federation?.stop();
});

async function at(way, person, work) {
  const visit = await Visit.begin(browser, federation.nodes[person.at], way);
  try {
    await visit.signIn(person, WORDS[way.lang]);
    await work(visit, SAY[way.lang], WORDS[way.lang]);
  } finally {
    await visit.end();
  }
}
async function keep(v, name) {
  if (!process.env.YISHI_PICTURES) return;
  await v.page.screenshot({ path: join(process.env.YISHI_PICTURES, `photos.${name}.png`), fullPage: true });
}
/// Every picture on the page has come and is one.
const seen = (v) =>
  until("the pictures to come", () =>
    v.page.evaluate(async () => {
      const all = [...document.querySelectorAll("main img")];
      all.forEach((i) => i.scrollIntoView());
      return all.length > 0 && all.every((i) => i.complete && i.naturalWidth > 0) && all.map((i) => i.naturalWidth);
    }),
  );

test("a photo is made smaller, registered with the matter, and stored above", async () => {
  const way = { lang: "zh", size: "phone", script: true };
  let address;
  await at(way, PEOPLE.clerk, async (v, say, words) => {
    await v.go("/new");
    await v.fill(words.said, "村口涵洞又积水了，有照片。");
    await v.page.setInputFiles("input[data-photos]", [LARGE, SMALL]);
    await v.page.getByText(say.smaller).waitFor();
    await keep(v, "new.zh.phone");
    await v.press(words.register);
    await v.sees(words.registered);
    await v.follow(words.openMatter);
    address = new URL(v.page.url()).pathname;
    assert.deepEqual((await seen(v)).sort(), [1600, 320]);
    await v.look();
    await keep(v, "matter.zh.phone");
    await v.awaits(address, say.above);
    await seen(v);
    await keep(v, "stored.zh.phone");
  });
  const [matter] = (await federation.nodes.village.call("GET", "/matters")).items;
  const { attachments } = await federation.nodes.village.call("GET", `/matters/${matter.id}`);
  const large = attachments.find((a) => a.kind === "jpeg");
  assert.ok(large.size < LARGE.buffer.length / 4, `${large.size} of ${LARGE.buffer.length}`);
  await at({ lang: "en", size: "desk", script: true, dark: true }, PEOPLE.handler, async (v, say) => {
    await v.go(address);
    await v.sees(say.photos);
    assert.equal((await seen(v)).length, 2);
    await keep(v, "above.en.desk.dark");
  });
});

test("without the script, what is no photo is named and nothing typed is lost", async () => {
  for (const way of [{ lang: "zh", size: "phone", script: false }, { lang: "en", size: "desk", script: false }]) {
    await at(way, PEOPLE.collector, async (v, say, words) => {
      await v.go("/new");
      await v.fill(words.said, "路灯不亮，请修。");
      await v.page.setInputFiles("input[data-photos]", [NONE, SMALL]);
      await v.press(words.register);
      await v.sees(say.none, say.again);
      assert.equal(await v.label(words.said).inputValue(), "路灯不亮，请修。");
      await keep(v, `refused.${way.lang}.${way.size}`);
      await v.press(words.register);
      await v.sees(words.registered);
      await v.follow(words.openMatter);
      await v.sees(say.photos);
      await v.unfold(say.add);
      await v.press(say.save);
      await v.sees(say.noneChosen);
      await v.choose(say.about, say.count);
      await v.fill(say.caption, "三组唱票");
      await v.page.setInputFiles("input[data-photos]", [png("votes.png", picture(300, way.size === "desk" ? 200 : 220))]);
      await v.press(say.save);
      await v.sees("三组唱票", say.count);
      await keep(v, `added.${way.lang}.${way.size}`);
    });
  }
});
