//! What the collector's page and the page on trusting this node say.

use super::Word;

super::words! {
    TITLE: "民情专递", "Collecting";
    NAV: "走访", "Collect";
    NO_SCRIPT: "这一页要在手机上存东西，得用浏览器的脚本，现在关着。请在浏览器设置里打开 JavaScript 再来；或者联着村里的网，直接用“登记事项”，不用脚本也能登记。", "This page keeps things on the phone and needs the browser's script, which is turned off. Turn JavaScript on in the browser's settings; or, on the village's network, use “Register a matter”, which needs none.";
    INSECURE: "浏览器还不信任这个网址，不让它在手机上存东西，所以断网时打不开。照“让手机信任这里”做一遍，只做一次；今天先用“登记事项”，要联着村里的网。", "The browser does not trust this address yet and lets it keep nothing on the phone, so it would not open without a network. Go through “Have the phone trust this place”, once; for today use “Register a matter”, on the village's network.";
    OLD_BROWSER: "这个浏览器不能在手机上可靠地存东西（可能是无痕窗口，或者版本太旧）。请用手机自带的或较新的浏览器，在普通窗口打开；今天先用“登记事项”。", "This browser cannot keep things on the phone reliably: it is too old, or this is a private window. Use a newer one, in an ordinary window; for today use “Register a matter”.";
    TRUST_LINK: "让手机信任这里", "Have the phone trust this place";
    NEW_MATTER: "记一件事", "Write down a matter";
    NEW_MEETING: "记一场坝坝会", "Write down a meeting";
    DELIVERY: "送到村里", "To the village";
    PROGRESS: "送的进度", "How far the delivery is";
    SEND_NOW: "现在送", "Deliver now";
    ON_PHONE: "这部手机上的", "On this phone";
    NONE: "还没有记过。走访时没有网也能记：记下就存在手机里，回到村里的 Wi-Fi 会自动送到，每件只送一次。", "Nothing yet. Visits need no network: what is written is kept on the phone and delivered on the village's Wi-Fi, each matter once.";
    CLEAR: "清掉村里已收到的", "Clear what has arrived";
    PHONE: "关于这部手机", "About this phone";
    PROMISE: "没送出的事项加了锁存在手机里，只有您登录着才打得开。退出登录或换人登录，钥匙就从手机上拿走：别人看不到内容，您再登录又能接着送。手机丢了、坏了，没送出的找不回来。", "What is not delivered is kept locked on the phone and opens only while you are signed in. When you sign out or somebody else signs in, the key leaves the phone: nobody reads it, and you go on once you sign in again. With the phone lost or broken, what was not delivered is lost.";
    SAID_HINT: "只有这一项必须填。反映人的姓名、电话写在下面，会密封。", "Only this is compulsory. Name and telephone go below and are sealed.";
    CAMERA: "拍照片", "Take a photo";
    ALBUM: "从相册选", "From the album";
    SHEET_PHOTO: "拍现场、签到表", "Photo of the place or the sign-in sheet";
    WHO_RAISED: "谁反映的", "Who raised it";
    SEALED_HINT: "送到村里后密封保存，只有要联系反映人的同志能看。", "Sealed once it reaches the village: only those who must get in touch can read it.";
    MORE: "更多：渠道、日期", "More: channel, day";
    GUESSED: "照说的话猜的，不对就改。", "Guessed from what was said; change it if it is wrong.";
    DAY: "哪天的事（不填就是今天）", "The day (today if left out)";
    SETTLED: "当场已经说清、办好", "Settled on the spot";
    SETTLED_LABEL: "当场怎么说的、怎么办的", "What was said or done on the spot";
    SETTLED_HINT: "没有当场办结权限的，会写进事项里，由村里文书办结。", "If you may not close matters, it is written into the matter and the clerk closes it.";
    DONE: "记好了", "Done";
    BACK: "返回", "Back";
    DROP: "删掉", "Delete";
    MEETING_PLACE: "在哪儿开的", "Where";
    MEETING_PEOPLE: "来了多少人", "How many came";
    MEETING_NAMES: "谁来了（密封）", "Who was there (sealed)";
    MEETING_NAMES_HINT: "可以不写，拍一张签到表就行。", "May be left out: a photo of the sign-in sheet will do.";
    MEETING_SAID: "会上说了什么、议定了什么", "What was said and settled";
    MEETING_ITEMS: "会上提的事，一件一件记", "Matters raised at it, one by one";
    MEETING_ITEMS_HINT: "每件各有编号，各自办理，都注明是这次会上提的。", "Each gets a number and goes its own way, and says that it came from this meeting.";
    MEETING_ADD: "再加一件", "One more";
    FOOTER: "没有网也能打开", "Opens without a network";

    T_TITLE: "让手机信任这里", "Have your phone trust this place";
    T_WHY: "村里的机器在自己的 Wi-Fi 上，没有外面的机构给它作证，手机第一次会说“连接不安全”。在手机上装一次下面这张证书，以后就不再提示，走访的页面没有网也能打开。", "The village's machine stands on its own Wi-Fi and nobody outside vouches for it, so a phone says at first that the connection is not secure. Install the certificate below once: the warning goes, and the collector's page opens without a network.";
    T_GET: "下载证书", "Download the certificate";
    T_GET_PEM: "电脑用（PEM）", "For computers (PEM)";
    T_COMPARE: "先核对指纹", "First compare the fingerprint";
    T_COMPARE_HOW: "装的时候，手机会显示这张证书的 SHA-256 指纹。跟村里纸上贴的一组一组对：全部一样再信任；有一处不同就不要装，告诉村里。", "While installing, the phone shows the certificate's SHA-256 fingerprint. Compare it group by group with the paper in the village hall: trust it only if all agree; if one differs, do not install it, and tell the village.";
    T_NAME: "在手机里叫", "Its name on the phone";
    T_GOOD_FOR: "只对这些网址有效", "Good for these addresses only";
    T_LIMIT: "这张证书只能证明上面这几个网址，证明不了银行、微信或别的网站：就算这台机器被偷，拿到里面的钥匙，也冒充不了别的网站。", "It vouches for these addresses and nothing else, neither banks nor other sites: whoever steals the machine and the keys in it can pass for no other site.";
    T_OPEN: "装好以后用手机打开", "Then open on the phone";
    T_ANDROID: "安卓手机", "Android";
    T_ANDROID_1: "用手机自带浏览器或 Chrome 打开这一页（不要在微信里打开）。第一次提示不安全，点“高级 → 继续前往”。", "Open this page in Chrome or the phone's browser, not inside WeChat. At the first warning choose “Advanced → Proceed”.";
    T_ANDROID_2: "点“下载证书”，存到手机。", "Press “Download the certificate” and keep the file.";
    T_ANDROID_3: "打开 设置 → 安全（或“密码与安全”）→ 更多安全设置 → 加密与凭据 → 安装证书 → CA 证书，选“仍然安装”，选中刚下载的文件。各家手机叫法略有不同，可在设置里搜“CA 证书”。", "Settings → Security → More → Encryption & credentials → Install a certificate → CA certificate → “Install anyway”, and choose the file. Names differ between makers: search the settings for “CA certificate”.";
    T_ANDROID_4: "再到“信任的凭据 → 用户”里点开它，核对 SHA-256 指纹。", "Then open it under “Trusted credentials → User” and compare the SHA-256 fingerprint.";
    T_IPHONE: "苹果手机", "iPhone";
    T_IPHONE_1: "用 Safari 打开这一页（不要在微信里打开）。提示不安全时点“显示详细信息 → 访问此网站”。", "Open this page in Safari, not inside WeChat. At the warning choose “Show Details → visit this website”.";
    T_IPHONE_2: "点“下载证书”，再点“允许”。", "Press “Download the certificate”, then “Allow”.";
    T_IPHONE_3: "打开 设置 → 已下载描述文件 → 安装。装之前点“更多详细信息”，核对 SHA-256 指纹。", "Settings → Profile Downloaded → Install. Before that, open “More Details” and compare the SHA-256 fingerprint.";
    T_IPHONE_4: "再到 设置 → 通用 → 关于本机 → 证书信任设置，打开它的开关。少了这一步，手机仍然不信任。", "Then Settings → General → About → Certificate Trust Settings: turn its switch on. Without this step the phone does not trust it.";
    T_HARMONY: "华为鸿蒙手机", "HarmonyOS";
    T_HARMONY_1: "用华为浏览器打开这一页，点“下载证书”。", "Open this page in the Huawei browser and press “Download the certificate”.";
    T_HARMONY_2: "鸿蒙 4 及以前：设置 → 安全 → 更多安全设置 → 加密和凭据 → 从存储设备安装 → CA 证书。", "HarmonyOS 4 and earlier: Settings → Security → More settings → Encryption and credentials → Install from storage → CA certificate.";
    T_HARMONY_3: "鸿蒙 5 及以后：设置 → 隐私和安全 → 高级 → 证书与凭据 → 从存储设备安装。机型不同，位置略有不同，可在设置里搜“证书”。", "HarmonyOS 5 and later: Settings → Privacy & security → Advanced → Certificates & credentials → Install from storage. Search the settings for “certificate” if it stands elsewhere.";
    T_CANNOT: "做不到的", "What this cannot do";
    T_CANNOT_1: "微信、QQ 里面打开的网页不认自己装的证书，请用浏览器。", "Pages opened inside WeChat or QQ do not heed certificates you install: use a browser.";
    T_CANNOT_2: "安卓上的火狐要另外打开：设置 → 关于 Firefox，连点图标五下，再到“秘密设置”里打开“使用第三方 CA 证书”。", "Firefox on Android needs its own switch: Settings → About Firefox, tap the logo five times, then Secret Settings → “Use third party CA certificates”.";
    T_CANNOT_3: "单位统一管理的手机可能不让装证书，只能找管理手机的人。", "A phone managed by an office may refuse certificates: ask whoever manages it.";
    T_CANNOT_4: "纸上的指纹要由村里从这台机器的屏幕上打印、张贴。从 Wi-Fi 上看到的指纹只有跟纸上对过才算数。", "The paper must be printed from this machine's own screen and hung by the village. What a phone shows over the Wi-Fi counts only once it was compared with the paper.";
    T_CANNOT_5: "换了网址（路由器给了新地址），旧证书就不管用。请在路由器上给这台机器固定地址。", "If the machine's address changes, the certificate does not fit any more: give it a fixed address in the router.";
    T_NONE: "这台机器现在只供本机使用，没有给手机的加密网址，所以没有要信任的证书。管机器的人在 node.toml 的 [http] 里写上 tls_listen（例如 0.0.0.0:4743）和 names（例如 192.168.8.1），重启后再来这一页。", "This machine serves nobody but itself: it has no encrypted address for phones, hence nothing to trust. Whoever looks after it sets tls_listen (such as 0.0.0.0:4743) and names (such as 192.168.8.1) under [http] in node.toml, starts it again and comes back here.";
    T_OTHER_NAME: "您现在用的网址不在证书里，手机会一直提示不安全。请用上面列出的网址打开；或请管机器的人把这个网址写进 node.toml 的 names。", "The address you are at is not in the certificate, and phones will go on warning. Use one listed above; or have it written into names in node.toml.";
    T_PRINT: "打印这一页张贴（A4）：手机扫方块码打开，照着装。", "Print this page on A4 and hang it up: phones scan the square and follow the steps.";
}

