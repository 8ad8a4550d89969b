// The public board, its screen, and changes that appear by themselves; nothing entered twice. A federation of
// its own, real nodes, a real browser: see federation.mjs and browser.mjs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { open, Visit } from "./browser.mjs";
import { Federation, PEOPLE, until } from "./federation.mjs";
import { WORDS } from "./words.mjs";

const WAYS = [
  { title: "手机，不用脚本", lang: "zh", size: "phone", script: false },
  { title: "电脑", lang: "zh", size: "desk", script: true },
  { title: "English, at a desk in the dark", lang: "en", size: "desk", script: true, dark: true },
];
const SAY = {
  zh: { board: "公开栏", none: "现在没有公示", whole: /^看全文，提异议/, object: "提出异议", text: "异议和理由", objected: "异议已记下", said: "已收到异议", wrong: "对不上", pause: "暂停", goOn: "继续", updated: "有新变化，页面已更新。", before: "这一张已经登记过了", noPerson: "王小明", there: "本人在场，已经当面说清楚" },
  en: { board: "Public board", none: "Nothing is posted now", whole: /^Read all of it, or object/, object: "Object", text: "The objection and its reasons", objected: "The objection is recorded", said: "Objections so far", wrong: "do not belong together", pause: "Pause", goOn: "Go on", updated: "Something changed", before: "This very form was registered", noPerson: "王小明", there: "They were there and heard it" },
};

let federation;
let browser;
let village;
before(async () => {
  federation = await Federation.start();
  browser = await open();
  village = federation.nodes.village;
});
after(async () => {
  await browser?.close();
  await federation?.stop();
});

async function at(way, person, work, with_ = browser) {
  const visit = await Visit.begin(with_, federation.nodes[person.at], way);
  try {
    if (person.name) await visit.signIn(person, WORDS[way.lang]);
    await work(visit, SAY[way.lang], WORDS[way.lang]);
  } finally {
    await visit.end();
  }
}
const passerBy = { at: "village" };
const raise = (matter) => village.call("POST", "/matters", matter);
const act = (matter, asked) => village.call("POST", `/matters/${matter.id}/acts`, asked);
const count = async (words) => {
  const { items } = await village.call("GET", "/matters?limit=500");
  return items.filter((m) => m.title.includes(words)).length;
};

test("an empty board teaches, in every way of looking", async () => {
  for (const way of WAYS) {
    await at(way, passerBy, async (v, say) => {
      await v.go("/");
      await v.sees(say.board, say.none);
      await v.go("/board/screen");
      await v.sees(say.none);
      await v.go("/board/sheet");
      await v.go("/login");
      await v.follow(say.board);
    });
  }
});

for (const [n, way] of WAYS.entries()) {
  describe(way.title, () => {
    const tag = `（${n + 1}）`;
    let posted;

    test("a notice is on the board, and whoever has its receipt objects", async () => {
      posted = await raise({ title: `村口涵洞改造${tag}`, category: "道路", body: `李大爷说涵洞不能再拖${tag}`, petitioner: { kind: "named", name: "王小明" } });
      await act(posted, { act: "post", days: 7, text: `村民代表会议表决通过：改造村口涵洞，预算三万元${tag}。` });
      await at(way, passerBy, async (v, say, words) => {
        await v.awaits("/board", `改造村口涵洞，预算三万元${tag}`);
        await v.seesNot("李大爷", say.noPerson);
        const notice = v.page.locator(".posts > li").filter({ hasText: posted.number });
        await notice.getByRole("link", { name: say.whole }).click();
        await v.look();
        await v.fill(words.code, String((Number(posted.check_code) + 1) % 1_000_000).padStart(6, "0"));
        await v.fill(say.text, `没有公开比选${tag}`);
        await v.press(say.object);
        await v.sees(say.wrong);
        assert.equal(await v.label(say.text).inputValue(), `没有公开比选${tag}`);
        await v.fill(words.code, posted.check_code);
        await v.press(say.object);
        await v.sees(say.objected);
        await v.awaits("/board", `${say.said} 1`);
        await v.seesNot("公开比选");
        await v.go("/board/sheet");
        await v.go("/board/screen");
      });
      const { timeline } = await village.call("GET", `/matters/${posted.id}`);
      assert.equal(timeline.filter((t) => t.kind === "object" && t.text.includes(tag)).length, 1);
    });

    test("Back and Register again makes no second matter", async () => {
      await at(way, PEOPLE.clerk, async (v, say, words) => {
        await v.follow(words.newMatter);
        await v.fill(words.said, `只登记一次${tag}`);
        await v.press(words.register);
        await v.sees(words.registered);
        const receipt = new URL(v.page.url()).pathname;
        await v.page.goBack();
        // What the browser kept of the form, or the same typed once more.
        await v.fill(words.said, `只登记一次${tag}`);
        await v.press(words.register);
        assert.equal(new URL(v.page.url()).pathname, receipt);
        await v.page.goBack();
        await v.page.reload();
        await v.sees(say.before);
        await v.look();
      });
      await until("the list", async () => (await count(`只登记一次${tag}`)) > 0);
      assert.equal(await count(`只登记一次${tag}`), 1);
    });

    test("a refused form keeps what was typed in the other language too", async () => {
      const other = way.lang === "zh" ? "en" : "zh";
      await at(way, PEOPLE.clerk, async (v, say, words) => {
        await v.follow(words.newMatter);
        await v.fill(words.said, `水管漏水${tag}`);
        await v.unfold(words.moreFold);
        await v.fill(words.title, "长".repeat(10_000));
        await v.press(words.register);
        await v.sees(words.tooLong);
        await v.press(words.otherLanguage);
        assert.equal(await v.label(WORDS[other].said).inputValue(), `水管漏水${tag}`);
        await v.fill(WORDS[other].title, `换了语言${tag}`);
        await v.label(WORDS[other].title).press("Enter");
        await v.page.getByText(WORDS[other].registered).waitFor();
        await v.look();
      });
    });

    test("settled on the spot and heard there: nobody is to be told", async () => {
      await at(way, PEOPLE.clerk, async (v, say, words) => {
        const register = async (said, heard) => {
          await v.go("/");
          await v.follow(words.newMatter);
          await v.fill(words.said, said);
          await v.unfold(words.settleFold);
          await v.fill(words.settle, "当场查到了。");
          if (!heard) await v.page.getByLabel(say.there).uncheck();
          await v.press(words.register);
          await v.sees(words.settled);
        };
        await register(`本人在场${tag}`, true);
        await register(`电话里说的${tag}`, false);
        await v.awaits("/", `电话里说的${tag}`);
        await v.seesNot(`本人在场${tag}`);
      });
    });
  });
}

