//! What is said of photos.

super::words! {
    PHOTOS: "照片", "Photos";
    CHOOSE: "现场照片（可不选）", "Photos (optional)";
    CHOOSE_HINT: "可一次选几张，也可直接拍。拍照的地点、时间和手机型号会先去掉，再保存。", "Several at once, or taken now. Where, when and with which telephone they were taken is removed before they are kept.";
    AGAIN: "选好的照片已放好，不用再选；不要的，去掉勾。", "The photos chosen are kept; no need to choose them again. Untick what you do not want.";
    KEEP: "放上这张", "Use this one";
    NOT_KEPT: "有照片没有收下，其余填的都在下面：", "Some photos were not taken; all else is below:";
    ADD: "放照片", "Add photos";
    ADD_WHICH: "选照片", "Choose photos";
    ABOUT: "照片上是什么", "What they show";
    ABOUT_PHOTO: "现场", "On site";
    ABOUT_SIGN_IN: "签到表", "Sign-in sheet";
    ABOUT_COUNT: "唱票、计票", "Votes being counted";
    ABOUT_RECEIPT: "单据", "A receipt";
    CAPTION: "说明（可不填）", "What to write under them (optional)";
    SAVE: "放上", "Add";
    NONE_CHOSEN: "没有选照片。请先选照片，再按“放上”。", "No photo was chosen. Choose some, then press Add.";
    TOO_MANY: "一次最多放二十张照片。请去掉几张再保存。", "At most twenty photos at a time. Untick some and save again.";
    HERE: "本机已存", "Kept here";
    ABOVE: "上级已存", "Kept above";
    NOT_ABOVE: "还没送到上级，通了会自动送", "Not above yet; it goes by itself";
    LET_GO: "已从本机清出，上级有", "Let go here; kept above";
    FETCH: "取回来看", "Fetch it again";
    OPEN: "看大图", "Open";
    SHRUNK: "照片已缩小，省流量：", "Made smaller to save data:";
    SHRINKING: "正在缩小照片……", "Making the photos smaller …";
}

/// What a photo shows, by its stable name.
pub(in crate::http::pages) fn about(name: &str) -> super::Word {
    match name {
        "sign_in" => ABOUT_SIGN_IN,
        "count" => ABOUT_COUNT,
        "receipt" => ABOUT_RECEIPT,
        _ => ABOUT_PHOTO,
    }
}