/// What the script says, by the names it asks for.
pub(in crate::http::pages) const SPOKEN: &[(&str, Word)] = &[
    ("here", Word("在手机上", "On the phone")),
    ("writing", Word("没写完", "Not finished")),
    (
        "unsure",
        Word(
            "在手机上 · 送过，还没等到回话；再送不会变成两件",
            "On the phone · sent, no answer yet; sending again makes no second one",
        ),
    ),
    ("sending", Word("正在送", "On its way")),
    ("arrived", Word("村里已收到", "The village has it")),
    ("refused", Word("村里没有收下", "The village did not take it")),
    (
        "locked",
        Word(
            "打不开：村里换过机器，这一件的钥匙没有了。删掉它，请重新记一遍。",
            "Cannot be opened: the village changed its machine and the key is gone. Delete it and write it down again.",
        ),
    ),
    ("number", Word("编号 {number}　校验码 {check}", "Number {number}, check code {check}")),
    ("photos", Word("照片 {n} 张", "Photos: {n}")),
    (
        "photosWait",
        Word("还有 {n} 张照片在手机上，没送到", "{n} photos are still on the phone, not delivered"),
    ),
    (
        "photosNone",
        Word(
            "还有 {n} 张照片在手机上：村里的系统现在还不收照片，先留着，别清手机",
            "{n} photos are still on the phone: the village's program does not take photos yet; they are kept here",
        ),
    ),
    (
        "photosRefused",
        Word("{n} 张照片村里没有收下：{reason}", "The village did not take {n} photos: {reason}"),
    ),
    ("photosArrived", Word("照片 {n} 张已收到", "{n} photos have arrived")),
    ("meeting", Word("坝坝会", "Meeting")),
    ("ofMeeting", Word("坝坝会上提的", "Raised at a meeting")),
    ("meetingTitle", Word("坝坝会：{place}", "Courtyard meeting: {place}")),
    ("meetingNowhere", Word("院坝", "in the courtyard")),
    ("meetingPeople", Word("到会 {n} 人。", "{n} people came.")),
    ("meetingItems", Word("会上提的事已分别登记：{numbers}", "Registered from this meeting: {numbers}")),
    (
        "raisedAt",
        Word(
            "（坝坝会上提出，会议登记为 {number}）",
            "(Raised at a courtyard meeting, registered as {number})",
        ),
    ),
    ("settledNote", Word("专递员当场处理：{text}", "Settled by the collector on the spot: {text}")),
    ("item", Word("第 {n} 件", "Matter {n}")),
    ("itemName", Word("谁提的（密封，可不写）", "Who raised it (sealed, may be left out)")),
    ("itemDrop", Word("去掉第 {n} 件", "Remove matter {n}")),
    ("untitled", Word("（还没写）", "(nothing yet)")),
    ("open", Word("改一改", "Change")),
    ("mend", Word("改好再送", "Mend and send again")),
    ("drop", Word("删掉", "Delete")),
    ("look", Word("看这一件", "Open the matter")),
    ("signedIn", Word("{name}，记下的都算您的。", "{name}: what is written here is yours.")),
    ("signedOut", Word("这部手机上没有人登录。", "Nobody is signed in on this phone.")),
    (
        "signInFirst",
        Word(
            "先联上村里的 Wi-Fi 登录一次，以后没有网也能记。",
            "Sign in once on the village's Wi-Fi; after that no network is needed.",
        ),
    ),
    (
        "away",
        Word(
            "现在联不上村里。照常记，都存在这部手机上；回到村里的 Wi-Fi 会自动送。",
            "The village cannot be reached now. Go on writing: it is kept on this phone and delivered on the village's Wi-Fi.",
        ),
    ),
    (
        "expired",
        Word(
            "登录过期了。记下的都还在手机上，登录以后接着送。",
            "The session has ended. Everything is still on the phone; delivery goes on after you sign in.",
        ),
    ),
    (
        "cannotReport",
        Word(
            "这个账号不能登记事项，请村里给它专递员等身份。",
            "This account may not register matters: ask for the collector's role.",
        ),
    ),
    ("waitingNone", Word("没有等着送的。", "Nothing waits to be delivered.")),
    ("waiting", Word("还有 {n} 件在手机上，没送到村里。", "{n} on the phone, not delivered yet.")),
    ("sendingN", Word("第 {n} 件，共 {all} 件", "{n} of {all}")),
    ("sendingPhotos", Word("文字送完了，正在送照片", "The texts are there; now the photos")),
    (
        "later",
        Word(
            "送到一半联不上了，没送的都在手机上，过一会儿自动再送。",
            "The village stopped answering. What was not delivered is on the phone and goes on by itself.",
        ),
    ),
    ("sentAll", Word("都送到了。", "Everything has arrived.")),
    ("savedAt", Word("{at} 已存在手机上", "Kept on the phone at {at}")),
    (
        "full",
        Word(
            "手机存储满了，刚才这一下没有存下；之前存下的都在。请删些照片、视频腾出地方，或先回村里送出一批。",
            "The phone's storage is full: this last bit was not kept; what was kept before is. Free some space, or deliver first.",
        ),
    ),
    (
        "fullPhoto",
        Word(
            "手机存储满了，这张照片没有存下；文字都在。请腾出地方再拍，或先回村里送出一批。",
            "The phone's storage is full: this photo was not kept; the text is. Free some space, or deliver first.",
        ),
    ),
    (
        "phoneTrouble",
        Word(
            "手机没有存成（{what}）。先别关这一页，再按一次；还不行就抄在纸上。",
            "The phone could not keep it ({what}). Leave this page open and press again; failing that, write it on paper.",
        ),
    ),
    (
        "notPicture",
        Word(
            "“{name}”不是这部手机能打开的照片，没有存下。",
            "“{name}” is no picture this phone can read; it was not kept.",
        ),
    ),
    ("photoKept", Word("照片已存在手机上（{n} 千字节）", "The photo is kept on the phone ({n} kB)")),
    (
        "photoMax",
        Word(
            "一件最多 {n} 张照片，多出的没有存。",
            "At most {n} photos for one matter; the rest were not kept.",
        ),
    ),
    ("photo", Word("照片 {n}", "Photo {n}")),
    ("photoDrop", Word("去掉照片 {n}", "Remove photo {n}")),
    ("empty", Word("“群众说了什么”没有写。写一句就行。", "“What was said” is empty. One sentence will do.")),
    (
        "emptyMeeting",
        Word(
            "会上说了什么没有写。写一句就行。",
            "What was said at the meeting is empty. One sentence will do.",
        ),
    ),
    (
        "held",
        Word(
            "这一件正在送，或者在另一个窗口里开着。等一下再看。",
            "This one is being delivered, or open in another window. Look again in a moment.",
        ),
    ),
    (
        "clockAhead",
        Word(
            "手机时间比村里快 {much}。请到手机设置里改成自动校时；没填日期的，送的时候按村里的时间算。",
            "The phone's clock is {much} ahead of the village's. Set it to automatic; days left out are counted by the village's clock.",
        ),
    ),
    (
        "clockBehind",
        Word(
            "手机时间比村里慢 {much}。请到手机设置里改成自动校时；没填日期的，送的时候按村里的时间算。",
            "The phone's clock is {much} behind the village's. Set it to automatic; days left out are counted by the village's clock.",
        ),
    ),
    (
        "clockBack",
        Word(
            "手机时间不对：比上次联上村里时还早。请改对时间，或者每件都填上日期。",
            "The phone's clock is wrong: it is earlier than when the village was last reached. Put it right, or fill in the day of each matter.",
        ),
    ),
    ("minutes", Word("{n} 分钟", "{n} minutes")),
    ("hours", Word("{n} 小时", "{n} hours")),
    ("days", Word("{n} 天", "{n} days")),
    (
        "others",
        Word(
            "这部手机上还有别人没送出的 {n} 件，锁着，要本人登录才能打开和送出。",
            "Somebody else's {n} undelivered matters are on this phone, locked until they sign in.",
        ),
    ),
    (
        "kept",
        Word(
            "浏览器答应长期保存。已用 {used} 兆，还能存约 {free} 兆。",
            "The browser promises to keep it. {used} MB used, some {free} MB left.",
        ),
    ),
    (
        "notKept",
        Word(
            "浏览器没有答应长期保存：手机存储紧张时，它可能把没送出的清掉。请把这一页“添加到主屏幕”，并尽快送出。已用 {used} 兆，还能存约 {free} 兆。",
            "The browser does not promise to keep it: short of space, it may clear what is not delivered. Add this page to the home screen and deliver soon. {used} MB used, some {free} MB left.",
        ),
    ),
    (
        "update",
        Word(
            "程序更新了，下次打开就用新的。",
            "The program was updated; the new one is used when you open it next.",
        ),
    ),
    ("dropAsk", Word("删掉这一件？", "Delete this one?")),
    (
        "dropAskMeeting",
        Word("删掉这场会和会上提的 {n} 件？", "Delete this meeting and the {n} matters raised at it?"),
    ),
    (
        "dropAskMore",
        Word("它还没有送到村里，删掉就找不回来了。", "It has not been delivered; deleted, it is lost."),
    ),
    (
        "dropAskUnsure",
        Word(
            "它送过一次、没等到回话：村里可能已经收到，也可能没有。删掉只是手机上不再送。",
            "It was sent once and no answer came: the village may have it or not. Deleting only stops this phone from sending it.",
        ),
    ),
    ("yesDrop", Word("删掉", "Delete")),
    ("no", Word("不，返回", "No, go back")),
    ("leaveAsk", Word("还有 {n} 件没送到村里。", "{n} have not been delivered.")),
    (
        "leaveMore",
        Word(
            "先送出最好。照样退出的话，它们锁在手机里，您下次登录再送；别人打不开。",
            "Delivering first is best. If you sign out now they stay locked on the phone until you sign in again; nobody else can open them.",
        ),
    ),
    ("leaveDeliver", Word("先送出", "Deliver first")),
    ("leaveKeep", Word("锁着留下，退出", "Leave them locked, sign out")),
    ("leaveAll", Word("全部删掉，退出", "Delete them all, sign out")),
    (
        "leftAway",
        Word(
            "已从这部手机退出。村里那边的登录等联上再结束。",
            "Signed out on this phone. The session at the village ends once it can be reached.",
        ),
    ),
    ("left", Word("已退出。", "Signed out.")),
];
