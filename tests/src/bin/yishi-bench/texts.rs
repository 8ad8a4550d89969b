//! What people bring up, made from many small parts: no text repeats, and no two runs with one seed differ.
//!
//! How well texts compress decides the bytes on the line. Set phrases alone flatter it: they are found
//! again whole. So most of every text is told in sentences of single words, with the names of three
//! thousand real places among them; zstd at level 3 leaves 0.30 of such bodies, and 0.29 of the Chinese
//! messages of a Debian system's programs.

use rand::{RngExt, rngs::StdRng};
use std::{collections::BTreeSet, sync::LazyLock};
use yishi_protocol::place::{Divisions, short_name};

const SURNAMES: &[&str] = &[
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何",
    "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹", "袁", "邓",
    "许", "傅", "沈", "曾", "彭", "吕",
];
const GIVEN: &[&str] = &[
    "德", "秀", "国", "桂", "建", "玉", "志", "淑", "文", "春", "永", "兰", "光", "芳", "明", "英", "福",
    "琼", "兴", "素", "万", "珍", "成", "芬", "世", "群", "家", "莲", "友", "碧", "天", "蓉", "正", "琴",
    "显", "梅", "登", "会", "先", "菊",
];
const SPOTS: &[&str] = &[
    "村口涵洞",
    "小学后墙",
    "老晒场",
    "提灌站",
    "村卫生室",
    "二台坪",
    "水库坝下",
    "机耕道拐角",
    "红砖厂旧址",
    "土地庙旁",
    "便民服务站门前",
    "养猪场下风口",
    "三岔路口",
    "石板桥头",
    "茶园上坡",
    "幸福院食堂",
    "变压器边",
    "公交站台",
    "文化广场",
    "污水处理站",
    "垃圾收集点",
    "河堤缺口",
    "竹林盘",
    "油坊巷",
    "高速桥下",
    "葡萄大棚",
    "鱼塘埂",
    "集体仓库",
    "老井",
    "通信基站",
    "砖瓦窑",
    "农资店对面",
    "祠堂前",
    "粮站围墙",
    "堰沟闸门",
];
const TROUBLES: &[&str] = &[
    "一下雨就积水过不了人",
    "路面塌了一个大坑",
    "路灯坏了没有人修",
    "下水道堵得发臭",
    "水管漏水好几个月",
    "电压低得电饭锅都煮不熟饭",
    "围墙开裂随时要倒",
    "有人半夜偷倒建筑垃圾",
    "货车抄近路压坏了盖板",
    "野狗成群追咬放学的娃娃",
    "信号差打不通电话",
    "渠道淤了稻田灌不上水",
    "树枝压着高压线冒火花",
    "健身器材断了铁管露在外面",
    "公厕没有水也没有灯",
    "滑坡的土还堆在路上",
    "流转费拖着没有付",
    "护栏被撞断以后一直敞着",
    "养殖场的粪水流进了沟里",
    "班车改线后老人赶不了场",
    "秸秆焚烧熏得睁不开眼",
    "井盖缺了拿木板盖着",
    "噪声响到夜里两点",
    "飞线充电看着吓人",
];
const HARMS: &[&str] = &[
    "去年有两个人摔断了腿",
    "送菜的三轮车翻过一回",
    "孩子上学要大人背着过",
    "救护车上个月没能开进来",
    "收上来的粮食运不出去",
    "租房的工人都搬走了",
    "老人晚上不敢出门",
    "晒的菜籽全被淹了",
    "来买枇杷的客商掉头就走",
    "卫生院的护士也绕着走",
    "摩托车爆了三条胎",
    "几户人家的墙脚泡软了",
    "鸡鸭死了一大片",
    "邻里为这事吵了好几次",
    "残疾人的轮椅推不过去",
    "放水时节下游干着急",
    "外面打工的回来都摇头",
    "幼儿园只好停了半天课",
];
const WISHES: &[&str] = &[
    "请派人来量一量",
    "希望列入今年的计划",
    "请镇上牵头疏通",
    "能不能先垫一车碎石",
    "请把责任单位公布出来",
    "盼着赶在汛期以前办好",
    "请电工先把线挪开",
    "希望给个准信",
    "请开个院坝会当面说清楚",
    "村民愿意出工出力",
    "请财务把账目贴出来",
    "请联系设计单位重新看坡比",
    "希望派出所晚上多巡几趟",
    "请物业和业委会一起到场",
    "能不能申请以奖代补",
    "请农技员来指导一下",
    "建议装两个减速带",
    "请把钥匙交给值班的人管",
];
const CATEGORIES: &[&str] = &[
    "道路交通",
    "水利设施",
    "环境卫生",
    "公共照明",
    "养老助残",
    "土地流转",
    "集体经济",
    "治安",
    "教育",
    "其他",
];
const REMARKS: &[&str] = &[
    "我家就在旁边，情况属实",
    "上周又出了一次",
    "建议先问施工队报价",
    "小组长已经去看过",
    "同意，越快越好",
    "这段归水利站管",
    "照片发在群里了",
    "占到我家的地要说清楚",
    "去年就答应过",
    "可以先拉警戒带",
    "需要的话我出拖拉机",
    "要注意地下有光缆",
    "汛期以前不动就晚了",
    "工钱按天算比较合适",
    "请一并解决排水",
];