const DESK = WAYS[1];

test("the browser's own store of pages brings no second matter either", async () => {
  const keeping = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  try {
    await at(DESK, PEOPLE.clerk, async (v, say, words) => {
      await v.follow(words.newMatter);
      await v.fill(words.said, "页面还在浏览器里");
      await v.press(words.register);
      await v.sees(words.registered);
      const receipt = new URL(v.page.url()).pathname;
      // A page that was kept alive is not loaded once more.
      await v.page.goBack({ waitUntil: "commit" });
      if ((await v.label(words.said).inputValue()) === "") await v.fill(words.said, "页面还在浏览器里");
      await v.press(words.register);
      assert.equal(new URL(v.page.url()).pathname, receipt);
    }, keeping);
    await until("the list", async () => (await count("页面还在浏览器里")) > 0);
    assert.equal(await count("页面还在浏览器里"), 1);
  } finally {
    await keeping.close();
  }
});

test("what is posted appears on an open board by itself, and is said", async () => {
  await at(DESK, passerBy, async (v, say) => {
    await v.go("/board");
    await v.page.evaluate(() => (window.stayed = true));
    await v.page.waitForTimeout(500);
    const matter = await raise({ title: "小学路灯更换", body: "路灯不亮" });
    await act(matter, { act: "post", days: 5, text: "更换四盏路灯，预算两千元。" });
    await v.page.getByText("更换四盏路灯").waitFor();
    assert.ok(await v.page.evaluate(() => window.stayed), "the page was loaded anew");
    assert.equal((await v.page.locator("[aria-live=polite]").innerText()).trim(), say.updated);
    await v.look();
  });
});

test("whoever is typing is left alone while the rest is brought up to date; where it is stored shows by itself", async () => {
  const township = federation.nodes.township;
  await at(DESK, PEOPLE.clerk, async (v, say, words) => {
    // The township neither hears nor says anything for a while, as when a line is down.
    township.process.kill("SIGSTOP");
    let matter;
    try {
      matter = await raise({ title: "水渠垮塌", body: "三组水渠垮了" });
      await v.go(`/m/${matter.id}`);
      const mark = v.page.locator(".arrived .levels li").nth(1);
      assert.match(await mark.getAttribute("class"), /waits/);
      await v.page.evaluate(() => (window.stayed = true));
      await v.unfold(words.answer);
      await v.fill(words.answerText, "正在写的答复");
      await act(matter, { act: "comment", text: "旁边有人补充" });
      await v.page.locator(".past").getByText("旁边有人补充").waitFor();
      assert.equal(await v.label(words.answerText).inputValue(), "正在写的答复");
    } finally {
      township.process.kill("SIGCONT");
    }
    await v.page.locator(".arrived .levels li.there").nth(1).waitFor({ timeout: 60_000 });
    assert.equal(await v.label(words.answerText).inputValue(), "正在写的答复");
    assert.ok(await v.page.evaluate(() => window.stayed), "the page was loaded anew");
  });
});

test("the hall's screen turns by itself, stops when held, and keeps its place when something changes", async () => {
  await at(DESK, passerBy, async (v, say) => {
    await v.page.clock.install();
    await v.go("/board/screen");
    const shown = () => v.page.locator(".leaf:visible").evaluateAll((all) => all.map((l) => l.dataset.leaf));
    const all = await v.page.locator(".leaf").count();
    assert.ok(all >= 4, `${all} leaves`);
    const first = await shown();
    assert.equal(first.length, 1);
    for (let n = 0; n < 9 && (await shown())[0] === first[0]; n += 1) await v.page.clock.runFor(5_000);
    assert.notDeepEqual(await shown(), first, "it did not turn");
    await v.page.keyboard.press(" ");
    assert.ok(await v.page.getByRole("button", { name: say.goOn }).isVisible());
    const held = await shown();
    await v.page.clock.runFor(200_000);
    assert.deepEqual(await shown(), held, "it turned though held");
    await v.page.keyboard.press("ArrowLeft");
    assert.notDeepEqual(await shown(), held);
    const sizes = await v.page.locator("body *:visible").evaluateAll((all) =>
      all.filter((e) => [...e.childNodes].some((c) => c.nodeType === 3 && c.data.trim())).map((e) => parseFloat(getComputedStyle(e).fontSize)));
    assert.ok(Math.min(...sizes) >= 18, `letters of ${Math.min(...sizes)} px`);
    await v.look();
  });
  await at(WAYS[0], passerBy, async (v) => {
    await v.go("/board/screen");
    assert.equal(await v.page.locator(".leaf:visible").count(), await v.page.locator(".leaf").count());
  });
});
