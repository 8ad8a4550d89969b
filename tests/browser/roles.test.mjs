// A day's work of each role on the pages, by visible words only, in the browsers people have: a phone without
// scripts, a desk with them, and once in English. The federation is real; see federation.mjs. What is found on
// each page on the way (contrast, names, labels, sizes) is in browser.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { open, Visit } from "./browser.mjs";
import { Federation, PEOPLE } from "./federation.mjs";
import { WORDS } from "./words.mjs";

const WAYS = [
  { title: "手机，不用脚本", lang: "zh", size: "phone", script: false },
  { title: "电脑", lang: "zh", size: "desk", script: true },
  { title: "English, at a desk in the dark", lang: "en", size: "desk", script: true, dark: true },
];
const TOWN = "姚渡";
const SECRETS = ["王小明", "13900000000"];

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

/// Runs `work` with somebody at a screen of their place.
async function at(way, person, work) {
  const visit = await Visit.begin(browser, federation.nodes[person.at], way);
  try {
    if (person.name) await visit.signIn(person, WORDS[way.lang]);
    await work(visit);
  } finally {
    await visit.end();
  }
}

/// What stands beside this word on the receipt.
async function beside(visit, words) {
  const pair = visit.page.locator("dl > div").filter({ hasText: words }).first();
  return (await pair.locator("dd").innerText()).trim();
}

/// Registers what was said and gives what is on the receipt.
async function registered(visit, say, said) {
  await visit.go("/");
  await visit.follow(say.newMatter);
  await visit.fill(say.said, said);
  await visit.press(say.register);
  await visit.sees(say.registered, said);
  return { number: await beside(visit, say.number), code: await beside(visit, say.code) };
}