/// Who, when, how, does, what: the words of free sentences.
const WHEN: &str = "前天 昨晚 上午 中午 傍晚 凌晨 周末 月初 月底 年前 开春 入夏 秋收 冬至 端午 中秋 清明 赶场天 下雨天 放假时 插秧时 停电后 涨水时 打霜后 交租时 开会时 去年底 今年初 这几天 前些年 半个月前 大前年";
const WHO: &str = "邻居 组长 支书 会计 医生 老师 司机 木匠 电工 泥瓦工 渔户 菜农 果农 养蜂人 租户 房东 老板 包工头 护林员 网格员 调解员 代表 党员 退役军人 孤老 学生 家长 媳妇 大娘 大爷 表叔 外甥 妇女主任 保洁员 水管员 驾驶员 店主 屠户 客商 志愿者 律师 监理 业主 承包户 种粮大户 低保户 聋哑人 接送员 快递员 门卫";
const HOW: &str = "经常 偶尔 悄悄 当面 反复 突然 慢慢 一直 偏偏 早就 刚刚 自己 一起 轮流 私下 公开 临时 连夜 顺便 硬是 勉强 照旧 干脆 差点 多次 分头 马上 只好 竟然 恐怕 究竟 大概 仍旧 甚至 索性 居然 果真 起码 好歹 毕竟";
const DOES: &str = "挖开 堵住 搬走 拆掉 扩建 占用 转租 抵押 承认 推翻 签字 拖欠 垫付 清点 丈量 登记 改道 架设 焊接 浇筑 填平 砍伐 嫁接 灌溉 喷洒 收割 晾晒 储存 运输 装卸 检修 更换 拧紧 疏散 劝阻 举报 投诉 拍照 公示 张贴 撕毁 涂改 核对 借用 归还 赔偿 分配 补种 围挡 加固 清洗 消毒 搭建 翻新 关停 验收 抽水 蓄水 排涝 打桩 铺设 圈养 捕捞 烧毁 盗走 碾压 磕碰 淹没 冲垮 遮挡 漏算 错发 少付 多收 延误 答应 拒绝 商量 抓阄";
const WHAT: &str = "合同 台账 地契 界石 田埂 菜地 果园 鸭棚 猪圈 沼气池 化粪池 水泵 闸阀 电表 电杆 光缆 井圈 护坡 挡墙 桥墩 栏杆 标牌 路肩 边沟 涵管 水泥 砂石 钢筋 木料 瓦片 门窗 屋檐 楼梯 电梯 车棚 球场 戏台 祠堂 坟地 竹林 柏树 桤木 枇杷 柑橘 樱桃 油菜 稻种 化肥 农药 地膜 秸秆 饲料 鱼苗 鸡苗 三轮车 挖机 收割机 喇叭 摄像头 消防栓 灭火器 药箱 轮椅 校车 课桌 食堂 账本 发票 押金 补贴 工资 保险 医保卡 社保 股份 分红 欠条 公章 图纸 方案 名单 照片 录音 通知 线路 管网 机房 仓库 冷库 晒坝 堰塘 水渠 泉眼 滑坡体 危房 宅基地 自留地 机耕道 便道 站牌";
const HOW_IT_IS: &str = "开裂 松动 发黑 生锈 塌陷 变形 漏电 渗水 堵塞 断裂 发霉 倾斜 超载 过期 缺角 积灰 冒烟 发烫 失灵 模糊 不平 太窄 太陡 太旧 太贵 不够 不清 不准 不响 不亮 荒着 空着 压着 拖着 敞着 泡着 锁着 晾着 欠着 闲置";
const SO: &str =
    "所以 但是 而且 结果 后来 据说 反正 不然 因此 另外 其实 只要 要是 虽然 除非 眼看 难怪 幸好 可惜 总之";

