// node pictures.mjs DIR: a picture of every page of one federation, whole pages, named
// ROLE.PAGE.LANGUAGE.SIZE.light.png or dark. For people to look at: no test compares them.
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { open, Visit } from "./browser.mjs";
import { Federation, PASSWORD, PEOPLE } from "./federation.mjs";
import { CHARTER, furnish } from "./matters.mjs";
import { WORDS } from "./words.mjs";

const [dir, ...only] = process.argv.slice(2);
if (!dir) {
  console.error("node pictures.mjs DIR [PART OF A NAME …]");
  process.exit(64);
}
mkdirSync(resolve(dir), { recursive: true });

const WAYS = [
  { lang: "zh", size: "phone", dark: false },
  { lang: "zh", size: "desk", dark: false },
  { lang: "zh", size: "phone", dark: true },
  { lang: "en", size: "phone", dark: false },
  { lang: "en", size: "desk", dark: true },
];

const file = (name) => readFileSync(new URL(`../../node/procedures/${name}.toml`, import.meta.url), "utf8");

/// Fills a form's big field and has it shown.
/// The collector's page with something on the phone at every stage.
const collecting = (open) => async (v, say) => {
  const zh = v.lang === "zh";
  const words = zh ? { write: "记一件事", meet: "记一场坝坝会", done: "记好了", back: "返回" } : { write: "Write down a matter", meet: "Write down a meeting", done: "Done", back: "Back" };
  const tap = (name) => v.page.getByRole("button", { name, exact: true }).filter({ visible: true }).first().click();
  const write = async (text, then) => {
    await tap(words.write);
    await v.page.locator("#matter textarea[name=body]").fill(text);
    await tap(then);
    await v.page.waitForSelector("#list:not([hidden])");
  };
  await v.page.goto("/collect");
  await v.page.waitForSelector("body[data-ready=yes]");
  if (open === "list") {
    await v.page.evaluate(() => navigator.serviceWorker.ready);
    await write(zh ? "五组李大爷家门口的水管漏了半个月" : "A pipe before the Li house has leaked for two weeks", words.done);
    await v.page.waitForSelector("#drafts > li[data-state=arrived]");
    await v.context.setOffline(true);
    await write(zh ? "三组老井没有盖子，小孩在边上玩" : "The old well has no lid and children play there", words.done);
    await v.page.getByText(zh ? "现在联不上村里" : "cannot be reached now").waitFor();
    await write(zh ? "说到一半的一件" : "One begun", words.back);
    await v.page.waitForSelector("#send:not([disabled])");
    await v.context.setOffline(false);
    return;
  }
  await tap(open === "matter" ? words.write : words.meet);
  if (open === "meeting") {
    await v.page.locator("#meeting input[name=place]").fill(zh ? "三组老槐树下" : "Under the old tree");
    await v.page.locator("#meeting textarea[name=body]").fill(zh ? "先说了上次的事，大家同意先修水渠。" : "First the last meeting's matters; all agreed to mend the canal first.");
  }
};
const shown = (address, field, text) => async (v, say) => {
  await v.page.goto(address);
  await v.fill(say[field], text);
  await v.page.getByRole("button", { name: say.show, exact: true }).click();
};
const unfolded = (address, ...names) => async (v, say) => {
  await v.page.goto(address);
  for (const name of names) await v.unfold(say[name]);
};

/// Before anything is registered.
const EMPTY = {
  "visitor-empty": [{ at: "village" }, { board: "/board", "board-screen": "/board/screen" }],
  "clerk-empty": [PEOPLE.clerk, { today: "/", matters: "/matters", charter: "/charter", handover: "/charter/handover", supervision: "/supervision", procedures: "/procedures" }],
};

