// A township's morning at the inbox: many matters got through by keyboard at a desk, by touch on a phone without
// scripts, and once in English; merging and taking it back; places below and accounts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { open, Visit } from "./browser.mjs";
import { Federation, PEOPLE, until } from "./federation.mjs";
import { morning } from "./township.mjs";
import { WORDS } from "./words.mjs";

const SAY = {
  zh: {
    inbox: "收件", accept: "受理", acceptChosen: "受理选中的", allDone: (n) => `${n} 件都办了。`, back: "回到收件", toList: "← 回到单子",
    assign: "交办", assignChosen: "交办选中的", given: "农业服务中心 · 张德顺", side: "并排看", lead: "左边这件牵头，右边并进来", merged: "已并入",
    undo: "撤销并案", undone: "恢复到并案以前", return: "退回", returnChosen: "退回选中的", noReason: "退回要写理由", keys: "快捷键", keysOn: "使用快捷键",
    places: "下级单位", people: "账号", add: "添加一个人", name: "登录用的账号", shown: "姓名", handler: "经办人", make: "添加", once: "密码只显示这一次",
    invite: "邀请一个下级", code: "12 位区划代码", address: "下级用什么地址连过来", send: "发出邀请", token: "只在这里显示一次",
    revoke: "撤销", why: "为什么撤销", consequences: "先看后果", kept: "已经收下的全部算数", cancel: "不撤销，回去", up: "联通",
  },
  en: {
    inbox: "Inbox", accept: "Accept", acceptChosen: "Accept those chosen", allDone: (n) => `All ${n} done.`, back: "Back to the inbox", toList: "← Back to the list",
    assign: "Assign", assignChosen: "Assign those chosen", given: "农业服务中心 · 张德顺", side: "Side by side", lead: "The left one leads, the right one follows", merged: "Merged",
    undo: "Undo the merge", undone: "Goes on as before the merge", return: "Return", returnChosen: "Return those chosen", noReason: "Returning wants a reason", keys: "Keys", keysOn: "Use these keys",
    places: "Places below", people: "Accounts", add: "Add a person", name: "Name to sign in with", shown: "Name shown", handler: "Handler of a unit", make: "Add", once: "The password is shown this once",
    invite: "Invite a place", code: "12-digit code", address: "The address it shall dial", send: "Make the invitation", token: "Shown here only once",
    revoke: "Revoke", why: "Why", consequences: "Show what it does", kept: "Everything stored so far counts", cancel: "Do not revoke: back", up: "connected",
  },
};
const WAYS = [
  { title: "手机，不用脚本", lang: "zh", size: "phone", script: false },
  { title: "电脑，用键盘", lang: "zh", size: "desk", script: true },
  { title: "English, at a desk in the dark", lang: "en", size: "desk", script: true, dark: true },
];

let federation;
let browser;
let made;
before(async () => {
  federation = await Federation.start();
  made = await morning(federation, { many: 12 });
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
    await work(visit, SAY[way.lang]);
  } finally {
    await visit.end();
  }
}

const stage = async (id) => (await federation.nodes.township.call("GET", `/matters/${id}`)).stage;
const title = (n) => `第${n}组田间路要铺碎石`;
const id = (n) => made[`光明村/${title(n)}`];
const tick = (v, n) => v.page.locator(`input[name=m][value="${id(n)}"]`);
/// Opens what is done to those chosen; what is done to one has the same words.
const panel = (v, key) => v.page.locator(`details[data-key=${key}]`);