/// Names of real villages and townships, without what they are.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let places = Divisions::shipped().unwrap_or_default();
    let names: BTreeSet<String> = places.iter().map(|d| short_name(&d.name).to_string()).collect();
    names.into_iter().filter(|name| (2..=4).contains(&name.chars().count())).collect()
});

fn name(rng: &mut StdRng) -> &'static str {
    NAMES.get(rng.random_range(0..NAMES.len().max(1))).map_or("", String::as_str)
}

fn word(rng: &mut StdRng, from: &'static str) -> &'static str {
    let count = from.split(' ').count();
    from.split(' ').nth(rng.random_range(0..count)).unwrap_or_default()
}

/// A free sentence of some twenty-five characters, without its full stop.
fn sentence(rng: &mut StdRng) -> String {
    let mut out = String::new();
    if rng.random_bool(0.4) {
        out.push_str(word(rng, SO));
    }
    if rng.random_bool(0.6) {
        out.push_str(word(rng, WHEN));
    }
    out.push_str(name(rng));
    out.push_str(word(rng, WHO));
    out.push_str(word(rng, HOW));
    out.push_str(word(rng, DOES));
    out.push_str(name(rng));
    out.push_str(word(rng, WHAT));
    if rng.random_bool(0.5) {
        out.push_str(&format!("，{}{}{}", word(rng, WHAT), word(rng, HOW), word(rng, HOW_IT_IS)));
    }
    out
}

fn pick<'a>(rng: &mut StdRng, from: &[&'a str]) -> &'a str {
    from.get(rng.random_range(0..from.len().max(1))).copied().unwrap_or_default()
}

fn person(rng: &mut StdRng) -> String {
    format!("{}{}{}", pick(rng, SURNAMES), pick(rng, GIVEN), pick(rng, GIVEN))
}

/// One matter in words.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) category: &'static str,
}

/// The next matter: a body of some 120 characters.
pub(crate) fn matter(rng: &mut StdRng) -> Words {
    let (spot, trouble) = (pick(rng, SPOTS), pick(rng, TROUBLES));
    let mut body = format!(
        "{}组{}反映：{}{}往{}约{}米，{}，",
        rng.random_range(1..=18),
        person(rng),
        pick(rng, &["从", "由", "挨着", "过了"]),
        spot,
        pick(rng, &["东", "西", "南", "北", "里", "上", "下"]),
        rng.random_range(3..900),
        trouble,
    );
    body.push_str(&format!("已经{}{}了，", rng.random_range(2..30), pick(rng, &["天", "个星期", "个月"])));
    while body.chars().count() < 100 {
        let more = match rng.random_range(0..10) {
            2.. => format!("{}，", sentence(rng)),
            0 => format!("{}，", pick(rng, HARMS)),
            _ => format!("影响{}户{}人，", rng.random_range(3..90), rng.random_range(10..400)),
        };
        body.push_str(&more);
    }
    body.push_str(&format!("{}，{}。", sentence(rng), pick(rng, WISHES)));
    let category = CATEGORIES.get(rng.random_range(0..CATEGORIES.len())).copied().unwrap_or("其他");
    let title = format!("{spot}的{}{}", word(rng, WHAT), word(rng, HOW_IT_IS));
    Words { title, body, category }
}

/// A comment of some twenty to forty characters.
pub(crate) fn comment(rng: &mut StdRng) -> String {
    format!("{}：{}，{}。", person(rng), sentence(rng), pick(rng, REMARKS))
}

/// A reply of some sixty characters.
pub(crate) fn answer(rng: &mut StdRng) -> String {
    format!(
        "经{}现场查看，{}一处由{}牵头，{}月{}日前办完，费用{}元由公服资金列支，{}，{}。",
        person(rng),
        pick(rng, SPOTS),
        pick(rng, &["镇农业站", "镇水利站", "村委会", "供电所", "区交通局", "社区卫生中心"]),
        rng.random_range(1..=12),
        rng.random_range(1..=28),
        rng.random_range(200..60_000),
        sentence(rng),
        pick(rng, &["修好后请村里回访", "期间请绕行", "完工后张榜公布", "有变化另行告知"]),
    )
}
