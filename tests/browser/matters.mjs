// Matters as they come in a real township, at every stage, for the pictures. Written through the nodes' own API.
import { until } from "./federation.mjs";

const CHARTER = `format = 1
people = [
  { id = "wang", name = "王建国", tags = ["party"] },
  { id = "li", name = "李秀英", tags = ["women"] },
  { id = "zhang", name = "张德顺" },
  { id = "liu", name = "刘桂芳", tags = ["women"] },
]
units = [
  { id = "civil", zh = "民政办", en = "Civil affairs", handlers = ["wang"] },
  { id = "farm", zh = "农业服务中心", en = "Farming service", handlers = ["zhang"] },
  { id = "traffic", zh = "区交通局", en = "District traffic bureau", external = true },
]
stations = [{ id = "hall", zh = "便民服务站", en = "Service point", weekdays = ["monday", "tuesday"], hours = "9:00–11:30", people = ["wang"] }]
rotas = [{ id = "hotline", zh = "热线值班", en = "Hotline", every = "week", from = 2026-01-05, order = ["wang", "li"] }]
custody = [{ what = "镇政府公章", by = "wang" }, { what = "二〇二六年来访登记簿", by = "li" }]
[[bodies]]
id = "council"
zh = "村民议事会"
en = "Villagers' council"
members = ["wang", "li", "zhang", "liu"]
from = 2026-01-01
until = 2028-12-31
[[collectors]]
person = "li"
area = "一组至四组"
from = 2026-01-01
until = 2026-12-31
allowance_yuan = 200
[[powers]]
power = "spend"
level = "township"
up_to_yuan = 50000
basis = "公共服务资金管理办法"
[supervision]
name_after = 1
raise_after = 5
rounds = 3
`;

const CULVERT = "村口涵洞一下雨就积水，老人和学生过不去，去年已经有两辆电动车陷在里面。请派人看看排水管是不是堵了。";
const LAMPS = "从村委会到小学的六盏路灯坏了四盏，冬天放学天已经黑了，请尽快修好。";
const REPLY = "镇农业服务中心已安排电工于本周内更换灯具，费用由公服资金列支，修好后请村里回访确认。";

