// The dashboard of a real district over a township and two villages, and of the township over its villages: as the
// people who look after others see it, at 360 and 1280 px, by day and by night, with and without scripts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { open, SIZES, Visit } from "./browser.mjs";
import { Federation, PEOPLE, until } from "./federation.mjs";
import { WORDS } from "./words.mjs";

SIZES.narrow = { width: 360, height: 780 };
const WAYS = [
  { lang: "zh", size: "narrow", script: false },
  { lang: "zh", size: "narrow", script: true, dark: true },
  { lang: "zh", size: "desk", script: true },
  { lang: "en", size: "desk", script: true, dark: true },
];
const SAYS = {
  zh: { nav: "看板", waits: "等答复最久的", map: "哪里、哪一周到期的没有办", all: "全部等答复的", stub: "本级只见摘要", back: "回到看板", heard: "听到 2/2 个村", more: "更多：每周的数" },
  en: { nav: "Dashboard", waits: "Waiting longest for a reply", map: "What is overdue, by place and by the week it was due", all: "All that wait", stub: "only its summary is seen here", back: "Back to the dashboard", heard: "heard from 2 of 2 villages", more: "More: the figures of each week" },
};

let federation;
let browser;
const raised = [];
before(async () => {
  federation = await Federation.start();
  browser = await open();
  const { village, neighbour, district } = federation.nodes;
  for (const [node, body, category] of [[village, "村口涵洞积水，过不去。", "水利"], [neighbour, "路灯不亮。", "照明"], [village, "机耕道塌方。", "道路"]]) {
    raised.push((await node.call("POST", "/matters", { body, category })).number);
  }
  // Within half a minute the township says of whom it has heard.
  await until("the district to hear from both villages", async () => {
    const text = await page(district, "/dashboard");
    return text.includes("听到 2/2") && raised.every((number) => text.includes(number));
  });
});
after(async () => {
  await browser?.close();
  await federation?.stop();
});

/// A page as the machine's own administrator gets it.
async function page(node, path) {
  const { request } = await import("node:http");
  return new Promise((done, failed) => {
    const sent = request({ socketPath: node.socket, path, headers: { "accept-language": "zh" } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part)).on("end", () => done(text));
    });
    sent.on("error", failed);
    sent.end();
  });
}

for (const way of WAYS) {
  const say = { ...WORDS[way.lang], ...SAYS[way.lang] };
  describe(`${way.lang}, ${SIZES[way.size].width} px, ${way.dark ? "dark" : "light"}, ${way.script ? "with" : "without"} scripts`, () => {
    for (const [who, person] of [["the district", PEOPLE.official], ["the township", PEOPLE.handler]]) {
      test(`${who} sees what waits, and opens it`, async () => {
        const visit = await Visit.begin(browser, federation.nodes[person.at], way);
        try {
          await visit.signIn(person, say);
          await visit.follow(say.nav);
          await visit.sees(say.waits, say.map, say.heard, ...raised);
          await visit.unfold(say.more);
          await visit.look();
          // What has waited longest stands on the screen without scrolling.
          const box = await visit.page.locator("#longest li").first().boundingBox();
          assert.ok(box && box.y + box.height <= SIZES[way.size].height, `the longest wait begins at ${box?.y}`);
          await visit.follow(say.all);
          await visit.sees(...raised);
          if (person === PEOPLE.official) await visit.sees(say.stub);
          await visit.follow(say.back);
          await visit.sees(say.waits);
        } finally {
          await visit.end();
        }
      });
    }
    test("a village has none", async () => {
      const visit = await Visit.begin(browser, federation.nodes.village, way);
      try {
        await visit.signIn(PEOPLE.clerk, say);
        assert.equal(await visit.page.getByRole("link", { name: say.nav, exact: true }).count(), 0);
      } finally {
        await visit.end();
      }
    });
  });
}