for (const [n, way] of WAYS.entries()) {
  // Each way has matters of its own: three to accept, one to give back.
  const [first, second, third, last] = [1, 2, 3, 4].map((k) => n * 4 + k);

  describe(way.title, { concurrency: false }, () => {
    test("the inbox is found, and a matter stands beside the list", async () => {
      await at(way, PEOPLE.handler, async (v, say) => {
        await v.follow(say.inbox);
        await v.sees("光明村", say.up, title(first));
        await v.page.locator(".in-rows a").filter({ hasText: title(first) }).first().click();
        await v.page.waitForLoadState();
        await v.look();
        await v.sees("拖拉机进不去");
        if (way.size === "phone") await v.follow(say.toList);
        await v.go(`/inbox?q=${encodeURIComponent("拖拉机")}&due=soon`);
      });
    });

    test("two are accepted at once", async () => {
      await at(way, PEOPLE.handler, async (v, say) => {
        await v.go("/inbox");
        await tick(v, first).check();
        await tick(v, second).check();
        await panel(v, "a").locator("summary").click();
        await v.look();
        await v.press(say.acceptChosen);
        await v.sees(say.allDone(2), title(first), title(second));
        assert.deepEqual([await stage(id(first)), await stage(id(second))], ["accepted", "accepted"]);
        await v.follow(say.back);
      });
    });

    test("one is given to the unit of its category", async () => {
      await at(way, PEOPLE.handler, async (v, say) => {
        await v.go("/inbox");
        await tick(v, third).check();
        await panel(v, "s").locator("summary").click();
        await v.press(say.assignChosen);
        await v.sees(say.allDone(1));
        await until("the list to follow", async () => {
          await v.page.goto("/inbox?view=held");
          return (await v.page.locator(".in-rows li").filter({ hasText: title(third) }).innerText().catch(() => "")).includes(say.given);
        });
        await v.look();
      });
    });

    test("what is missing is asked for, and what was chosen is kept", async () => {
      await at(way, PEOPLE.handler, async (v, say) => {
        await v.go("/inbox");
        await tick(v, last).check();
        await panel(v, "r").locator("summary").click();
        await v.press(say.returnChosen);
        await v.sees(say.noReason);
        assert.ok(await tick(v, last).isChecked());
        await panel(v, "r").locator("textarea").fill("请补一张现场照片。");
        await v.press(say.returnChosen);
        await v.sees(say.allDone(1));
        assert.equal(await stage(id(last)), "returned");
      });
    });

    test("two alike are laid side by side, merged by one press and taken apart by another", async () => {
      const [a, b] = [made["芦稿村/村口涵洞积水"], made["光明村/涵洞排水不畅"]];
      await at(way, PEOPLE.handler, async (v, say) => {
        await v.go(`/inbox?m=${a}`);
        await v.page.getByRole("link", { name: say.side }).first().click();
        await v.page.waitForLoadState();
        await v.look();
        await v.sees("两辆电动车", "没到膝盖");
        await v.press(say.lead);
        await v.sees(say.merged);
        assert.equal(await stage(b), "merged");
        await v.press(say.undo);
        await v.sees(say.undone);
        assert.equal(await stage(b), "escalated");
      });
    });

    test("places below and accounts are looked after", async () => {
      await at(way, PEOPLE.administrator, async (v, say) => {
        await v.follow(say.places);
        await v.sees("芦稿村", "光明村", "青白江区");
        await v.unfold(say.invite);
        await v.fill(say.code, ["510113106206", "510113106207", "510113106208"][n]);
        await v.fill(say.address, "10.8.0.1:9443");
        await v.press(say.send);
        await v.sees(say.token, "yishi-node join YISHI1-");
        await v.go("/places");
        await v.follow("芦稿村");
        await v.unfold(say.revoke);
        await v.fill(say.why, "机器丢失");
        await v.press(say.consequences);
        await v.sees(say.kept);
        await v.follow(say.cancel);
        await v.follow(say.people);
        await v.unfold(say.add);
        await v.fill(say.name, `zheng${n}`);
        await v.fill(say.shown, `郑经办${n}`);
        await v.page.locator("#add").getByLabel(say.handler, { exact: true }).check();
        await v.press(say.make);
        await v.sees(say.once, `郑经办${n}`);
        await v.follow(`郑经办${n}`);
      });
    });
  });
}

describe("键盘", { concurrency: false }, () => {
  const desk = { lang: "zh", size: "desk", script: true };
  const chosen = (v) => v.page.locator("input[name=m]:checked").count();
  const focused = (v) => v.page.evaluate(() => document.activeElement?.closest(".in-rows li")?.querySelector("b")?.textContent ?? document.activeElement?.name ?? "");

  test("down, up, choose and act without a mouse", async () => {
    await at(desk, PEOPLE.handler, async (v, say) => {
      await v.go("/inbox");
      const rows = await v.page.locator(".in-rows li > a > b").allInnerTexts();
      for (const key of ["j", "j", "k", "j"]) await v.page.keyboard.press(key);
      assert.equal(await focused(v), rows[1]);
      await v.page.keyboard.press("x");
      assert.equal(await chosen(v), 1);
      await v.page.keyboard.press("x");
      assert.equal(await chosen(v), 0);
      // With none chosen, the one somebody is on is meant.
      await v.page.keyboard.press("e");
      assert.equal(await chosen(v), 1);
      assert.equal(await focused(v), "escalate.reason");
      // A letter typed into a field is a letter.
      await v.page.keyboard.type("jjx aa");
      assert.equal(await v.page.locator("textarea[name='escalate.reason']").inputValue(), "jjx aa");
      assert.equal(await chosen(v), 1);
      await v.page.keyboard.press("Escape");
      await v.page.keyboard.press("/");
      assert.equal(await focused(v), "q");
      await v.page.keyboard.press("Escape");
      await v.page.keyboard.press("Enter");
      await v.page.waitForURL(/[?&]m=/);
      // After opening one, down goes on from it.
      await v.page.keyboard.press("j");
      assert.equal((await v.page.locator(".in-rows li.here").count()) + (await focused(v)).length > 1, true);
      await v.page.keyboard.press("?");
      await v.sees("选中或不选", "打开这一件");
      await v.look();
      await v.label(say.keysOn).uncheck();
      await v.go("/inbox");
      await v.page.keyboard.press("j");
      assert.equal(await focused(v), "");
    });
  });
});
