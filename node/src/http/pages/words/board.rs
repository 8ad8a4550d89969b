//! What the public board and the hall's screen says.

super::words! {
    SAID: "通知", "Announcements";
    TITLE: "公开栏", "Public board";
    WITHOUT: "不用登录也可以：", "Without signing in:";
    BACK: "回到公开栏", "Back to the public board";
    INTRO: "公示了什么、答复了哪些、公家的钱怎么花、什么等得最久，谁都可以看。反映人是谁、说了什么，这里不显示。", "What is posted, what was answered, what public money is spent on, what waits longest: for everybody to see. Who raised a matter and what was said is not shown here.";
    SCREEN: "大屏播放", "For the hall's screen";
    SHEET: "打印张贴", "Print for the paper board";
    SHEET_HINT: "用浏览器的打印，打成 A4 张贴。每条公示旁的方块码，手机一扫就能看全文、提异议。", "Print it with the browser on A4. The square beside each notice opens it on a telephone: the whole text, and where to object.";
    NOTICES: "正在公示", "Posted now";
    NOTICES_NONE: "现在没有公示。要花公家的钱、要定大家的事，表决之后会挂在这里，写明挂几天、有异议怎么提。", "Nothing is posted now. What spends public money or settles what concerns everybody hangs here after the vote, with how long it hangs and how to object.";
    REPLIES: "最近的决定和答复", "Decided and answered of late";
    REPLIES_NONE: "最近三十天没有新的答复。有了答复，编号和办到哪一步会列在这里；内容只告诉反映人。", "Nothing was answered in the last thirty days. Once something is, its number and stage stand here; the words are for whoever raised it.";
    MONEY: "公家的钱", "Public money";
    MONEY_NONE: "还没有项目账目。自建项目定了预算、花了钱，就列在这里给大家看。", "No project has accounts yet. Once a project has a budget or spends, it stands here for all to see.";
    WAITING: "等得最久的", "Waiting longest";
    WAITING_NONE: "没有在等答复的事项。", "Nothing waits for an answer.";
    LOOK_UP: "查自己那一件", "Look up your own";
    LOOK_UP_HINT: "编号和校验码在回执上。", "Both are on the receipt.";
    POSTED_BY: "公示单位", "Posted by";
    FROM_TO: "公示时间", "Hangs";
    OBJECTIONS: "已收到异议", "Objections so far";
    WHOLE: "看全文，提异议", "Read all of it, or object";
    WHOLE_ON_BOARD: "全文见公开栏。", "The whole is on the public board.";
    HOW_RECEIPT: "有这一件的回执：凭编号和校验码在下面写，当时就记下。", "With this matter's receipt: write it below with number and check code; it is recorded at once.";
    OBJECT: "提出异议", "Object";
    OBJECT_TEXT: "异议和理由", "The objection and its reasons";
    OBJECT_HINT: "写清对哪一点有异议、为什么。不用写姓名，也不要写身份证号和电话：异议会给办理的人看。", "Say what you object to and why. No name is needed; leave out identity and telephone numbers: whoever handles it reads this.";
    OBJECTED: "异议已记下。公示单位要回复每一条异议；凭回执到登记单位可以问到回复。", "The objection is recorded. Whoever posted the notice has to answer each one; with the receipt the answer can be asked for.";
    OTHER_RECEIPT: "这张回执是另一件事的，凭它不能对这条公示提异议，还没有记下。请核对编号。", "This receipt is another matter's and does not serve for this notice. Nothing was recorded. Check the number.";
    NO_TEXT: "“异议和理由”没有填写，还没有记下。", "“The objection and its reasons” is empty. Nothing was recorded.";
    OVER: "公示期已过，不能再提异议。有新情况，可以到登记单位反映。", "The time of the notice is over; no objection can be lodged. What is new can be raised at the place itself.";
    TAKEN_DOWN: "公示期满", "No longer posted";
    BY_RECEIPT: "持回执人", "holder of the receipt";
    BUDGET: "预算", "Budget";
    SPENT: "已支出", "Spent";
    TOLD: "已告知反映人", "petitioner told";
    PAUSE: "暂停", "Pause";
    GO_ON: "继续", "Go on";
    KEYS: "空格键暂停，左右键翻页", "Space pauses, arrows turn the page";
    UPDATED: "有新变化，页面已更新。", "Something changed; the page was brought up to date.";
    SHEET_ASK: "凭回执上的编号和校验码，可以查自己那一件办到哪一步：", "With number and check code of a receipt one can see how it stands:";
}
