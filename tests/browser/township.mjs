// A township's morning: two villages hand in many matters, some in like words, some given to units already.
import { until } from "./federation.mjs";
import { CHARTER } from "./matters.mjs";

const SCHEME = `[[categories]]
id = "道路"
zh = "道路"
en = "Roads"
unit = "farm"
[[categories]]
id = "水利"
zh = "水利"
en = "Water"
unit = "farm"
[[categories]]
id = "社会保障"
zh = "社会保障"
en = "Welfare"
unit = "civil"
[[categories]]
id = "用电用水"
zh = "用电用水"
en = "Power and water"
`;
export const TOWN_CHARTER = CHARTER.replace("[supervision]", `${SCHEME}[supervision]`);

const SAID = [
  ["村口涵洞积水", "道路", "村口涵洞一下雨就积水，老人和学生过不去，去年已经有两辆电动车陷在里面。请派人看看排水管是不是堵了。"],
  ["路灯不亮", "用电用水", "从村委会到小学的六盏路灯坏了四盏，冬天放学天已经黑了，请尽快修好。"],
  ["三组水渠垮塌", "水利", "三组老水渠上周垮了约八米，秋灌用不上水，涉及四十多户。"],
  ["低保停发", "社会保障", "八十岁的老人低保上个月停了，说是要重新认证，腿脚不便去不了镇上。"],
  ["小学门口没有斑马线", "道路", "小学门口车多，没有斑马线和减速带，家长要求增设。"],
];
const LIKE = ["涵洞排水不畅", "道路", "连着三天下雨，路口涵洞的水没到膝盖，送菜的车只能绕四公里，希望镇上牵头把沟渠疏通。"];

/// Registers and passes them up; waits until the township has all. Gives their ids by title and village.
export async function morning(federation, { many = 0 } = {}) {
  const { village, neighbour, township } = federation.nodes;
  await township.call("POST", "/charter", { file: TOWN_CHARTER });
  // The scheme binds below once it is there.
  await until("the scheme in the village", async () => {
    const { in_force } = await village.call("GET", "/charter").catch(() => ({}));
    return in_force === undefined || JSON.stringify(in_force).includes("用电用水");
  });
  const made = {};
  const hand = async (node, title, category, body) => {
    const { id } = await node.call("POST", "/matters", { title, category, body, channel: "home_visit", petitioner: { kind: "anonymous" } });
    await node.call("POST", `/matters/${id}/acts`, { act: "escalate", reason: "超出村里能力。" });
    made[`${node.name}/${title}`] = id;
  };
  for (const [title, category, body] of SAID) await hand(village, title, category, body);
  await hand(neighbour, ...LIKE);
  for (let n = 1; n <= many; n += 1) await hand(neighbour, `第${n}组田间路要铺碎石`, "道路", `第${n}组到晒坝的田间路三百米，雨天拖拉机进不去，要铺碎石。`);
  await until("all of them at the township", async () => {
    const found = await Promise.all(Object.values(made).map((id) => township.call("GET", `/matters/${id}`).catch(() => null)));
    return found.every((m) => m?.stage === "escalated");
  });
  await until("them in its lists", async () => (await township.call("GET", "/matters?stage=escalated&limit=500")).items.length >= Object.keys(made).length);
  return made;
}