/// Writes them; gives the numbers by what they are.
export async function furnish(federation) {
  const { village, neighbour, township, district } = federation.nodes;
  const raise = async (node, matter) => (await node.call("POST", "/matters", matter)).id;
  const act = (node, id, asked) => node.call("POST", `/matters/${id}/acts`, asked);
  const staged = (node, id, stage) =>
    until(`${id} ${stage} at ${node.name}`, async () => {
      const found = await node.call("GET", `/matters/${id}`).catch(() => null);
      return found && (stage === "" || found.stage === stage) ? found : null;
    });
  const made = {};
  await township.call("POST", "/charter", { file: CHARTER });

  made.fresh = await raise(village, { title: "三组水渠垮塌", category: "水利", body: "三组老水渠上周垮了约八米，秋灌用不上水，涉及四十多户。村民愿意投工，请解决水泥和沙石。", channel: "home_visit", petitioner: { kind: "named", name: "王小明", phone: "13900000000" } });
  made.closed = await raise(village, { title: "医保缴费怎么查", category: "社会保障", body: "想问今年的医保缴费记录在哪里能查到，家里老人不会用手机。", channel: "station", settle: "已当场帮老人查到缴费记录并打印，告知每月驻点日可来查询。" });
  made.lamps = await raise(village, { title: "路灯不亮", category: "用电用水", body: LAMPS, channel: "courtyard", petitioner: { kind: "anonymous" } });
  made.culvert = await raise(village, { title: "村口涵洞积水", category: "道路", body: CULVERT, channel: "hotline" });
  made.quarrel = await raise(village, { title: "两户为排水沟争执", category: "邻里纠纷", body: "一组刘家和陈家为屋后排水沟走向争执多年，昨天又吵起来，请调解。", channel: "home_visit", petitioner: { kind: "proxy", name: "刘大爷" } });
  made.other = await raise(neighbour, { title: "涵洞排水不畅", category: "道路", body: "连着三天下雨，路口涵洞的水没到膝盖，送菜的车只能绕四公里，希望镇上牵头把沟渠疏通。", channel: "fair" });

  const road = await village.call("POST", "/matters", { title: "三组机耕道硬化", category: "道路", body: "三组八百米机耕道下雨就烂，收割机进不去，大家愿意投工。", channel: "courtyard", raised_on: "2026-09-08" });
  made.road = road.id;
  made.posted = road.number;
  await act(village, made.road, { act: "accept", procedure: "village_self_build" });
  await act(village, made.road, { act: "record", form: "budget", fields: { amount: 186000, funding: "service_fund" } });
  await act(village, made.road, { act: "record", form: "spending", fields: { amount: 62400, payee: "施工队", voucher: "3" } });
  await act(village, made.road, { act: "post", days: 7, text: "三组机耕道硬化项目，经村民代表会议 11 月 17 日表决（应到 50 人，实到 41 人，同意 38 人）通过：\n一、路长 800 米、宽 3 米、厚 15 厘米，用村级公共服务资金 18.6 万元。\n二、施工队由三组村民推选，质量由李大爷等三人监督。\n三、占用的田边地角由组里按 2015 年办法调整，不另补偿。\n对方案、资金、施工队有不同意见的，请在公示期内提出。" });
  const wells = await village.call("POST", "/matters", { title: "二组水井加盖", category: "安全", body: "二组两口老井没有盖子，小孩容易掉进去。", channel: "home_visit" });
  await act(village, wells.id, { act: "post", days: 3, text: "拟由村集体收入出资 1,200 元给二组两口老井加盖，本周内完成。" });
  await act(village, made.lamps, { act: "escalate", reason: "路灯归镇里管护。" });
  await act(village, made.culvert, { act: "escalate", reason: "涵洞在镇道上，村里无权改造。" });
  await act(neighbour, made.other, { act: "escalate", reason: "同一处涵洞，两个村都受影响。" });
  for (const id of [made.lamps, made.culvert, made.other]) await staged(township, id, "escalated");
  await act(township, made.lamps, { act: "accept" });
  await act(township, made.lamps, { act: "answer", text: REPLY });
  await act(township, made.culvert, { act: "accept" });
  await act(township, made.other, { act: "accept" });
  await act(township, made.culvert, { act: "merge", sources: [made.other] });
  await act(township, made.culvert, { act: "escalate", reason: "涉及区级公路涵洞，镇里无权改造。" });
  await staged(district, made.culvert, "escalated");
  await act(district, made.culvert, { act: "accept" });
  await district.call("POST", "/outcomes", {
    proposals: [made.culvert], title: "农村公路涵洞安全改造", unit: "区交通局", budget_yuan: 460000, due_on: "2027-06-30",
    text: "同意将涵洞改造列入今年区级农村公路安全整治，区交通局负责设计与施工，镇村配合征求沿线农户意见，六月底前完工。",
    answer: "区里已决定改造涵洞并疏通排水沟，由区交通局负责，六月底前完工；施工期间走机耕道临时便道。",
  });
  await act(village, made.quarrel, { act: "accept", procedure: "four_deliberations" });
  await act(village, made.quarrel, { act: "comment", text: "老支书说当年划界有书面记录，正在找。" });
  for (const id of [made.lamps, made.culvert]) {
    await until("the reply in the village", async () => (await village.call("GET", `/matters/${id}`)).stage === "answered");
  }
  made.inbox = await raise(village, { title: "小学门口没有斑马线", category: "道路", body: "小学门口车多，没有斑马线和减速带，家长要求增设。", channel: "letter_box" });
  await act(village, made.inbox, { act: "escalate", reason: "需镇里协调交警。" });
  await staged(township, made.inbox, "escalated");
  made.notice = (await district.call("POST", "/notices", { sort: "resource", title: "小型水利设施补助", text: "水渠、涵洞、蓄水池的维修，每处最多补助两万元，村里先报先得。报名请在事项里写明地点、长度和投工人数。", category: "水利", until: "2027-12-31" })).id;
  await district.call("POST", "/notices", { title: "冬季用电安全提醒", text: "请各村在入户走访时提醒老人检查取暖电器，发现老化线路及时登记。" });
  await until("the notice in the village", async () => (await village.call("GET", "/notices")).items.length === 2);
  made.stub = made.quarrel;
  await until("the stub in the district", async () => (await district.call("GET", `/stubs/${made.stub}`).catch(() => null)) !== null);
  return made;
}

export { CHARTER };