for (const [n, way] of WAYS.entries()) {
  const say = WORDS[way.lang];
  const tag = `（${n + 1}）`;

  describe(way.title, { concurrency: false }, () => {
    const title = `涵洞积水过不去${tag}`;
    const receipt = {};

    test("the village registers a matter with its petitioner, and hands out a receipt", async () => {
      await at(way, PEOPLE.clerk, async (v) => {
        await v.sees(say.today);
        await v.follow(say.newMatter);
        await v.fill(say.said, "下雨就积水，老人和学生过不去。");
        await v.unfold(say.moreFold);
        await v.fill(say.title, title);
        await v.choose(say.channel, say.courtyard);
        await v.choose(say.who, say.named);
        await v.fill(say.name, SECRETS[0]);
        await v.fill(say.phone, SECRETS[1]);
        await v.press(say.register);
        await v.sees(say.registered, "下雨就积水，老人和学生过不去。");
        await v.seesNot(...SECRETS);
        receipt.number = await beside(v, say.number);
        receipt.code = await beside(v, say.code);
        assert.match(receipt.number, /^芦稿-\d{4}-\d{4}$/);
        assert.match(receipt.code, /^\d{6}$/);
        await v.follow(say.openMatter);
        await v.sees(title);
        await v.seesNot(...SECRETS);
        await v.unfold(say.escalate);
        await v.fill(say.reason, "要动镇里的排水沟。");
        await v.press(say.escalate);
        await v.sees(say.done(say.escalate), TOWN, "要动镇里的排水沟。");
      });
    });

    test("the village settles one on the spot", async () => {
      await at(way, PEOPLE.clerk, async (v) => {
        await v.follow(say.newMatter);
        await v.fill(say.said, `医保缴费记录在哪里查${tag}`);
        await v.unfold(say.settleFold);
        await v.fill(say.settle, "已帮老人查到并打印。");
        await v.press(say.register);
        await v.sees(say.registered, say.settled, "已帮老人查到并打印。");
      });
    });

    test("the township finds it on Today, accepts and answers it", async () => {
      await at(way, PEOPLE.handler, async (v) => {
        await v.awaits("/", title);
        await v.follow(title);
        await v.unfold(say.accept);
        await v.press(say.accept);
        await v.sees(say.done(say.accept));
        await v.unfold(say.answer);
        await v.fill(say.answerText, `三日内清淤${tag}。`);
        await v.press(say.answer);
        await v.sees(say.done(say.answer), `三日内清淤${tag}。`, say.untold);
        await v.seesNot(...SECRETS);
      });
    });

    test("a resident asks with number and check code, without signing in", async () => {
      await at(way, { at: "village" }, async (v) => {
        const ask = async (number, code) => {
          await v.go("/login");
          await v.follow(say.ask);
          await v.fill(say.number, number);
          await v.fill(say.code, code);
          await v.press(say.find);
        };
        const other = String((Number(receipt.code) + 1) % 1_000_000).padStart(6, "0");
        await ask(receipt.number, other);
        await v.sees(say.wrongCode);
        assert.equal(await v.label(say.number).inputValue(), receipt.number);
        await ask(receipt.number, receipt.code);
        await v.sees(receipt.number);
        await v.seesNot(title, "三日内清淤", ...SECRETS);
      });
    });

    test("the village sees it under To be told, and tells", async () => {
      await at(way, PEOPLE.clerk, async (v) => {
        await v.awaits("/", title);
        const told = v.page.locator("section").filter({ has: v.page.getByRole("heading", { name: say.toTell }) });
        for (let tries = 0; tries < 100 && !(await told.innerText()).includes(title); tries += 1) await v.page.goto("/");
        await told.getByRole("link", { name: title }).click();
        await v.look();
        await v.sees(`三日内清淤${tag}。`, say.untold);
        await v.unfold(say.tell);
        await v.choose(say.how, say.byPhone);
        await v.press(say.tell);
        await v.sees(say.done(say.tell), say.told);
        await v.go("/");
        assert.ok(!(await told.innerText()).includes(title), "still to be told");
      });
      await at(way, { at: "village" }, async (v) => {
        await v.go(`/q?n=${encodeURIComponent(receipt.number)}&c=${receipt.code}`);
        await v.sees(say.asked);
      });
    });

    test("the township's administrator issues a procedure, shown before", async () => {
      const own = readFileSync(new URL("../../node/procedures/opinion_courier.toml", import.meta.url), "utf8");
      const file = own.replace('id = "opinion_courier"', `id = "courier_${n + 1}"`).replace('title = { zh = "民情专递"', `title = { zh = "民情专递${tag}"`);
      await at(way, PEOPLE.administrator, async (v) => {
        await v.follow(say.procedures);
        await v.follow(say.issueProcedure);
        await v.fill(say.pasteProcedure, file.replace("format = 1", "format = 9"));
        await v.press(say.show);
        await v.sees(say.notYet);
        assert.equal(await v.label(say.pasteProcedure).inputValue(), file.replace("format = 1", "format = 9"));
        await v.label(say.uploadProcedure).setInputFiles({ name: "p.toml", mimeType: "text/plain", buffer: Buffer.from(file) });
        await v.fill(say.pasteProcedure, "");
        await v.press(say.show);
        await v.sees(say.newProcedure);
        await v.press(say.issue);
        await v.sees(say.issuedProcedure);
        await v.go("/procedures");
        if (way.lang === "zh") await v.sees(`民情专递${tag}`);
      });
    });

    test("the township's administrator issues a charter, shown before, and looks at supervision", async () => {
      const file = `format = 1\npeople = [{ id = "wang", name = "王建国${tag}" }]\nunits = [{ id = "civil", zh = "民政办", en = "Civil affairs", handlers = ["wang"] }]\n`;
      await at(way, PEOPLE.administrator, async (v) => {
        await v.follow(say.charter);
        await v.follow(say.issueCharter);
        await v.fill(say.charterFile, file);
        await v.press(say.show);
        await v.sees(`王建国${tag}`);
        await v.press(say.issue);
        await v.sees(say.issuedCharter, `王建国${tag}`);
        await v.follow(say.today);
        await v.follow(say.supervision);
        await v.sees(say.notHeard, say.arrivedLate);
      });
    });

    test("a wrong password is said in plain words and the name stays", async () => {
      await at(way, { at: "village" }, async (v) => {
        await v.signIn(PEOPLE.collector, say, "nicht das richtige");
        await v.sees(say.wrongPassword);
        assert.equal(await v.label(say.account).inputValue(), PEOPLE.collector.name);
        assert.equal(await v.label(say.password).inputValue(), "");
        await v.signIn(PEOPLE.collector, say);
        await v.sees(say.today);
      });
    });

    test("a session that ends in mid-form loses nothing", async () => {
      const said = `填到一半，登录过期了${tag}`;
      await at(way, PEOPLE.clerk, async (v) => {
        await v.follow(say.newMatter);
        await v.fill(say.said, said);
        await v.context.clearCookies();
        await v.press(say.register);
        await v.sees(say.expired);
        await v.signIn(PEOPLE.clerk, say);
        await v.sees(say.still, said);
        await v.press(say.sendNow);
        await v.sees(say.registered, said);
      });
    });

    test("a script typed into a text is a text", async () => {
      const said = `<script>document.title="x"</script><img src=x onerror="document.title='x'"> 屋顶漏雨${tag}`;
      await at(way, PEOPLE.clerk, async (v) => {
        await registered(v, say, said);
        await v.follow(say.openMatter);
        await v.sees(said);
        assert.notEqual(await v.page.title(), "x");
        assert.equal(await v.page.locator("main img, main script").count(), 0);
        await v.go("/matters");
      });
    });

    test("an act that is refused comes back, also in the other language; a mistyped address is a page", async () => {
      await at(way, PEOPLE.clerk, async (v) => {
        const said = `答复里只有空格${tag}`;
        await registered(v, say, said);
        await v.follow(say.openMatter);
        await v.unfold(say.answer);
        await v.fill(say.answerText, "   ");
        await v.press(say.answer);
        await v.sees(say.empty, said);
        await v.follow(say.otherLanguage);
        await v.sees(said, WORDS[way.lang === "zh" ? "en" : "zh"].next);
        await v.go("/nothing-here");
        await v.sees(say.noPage);
      });
    });

    test("a title of ten thousand characters is refused and nothing typed is lost", async () => {
      const long = "长".repeat(10_000);
      await at(way, PEOPLE.clerk, async (v) => {
        await v.follow(say.newMatter);
        await v.fill(say.said, "水管漏水");
        await v.unfold(say.moreFold);
        await v.fill(say.title, long);
        await v.press(say.register);
        await v.sees(say.tooLong);
        assert.equal(await v.label(say.title).inputValue(), long);
        assert.equal(await v.label(say.said).inputValue(), "水管漏水");
        const here = await v.label(say.title).evaluate((field) => field === document.activeElement);
        assert.ok(here, "the cursor is not where it helps");
      });
    });

    test("Enter pressed twice makes one matter", async () => {
      const once = `只该有一件${tag}`;
      await at(way, PEOPLE.clerk, async (v) => {
        await v.follow(say.newMatter);
        await v.fill(say.said, "路灯不亮");
        await v.unfold(say.moreFold);
        await v.fill(say.title, once);
        await v.label(say.title).focus();
        await Promise.all([v.page.keyboard.press("Enter"), v.page.keyboard.press("Enter")]);
        await v.page.getByText(say.registered).waitFor();
        await v.look();
        await v.go("/matters");
        await v.label(say.search).fill(once);
        await v.press(say.find);
        assert.equal(await v.page.getByRole("link", { name: once }).count(), 1);
      });
    });
  });
}