const pages = (m, receipt) => ({
  visitor: [{ at: "village" }, {
    "sign-in": "/login", ask: "/q", "ask-found": `/q?n=${encodeURIComponent(receipt.number)}&c=${receipt.check_code}`,
    board: "/board", "board-screen": "/board/screen", "board-sheet": "/board/sheet", "board-notice": `/board/${encodeURIComponent(m.posted)}`, "no-page": "/nothing-here",
    "sign-in-first": "/login?back=/new", trust: "/trust",
    "ask-wrong": "/q?n=1&c=000000",
  }],
  clerk: [PEOPLE.clerk, {
    today: "/", new: "/new", "new-unfolded": unfolded("/new", "settleFold", "moreFold"), matters: "/matters", "matters-none": "/matters?q=zzz",
    "matter-fresh": `/m/${m.fresh}`, "matter-more": unfolded(`/m/${m.fresh}`, "escalate", "more", "notNow"),
    "matter-answered": `/m/${m.culvert}`, "matter-tell": unfolded(`/m/${m.lamps}`, "tell"), "matter-closed": `/m/${m.closed}`,
    "matter-procedure": `/m/${m.quarrel}`, "matter-meeting": unfolded(`/m/${m.quarrel}`, "more", "meet"),
    receipt: `/m/${m.fresh}/receipt?new=yes`, procedures: "/procedures", procedure: "/procedures/four_deliberations",
    charter: "/charter", link: "/link", "done": `/m/${m.lamps}?done=escalate`,
    "new-refused": async (v, say) => {
      await v.page.goto("/new");
      await v.fill(say.said, "路灯不亮，请修。");
      await v.unfold(say.moreFold);
      await v.fill(say.title, "长".repeat(300));
      await v.page.getByRole("button", { name: say.register, exact: true }).click();
    },
  }],
  collector: [PEOPLE.collector, { collect: collecting("list"), "collect-matter": collecting("matter"), "collect-meeting": collecting("meeting") }],
  handler: [PEOPLE.handler, {
    today: "/", matters: "/matters", "matter-in": unfolded(`/m/${m.inbox}`, "accept"), "matter-lead": `/m/${m.culvert}`,
    inbox: "/inbox", "inbox-one": `/inbox?m=${m.inbox}`, "inbox-working": "/inbox?view=working", "inbox-none": "/inbox?view=overdue",
    compare: `/inbox/compare?a=${m.culvert}&b=${m.lamps}`, places: "/places",
    "matter-merged": `/m/${m.other}`, dashboard: "/dashboard", supervision: "/supervision", charter: "/charter",
  }],
  administrator: [PEOPLE.administrator, {
    "sheet-forms": "/sheets/forms", "sheet-joint": "/sheets/joint_meeting", "sheet-collectors": "/sheets/collector_appraisal",
    procedures: "/procedures", issue: "/procedures/issue", "issue-shown": shown("/procedures/issue", "pasteProcedure", file("opinion_courier").replace('id = "opinion_courier"', 'id = "our_courier"')),
    "issue-wrong": shown("/procedures/issue", "pasteProcedure", "format = 1\nid = 5\n"),
    charter: "/charter", "charter-issue": "/charter/issue",
    "charter-shown": shown("/charter/issue", "charterFile", CHARTER.replace("刘桂芳", "刘桂香").replace("50000", "80000")),
    handover: "/charter/handover", link: "/link",
    places: "/places", place: "/places?at=510113106204", people: "/people", person: "/people?at=u1",
  }],
  official: [PEOPLE.official, { today: "/", dashboard: "/dashboard", "dashboard-list": "/dashboard/list?view=raised", notices: "/notices", notice: `/notices/${m.notice}`, "notice-new": "/notices/new", stub: `/stubs/${m.stub}`, matters: "/matters", supervision: "/supervision", matter: `/m/${m.culvert}`, link: "/link" }],
});

let count = 0;
async function take(browser, federation, roles) {
  for (const way of WAYS) {
    const say = WORDS[way.lang];
    for (const [role, [person, list]] of Object.entries(roles)) {
      const name = (page) => `${role}.${page}.${way.lang}.${way.size}.${way.dark ? "dark" : "light"}.png`;
      const wanted = Object.entries(list).filter(([page]) => only.length === 0 || only.some((o) => name(page).includes(o)));
      if (wanted.length === 0) continue;
      const visit = await Visit.begin(browser, federation.nodes[person.at], way);
      if (process.env.YISHI_CSS) {
        // Trying a style without building: the file instead of the one the program carries.
        await visit.page.route(/page.*\.css/, (r) => r.fulfill({ contentType: "text/css", body: readFileSync(process.env.YISHI_CSS) }));
      }
      if (person.name) {
        await visit.page.goto("/login");
        await visit.fill(say.account, person.name);
        await visit.fill(say.password, PASSWORD);
        await visit.page.getByRole("button", { name: say.signIn, exact: true }).click();
      }
      for (const [page, where] of wanted) {
        if (typeof where === "string") await visit.page.goto(where);
        else await where(visit, say);
        await visit.page.waitForLoadState();
        await visit.page.screenshot({ path: join(dir, name(page)), fullPage: true });
        count += 1;
      }
      await visit.end();
    }
  }
}

const federation = await Federation.start();
let browser;
try {
  browser = await open();
  await take(browser, federation, EMPTY);
  const made = await furnish(federation);
  const receipt = await federation.nodes.village.call("GET", `/matters/${made.lamps}`);
  await take(browser, federation, pages(made, receipt));
  console.log(`${count} pictures in ${resolve(dir)}`);
} finally {
  await browser?.close();
  await federation.stop();
}
