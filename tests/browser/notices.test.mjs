// What comes down and what is opened: the district offers a resource, the village reads it beside its matter; the
// district opens a village's matter it knows only in summary, and all see who did and why.
import { after, before, describe, test } from "node:test";
import { open, Visit } from "./browser.mjs";
import { Federation, PEOPLE, until } from "./federation.mjs";
import { WORDS } from "./words.mjs";

const WAYS = [
  { lang: "zh", size: "phone", script: false },
  { lang: "zh", size: "desk", script: true },
  { lang: "en", size: "desk", script: true, dark: true },
];
const SAYS = {
  zh: { notices: "通知", give: "发通知", sort: "种类", resource: "可用资源", head: "标题", words: "内容", category: "类别", show: "先看发给谁", reaches: "将发到", apply: "发出", given: "已发出", recall: "收回", why: "收回的理由", recalled: "已收回", dashboard: "看板", all: "全部等答复的", stubWhy: "调阅理由", stubOpen: "调阅", asked: "已调阅", here: "已到本级", same: "登记表和经签名的原件一致", see: "查看事项", opened: "上级调阅", offered: "可用的资源" },
  en: { notices: "Notices", give: "Give notice", sort: "Sort", resource: "Resource on offer", head: "Title", words: "Words", category: "Category", show: "Show whom it reaches", reaches: "It reaches", apply: "Give it", given: "Given.", recall: "Take it back", why: "Why it is taken back", recalled: "Taken back", dashboard: "Dashboard", all: "All that wait", stubWhy: "Why it is opened", stubOpen: "Open it", asked: "opened; it comes", here: "it is here", same: "The register agrees with the signed matter", see: "See the matter", opened: "Opened from above", offered: "Resources on offer" },
};

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

for (const [round, way] of WAYS.entries()) {
  const say = { ...WORDS[way.lang], ...SAYS[way.lang] };
  describe(`${way.lang}, ${way.size}, ${way.script ? "with" : "without"} scripts`, () => {
    const title = `水利补助第${round + 1}批`;
    const body = `第${round + 1}条渠漏水，田里浇不上。`;

    test("a notice is shown first, given, read below and taken back", async () => {
      const { village, district } = federation.nodes;
      const official = await Visit.begin(browser, district, way);
      const clerk = await Visit.begin(browser, village, way);
      try {
        const matter = await village.call("POST", "/matters", { body, category: "水利" });
        await official.signIn(PEOPLE.official, say);
        await official.follow(say.notices);
        await official.follow(say.give);
        await official.choose(say.sort, say.resource);
        await official.fill(say.head, title);
        await official.fill(say.words, "每处最多两万元，先报先得。");
        await official.fill(say.category, "水利");
        await official.press(say.show);
        await official.sees(say.reaches, title);
        await official.press(say.apply);
        await official.sees(say.given, title);
        await clerk.signIn(PEOPLE.clerk, say);
        await clerk.awaits("/notices", title);
        // It stands beside a matter of its category.
        await clerk.awaits(`/m/${encodeURIComponent(matter.number)}`, title);
        await clerk.sees(say.offered);
        await official.follow(title);
        await official.unfold(say.recall);
        await official.fill(say.why, "资金已用完");
        await official.press(say.recall);
        await official.sees(say.recalled, "资金已用完");
        await until("the village to hear that it was taken back", async () => {
          await clerk.page.goto("/notices");
          return !(await clerk.text()).includes(title);
        });
      } finally {
        await official.end();
        await clerk.end();
      }
    });

    test("a matter below is opened on record and agrees with its summary", async () => {
      const { village, district } = federation.nodes;
      const { number } = await village.call("POST", "/matters", { body: `低保名单第${round + 1}次没有公示。` });
      const official = await Visit.begin(browser, district, way);
      const clerk = await Visit.begin(browser, village, way);
      try {
        await official.signIn(PEOPLE.official, say);
        await official.awaits("/dashboard/list?view=waiting", number);
        await official.follow(number);
        await official.seesNot("没有公示");
        await official.fill(say.stubWhy, "督查低保公示");
        await official.press(say.stubOpen);
        const stub = official.page.url();
        await official.awaits(stub, say.here);
        await official.sees(say.same, "督查低保公示");
        await official.follow(say.see);
        await official.sees("没有公示");
        await clerk.signIn(PEOPLE.clerk, say);
        await clerk.awaits(`/m/${encodeURIComponent(number)}`, say.opened);
        await clerk.sees("督查低保公示", "青白江区");
      } finally {
        await official.end();
        await clerk.end();
      }
    });
  });
}
