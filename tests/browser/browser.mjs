// Somebody at a screen: what they see they press, by its visible words. Every page on the way is looked
// through: by axe-core (WCAG 2.2 AA), for what hangs over the edge, for requests to anywhere else.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import axe from "axe-core";
import { chromium } from "playwright-core";
import { PASSWORD, until } from "./federation.mjs";

export const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const STEP_MS = 15_000;

/// A missing browser fails: a test that is left out tells nothing.
export async function open() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    throw new Error(`no browser at ${executablePath}: install Debian's chromium, or name another in CHROMIUM`);
  }
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/// Exactly these words, as a person reads them.
const escaped = (words) => words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const exactly = (words) => new RegExp(`^\\s*${escaped(words)}\\s*$`);

export class Visit {
  /// `way`: language, size, whether scripts run, whether the ground is dark.
  static async begin(browser, node, { lang = "zh", size = "desk", script = true, dark = false } = {}) {
    const screen = {
      baseURL: node.pages,
      locale: lang === "zh" ? "zh-CN" : "en-GB",
      timezoneId: "Asia/Shanghai",
      viewport: SIZES[size],
      isMobile: size === "phone",
      hasTouch: size === "phone",
      javaScriptEnabled: script,
      colorScheme: dark ? "dark" : "light",
    };
    const context = await browser.newContext(screen);
    context.setDefaultTimeout(STEP_MS);
    const made = new Visit();
    Object.assign(made, { context, screen, node, lang, script, page: await context.newPage(), strange: [] });
    made.page.on("request", (r) => {
      if (!r.url().startsWith(node.pages) && !r.url().startsWith("data:")) made.strange.push(r.url());
    });
    made.page.on("pageerror", (e) => made.strange.push(String(e)));
    return made;
  }

  async end() {
    await this.second?.context().close();
    await this.context.close();
  }

  /// What the page says to read in it, without what is folded away.
  text() {
    return this.page.locator("main").innerText();
  }

  /// Opens an address, as from a link on paper or a bookmark.
  async go(address) {
    await this.page.goto(address);
    await this.look();
  }

  /// Follows a link by its words.
  async follow(words) {
    await this.page.getByRole("link", { name: words, exact: true }).filter({ visible: true }).first().click();
    await this.page.waitForLoadState();
    await this.look();
  }

  /// Presses a button by its words.
  async press(words) {
    await this.page.getByRole("button", { name: words, exact: true }).filter({ visible: true }).first().click();
    await this.page.waitForLoadState();
    await this.look();
  }

  /// Opens what is folded under these words; leaves it open if it is.
  async unfold(words) {
    const summary = this.page.locator("summary").filter({ hasText: exactly(words), visible: true }).first();
    const fold = summary.locator("xpath=..");
    if ((await fold.getAttribute("open")) === null) await summary.click();
  }

  async fill(words, text) {
    await this.label(words).fill(text);
  }

  async choose(words, label) {
    await this.label(words).selectOption({ label });
  }

  /// The field with this label; the star of a compulsory one, the hint below and what is typed are no part of it.
  label(words) {
    const own = ["normalize-space(text()[1])", "normalize-space(span[1])"];
    const same = own.map((text) => `${text}='${words}' or ${text}='${words} *'`).join(" or ");
    return this.page.locator(`xpath=//label[${same}]`).locator("input, textarea, select").filter({ visible: true }).first();
  }

  async signIn(person, say, password = PASSWORD) {
    // The sign-in page also comes in the middle of something; then it is not left.
    if ((await this.label(say.password).count()) === 0) await this.go("/login");
    await this.fill(say.account, person.name);
    await this.fill(say.password, password);
    await this.press(say.signIn);
  }

  /// Comes back to a page until these words are on it: what another place sends takes a moment.
  async awaits(address, words) {
    await until(`“${words}” on ${address} of ${this.node.name}`, async () => {
      await this.page.goto(address);
      return (await this.text()).includes(words);
    });
    await this.look();
  }

  async sees(...all) {
    const text = await this.text();
    for (const words of all) assert.ok(text.includes(words), `“${words}” is not on ${this.page.url()}:\n${text}`);
  }

  async seesNot(...all) {
    const text = await this.page.content();
    for (const words of all) assert.ok(!text.includes(words), `“${words}” is on ${this.page.url()}`);
  }

  /// Looks the page through. Axe is a script: where the visitor's browser runs none, the same page, byte for
  /// byte, is laid before a browser beside it that does.
  async look() {
    const at = `${this.page.url()} (${this.lang}, ${this.page.viewportSize().width} wide)`;
    assert.deepEqual(this.strange, [], `${at} asked elsewhere or failed`);
    const page = this.script ? this.page : await this.#beside();
    await page.evaluate(`${axe.source};undefined`);
    const found = await page.evaluate(async (rules) => {
      const { violations } = await globalThis.axe.run(document, { runOnly: { type: "tag", values: rules } });
      const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
      // The one script of ours, by its address; nothing within the page.
      const strange = [...document.scripts].filter((s) => !s.src.startsWith(`${location.origin}/assets/`));
      return { wide, scripts: strange.length, violations };
    }, RULES);
    const nodes = (v) => v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join(" · ");
    assert.deepEqual(found.violations.map((v) => `${v.id}: ${nodes(v)}`), [], `axe-core on ${at}`);
    assert.ok(found.wide <= 0, `${at} is ${found.wide} px wider than the screen`);
    assert.equal(found.scripts, 0, `${at} brings a script that is not ours`);
  }

  async #beside() {
    if (!this.second) {
      const context = await this.context.browser().newContext({ ...this.screen, javaScriptEnabled: true });
      this.second = await context.newPage();
    }
    const body = await this.page.content();
    const address = (url) => url.href === this.page.url();
    await this.second.route(address, (r) => r.fulfill({ contentType: "text/html; charset=utf-8", body }));
    await this.second.goto(this.page.url());
    await this.second.unroute(address);
    return this.second;
  }
}
